"""The commands of a night: score, withdraw, status, record, explain, demo."""

import json
from datetime import date
from pathlib import Path

import click

from ageingwell.cli.entry import config_of, progress
from ageingwell.cli.places import DECISIONS, KEY_FILE, OUT, OUT_FILE
from ageingwell.cli.root import (
    DAY,
    as_of_option,
    cli,
    config_option,
    data_option,
    json_option,
    log_option,
    night_config_option,
    night_data_option,
)
from ageingwell.cli.telling import stop_unless_current, tell_night, tell_withdrawn
from ageingwell.errors import StatusError


@cli.command()
@night_data_option
@as_of_option
@click.option("--out", required=True, type=OUT, help="The folder that holds the published nights.")
@night_config_option
@click.option("--list-key-file", type=KEY_FILE, help="The key of the rows: 32 random bytes that only you can read.")
@click.option(
    "--allow-made-up-bundle", is_flag=True, help="Score real records with a bundle trained on made-up people."
)
@click.option(
    "--accept-change",
    is_flag=True,
    help="Publish although what was sent lost people, opt-outs, rows or columns since last time, or nobody is listed. "
    "Use it by hand, after you have asked the agency.",
)
@json_option
@log_option
def score(
    data: Path,
    as_of: date,
    out: Path,
    config_path: Path | None,
    list_key_file: Path | None,
    allow_made_up_bundle: bool,
    accept_change: bool,
    as_json: bool,
) -> None:
    """Score everyone known on the night and publish the outreach list."""
    from ageingwell.night import score as night

    with progress() as world:
        run = night.score(
            data,
            as_of=as_of,
            out=out,
            config=config_path,
            list_key=list_key_file,
            allow_made_up_bundle=allow_made_up_bundle,
            accept_change=accept_change,
            surroundings=world,
        )
    tell_night(run, as_json=as_json)
    stop_unless_current(run)


@cli.command()
@night_data_option
@as_of_option
@click.option("--out", required=True, type=OUT, help="The folder that holds the published nights.")
@night_config_option
@click.option("--list-key-file", type=KEY_FILE, help="The key of the rows, as `score` had it; without it no pages.")
@click.option("--accept-change", is_flag=True, help="Take off people who moved, although there are very many.")
@json_option
def withdraw(
    data: Path,
    as_of: date,
    out: Path,
    config_path: Path | None,
    list_key_file: Path | None,
    accept_change: bool,
    as_json: bool,
) -> None:
    """Take people who opted out, died or left off the current list; score nobody."""
    from ageingwell.night import withdrawing

    with progress() as world:
        done = withdrawing.withdraw(
            data,
            out=out,
            as_of=as_of,
            config=config_path,
            list_key=list_key_file,
            accept_change=accept_change,
            surroundings=world,
        )
    if as_json:
        folder = None if done.folder is None else str(done.folder)
        told = {"folder": folder, "n_before": done.n_before, "n_after": done.n_after, "told": done.told}
        told |= {"mistake": done.mistake}
        click.echo(json.dumps(told))
    else:
        tell_withdrawn(done)


@cli.command()
@click.option("--out", required=True, type=OUT, help="The folder that holds the published nights.")
@config_option
@json_option
def status(out: Path, config_path: Path | None, as_json: bool) -> None:
    """Say whether the last night happened and its list may be used. It ends with 17 where anything is wrong."""
    from ageingwell.jobs import standing

    found = standing.status(out, config=config_path)
    if as_json:
        click.echo(json.dumps(found.plain()))
        if not found.is_good:
            raise click.exceptions.Exit(StatusError.exit_code)
        return
    standing.stop_unless_good(found)
    click.echo(standing.standing_text(found))


@cli.command()
@click.argument("files", nargs=-1, required=True, type=DECISIONS)
@click.option("--out", required=True, type=OUT, help="The folder that holds the published nights and the ledger.")
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, row by row; write nothing.")
@click.option(
    "--role", default="not stated", show_default=True, help='Who records, as a role of the settings: "meeting chair".'
)
@click.option(
    "--fix-to", type=OUT, help="Where to write files with the rows to correct. Without it: next to each file."
)
@click.option(
    "--recorded-on",
    type=DAY,
    help="The day of recording instead of today, for made-up nights only.",
)
@config_option
@click.option("--list-key-file", type=KEY_FILE, help="The key of the rows, as `score` had it.")
@json_option
@log_option
def record(
    files: tuple[Path, ...],
    out: Path,
    dry_run: bool,
    role: str,
    fix_to: Path | None,
    recorded_on: date | None,
    config_path: Path | None,
    list_key_file: Path | None,
    as_json: bool,
) -> None:
    """Take the group's decisions back from filled lists: workbooks or CSV."""
    from ageingwell.meeting import recorded, recording

    with progress() as world:
        done = recording.record(
            files,
            out=out,
            config=config_of(config_path),
            role=role,
            list_key=list_key_file,
            fix_to=fix_to,
            recorded_on=recorded_on,
            dry_run=dry_run,
            surroundings=world,
        )
    click.echo(json.dumps(recorded.as_plain(done)) if as_json else recorded.summary_text(done))
    recorded.stop_on_open_rows(done)


@cli.command()
@click.argument("person_id")
@data_option
@as_of_option
@click.option("--page", type=OUT_FILE, help="Write the explanation to this file as a page instead.")
@config_option
@json_option
@log_option
def explain(
    person_id: str, data: Path, as_of: date, page: Path | None, config_path: Path | None, as_json: bool
) -> None:
    """Explain one person's risk in full: every fact's contribution."""
    from ageingwell.jobs import asking
    from ageingwell.room import stop_on_link, write_file

    if page is not None:
        stop_on_link(page)
    with progress() as world:
        config = config_of(config_path)
        person = asking.explain(person_id, data, as_of=as_of, config=config, surroundings=world)
        if (told := asking.out_of_date(as_of, config=config, today=world.now().date())) is not None:
            click.echo(told, err=True)
    if page is not None:
        write_file(page, asking.explanation_page(person))
        click.echo(page)
    elif as_json:
        risks = {"risk": person.risk, "risk_low": person.risk_low, "risk_high": person.risk_high, "base": person.base}
        beside = {"outcomes": person.outcomes, "compared": person.compared, "reasons": person.reasons.to_dicts()}
        click.echo(json.dumps({**risks, **beside}, default=str))
    else:
        click.echo(asking.explanation_text(person))


@cli.command()
@click.option("--out", default="demo", show_default=True, type=OUT, help="Where the county and its lists go.")
@click.option(
    "--people", default=5_000, show_default=True, type=click.IntRange(min=50), help="People aged 65 and over."
)
@json_option
@log_option
def demo(out: Path, people: int, as_json: bool) -> None:
    """Make a small made-up county with Church Stretton in it, score it, and say what to open."""
    from ageingwell.jobs import asking

    with progress() as world:
        run = asking.demo(out, people=people, config=config_of(None), surroundings=world)
    tell_night(run, as_json=as_json)
