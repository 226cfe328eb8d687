"""Writing an OpenDocument spreadsheet as LibreOffice does, from a workbook in memory: no program writes one here."""

import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

_SPACES = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
}
_MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="/" '
    'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>'
)
_KIND = "application/vnd.oasis.opendocument.spreadsheet"


def as_ods(book: Any, to: Path) -> Path:
    """Write the sheets of an openpyxl workbook as .ods: values, formulas without one, comments and merged cells."""
    spaces = " ".join(f"xmlns:{name}={quoteattr(space)}" for name, space in _SPACES.items())
    tables = "".join(_table(sheet) for sheet in book)
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>{tables}"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(to, "w") as package:
        package.writestr("mimetype", _KIND)
        package.writestr("META-INF/manifest.xml", _MANIFEST)
        package.writestr("content.xml", f'<?xml version="1.0" encoding="UTF-8"?>{content}')
    return to


def _table(sheet: Any) -> str:
    spans, covered = {}, set()
    for area in sheet.merged_cells.ranges:
        spans[area.min_row, area.min_col] = (area.max_row - area.min_row + 1, area.max_col - area.min_col + 1)
        covered |= {(row, column) for row, column in area.cells} - {(area.min_row, area.min_col)}
    lines = [
        "".join(_cell(sheet.cell(row, column), spans, covered) for column in range(1, sheet.max_column + 1))
        for row in range(1, sheet.max_row + 1)
    ]
    rows = "".join(f"<table:table-row>{line}</table:table-row>" for line in lines)
    # What LibreOffice writes below every table: the rest of the sheet, blank.
    blank = '<table:table-cell table:number-columns-repeated="16384"/>'
    rest = f'<table:table-row table:number-rows-repeated="1000000">{blank}</table:table-row>'
    return f"<table:table table:name={quoteattr(sheet.title)}>{rows}{rest}</table:table>"


def _cell(cell: Any, spans: dict[tuple[int, int], tuple[int, int]], covered: set[tuple[int, int]]) -> str:
    place = (cell.row, cell.column)
    if place in covered:
        return "<table:covered-table-cell/>"
    span = ""
    if place in spans:
        down, across = spans[place]
        span = f' table:number-rows-spanned="{down}" table:number-columns-spanned="{across}"'
    note = "" if cell.comment is None else f"<office:annotation>{_lines(cell.comment.text)}</office:annotation>"
    return f"<table:table-cell{span}{_value(cell, note)}</table:table-cell>"


def _value(cell: Any, note: str) -> str:
    match cell.value:
        case None:
            return f">{note}"
        case str() as text if cell.data_type == "f":
            return f" table:formula={quoteattr('of:' + text)}>{note}"
        case bool() as truth:
            word = str(truth).lower()
            return f' office:value-type="boolean" office:boolean-value="{word}">{note}{_lines(word.upper())}'
        case datetime() as day:
            return f' office:value-type="date" office:date-value="{day.isoformat()}">{note}{_lines(f"{day:%d/%m/%y}")}'
        case int() | float() as number:
            return f' office:value-type="float" office:value="{number!r}">{note}{_lines(str(number))}'
    return f' office:value-type="string">{note}{_lines(str(cell.value))}'


def _lines(text: str) -> str:
    return "".join(f"<text:p>{escape(line)}</text:p>" for line in text.split("\n"))
