"""`reidentify`: a list in, the same list out with names beside it, by the agency's own register. Runs at the agency."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from ageingwell.agency.approving import approved_by
from ageingwell.agency.brake import (
    case_digest,
    n_rows_of,
    stop_if_expired,
    stop_if_too_many,
    stop_if_too_often,
    stop_unless_reason,
    stop_unless_register,
)
from ageingwell.agency.drawing import stop_unless_writable, write_copy
from ageingwell.agency.lists import AgencyList, Part, read_list
from ageingwell.audit.uses import Asked, audit_place, logged
from ageingwell.config.answering import ListSettings, ReidentifySettings
from ageingwell.context import Surroundings
from ageingwell.decisions.tables import FilledRow
from ageingwell.disk import DISK, Disk
from ageingwell.errors import KeyFileError, PublishError, ReidentifyError, SourceError
from ageingwell.pseudonyms.keys import Key
from ageingwell.pseudonyms.list_seal import SEALED_FOR, list_seal
from ageingwell.pseudonyms.registers import ListKey, Match, Register, matches, read_register, stop_on_one_key

MATCH: Final = "match"
THIS_PERSON: Final = "This person"
THIS_HOME: Final = "This home"
THE_HOME_ONLY: Final = "The home only: ask who lives there"
NOBODY: Final = "Not on your register"
LOG: Final = "reidentify-log.jsonl"


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
    case: str,
    list_key: Key | None = None,
    keep: Sequence[str] = (),
    own_ids: bool = False,
    recipient: str | None = None,
    night: date | None = None,
    log: Path | None = None,
    settings: ReidentifySettings | None = None,
    lists: ListSettings | None = None,
    approval: Path | None = None,
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
        The key of the pseudonyms, and the key of this recipient's lists.
    reason, case
        Why people are looked up, one of `brake.REASONS`, and the number of the case, visit or meeting. The log has the
        reason, and of the case a digest alone.
    keep
        The register's columns to show, where their headings do not say what they hold.
    log
        The agency's log, beside `out` if not told. Its first line is on the disk before anybody is looked up.
    settings, lists
        How many people may be looked up and in which registers, and how long a list may be used.
    approval
        The file of a second person, where `settings.needs_second_person`.

    Returns
    -------
    What was matched, in counts and rows. No row of the list gives more than one entry of the register, so never more
    people than the list has.

    Raises
    ------
    SourceError
        The list or the register is not what it has to be.
    ReidentifyError
        No reason or case, too many people, too often, a register that is none, a list that is out of date or is none
        of ours, or nobody approved it.
    KeyFileError
        A key is missing, or is not the one the list was made with.
    PublishError
        `out` is there already, or cannot be written. `AuditError`: the log cannot be written, or was changed.
    """
    world, settings, lists = surroundings or Surroundings(), settings or ReidentifySettings(), lists or ListSettings()
    stop_unless_reason(reason, case)
    stop_unless_writable(out)
    if out.exists() or out.is_symlink():
        raise PublishError(f"{out} is there already", "name a new file")
    found = read_list(listed, recipient=recipient, night=night)
    today = world.now().date()
    stop_if_expired(found, today=today, expire_after_days=lists.expire_after_days, is_made_up=key.is_made_up)
    stop_if_too_many(found, settings)
    keyed = keyed_by(found, key=key, list_key=list_key)
    case_kept = case_digest(case, key=key)
    second = (
        approved_by(approval, list_sha256=found.sha256, reason=reason, case=case_kept, settings=settings, world=world)
        if settings.needs_second_person
        else None
    )
    known = read_register(register, keep=keep, own_ids=own_ids)
    stop_unless_register(known, name=register.name, settings=settings)
    place, code, register_sha256 = log or audit_place(out.parent, LOG), code_of(found), _sha256(register)
    asked = Asked(
        "reidentify",
        reason=reason,
        counts={"rows": n_rows_of(found), "register": known.n_rows},
        more=what_was_asked(found, key=key)
        | {"case": case_kept, "register_sha256": register_sha256, "approved_by": second},
    )

    def check(lines: Sequence[bytes]) -> None:
        stop_if_too_often(lines, found, code=code, register_sha256=register_sha256, on=today, settings=settings)

    with logged(place, asked, world=world, check=check, disk=disk) as use:
        by_key = matches(known, found.all_keys(), key=key, list_key=keyed)
        rows = [_named(row, found, by_key, known) for row in found.listed.rows]
        homes = [_named(row, found, by_key, known) for row in (found.homes.rows if found.homes else ())]
        heads = (MATCH, *known.columns)
        write_copy(found, out, on=today, heads=heads, beside=rows, beside_homes=homes)
        done = _told(found, known, rows, homes, out=out, log=place, key=key)
        use.tell(counts={"people": done.n_people, "homes_only": done.n_homes_only, "homes": done.n_homes_matched})
    return done


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_of(found: AgencyList) -> str:
    """Which list it is, for the log: its code, or whose it is and of which night."""
    return found.code or f"{found.recipient} {found.night}"


def keyed_by(found: AgencyList, *, key: Key, list_key: Key | None) -> ListKey | None:
    """With what the keys of a list were made; `KeyFileError` where a key is missing or is another one."""
    stop_on_one_key(key, list_key)
    if found.keys is not None and found.keys[0] != key.fingerprint:
        raise _other_key("key", "pseudonyms", found.keys[0], key)
    if not found.by_row_key:
        _stop_unless_sealed(found, list_key)
        return None
    if found.recipient is None or found.night is None:
        raise SourceError(
            f"{found.name}: it does not say whose list it is, or of which night",
            "give the file as it was sent, or say so with --recipient and --night",
        )
    if list_key is None:
        raise KeyFileError("the key of your lists is missing", "give --list-key-file: ask the group for it")
    return ListKey(_own_key(found, list_key, found.recipient), found.recipient, found.night)


def _stop_unless_sealed(found: AgencyList, list_key: Key | None) -> None:
    """Raise `ReidentifyError` unless a list of pseudonyms is one that was published, whole and unchanged."""
    if list_key is None:
        raise KeyFileError("the key of your lists is missing", "give --list-key-file: ask the group for it")
    rows = found.listed.rows
    people, homes = [row["person_id"] for row in rows], [row["household_id"] for row in rows]
    for key in (list_key, list_key.for_recipient(SEALED_FOR)):
        if found.night is not None and found.seal == list_seal(people, homes, as_of=found.night, key=key):
            return
    raise ReidentifyError(
        f"{found.name}: nothing shows that this is a list that was published, whole and unchanged",
        "give list.parquet as it was published, or the group's workbook, and the list key of the group",
    )


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


def what_was_asked(found: AgencyList, *, key: Key) -> dict[str, Any]:
    """What the log says of every use: with which list and which key; no value of a row."""
    return {
        "list": code_of(found),
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
