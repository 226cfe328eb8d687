"""The commands for an agency that was sent a list: reidentify and add."""

import getpass
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ageingwell.cli.entry import needed_key
from ageingwell.cli.places import KEY_FILE, OUT_FILE, SOURCE_FILE
from ageingwell.cli.root import DAY, cli, json_option

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
@click.option("--reason", required=True, help="Why you look people up, in a few words. It is kept in the log.")
@click.option(
    "--keep",
    multiple=True,
    help="A column of your register to show. Give it again for more columns. "
    "Without it: names, addresses and telephones, by their headings.",
)
@_keyed
@json_option
def reidentify(
    listed: Path,
    register: Path,
    out: Path,
    reason: str,
    keep: tuple[str, ...],
    key_file: Path | None,
    key_fd: int | None,
    made_up_key: int | None,
    list_key_file: Path | None,
    ids: str,
    recipient: str | None,
    night: date | None,
    log: Path | None,
    as_json: bool,
) -> None:
    """Add names from your own register to the list you were sent. Run it at your agency."""
    from ageingwell.agency import matching, words

    found = matching.reidentify(
        listed,
        register=register,
        out=out,
        key=needed_key(key_file, key_fd, made_up_key),
        reason=reason,
        list_key=_list_key(list_key_file, made_up_key),
        keep=keep,
        own_ids=ids == "own",
        recipient=recipient,
        night=night,
        log=log,
        by=_user(),
    )
    told = asdict(found) | {"n_matched": found.n_matched, "n_unmatched": found.n_unmatched}
    click.echo(json.dumps(told, default=str) if as_json else words.reidentified_text(found))


@cli.command()
@click.option("--list", "listed", required=True, type=SOURCE_FILE, help="Your list, filled in, with or without names.")
@click.option("--people", type=SOURCE_FILE, help="A table of people to add: nhs_number, and the columns of that sheet.")
@click.option("--out", required=True, type=OUT_FILE, help="Where to write the list to send back: .xlsx.")
@_keyed
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
        log=log,
        by=_user(),
    )
    click.echo(json.dumps(asdict(done), default=str) if as_json else words.added_text(done))


def _list_key(path: Path | None, made_up: int | None) -> "Key | None":
    """The key of the lists; of made-up records the public one that made-up nights have."""
    from ageingwell.pseudonyms import Key

    if path is not None:
        return Key.read(path)
    return Key.made_up(0) if made_up is not None else None


def _user() -> str:
    """The account that runs this, by its name; by its number where the system knows no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return f"account {os.getuid()}" if hasattr(os, "getuid") else "not known"
