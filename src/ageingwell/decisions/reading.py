"""Reading a list that comes back: a workbook (.xlsx, .ods) or CSV, whatever was done to its rows and columns."""

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ageingwell.decisions.choices import folded
from ageingwell.decisions.ods import is_locked, read_ods
from ageingwell.decisions.packages import DamagedError, Package, TooLargeError
from ageingwell.decisions.sheets import MOST_CELLS, Place, Sheet, tidy
from ageingwell.decisions.tables import ADDED, HOMES, KEY, LIST, LIST_CODE, PLANS, FilledRow, Table, find_table
from ageingwell.decisions.xlsx import read_xlsx
from ageingwell.errors import DecisionFileError

CODE: Final = re.compile(r"\b(gp|social_care|housing|fire|voluntary|group) ([0-9]{4}-[0-9]{2}-[0-9]{2}) ([b-t]{8})\b")
# On the cover of a list into which `reidentify` put names.
NAMED: Final = "Names, addresses and telephones from your own register"
NAMED_MEANS: Final = (
    "Keep this file inside your agency. What is under a heading that begins with Own register is left out when the "
    "group records the file; ageingwell add writes a copy without it."
)
_LARGEST: Final = 50_000_000  # bytes; lists of thousands of rows take less than one
_WIDEST: Final = 1_000  # fields of a row of CSV
_FIRST_LINES: Final = 30  # of a CSV: a title may stand above the headings
_ZIP, _OLD_OFFICE = b"PK", b"\xd0\xcf\x11\xe0"
_REMEDY: Final = "send back the workbook or CSV as it was received, filled in and saved as .xlsx, .ods or .csv"


