"""commands.md and errors.md: every command with its options, and the ways it can end."""

import importlib
from collections.abc import Iterator

import click

from ageingwell import errors
from tools.reference.markdown import prose, table


def exit_codes() -> str:
    """One row a kind of error."""
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.AgeingWellError)
    ]
    rows = [("0", "", "All went well."), ("2", "", "The command line was written wrongly; the message says how.")]
    rows += [(str(kind.exit_code), f"`{kind.__name__}`", prose(kind.__doc__)) for kind in kinds]
    rows.sort(key=lambda row: int(row[0]))
    return table(("exit code", "class", "what it means"), rows)


def commands() -> str:
    """Every command of the command line with its options."""
    group: click.Group = importlib.import_module("ageingwell.cli").cli
    context = click.Context(group, info_name="ageingwell")
    return "\n\n".join(_command(command, parent) for command, parent in _all(group, context))


def _all(group: click.Group, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Every command, those of groups too, in order of their names."""
    for name in group.list_commands(context):
        command = group.commands[name]
        if isinstance(command, click.Group):
            yield from _all(command, click.Context(command, info_name=name, parent=context))
        else:
            yield command, context


def _command(command: click.Command, parent: click.Context) -> str:
    context = click.Context(command, info_name=command.name, parent=parent)
    usage = f"```\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```"
    options = [
        option.get_help_record(context) for option in command.get_params(context) if isinstance(option, click.Option)
    ]
    rows = [(f"`{record[0]}`", record[1]) for record in options if record is not None and "--help" not in record[0]]
    name = context.command_path.removeprefix("ageingwell ")
    told = f"## {name}\n\n{prose(command.help)}\n\n{usage}"
    return f"{told}\n\n{table(('option', 'what it does'), rows)}" if rows else told
