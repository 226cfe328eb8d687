"""`reidentify`: a list in, the same list out with names beside it, by the agency's own register. Runs at the agency."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from ageingwell.agency.drawing import stop_unless_writable, write_copy
from ageingwell.agency.lists import AgencyList, Part, read_list
from ageingwell.agency.log import LOG, log_use
from ageingwell.context import Surroundings
from ageingwell.decisions.identifying import could_name_somebody
from ageingwell.decisions.tables import FilledRow
from ageingwell.disk import DISK, Disk
from ageingwell.errors import KeyFileError, PublishError, SourceError
from ageingwell.pseudonyms.keys import Key
from ageingwell.pseudonyms.registers import ListKey, Match, Register, matches, read_register, stop_on_one_key

MATCH: Final = "match"
THIS_PERSON: Final = "This person"
THIS_HOME: Final = "This home"
THE_HOME_ONLY: Final = "The home only: ask who lives there"
NOBODY: Final = "Not on your register"
_LONGEST_REASON: Final = 200  # letters
_DAY: Final = re.compile(r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}\b")


@dataclass(frozen=True)
class Reidentified:
    """What `reidentify` found: of `n_listed` rows `n_people` are people and `n_homes_only` homes of the register.

    `unmatched` tells the others by sheet and row of the new file, never by value; homes without a person are counted
    apart. The rows of the register that could not be used are counted: without an identifier, with one that cannot be
    read, of one NHS number that contradict each other, and without anything to show.
    """

    file: Path
    log: Path
    key_fingerprint: str
    recipient: str | None
    night: date | None
    n_listed: int
    n_people: int
    n_homes_only: int
    n_homes: int
    n_homes_matched: int
    unmatched: tuple[tuple[str, int], ...]
    n_register: int
    n_blank: int
    n_invalid: int
    n_ambiguous: int
    n_unnamed: int

    @property
    def n_matched(self) -> int:
        """How many rows of the list are on the register, as a person or by their home."""
        return self.n_people + self.n_homes_only

    @property
    def n_unmatched(self) -> int:
        """How many rows of the list are not."""
        return self.n_listed - self.n_matched


def reidentify(
    listed: Path,
    *,
    register: Path,
    out: Path,
    key: Key,
    reason: str,
    list_key: Key | None = None,
    keep: Sequence[str] = (),
    own_ids: bool = False,
    recipient: str | None = None,
    night: date | None = None,
    log: Path | None = None,
    by: str = "not stated",
    surroundings: Surroundings | None = None,
    disk: Disk = DISK,
) -> Reidentified:
    """Write a list again with name, address and telephone from the agency's own register before the answers.

    Parameters
    ----------
    listed
        A list as it was sent: workbook, CSV or Parquet. Whose it is and of which night is read from it; `recipient`
        and `night` are for a file that lost that.
    register
        The agency's own register: `nhs_number` or `uprn` or both, and the columns to show.
    out
        A new file, .xlsx or .csv, of mode 0600.
    key, list_key
        The key of the pseudonyms, and the key of the lists (not needed for the group's own list of pseudonyms).
    reason
        Why people are looked up, in a few words without a name or number: it stands in the log.
    keep
        The register's columns to show, where their headings do not say what they hold.
    log
        The agency's log, beside `out` if not told. Its first line is on the disk before anybody is looked up.

    Returns
    -------
    What was matched, in counts and rows. No row of the list gives more than one entry of the register, so never more
    people than the list has.

    Raises
    ------
    SourceError
        The list or the register is not what it has to be, or the reason is missing.
    KeyFileError
        A key is missing, or is not the one the list was made with.
    PublishError
        `out` is there already, or it or the log cannot be written. `LedgerError`: the log was changed.
    """
    world = surroundings or Surroundings()
    stop_unless_reason(reason)
    stop_unless_writable(out)
    if out.exists() or out.is_symlink():
        raise PublishError(f"{out} is there already", "name a new file")
    found = read_list(listed, recipient=recipient, night=night)
    keyed = keyed_by(found, key=key, list_key=list_key)
    known = read_register(register, keep=keep, own_ids=own_ids)
    place = log or out.parent / LOG
    asked = {
        **what_was_asked("reidentify", found, key=key),
        "reason": reason.strip(),
        "n_listed": len(found.listed.rows),
        "n_register": known.n_rows,
    }
    log_use(place, asked, at=world.now(), by=by, disk=disk)
    by_key = matches(known, found.all_keys(), key=key, list_key=keyed)
    rows = [_named(row, found, by_key, known) for row in found.listed.rows]
    homes = [_named(row, found, by_key, known) for row in (found.homes.rows if found.homes else ())]
    heads = (MATCH, *known.columns)
    write_copy(found, out, on=world.now().date(), heads=heads, beside=rows, beside_homes=homes)
    done = _told(found, known, rows, homes, out=out, log=place, key=key)
    counts = {"n_people": done.n_people, "n_homes_only": done.n_homes_only, "n_homes_matched": done.n_homes_matched}
    log_use(place, what_was_asked("reidentified", found, key=key) | counts, at=world.now(), by=by, disk=disk)
    return done


def stop_unless_reason(reason: str) -> None:
    """Raise `SourceError` unless a reason is given in a few words, without what could name somebody."""
    if not any(letter.isalpha() for letter in reason) or len(reason) > _LONGEST_REASON:
        raise SourceError(
            f"the reason is missing, or is longer than {_LONGEST_REASON} letters",
            'write why, such as --reason "visits agreed on 24 November"',
        )
    if could_name_somebody(_DAY.sub("", reason)) or not reason.isprintable():
        raise SourceError(
            "the reason holds a long number, a postcode or an e-mail address",
            "leave those out, because the reason is kept in the log",
        )


def keyed_by(found: AgencyList, *, key: Key, list_key: Key | None) -> ListKey | None:
    """With what the keys of a list were made; `KeyFileError` where a key is missing or is another one."""
    stop_on_one_key(key, list_key)
    if found.keys is not None and found.keys[0] != key.fingerprint:
        raise _other_key("key", "pseudonyms", found.keys[0], key)
    if not found.by_row_key:
        return None
    if found.recipient is None or found.night is None:
        raise SourceError(
            f"{found.name}: it does not say whose list it is, or of which night",
            "give the file as it was sent, or say so with --recipient and --night",
        )
    if list_key is None:
        raise KeyFileError("the key of your lists is missing", "give --list-key-file: ask the group for it")
    return ListKey(_own_key(found, list_key, found.recipient), found.recipient, found.night)


def _own_key(found: AgencyList, given: Key, recipient: str) -> Key:
    """The key of this recipient's rows: as it was given, or derived where the group gave the key of all lists."""
    derived = given.for_recipient(recipient)
    if found.keys is None:
        # Made-up nights have a public key of all lists; else an agency has its own.
        return derived if given.is_made_up else given
    for key in (given, derived):
        if found.keys[1] == key.fingerprint:
            return key
    raise _other_key("list key", "row keys", found.keys[1], given)


def _other_key(what: str, of: str, wanted: str, given: Key) -> KeyFileError:
    return KeyFileError(
        f"this is not the {what} that the list was made with: its {of} were made with the key {wanted}, and "
        f"{given.fingerprint} was given",
        "give that key: `ageingwell key fingerprint FILE` shows which key is in a file",
    )


def what_was_asked(did: str, found: AgencyList, *, key: Key) -> dict[str, Any]:
    """What the log says of every use: what was done, with which list and which key; no value of a row."""
    return {
        "did": did,
        "list": found.code or f"{found.recipient} {found.night}",
        "list_sha256": found.sha256,
        "key": key.fingerprint,
    }


def _named(row: FilledRow, found: AgencyList, by_key: Mapping[str, Match], register: Register) -> dict[str, str]:
    """What the register says of one row: whom it matched, and one entry at most."""
    own = by_key.get(row[found.person_key])
    if own is not None:
        return {MATCH: _whom(own), **own.cells}
    home = by_key.get(row[found.home_key])
    if home is None:
        return _nobody(register)
    # A register that knows people does not know this one: whoever else lives there is not shown in their place.
    shown = [name for name, kind in register.columns.items() if "person" not in register.knows or kind == "address"]
    return {MATCH: THE_HOME_ONLY, **{name: home.cells[name] if name in shown else "" for name in register.columns}}


def _whom(match: Match) -> str:
    if match.domain == "person":
        return THIS_PERSON
    return THIS_HOME if match.n_rows == 1 else f"{THIS_HOME}: {match.n_rows} entries in your register"


def _nobody(register: Register) -> dict[str, str]:
    return {MATCH: NOBODY, **dict.fromkeys(register.columns, "")}


def _told(
    found: AgencyList,
    known: Register,
    rows: Sequence[Mapping[str, str]],
    homes: Sequence[Mapping[str, str]],
    *,
    out: Path,
    log: Path,
    key: Key,
) -> Reidentified:
    unmatched = [*_unmatched(found.listed, rows), *(_unmatched(found.homes, homes) if found.homes else ())]
    n_people = sum(row[MATCH] == THIS_PERSON for row in rows)
    return Reidentified(
        file=out,
        log=log,
        key_fingerprint=key.fingerprint,
        recipient=found.recipient,
        night=found.night,
        n_listed=len(rows),
        n_people=n_people,
        n_homes_only=sum(row[MATCH] != NOBODY for row in rows) - n_people,
        n_homes=len(homes),
        n_homes_matched=sum(row[MATCH] != NOBODY for row in homes),
        unmatched=tuple(unmatched),
        n_register=known.n_rows,
        n_blank=known.n_blank,
        n_invalid=known.n_invalid,
        n_ambiguous=known.n_ambiguous,
        n_unnamed=known.n_unnamed,
    )


def _unmatched(part: Part, rows: Sequence[Mapping[str, str]]) -> list[tuple[str, int]]:
    """Where the rows stand in the new file: the headings are its row 1."""
    return [(part.sheet, number) for number, row in enumerate(rows, start=2) if row[MATCH] == NOBODY]
