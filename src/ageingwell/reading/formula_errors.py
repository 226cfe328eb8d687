"""Cells of an .xlsx workbook whose formula failed (#N/A, #REF!): the reader of cells gives them as empty ones.

A day of death that is #N/A is not no day of death: the text of the error has to reach whoever reads the column.
"""

import re
import zipfile
from contextlib import suppress
from html import unescape
from io import BytesIO
from posixpath import join, normpath
from typing import Final

_SHEET: Final = re.compile(rb"<(?:\w+:)?sheet\s[^>]*>")
_RELATION: Final = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_CELL: Final = re.compile(rb'<(?:\w+:)?c\s(?=[^>]*\bt="e")([^>]*[^>/])>(.*?)</(?:\w+:)?c>', re.DOTALL)
_PLACE: Final = re.compile(rb'\br="([A-Z]+)(\d+)"')
_VALUE: Final = re.compile(rb"<(?:\w+:)?v>([^<]*)</")


def formula_errors(content: bytes, sheet: str) -> dict[tuple[int, int], str]:
    """The row and column, from 0, of each failed formula of a sheet, and what stands there; empty for other kinds."""
    sent = b""
    # What is no .xlsx workbook has no such files; what is a damaged one was refused before.
    with suppress(zipfile.BadZipFile, KeyError), zipfile.ZipFile(BytesIO(content)) as archive:
        sent = archive.read(_file_of(archive, sheet))
    if b't="e"' not in sent:
        return {}
    found = {}
    for cell in _CELL.finditer(sent):
        place, value = _PLACE.search(cell[1]), _VALUE.search(cell[2])
        if place:
            found[int(place[2]) - 1, column_place(place[1])] = value[1].decode() if value else "#ERROR!"
    return found


def _file_of(archive: zipfile.ZipFile, sheet: str) -> str:
    relation = next(
        _attribute(tag, "id")
        for tag in _SHEET.findall(archive.read("xl/workbook.xml"))
        if unescape(_attribute(tag, "name")) == sheet
    )
    target = next(
        _attribute(tag, "Target")
        for tag in _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels"))
        if _attribute(tag, "Id") == relation
    )
    return target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))


def _attribute(tag: bytes, name: str) -> str:
    found = re.search(rf'[\s:]{name}="([^"]*)"'.encode(), tag)
    return found[1].decode() if found else ""


def column_place(letters: bytes) -> int:
    """The place of a column by its letters, from 0.

    >>> column_place(b"A"), column_place(b"AA")
    (0, 26)
    """
    place = 0
    for letter in letters:
        place = 26 * place + letter - ord("A") + 1
    return place - 1
