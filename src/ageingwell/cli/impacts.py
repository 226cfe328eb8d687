"""The command that asks whether it helped: impact."""

import json
from datetime import date
from pathlib import Path

import click

from ageingwell.cli.entry import config_of, progress
from ageingwell.cli.places import OUT
from ageingwell.cli.root import cli, config_option, data_option, json_option, log_option, recorded_up_to_option


@cli.command()
@data_option
@click.option("--nights", required=True, type=OUT, help="The folder that holds the published nights.")
@click.option("--out", required=True, type=OUT, help="Where to write the pages and tables.")
@click.option(
    "--days",
    type=click.IntRange(28, 1_096),
    help="For how many days to follow people. Without it: horizon_days in train.toml, a year.",
)
@recorded_up_to_option
@config_option
@json_option
@log_option
def impact(
    data: Path,
    nights: Path,
    out: Path,
    days: int | None,
    recorded_up_to: date | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Find out if visits helped or harmed, and who was left out: a page for the chair and an annex."""
    from ageingwell.jobs import impacting

    with progress() as world:
        run = impacting.impact(
            data,
            nights=nights,
            out=out,
            config=config_of(config_path),
            days=days,
            recorded_up_to=recorded_up_to,
            surroundings=world,
        )
    if as_json:
        click.echo(json.dumps({"folder": str(run.folder), **run.facts}))
        return
    click.echo(run.facts["answer"])
    for one in run.facts["harm"]:
        click.echo(f"{one['asks']} {one['tag']}.")
    click.echo(f"Page for the chair: {run.folder / impacting.PAGE}; annex: {run.folder / impacting.ANNEX}")