@dataclass(frozen=True)
class Filled:
    """A list that came back: its digest, the list it says it is (recipient, night, edition), its rows, those added.

    `headings` are the known columns of the list as they are headed there, by name, and `added_headings` those of the
    sheet to add someone (`None`: there is no such sheet). `plans` are the rows of the sheet of plans. `homes` are the
    rows of the sheet that asks nothing. `words` holds what stands outside any table, by sheet.
    """

    name: str
    sha256: str
    code: tuple[str, str, str] | None
    columns: tuple[str, ...]
    rows: tuple[FilledRow, ...]
    added: tuple[FilledRow, ...]
    headings: Mapping[str, str] = field(default_factory=dict)
    added_headings: Mapping[str, str] | None = None
    homes: tuple[FilledRow, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    n_above: int = 0
    n_covered: int = 0
    n_comments: int = 0
    n_text_boxes: int = 0
    is_workbook: bool = True
    n_identities: int = 0
    plans: tuple[FilledRow, ...] = ()
    plan_headings: Mapping[str, str] = field(default_factory=dict)

    @property
    def names_people(self) -> bool:
        """Whether an agency put names from its own register into it, so that none of its own words may be kept."""
        return self.n_identities > 0 or any(NAMED in texts for texts in self.words.values())


@dataclass(frozen=True)
class Contents:
    """What a file holds: its digest, and each sheet with the table of ours on it, if there is one."""

    sha256: str
    is_workbook: bool
    found: tuple[tuple[Sheet, Table | None], ...]

    @property
    def tables(self) -> list[Table]:
        """The tables of ours, in the order of their sheets."""
        return [table for _, table in self.found if table is not None]


def read_contents(path: Path, *, titles: Mapping[str, str]) -> Contents:
    """Read every sheet of a workbook, or a CSV, and find our tables; `titles` as in `read_filled`.

    Raises `DecisionFileError` where the file cannot be read as either.
    """
    content = _bytes_of(path)
    is_workbook = content[:2] == _ZIP or content[:4] == _OLD_OFFICE
    try:
        sheets = _sheets(content, path) if is_workbook else [_csv_sheet(content, path)]
        found = tuple((sheet, find_table(sheet, titles)) for sheet in sheets)
    except TooLargeError:
        raise DecisionFileError(f"{path.name}: holds more than any list does", _REMEDY) from None
    return Contents(hashlib.sha256(content).hexdigest(), is_workbook, found)


def read_filled(path: Path, *, titles: Mapping[str, str]) -> Filled:
    """Read a list that comes back. `titles` gives the name of each known column by its folded heading.

    Rows are taken hidden or not, in any order; columns are found by heading, and what stands under one we did not send
    is kept apart; ends of cells are trimmed; what a merged cell shows counts for every row it covers. Raises
    `DecisionFileError` where the file is no list of ours.
    """
    contents = read_contents(path, titles=titles)
    found, tables = contents.found, contents.tables
    sheets = [sheet for sheet, _ in found]
    plans = [table for table in tables if table.kind == PLANS]
    listed = _the_list(tables, path, may_lack=bool(plans))
    _stop_on_headings_used_twice(tables, path)
    added = [table for table in tables if table.kind == ADDED]
    return Filled(
        path.name,
        contents.sha256,
        next((code for sheet in sheets if (code := _code_in(sheet))), None) or _code_of_rows(listed),
        tuple(listed.headings),
        listed.rows,
        tuple(row for table in added for row in table.rows),
        headings=listed.headings,
        added_headings={name: head for table in added for name, head in table.headings.items()} if added else None,
        homes=tuple(row for table in tables if table.kind == HOMES for row in table.rows),
        words={sheet.name: tuple(sheet.cells.values()) for sheet, table in found if table is None},
        n_above=sum(table.n_above for table in tables),
        n_covered=sum(table.n_covered for table in tables),
        n_comments=sum(sheet.n_comments for sheet in sheets),
        n_text_boxes=sum(sheet.n_text_boxes for sheet in sheets),
        is_workbook=contents.is_workbook,
        n_identities=sum(table.n_identities for table in tables),
        plans=tuple(row for table in plans for row in table.rows),
        plan_headings={name: head for table in plans for name, head in table.headings.items()},
    )


def _the_list(tables: Sequence[Table], path: Path, *, may_lack: bool) -> Table:
    """The table of the list; an empty one where the sheet of plans came back alone, as in a CSV."""
    listed = [table for table in tables if table.kind == LIST]
    if len(listed) == 1:
        return listed[0]
    if not listed and may_lack:
        return Table(LIST, "", {}, ())
    if not listed:
        found = f"{path.name}: no sheet has the column `Row key` and a column `Decision` or another to fill in"
        raise DecisionFileError(found, _REMEDY)
    names = ", ".join(f"`{table.sheet}`" for table in listed)
    found = f"{path.name}: more than one sheet has the columns of the list: {names}"
    raise DecisionFileError(found, "take out all but the one that counts, and record the file again")


def _stop_on_headings_used_twice(tables: Sequence[Table], path: Path) -> None:
    twice = [(table, name) for table in tables for name in table.twice]
    if twice:
        table, name = twice[0]
        found = f"{path.name}: two columns are headed `{table.headings[name]}`"
        raise DecisionFileError(found, "give the added one another heading")


def _bytes_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise DecisionFileError(f"{path.name}: larger than 50 MB, which no list is", _REMEDY)
        return path.read_bytes()
    except OSError as fault:
        raise DecisionFileError(f"{path.name}: cannot be read ({fault.strerror})", "check the path") from None


def _sheets(content: bytes, path: Path) -> list[Sheet]:
    if content[:4] == _OLD_OFFICE:
        found = f"{path.name}: is locked with a password, or is a workbook of the older kind .xls"
        raise DecisionFileError(found, "save it as .xlsx without a password")
    try:
        package = Package(content)
        if is_locked(package):
            raise DecisionFileError(f"{path.name}: is locked with a password", "save it without one")
        return read_ods(package) if "content.xml" in package else read_xlsx(package)
    except DamagedError:
        raise DecisionFileError(f"{path.name}: is not a workbook that can be read", _REMEDY) from None


def _csv_sheet(content: bytes, path: Path) -> Sheet:
    text = _decoded(content, path)
    lines = text.splitlines()
    # Words hold commas too: the headings alone tell what stands between fields.
    header = next((line for line in lines[:_FIRST_LINES] if KEY in folded(line)), "")
    mark = max(",;\t", key=header.count)
    if max((line.count(mark) for line in lines), default=0) > _WIDEST:
        raise TooLargeError
    cells: dict[Place, str] = {}
    try:
        # Strict: a quotation mark that is never closed would swallow the rows below it.
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True), start=1):
            cells |= {(number, column): tidied for column, cell in enumerate(row, start=1) if (tidied := tidy(cell))}
            if len(cells) > MOST_CELLS:
                raise TooLargeError
    except csv.Error:
        raise DecisionFileError(f"{path.name}: is not a CSV file that can be read", _REMEDY) from None
    return Sheet("", cells)


def _decoded(content: bytes, path: Path) -> str:
    # Excel's own CSV is in the code page of the machine, its "Unicode text" in UTF-16.
    is_utf_16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if is_utf_16 else _without_mark(content):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DecisionFileError(f"{path.name}: its letters are neither UTF-8 nor Windows'", "save it as CSV UTF-8")


def _without_mark(content: bytes) -> tuple[str, ...]:
    """The encodings to try: half of the bytes of plain letters in UTF-16 are zero, and none in the others."""
    start = content[:200]
    if b"\0" in start:
        return ("utf-16-be",) if start[:1] == b"\0" else ("utf-16-le",)
    return ("utf-8-sig", "cp1252")


def _code_of_rows(listed: Table) -> tuple[str, str, str] | None:
    """The code that every row of a CSV has; none where rows of several lists were put together."""
    codes = {row[LIST_CODE] for row in listed.rows if row[LIST_CODE]}
    found = CODE.fullmatch(codes.pop()) if len(codes) == 1 else None
    return (found[1], found[2], found[3]) if found else None


def _code_in(sheet: Sheet) -> tuple[str, str, str] | None:
    found = (CODE.fullmatch(text) for (_, column), text in sheet.cells.items() if column <= 2)
    return next(((code[1], code[2], code[3]) for code in found if code), None)
