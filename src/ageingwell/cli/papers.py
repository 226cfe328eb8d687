"""The command of the sign-off: signoff."""

import json
from datetime import date
from pathlib import Path

import click

from ageingwell.cli.entry import progress
from ageingwell.cli.places import OUT, PACK
from ageingwell.cli.root import DAY, cli, config_option, json_option, log_option


@cli.command()
@click.option("--out", required=True, type=OUT, help="The folder that holds the published nights.")
@click.option("--pack", required=True, type=OUT, help="The folder for the papers: a new one. With --sign: a pack.")
@click.option("--night", type=DAY, help="The night to sign off. Without it: the current one.")
@click.option("--against", type=PACK, help="A signed pack to compare with. Without it: the one in the settings.")
@click.option("--sign", "signing", is_flag=True, help="Sign a pack, with the papers as people filled them in.")
@click.option("--name", help="With --sign: the name of the person who signs. It stays in the pack.")
@click.option("--on", type=DAY, help="With --sign: the day. Without it: today.")
@click.option("--role", help='Who does it, as a role: "clinical safety officer". No names.')
@config_option
@json_option
@log_option
def signoff(
    out: Path,
    pack: Path,
    night: date | None,
    against: Path | None,
    signing: bool,
    name: str | None,
    on: date | None,
    role: str | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Draw the papers that people sign before lists are used, or sign them."""
    from ageingwell.papers import making, telling

    if signing:
        if name is None or role is None or night is not None or against is not None:
            raise click.UsageError("--sign goes with --name and --role, and without --night and --against")
        with progress() as world:
            mine = making.sign(pack, out=out, who=name, role=role, on=on, config=config_path, surroundings=world)
        click.echo(json.dumps(telling.signed_plain(mine)) if as_json else telling.signed_text(mine, pack))
        return
    if name is not None or on is not None:
        raise click.UsageError("--name and --on go with --sign alone")
    with progress() as world:
        made = making.signoff(
            out, pack=pack, night=night, against=against, config=config_path, role=role, surroundings=world
        )
    click.echo(json.dumps(telling.pack_plain(made)) if as_json else telling.pack_text(made))
