"""The commands of what is kept: purge, forget, person."""

import json
import sys
from datetime import date
from pathlib import Path

import click

from ageingwell.cli.entry import progress
from ageingwell.cli.places import DATA, KEY_FILE, OUT, OUT_FILE, SOURCE_FILE
from ageingwell.cli.root import DAY, cli, config_option, json_option, log_option

_OUT = click.option("--out", required=True, type=OUT, help="The folder that holds the published nights.")
_ROLE = click.option("--role", help='Who does it, as a role: "information-governance lead". No names.')
_ID_FILE = click.option(
    "--id-file",
    type=SOURCE_FILE,
    help="A file with the pseudonyms, one per line. Safer than PERSON_ID: other accounts can read a command line.",
)


def _ids(given: tuple[str, ...], file: Path | None) -> list[str]:
    """The pseudonyms that were given, on the command line, in a file, or on standard input (`-`)."""
    words = list(given)
    if "-" in words:
        words = [word for word in words if word != "-"] + sys.stdin.read().split()
    if file is not None:
        words += file.read_text(encoding="utf-8", errors="replace").split()
    if given and any(word != "-" for word in given):
        click.echo("Other accounts of this machine can read a command line: next time use --id-file, or -.", err=True)
    return words


@cli.command()
@_OUT
@click.option("--dry-run", is_flag=True, help="Say what would be deleted. Delete nothing.")
@_ROLE
@config_option
@json_option
@log_option
def purge(out: Path, dry_run: bool, role: str | None, config_path: Path | None, as_json: bool) -> None:
    """Delete what is older than the retention schedule in the settings, and write a certificate."""
    from ageingwell.keeping import purging, telling

    with progress() as world:
        done = purging.purge(out, config=config_path, dry_run=dry_run, role=role, surroundings=world)
    click.echo(json.dumps(telling.purged_plain(done)) if as_json else telling.purged_text(done))


@cli.command()
@click.argument("person_id", nargs=-1)
@_ID_FILE
@click.option("--again", is_flag=True, help="Look again for everyone who was forgotten before.")
@click.option("--lift", "lifting", is_flag=True, help="Let these people be listed again. Nothing comes back.")
@click.option("--dry-run", is_flag=True, help="Say what would be done. Do nothing.")
@_OUT
@_ROLE
@config_option
@click.option("--list-key-file", type=KEY_FILE, help="The key of the rows, as `score` had it.")
@json_option
@log_option
def forget(
    person_id: tuple[str, ...],
    id_file: Path | None,
    again: bool,
    lifting: bool,
    dry_run: bool,
    out: Path,
    role: str | None,
    config_path: Path | None,
    list_key_file: Path | None,
    as_json: bool,
) -> None:
    """Delete a person from everything that is kept, and leave them out of later lists."""
    from ageingwell.keeping import forgetting, telling

    people = _ids(person_id, id_file)
    if bool(people) == again:
        raise click.UsageError("give PERSON_ID, --id-file or - (standard input); or --again without any")
    if lifting and (again or dry_run):
        raise click.UsageError("--lift goes with people alone")
    if lifting:
        with progress() as world:
            n_lifted = forgetting.lift(people, out=out, config=config_path, role=role, surroundings=world)
        click.echo(json.dumps({"n_lifted": n_lifted}) if as_json else telling.lifted_text(n_lifted))
        return
    with progress() as world:
        done = forgetting.forget(
            people,
            out=out,
            config=config_path,
            list_key=list_key_file,
            role=role,
            dry_run=dry_run,
            surroundings=world,
        )
    click.echo(json.dumps(telling.forgotten_plain(done)) if as_json else telling.forgotten_text(done))


@cli.command()
@click.argument("person_id", nargs=-1)
@_ID_FILE
@_OUT
@click.option("--data", type=DATA, help="The folder that holds the contract tables, to count the person's rows too.")
@click.option("--page", type=OUT_FILE, help="Write a page for the person to this file, which only you can read.")
@click.option("--as-of", type=DAY, help="The day to say on the page. Without it: today.")
@_ROLE
@config_option
@click.option("--list-key-file", type=KEY_FILE, help="The key of the rows, to tell whose lists had them.")
@json_option
@log_option
def person(
    person_id: tuple[str, ...],
    id_file: Path | None,
    out: Path,
    data: Path | None,
    page: Path | None,
    as_of: date | None,
    role: str | None,
    config_path: Path | None,
    list_key_file: Path | None,
    as_json: bool,
) -> None:
    """Tell a person what is held of them, why they were listed, who saw it and what was decided."""
    from ageingwell.keeping import person as asking
    from ageingwell.keeping import person_page

    who = _ids(person_id, id_file)
    if len(who) != 1:
        raise click.UsageError("give one person: PERSON_ID, --id-file or - (standard input)")
    if (page is None) != as_json:
        raise click.UsageError("give one of --page (a page for the person) and --json")
    with progress() as world:
        held = asking.person(
            who[0],
            out=out,
            data=data,
            config=config_path,
            list_key=list_key_file,
            as_of=as_of,
            role=role,
            surroundings=world,
        )
    if page is None:
        click.echo(json.dumps(person_page.plain_of(held), default=str))
        return
    person_page.write_page(held, page)
    click.echo(f"{page}\nRead it before you hand it over, and hand it to the person alone.")
