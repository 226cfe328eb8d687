"""Reading a list that comes back: a workbook (.xlsx, .ods) or CSV, whatever was done to its rows and columns."""

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import python_calamine

from ageingwell.decisions.choices import folded
from ageingwell.errors import DecisionFileError

KEY: Final = "row_key"
PERSON: Final = "person"
# What marks the header of the list, and of the sheet to add someone: no other row of a workbook has both headings.
_LIST: Final = {KEY, "decision"}
_ADDED: Final = {PERSON, "added_for"}
CODE: Final = re.compile(r"\b(gp|social_care|housing|fire|voluntary|group) ([0-9]{4}-[0-9]{2}-[0-9]{2}) ([b-t]{8})\b")
_LARGEST: Final = 50_000_000  # bytes; lists of thousands of rows take less than one
_HEADER_WITHIN: Final = 30  # rows: somebody may have written a title above the table
_REMEDY: Final = "send back the workbook or CSV as it was received, filled in and saved as .xlsx, .ods or .csv"


@dataclass(frozen=True)
class FilledRow:
    """One row as it came back: its sheet and number there (the header may be row 1), and its cells by column name."""

    sheet: str
    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True)
class Filled:
    """A list that came back: its digest, the list it says it is (recipient, night, edition), its rows, those added."""

    name: str
    sha256: str
    code: tuple[str, str, str] | None
    columns: tuple[str, ...]
    rows: tuple[FilledRow, ...]
    added: tuple[FilledRow, ...]


def read_filled(path: Path, *, titles: Mapping[str, str]) -> Filled:
    """Read a list that comes back. `titles` gives the name of each known column by its folded heading.

    Rows are taken hidden or not, in any order; columns are found by heading, and those we did not send are left out;
    ends of cells are trimmed. Raises `DecisionFileError` where the file is no list of ours.
    """
    content = _bytes_of(path)
    sheets = _csv_sheet(content, path) if path.suffix.lower() == ".csv" else _sheets(content, path)
    listed: list[tuple[tuple[str, ...], list[FilledRow]]] = []
    added: list[FilledRow] = []
    code = None
    for sheet, cells in sheets:
        code = code or _code_in(cells)
        columns, rows = _table(sheet, cells, titles, path)
        if set(columns) >= _LIST:
            listed.append((columns, rows))
        elif columns:
            added += rows
    if len(listed) != 1:
        found = "no sheet has" if not listed else "more than one sheet has"
        raise DecisionFileError(f"{path.name}: {found} the columns `Row key` and `Decision`", _REMEDY)
    columns, rows = listed[0]
    return Filled(path.name, hashlib.sha256(content).hexdigest(), code, columns, tuple(rows), tuple(added))


def _bytes_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise DecisionFileError(f"{path.name}: larger than 50 MB, which no list is", _REMEDY)
        return path.read_bytes()
    except OSError as fault:
        raise DecisionFileError(f"{path.name}: cannot be read ({fault.strerror})", "check the path") from None


def _sheets(content: bytes, path: Path) -> list[tuple[str, list[list[str]]]]:
    try:
        with python_calamine.load_workbook(io.BytesIO(content)) as book:
            return [
                (name, [[_text(cell) for cell in row] for row in _rows_of(book, name)]) for name in book.sheet_names
            ]
    except python_calamine.PasswordError:
        raise DecisionFileError(f"{path.name}: is locked with a password", "save it without one") from None
    except (python_calamine.CalamineError, ValueError, OSError):
        raise DecisionFileError(f"{path.name}: is no workbook that can be read", _REMEDY) from None


def _rows_of(book: Any, name: str) -> list[list[Any]]:
    # Empty rows and columns at the edge kept: a row's number is the one the reader sees.
    rows: list[list[Any]] = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    return rows


def _csv_sheet(content: bytes, path: Path) -> list[tuple[str, list[list[str]]]]:
    text = _decoded(content, path)
    header = text.partition("\n")[0]
    mark = max(",;\t", key=header.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    except csv.Error:
        raise DecisionFileError(f"{path.name}: is no CSV that can be read", _REMEDY) from None
    return [("", [[_text(cell) for cell in row] for row in rows])]


def _decoded(content: bytes, path: Path) -> str:
    # Excel's own CSV is in the code page of the machine, its "Unicode text" in UTF-16.
    is_utf_16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if is_utf_16 else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DecisionFileError(f"{path.name}: its letters are neither UTF-8 nor Windows'", "save it as CSV UTF-8")


def _text(cell: Any) -> str:
    """Write a cell as one text: a day as 2026-08-06, a whole number without a point, spaces of all kinds as one."""
    match cell:
        case bool():
            return "yes" if cell else "no"
        case datetime():
            return cell.date().isoformat() if cell.time() == time(0) else cell.isoformat(sep=" ")
        case date():
            return cell.isoformat()
        case float() if cell.is_integer():
            return str(int(cell))
        case time() | timedelta():
            return str(cell)
    return " ".join(str(cell).replace("\u200b", "").split())


def _code_in(cells: Sequence[Sequence[str]]) -> tuple[str, str, str] | None:
    found = (CODE.fullmatch(cell) for row in cells for cell in row[:2])
    return next(((code[1], code[2], code[3]) for code in found if code), None)


def _table(
    sheet: str, cells: list[list[str]], titles: Mapping[str, str], path: Path
) -> tuple[tuple[str, ...], list[FilledRow]]:
    """The known columns of a sheet and its rows; none where it has no header of ours."""
    for at, row in enumerate(cells[:_HEADER_WITHIN]):
        names = [titles.get(folded(cell)) for cell in row]
        if set(names) >= _LIST or set(names) >= _ADDED:
            known = [name for name in names if name is not None]
            twice = sorted({name for name in known if known.count(name) > 1})
            if twice:
                found = f"{path.name}: two columns are headed `{twice[0]}`"
                raise DecisionFileError(found, "give the added one another heading")
            return tuple(known), list(_filled_rows(sheet, cells, at, names))
    return (), []


def _filled_rows(sheet: str, cells: list[list[str]], header: int, names: list[str | None]) -> Iterator[FilledRow]:
    for number, row in enumerate(cells[header + 1 :], start=header + 2):
        filled = {name: cell for name, cell in zip(names, row, strict=False) if name is not None and cell}
        if filled:
            yield FilledRow(sheet, number, filled)
