"""Workbooks (.xlsx, .xlsm, .xls, .ods): the cells of one sheet as text, as the workbook holds them."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from ageingwell.errors import SourceError
from ageingwell.reading.formula_errors import formula_errors
from ageingwell.reading.limits import MB, Limits, beyond
from ageingwell.reading.options import ReaderOptions
from ageingwell.reading.sheet_sizes import stop_on_vast_sheet
from ageingwell.reading.streams import Part
from ageingwell.reading.tabular import Chunk, chunk_of, named, without_blank_end

T = TypeVar("T")


def workbook_chunks(part: Part, *, options: ReaderOptions, rows_at_once: int) -> Iterator[Chunk]:
    """Yield the rows of one sheet in chunks of text columns; empty rows at the end say nothing, others are ragged."""
    rows = sheet_rows(part, options)[options.skip_lines :]
    if not any(rows):
        raise SourceError(f"{part.name}: the sheet is empty", "send it again, or name the sheet that holds the table")
    width = max(len(options.names), *(len(fields) for fields in rows))
    if width > options.limits.columns:
        raise beyond(part.name, f"has {width:,} columns", "columns", options.limits)
    names = _names(part, options, rows, width)
    kept = [position for position, name in enumerate(names) if name is not None]
    headings = [names[position] or "" for position in kept]
    body = [_fitted(fields, width, kept) for fields in rows[1 if options.has_header else 0 :]]
    batches = (body[start : start + rows_at_once] for start in range(0, len(body), rows_at_once))
    n_rows = 0
    for batch in without_blank_end(batches):
        yield chunk_of(part.name, n_rows + 1, headings, batch)
        n_rows += len(batch)
    if n_rows == 0:
        yield chunk_of(part.name, 1, headings, [])


def all_sheets(part: Part, limits: Limits) -> list[tuple[str, list[list[str]]]]:
    """The name and the rows of text of each sheet of a workbook."""
    book = _book(part, limits)
    return [(name, _rows(book, name, part)) for name in book.sheet_names]


def sheet_rows(part: Part, options: ReaderOptions) -> list[list[str]]:
    """The rows of the sheet that is wanted: the named one, or the first that is not empty."""
    book = _book(part, options.limits)
    if options.sheet is None:
        return next((rows for name in book.sheet_names if any(rows := _rows(book, name, part))), [])
    name = next((name for name in book.sheet_names if name.strip() == options.sheet.strip()), None)
    if name is None:
        raise SourceError(f"{part.name}: has no sheet `{options.sheet}`", "name one of its sheets in the settings")
    return _rows(book, name, part)


def _names(part: Part, options: ReaderOptions, rows: list[list[str]], width: int) -> list[str | None]:
    """The heading of each column; None for one without a heading and without a value."""
    body = rows[1:] if options.has_header else rows
    has_value = [any(len(fields) > position and fields[position] for fields in body) for position in range(width)]
    if options.has_header:
        sent = [*rows[0], *[""] * (width - len(rows[0]))]
    else:
        sent = [*options.names] or [f"column_{position + 1}" for position in range(width)]
        sent += [""] * (width - len(sent))
    is_there = [bool(heading.strip()) or has_value[position] for position, heading in enumerate(sent)]
    names = [name if there else None for name, there in zip(named(sent), is_there)]
    found = [name for name in names if name is not None]
    if len(set(found)) < len(found):
        raise SourceError(f"{part.name}: two columns have the same name", "give each column a name of its own")
    return names


def _fitted(fields: list[str], width: int, kept: list[int]) -> list[str]:
    if not fields:
        return []
    filled = [*fields, *[""] * (width - len(fields))]
    return [filled[position] for position in kept]


@dataclass(frozen=True)
class _Book:
    """A workbook, and the bytes it was opened from."""

    cells: CalamineWorkbook
    content: bytes

    @property
    def sheet_names(self) -> list[str]:
        names: list[str] = self.cells.sheet_names
        return names


def _book(part: Part, limits: Limits) -> _Book:
    most = int(limits.workbook_mb * MB)
    with part.open() as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise beyond(part.name, "takes more MB", "workbook_mb", limits)
    stop_on_vast_sheet(part.name, content, limits)
    return _Book(_attempted(part, lambda: CalamineWorkbook.from_filelike(io.BytesIO(content))), content)


def _attempted(part: Part, act: Callable[[], T]) -> T:
    found, fault = None, "not a whole workbook"
    try:
        found = act()
    except PasswordError:
        fault = "has a password"
    except (CalamineError, OSError, ValueError):
        found = None
    if found is None:
        raise SourceError(f"{part.name}: {fault}", "open it and save it again without a password, then send it again")
    return found


def _rows(book: _Book, name: str, part: Part) -> list[list[str]]:
    cells = _attempted(part, lambda: book.cells.get_sheet_by_name(name).to_python(skip_empty_area=False))
    rows = [[_text(cell) for cell in row] for row in cells]
    for (row, column), error in formula_errors(book.content, name).items():
        # A failed formula beside or below every other cell would widen the table; it is then no cell of it.
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = error
    rows = [_without_empty_end(row) for row in rows]
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _without_empty_end(fields: list[str]) -> list[str]:
    while fields and not fields[-1]:
        fields.pop()
    return fields


def _text(cell: Any) -> str:
    """A cell as text: days year-month-day, whole numbers without a point, yes and no.

    >>> [_text(cell) for cell in (date(2026, 3, 1), datetime(2026, 3, 1, 9, 30), 100070000000.0, 1.5, True, None)]
    ['2026-03-01', '2026-03-01 09:30:00', '100070000000', '1.5', 'yes', '']
    """
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return str(cell.date()) if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return "" if cell is None else str(cell)
