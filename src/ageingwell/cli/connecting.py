"""The commands that set a place up: init and connect."""

import json
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ageingwell.cli.entry import config_of, progress, throwaway_key
from ageingwell.cli.places import DATA, OUT
from ageingwell.cli.root import DAY, cli, config_option, json_option, log_option

if TYPE_CHECKING:
    from ageingwell.jobs.connecting import Connected

extracted_on_option = click.option(
    "--extracted-on",
    type=DAY,
    help="The day the extracts were taken, if the files do not say.",
)


@cli.command()
@click.argument("folder", type=OUT)
def init(folder: Path) -> None:
    """Write commented settings into FOLDER, ready for a site to change."""
    from ageingwell.jobs.settling_in import init as write

    for path in write(folder):
        click.echo(path)
    click.echo(f"Change them, then give {folder / 'score.toml'} as --config.")


@cli.command()
@click.argument("raw", type=DATA, required=False)
@click.option(
    "--samples", type=OUT, help="Write sample extracts of a made-up place into this new folder, to try it on."
)
@click.option("--out", type=OUT, help="Write settings for these files into this new folder.")
@extracted_on_option
@config_option
@json_option
@log_option
def connect(
    raw: Path | None,
    samples: Path | None,
    out: Path | None,
    extracted_on: date | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Look at an agency's own files in RAW: what each is, what a night would make of it, what to ask for."""
    from ageingwell.jobs import connecting
    from ageingwell.profiles.samples import write_samples

    if (raw is None) == (samples is None):
        raise click.UsageError("give the folder of the agency's files, or --samples with a new folder")
    if raw is None:
        files = write_samples(samples or Path())
        click.echo(f"{len(files)} files: {samples}\nNow look at them: ageingwell connect {samples}")
        return

    with progress() as world:
        found = connecting.connect(
            raw,
            config=config_of(config_path),
            key=throwaway_key(),
            extracted_on=extracted_on,
            draft_to=out,
            surroundings=world,
        )
    if as_json:
        click.echo(json.dumps([file_object(one) for one in found.files], indent=2))
    else:
        tell_connected(found)
    if out is not None:
        click.echo(f"settings: {out / 'score.toml'}", err=as_json)


def file_object(one: object) -> dict[str, object]:
    """One file as JSON tells it."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(one).items()}


def tell_connected(found: "Connected") -> None:
    """Say what the files are, a page a table with its verdict first, and what is still to ask for."""
    from ageingwell.jobs.connect_page import pages

    click.echo("\n".join(pages(found)))


def tell_raw_check(found: "Connected", *, as_json: bool) -> None:
    """Say the same for a check, and end with the exit code of records that a night would stop on."""
    if as_json:
        told = [vars(table) for table in found.tables]
        click.echo(json.dumps({"tables": told, "problems": found.problems, "ask": found.ask}, indent=2))
    else:
        tell_connected(found)
    if not found.would_run:
        sys.exit(5)
