"""`add`: NHS numbers on the sheet Add someone become keys, names go, and the file can be sent back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from ageingwell.agency.drawing import stop_unless_writable, write_copy
from ageingwell.agency.lists import AgencyList, answers_of, read_list
from ageingwell.agency.matching import LOG, keyed_by, what_was_asked
from ageingwell.audit.uses import Asked, audit_place, logged
from ageingwell.context import Surroundings
from ageingwell.decisions.choices import folded
from ageingwell.decisions.reading import read_contents
from ageingwell.decisions.sheets import Sheet
from ageingwell.decisions.tables import ADDED, ADDED_ANSWERS, PERSON, Table, is_key
from ageingwell.disk import DISK, Disk
from ageingwell.errors import PublishError, SourceError
from ageingwell.pseudonyms.identifiers import canonical_nhs_number
from ageingwell.pseudonyms.identities import kind_of
from ageingwell.pseudonyms.keys import Key
from ageingwell.pseudonyms.reading import whole
from ageingwell.pseudonyms.registers import ListKey, listed_as
from ageingwell.pseudonyms.screening import sound_id
from ageingwell.report.choices import headings

# Whoever turns many numbers into keys could look up anybody on a list. A group that adds more has another problem.
MOST_ADDED: Final = 20
_NUMBER: Final = "nhs_number"


@dataclass(frozen=True)
class Added:
    """What `add_someone` wrote: `n_added` people by their keys; the rows it could not take, by number, and why."""

    file: Path
    log: Path
    recipient: str | None
    night: date | None
    n_added: int
    not_a_number: tuple[int, ...]
    listed_already: tuple[int, ...]


def add_someone(
    listed: Path,
    *,
    out: Path,
    key: Key,
    list_key: Key | None = None,
    people: Path | None = None,
    own_ids: bool = False,
    recipient: str | None = None,
    night: date | None = None,
    log: Path | None = None,
    surroundings: Surroundings | None = None,
    disk: Disk = DISK,
) -> Added:
    """Write an agency's list again, ready to send back: NHS numbers as keys, and without names.

    The numbers stand on the sheet Add someone of the list, under *Own register: NHS number* or under *Person*, and in
    `people`, a table with `nhs_number` and the columns of that sheet, if it is given. Answers on the list come along as
    they are; every column that names people is left out. At most 20 people are added in one file.

    Raises `SourceError` where the file is no list, holds too many numbers, or `people` has no `nhs_number`;
    `KeyFileError` where a key is missing or another one; `PublishError` where the file, and `AuditError` where the log
    cannot be written.
    """
    world = surroundings or Surroundings()
    stop_unless_writable(out)
    if out.suffix.lower() == ".csv":
        raise SourceError(f"{out.name}: a CSV has no sheet to add someone", "end the name with .xlsx")
    if out.exists() or out.is_symlink():
        raise PublishError(f"{out} is there already", "name a new file")
    found = read_list(listed, recipient=recipient, night=night)
    keyed = keyed_by(found, key=key, list_key=list_key)
    if keyed is None or not found.asks:
        raise SourceError(f"{found.name}: nobody can be added to this list", "give your agency's own workbook or CSV")
    rows = [*_on_the_sheet(listed, found), *(_of_a_table(people) if people is not None else ())]
    if len(rows) > MOST_ADDED:
        raise SourceError(
            f"{len(rows)} people are to be added, and at most {MOST_ADDED} can be in one file", "leave the others out"
        )
    place = log or audit_place(out.parent, LOG)
    asked = Asked("add", counts={"to_add": len(rows)}, more=what_was_asked(found, key=key))
    with logged(place, asked, world=world, disk=disk) as use:
        done, wrong, already = _keyed(rows, found, keyed, key=key, own_ids=own_ids)
        write_copy(found, out, on=world.now().date(), added=done)
        use.tell(counts={"added": len(done) - len(wrong)})
    return Added(out, place, found.recipient, found.night, len(done) - len(wrong), wrong, already)


def _on_the_sheet(path: Path, found: AgencyList) -> list[dict[str, Any]]:
    """What stands on the sheet to add someone, with the NHS number of each row that has one."""
    if found.added is None:
        return []
    contents = read_contents(path, titles=headings())
    numbers: dict[int, str] = {}
    for sheet, table in contents.found:
        if table is not None and table.kind == ADDED and sheet.name == found.added.sheet:
            numbers |= _numbers(sheet, table)
    rows = [
        {**answers_of(row, added=True), _NUMBER: numbers.get(row.number, ""), "row": row.number}
        for row in found.added.rows
    ]
    return [row for row in rows if row[_NUMBER] or any(row[name] for name in ADDED_ANSWERS)]


def _numbers(sheet: Sheet, table: Table) -> dict[int, str]:
    """The NHS numbers of a sheet by row: this is the one place that reads them."""
    first = min((row.number for row in table.rows), default=0)
    heads = {at for (row, at), text in sheet.cells.items() if row < first and kind_of(_bare(text)) == _NUMBER}
    return {row: text for (row, at), text in sheet.cells.items() if at in heads and row >= first}


def _bare(heading: str) -> str:
    return folded(heading).removeprefix("own_register_")


def _of_a_table(path: Path) -> list[dict[str, Any]]:
    rows = whole(path)
    names = headings()
    ours = {name: names.get(folded(name)) for name in rows.columns}
    numbers = [name for name in rows.columns if kind_of(_bare(name)) == _NUMBER]
    if len(numbers) != 1:
        raise SourceError(
            f"{path.name}: one column has to be headed nhs_number, and {len(numbers)} are",
            "head the column of NHS numbers nhs_number",
        )
    known = {ours[name]: name for name in rows.columns if ours[name] in ADDED_ANSWERS}
    return [
        {
            **{answer: (row[known[answer]] or None) if answer in known else None for answer in ADDED_ANSWERS},
            _NUMBER: row[numbers[0]] or "",
            "row": number,
        }
        for number, row in enumerate(rows.iter_rows(named=True), start=2)
    ]


def _keyed(
    rows: Sequence[Mapping[str, Any]], found: AgencyList, keyed: ListKey, *, key: Key, own_ids: bool
) -> tuple[list[dict[str, Any]], tuple[int, ...], tuple[int, ...]]:
    """The rows with the key of each person, the rows whose number is none, and those who are on the list already.

    A row whose number cannot be read stays, without it: the group is told that its person is missing.
    """
    listed = {row[found.person_key] for row in found.listed.rows}
    keys = _keys_of([row[_NUMBER] or row[PERSON] or "" for row in rows], keyed, key=key, own_ids=own_ids)
    done, wrong, already = [], [], []
    for row, own in zip(rows, keys, strict=True):
        written = row[PERSON] or ""
        person = own or (written if is_key(written) else None)
        done.append({name: row[name] for name in ADDED_ANSWERS} | {PERSON: person})
        if person is None:
            wrong.append(row["row"])
        elif person in listed:
            already.append(row["row"])
    return done, tuple(wrong), tuple(already)


def _keys_of(numbers: Sequence[str], keyed: ListKey, *, key: Key, own_ids: bool) -> list[str | None]:
    column = pl.Series("number", ["" if is_key(text) else text for text in numbers], dtype=pl.String)
    canonical = sound_id("number") if own_ids else canonical_nhs_number(pl.col("number"))
    frame = column.to_frame().select(canonical.alias("number"))
    keys = frame.select(listed_as(pl.col("number"), domain="person", own=own_ids, key=key, list_key=keyed).alias("key"))
    return list(keys["key"])
