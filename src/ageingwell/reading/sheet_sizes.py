"""How far the sheets of a workbook reach: the reader of cells makes room for all between the first cell and the last.

One stray value in the last row and column stands for 17 thousand million cells, and ends the process that makes room
for them; such a workbook is told instead.
"""

import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from typing import Final

from ageingwell.errors import LimitError
from ageingwell.reading.formula_errors import column_place
from ageingwell.reading.limits import Limits
from ageingwell.reading.streams import stop_on_bomb

_PLACE: Final = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_ROW: Final = re.compile(rb"<table:table-row\b([^>]*?)(?:/>|>(.*?)</table:table-row>)", re.DOTALL)
_CELL: Final = re.compile(rb"<table:(?:covered-)?table-cell\b([^>]*?)(/>|>)")
_ROWS_REPEATED: Final = re.compile(rb'number-rows-repeated="(\d+)"')
_COLUMNS_REPEATED: Final = re.compile(rb'number-columns-repeated="(\d+)"')


def stop_on_vast_sheet(name: str, content: bytes, limits: Limits) -> None:
    """Stop on a workbook that unpacks without end, or one of whose sheets reaches too far to be read."""
    n_cells = 0
    # What is not packed is an old .xls, whose sheets cannot be large; what is damaged is told by the reader of cells.
    with suppress(zipfile.BadZipFile, OSError, ValueError, KeyError), zipfile.ZipFile(BytesIO(content)) as archive:
        stop_on_bomb(name, sum(info.file_size for info in archive.infolist()), len(content), limits)
        n_cells = max(_cells(archive), default=0)
    if n_cells > limits.cells:
        raise LimitError(
            f"{name}: a sheet reaches over {n_cells:,} cells, most of them empty",
            "delete the empty rows and columns behind the table, or save the sheet as CSV",
        )


def _cells(archive: zipfile.ZipFile) -> Iterator[int]:
    for file in archive.namelist():
        if file.startswith("xl/worksheets/") and file.endswith(".xml"):
            places = _PLACE.findall(archive.read(file))
            last_column = max((column_place(letters) + 1 for letters in {letters for letters, _ in places}), default=0)
            yield last_column * max((int(row) for _, row in places), default=0)
        elif file == "content.xml":
            for table in archive.read(file).split(b"<table:table ")[1:]:
                yield _reach(table)


def _reach(table: bytes) -> int:
    """The cells of an OpenDocument sheet up to its last row and column that hold anything."""
    row_at = last_row = last_column = 0
    for row in _ROW.finditer(table):
        row_at += _repeated(_ROWS_REPEATED, row[1])
        reached = _last_column(row[2] or b"")
        if reached:
            last_row, last_column = row_at, max(last_column, reached)
    return last_row * last_column


def _last_column(row: bytes) -> int:
    at = reached = 0
    for cell in _CELL.finditer(row):
        at += _repeated(_COLUMNS_REPEATED, cell[1])
        # A cell with a value says its kind, one with a text has something within.
        if b"value" in cell[1] or cell[2] == b">":
            reached = at
    return reached


def _repeated(times: re.Pattern[bytes], attributes: bytes) -> int:
    found = times.search(attributes)
    return int(found[1]) if found else 1
