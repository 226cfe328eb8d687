"""The commands for an agency that was sent a list: reidentify and add."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ageingwell.cli.entry import config_of, needed_key
from ageingwell.cli.places import KEY_FILE, OUT_FILE, SOURCE_FILE
from ageingwell.cli.root import DAY, cli, config_option, json_option
from ageingwell.errors import ReidentifyError

if TYPE_CHECKING:
    from ageingwell.pseudonyms import Key

_KEYS = (
    click.option("--key-file", type=KEY_FILE, help="The key of the pseudonyms."),
    click.option("--key-fd", type=int, help="An open file descriptor to read the key from."),
    click.option(
        "--made-up-key", type=int, help="The public key of made-up county number N, for made-up records only."
    ),
    click.option("--list-key-file", type=KEY_FILE, help="The key of the lists, which the group gave your agency."),
    click.option(
        "--ids",
        type=click.Choice(["nhs_number", "own"]),
        default="nhs_number",
        show_default=True,
        help="What nhs_number holds: NHS numbers, or the agency's own ids of any text.",
    ),
    click.option("--recipient", help="Whose list it is, where the file does not say: fire, gp, housing."),
    click.option(
        "--night",
        type=DAY,
        help="The night of the list, where the file does not say: 2026-11-22.",
    ),
    click.option(
        "--log",
        type=OUT_FILE,
        help="Where to log each use. Without it: reidentify-log.jsonl in the folder of the new file.",
    ),
)


reason_option = click.option(
    "--reason",
    required=True,
    help="Why people are looked up: visit_agreed, first_contact, no_answer, correct_record, subject_access or "
    "safeguarding. It is kept in the log.",
)
case_option = click.option(
    "--case",
    required=True,
    help="The number of the case, visit or meeting in your own records. The log keeps it as a digest alone.",
)


def _keyed(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_KEYS):
        command = option(command)
    return command


@cli.command()
@click.option("--list", "listed", required=True, type=SOURCE_FILE, help="The list as you were sent it.")
@click.option(
    "--register", required=True, type=SOURCE_FILE, help="Your own register, with nhs_number or uprn, names, addresses."
)
@click.option("--out", required=True, type=OUT_FILE, help="Where to write the list with names: .xlsx or .csv.")
@reason_option
@case_option
@click.option("--approval", type=SOURCE_FILE, help="The file of a second person, where your settings ask for one.")
@click.option(
    "--keep",
    multiple=True,
    help="A column of your register to show. Give it again for more columns. "
    "Without it: names, addresses and telephones, by their headings.",
)
@_keyed
@config_option
@json_option
def reidentify(
    listed: Path,
    register: Path,
    out: Path,
    reason: str,
    case: str,
    approval: Path | None,
    keep: tuple[str, ...],
    key_file: Path | None,
    key_fd: int | None,
    made_up_key: int | None,
    list_key_file: Path | None,
    ids: str,
    recipient: str | None,
    night: date | None,
    log: Path | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Add names from your own register to the list you were sent. Run it at your agency."""
    from ageingwell.agency import matching, words

    settings = config_of(config_path).score
    found = matching.reidentify(
        listed,
        register=register,
        out=out,
        key=needed_key(key_file, key_fd, made_up_key),
        reason=reason,
        case=case,
        list_key=_list_key(list_key_file, made_up_key),
        keep=keep,
        own_ids=ids == "own",
        recipient=recipient,
        night=night,
        log=_log(log, settings.audit.file, out),
        settings=settings.reidentify,
        lists=settings.lists,
        approval=approval,
    )
    told = asdict(found) | {"n_matched": found.n_matched, "n_unmatched": found.n_unmatched}
    click.echo(json.dumps(told, default=str) if as_json else words.reidentified_text(found))


@cli.command()
@click.option("--list", "listed", required=True, type=SOURCE_FILE, help="Your list, filled in, with or without names.")
@click.option("--people", type=SOURCE_FILE, help="A table of people to add: nhs_number, and the columns of that sheet.")
@click.option("--out", required=True, type=OUT_FILE, help="Where to write the list to send back: .xlsx.")
@_keyed
@config_option
@json_option
def add(
    listed: Path,
    people: Path | None,
    out: Path,
    key_file: Path | None,
    key_fd: int | None,
    made_up_key: int | None,
    list_key_file: Path | None,
    ids: str,
    recipient: str | None,
    night: date | None,
    log: Path | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Make your list ready to send back: NHS numbers of people you add become keys, and names are taken out."""
    from ageingwell.agency import adding, words

    done = adding.add_someone(
        listed,
        out=out,
        key=needed_key(key_file, key_fd, made_up_key),
        list_key=_list_key(list_key_file, made_up_key),
        people=people,
        own_ids=ids == "own",
        recipient=recipient,
        night=night,
        log=_log(log, config_of(config_path).score.audit.file, out),
    )
    click.echo(json.dumps(asdict(done), default=str) if as_json else words.added_text(done))


@cli.command()
@click.option("--list", "listed", required=True, type=SOURCE_FILE, help="The list that someone wants to look up.")
@reason_option
@case_option
@click.option("--out", required=True, type=OUT_FILE, help="Where to write the approval: a new file.")
@click.option("--days", type=click.IntRange(1, 31), help="For how many days. Without it: the number in the settings.")
@click.option("--key-file", type=KEY_FILE, help="The key of the pseudonyms.")
@click.option("--key-fd", type=int, help="An open file descriptor to read the key from.")
@click.option("--made-up-key", type=int, help="The public key of made-up county number N, for made-up records only.")
@config_option
def approve(
    listed: Path,
    reason: str,
    case: str,
    out: Path,
    days: int | None,
    key_file: Path | None,
    key_fd: int | None,
    made_up_key: int | None,
    config_path: Path | None,
) -> None:
    """Approve that someone else looks up the people on a list. Run it under your own account, at your agency."""
    from ageingwell.agency import approving

    done = approving.approve(
        listed,
        reason=reason,
        case=case,
        out=out,
        key=needed_key(key_file, key_fd, made_up_key),
        settings=config_of(config_path).score.reidentify,
        days=days,
    )
    click.echo(f"approved until {done.expires_on}: {out}")
    click.echo(
        f"Let the other account read it (chmod 644 {out}). It counts only while it belongs to your account and nobody "
        "else can change it."
    )


def _log(given: Path | None, in_settings: str | None, out: Path) -> Path | None:
    """Where the log lies: the settings of an agency say it for everybody."""
    if in_settings is None:
        return given
    if given is not None:
        raise ReidentifyError("your settings say where the log is ([audit] file)", "leave out --log")
    return out.parent / in_settings


def _list_key(path: Path | None, made_up: int | None) -> "Key | None":
    """The key of the lists; of made-up records the public one that made-up nights have."""
    from ageingwell.pseudonyms import Key

    if path is not None:
        return Key.read(path)
    return Key.made_up(0) if made_up is not None else None
