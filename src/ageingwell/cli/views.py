"""The commands of what each recipient may see."""

import json
from pathlib import Path

import click

from ageingwell.cli.entry import config_of, progress
from ageingwell.cli.root import cli, config_option, json_option, log_option
from ageingwell.cli.telling import told_value
from ageingwell.errors import NotPermittedError
from ageingwell.register import RECIPIENTS, Recipient


@cli.group()
def views() -> None:
    """What each recipient may see of a night."""


@views.command("explain")
@click.argument("recipient", type=click.Choice(RECIPIENTS))
@config_option
@click.option("--rows", default=5, show_default=True, type=click.IntRange(min=0), help="Made-up rows to print.")
@json_option
@log_option
def explain_view(recipient: Recipient, config_path: Path | None, rows: int, as_json: bool) -> None:
    """Print what a recipient's row in the ledger lets it see, on made-up people, and that the rest is absent."""
    from ageingwell.jobs import viewing

    with progress() as world:
        view = viewing.explain_view(recipient, config=config_of(config_path), n_rows=rows, surroundings=world)
    if as_json:
        click.echo(json.dumps({name: told_value(value) for name, value in vars(view).items()}, default=str))
    else:
        click.echo(viewing.view_text(view))
    if view.n_found:
        raise NotPermittedError(
            f"{view.n_found} things that the ledger keeps from `{recipient}` are in its files",
            "send nobody these files, and report the fault with the text above",
        )
