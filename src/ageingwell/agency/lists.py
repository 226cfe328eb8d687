"""Reading a list as an agency has it, in any form we write: whose it is, of which night, and every row on it."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl

from ageingwell.decisions.reading import Contents, read_contents
from ageingwell.decisions.tables import (
    ADDED,
    ADDED_ANSWERS,
    ANSWERS,
    HOMES,
    KEY,
    LIST,
    LIST_CODE,
    LIST_KEYS,
    LIST_UNTIL,
    SHORT_CODES,
    FilledRow,
    Table,
)
from ageingwell.errors import DecisionFileError, SourceError
from ageingwell.pseudonyms.list_seal import LIST_SEAL
from ageingwell.pseudonyms.reading import whole
from ageingwell.reading.forms import suffix_of
from ageingwell.reading.guarded import parquet_chunks, parquet_facts
from ageingwell.reading.limits import small_bytes
from ageingwell.report.choices import headings
from ageingwell.report.codes import keys_in
from ageingwell.report.words import SHEET_NAMES
from ageingwell.report.workbook import USE_UNTIL

HOME_KEY: Final = "household_key"
_CODE: Final = re.compile(
    r"(gp|social_care|housing|fire|voluntary|group|safeguarding) ([0-9]{4}-[0-9]{2}-[0-9]{2}) ([b-t]{8})"
)
# What only the group's whole list has, of all tables with pseudonyms: nobody else's rows are ever looked up.
_OF_THE_WHOLE_LIST: Final = ("person_id", "household_id", "rank", "lead_agency", "action", "status")
_MINE: Final = (LIST_CODE, LIST_KEYS, LIST_UNTIL, "notices", *SHORT_CODES)
# As large as a workbook that comes back may be.
MOST_LIST_BYTES: Final = 50_000_000
_REMEDY: Final = "give the list as it was sent to you: the workbook, the CSV or the Parquet file"


@dataclass(frozen=True)
class Part:
    """One table of a list: its sheet, its columns by name with their headings, and its rows."""

    sheet: str
    headings: Mapping[str, str]
    rows: tuple[FilledRow, ...]

    @property
    def own(self) -> tuple[str, ...]:
        """The headings of columns that the agency added itself."""
        return tuple(dict.fromkeys(heading for row in self.rows for heading in row.other))


@dataclass(frozen=True)
class AgencyList:
    """A list as an agency has it.

    `recipient` and `night` are read from the file (`None`: it does not say), `code` is its own code, `keys` the
    fingerprints of the keys of its pseudonyms and of its row keys. `listed` is the table of people, `homes` the homes
    without a person, `added` the sheet to add someone. `asks` where there are answers to fill in; `by_row_key` where
    people stand under row keys, not pseudonyms. `cover` holds the lines of the cover.
    """

    name: str
    sha256: str
    recipient: str | None
    night: date | None
    code: str | None
    keys: tuple[str, str] | None
    listed: Part
    homes: Part | None = None
    added: Part | None = None
    asks: bool = True
    by_row_key: bool = True
    cover: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = ()
    use_until: date | None = None
    seal: str | None = None

    def last_day(self, expire_after_days: int) -> date | None:
        """The last day on which the list may be used; lists of earlier versions do not say it, and the night does."""
        if self.use_until is None and self.night is not None:
            return self.night + timedelta(days=expire_after_days)
        return self.use_until

    @property
    def person_key(self) -> str:
        """The column that says whom a row is about."""
        return KEY if self.by_row_key else "person_id"

    @property
    def home_key(self) -> str:
        """The column that says at which home."""
        return HOME_KEY if self.by_row_key else "household_id"

    def all_keys(self) -> set[str]:
        """Every key on the list, of people and of homes."""
        rows = [*self.listed.rows, *(self.homes.rows if self.homes else ())]
        return {row[name] for row in rows for name in (self.person_key, self.home_key) if row[name]}


def read_list(path: Path, *, recipient: str | None = None, night: date | None = None) -> AgencyList:
    """Read a list that was sent to an agency: `.xlsx`, `.ods`, `.csv` or `.parquet`.

    `recipient` and `night` are for a file that lost them, such as a CSV of an earlier version.

    Raises `SourceError` where the file is no list of ours, says another recipient or night than was given, or has
    cells that show what cannot be read.
    """
    suffix = suffix_of(path.name)
    if suffix == ".parquet":
        found = _of_parquet(path)
    elif suffix in (".xlsx", ".xlsm", ".ods", ".csv", ".txt"):
        found = _of_sheets(path)
    else:
        raise SourceError(f"{path.name}: a list is a workbook, a CSV or a Parquet file", _REMEDY)
    _stop_on_doubt(found)
    return _as_told(found, recipient, night)


def _as_told(found: AgencyList, recipient: str | None, night: date | None) -> AgencyList:
    for what, told, given in (("list", found.recipient, recipient), ("night", found.night, night)):
        if told is not None and given is not None and told != given:
            raise SourceError(
                f"{found.name}: this is the {what} {told}, and {given} was given",
                "leave out --recipient and --night, or give the other file",
            )
    return replace(found, recipient=found.recipient or recipient, night=found.night or night)


def _stop_on_doubt(found: AgencyList) -> None:
    for part in (found.listed, found.added):
        doubt = next((row for row in (part.rows if part else ()) if row.in_doubt), None)
        if part is not None and doubt is not None:
            where, why = part.sheet or "the list", next(iter(doubt.in_doubt.values()))
            raise SourceError(
                f"{found.name}: {where}, row {doubt.number}: a cell {why}",
                "correct the cell, save the file and run again; nothing was written",
            )


# Workbooks and CSV


def _of_sheets(path: Path) -> AgencyList:
    try:
        contents = read_contents(path, titles=headings())
    except DecisionFileError as fault:
        raise SourceError(fault.found, _REMEDY) from None
    listed, asks = _the_list(contents, path)
    if listed is None:
        return _of_pseudonyms(path, whole(path), contents.sha256)
    others = [table for table in contents.tables if table is not listed]
    homes = next((_part(table) for table in others if table.kind == HOMES), None)
    added = next((_part(table) for table in others if table.kind == ADDED), None)
    cover = _cover(contents)
    recipient, night, code = _which([text for line in cover for text in line] + _of_rows(listed, LIST_CODE))
    keys = [keys_in(text) for text in [*(text for _, text in cover), *_of_rows(listed, LIST_KEYS)]]
    return AgencyList(
        path.name,
        contents.sha256,
        recipient,
        night,
        code,
        next((one for one in keys if one is not None), None),
        _part(listed),
        homes,
        added,
        asks=asks,
        cover=cover,
        notices=tuple(_of_rows(listed, "notices")),
        use_until=_until(cover, listed),
    )


def _until(cover: Sequence[tuple[str, str]], listed: Table) -> date | None:
    """The last day of use that a list says; of several the first."""
    said = [_day(text) for text in {row[LIST_UNTIL] for row in listed.rows if row[LIST_UNTIL]}]
    said += [_day_in_words(text) for what, text in cover if what == USE_UNTIL]
    return min((day for day in said if day is not None), default=None)


def _the_list(contents: Contents, path: Path) -> tuple[Table | None, bool]:
    """The table of the list, and whether it asks anything; `None` where the file may be a list of pseudonyms."""
    listed = [table for table in contents.tables if table.kind == LIST]
    if len(listed) == 1:
        return listed[0], True
    if len(listed) > 1:
        names = ", ".join(f"`{table.sheet}`" for table in listed)
        raise SourceError(f"{path.name}: several sheets hold a list: {names}", "leave the one that counts")
    guarded = [t for t in contents.tables if t.kind == HOMES and t.sheet == SHEET_NAMES["safeguarding"]]
    if guarded:
        return guarded[0], False
    if not contents.is_workbook:
        heads = {text for sheet, _ in contents.found for (row, _), text in sheet.cells.items() if row == 1}
        if "person_id" in heads:
            return None, False
    raise SourceError(
        f"{path.name}: this is not one of our lists: no sheet has both a column `Row key` and a column `Decision`",
        _REMEDY,
    )


def _part(table: Table) -> Part:
    kept = {name: heading for name, heading in table.headings.items() if name not in _MINE}
    return Part(table.sheet, kept, table.rows)


def _cover(contents: Contents) -> tuple[tuple[str, str], ...]:
    sheet = next((sheet for sheet, table in contents.found if table is None and sheet.name == "Cover"), None)
    if sheet is None:
        return ()
    return tuple((row.get(1, ""), row.get(2, "")) for _, row in sheet.rows() if row.get(2))


def _of_rows(table: Table, column: str) -> list[str]:
    """What a column of a CSV says in every row; nothing where rows differ."""
    said = {row[column] for row in table.rows if row[column]}
    return list(said) if len(said) == 1 else []


def _which(texts: Sequence[str]) -> tuple[str | None, date | None, str | None]:
    found = next((code for text in texts if (code := _CODE.fullmatch(text))), None)
    if found is None:
        return None, None, None
    return found[1], date.fromisoformat(found[2]), found[0]


# Parquet, and lists of pseudonyms


def _of_parquet(path: Path) -> AgencyList:
    told = parquet_facts(path).metadata
    content = small_bytes(path, most=MOST_LIST_BYTES)
    chunks = parquet_chunks(path, wanted=lambda _: True, rows_at_once=MOST_LIST_BYTES)
    frame = pl.concat((chunk.rows for chunk in chunks), how="vertical_relaxed")
    sha256 = hashlib.sha256(content).hexdigest()
    joined = frame.with_columns(pl.col(pl.List(pl.String)).list.join("; "))
    # Of other lists, of structures and of bytes no list of ours has a column.
    plain = [name for name, dtype in joined.schema.items() if not (dtype.is_nested() or dtype == pl.Binary)]
    texts = joined.select(pl.col(plain).cast(pl.String, strict=False))
    if KEY not in frame.columns or "person_id" in frame.columns:
        return replace(
            _of_pseudonyms(path, texts, sha256),
            night=_day(told.get("night", "")),
            use_until=_day(told.get(LIST_UNTIL, "")),
            seal=told.get(LIST_SEAL),
        )
    recipient, night, code = _which([told.get(LIST_CODE, "")])
    if recipient is None and "recipient" in told and "night" in told:
        recipient, night = told["recipient"], _day(told["night"])
    titles = {name: title for title, name in _titles()}
    part = Part("", {name: titles.get(name, name) for name in texts.columns}, tuple(_rows(texts)))
    keys, until = keys_in(told.get(LIST_KEYS, "")), _day(told.get(LIST_UNTIL, ""))
    return AgencyList(path.name, sha256, recipient, night, code, keys, part, use_until=until)


def _titles() -> Iterator[tuple[str, str]]:
    from ageingwell.views import columns

    for value in vars(columns).values():
        if isinstance(value, columns.Column):
            yield value.title, value.name


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _day_in_words(text: str) -> date | None:
    """The day that `day_words` wrote."""
    try:
        return datetime.strptime(text.strip(), "%d %B %Y").date()
    except ValueError:
        return None


def _of_pseudonyms(path: Path, rows: pl.DataFrame, sha256: str) -> AgencyList:
    lacking = [name for name in _OF_THE_WHOLE_LIST if name not in rows.columns]
    if lacking:
        raise SourceError(
            f"{path.name}: this is not a list: it lacks {', '.join(lacking)}. People who are on no list are never "
            "looked up",
            _REMEDY,
        )
    part = Part("", {name: name for name in rows.columns}, tuple(_rows(rows)))
    return AgencyList(path.name, sha256, "group", None, None, None, part, asks=False, by_row_key=False)


def _rows(texts: pl.DataFrame) -> Iterator[FilledRow]:
    for number, row in enumerate(texts.iter_rows(named=True), start=2):
        yield FilledRow("", number, {name: str(text) for name, text in row.items() if text})


def answers_of(row: FilledRow, *, added: bool = False) -> dict[str, Any]:
    """What was filled in on a row, by column: text, or nothing."""
    return {name: row[name] or None for name in (ADDED_ANSWERS if added else ANSWERS)}
