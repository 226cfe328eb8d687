"""Our reading of workbooks against calamine's, a library of another language: the same cells, the same values."""

import io
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pytest
import python_calamine
import xlsxwriter
from helpers.ods import as_ods
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ageingwell.decisions.ods import read_ods
from ageingwell.decisions.packages import Package
from ageingwell.decisions.sheets import Sheet, tidy
from ageingwell.decisions.xlsx import read_xlsx

# Whole seconds, and days from March 1900: before, Excel counts a day that never was.
moments = st.datetimes(datetime(1900, 3, 1), datetime(2199, 12, 31)).map(lambda moment: moment.replace(microsecond=0))
letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn"], exclude_characters="\ufeff")
texts = st.text(letters, max_size=12) | st.sampled_from(["a\nb", " x ", "_x0041_", "<&>", "\u00a0", "1", "=1+1"])
numbers = st.integers(-(10**9), 10**9) | st.floats(-1e6, 1e6).map(lambda number: round(number, 3))
values = st.none() | texts | numbers | st.booleans() | moments
tables = st.lists(st.lists(values, min_size=3, max_size=3), min_size=1, max_size=5)
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def as_text(cell: Any) -> str:
    """A value of calamine's as our reader writes it."""
    match cell:
        case bool():
            return "yes" if cell else "no"
        case datetime() if cell.time() != time(0):
            return cell.isoformat(sep=" ", timespec="seconds")
        case date():
            return cell.strftime("%Y-%m-%d")
        case float() if cell.is_integer():
            return str(int(cell))
        case float():
            return repr(cell)
    return tidy(str(cell))


def theirs(content: bytes) -> dict[tuple[int, int], str]:
    with python_calamine.load_workbook(io.BytesIO(content)) as book:
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    found = {(row, column): as_text(cell) for row, line in enumerate(rows, 1) for column, cell in enumerate(line, 1)}
    return {place: text for place, text in found.items() if text}


def written_by_xlsxwriter(table: list[list[Any]], *, from_1904: bool) -> bytes:
    out = io.BytesIO()
    options = {"in_memory": True, "date_1904": from_1904, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    sheet, day = book.add_worksheet(), book.add_format({"num_format": "d mmmm yyyy hh:mm"})
    for row, line in enumerate(table):
        for column, value in enumerate(line):
            if isinstance(value, datetime):
                sheet.write_datetime(row, column, max(value, datetime(1904, 1, 2)) if from_1904 else value, day)
            elif isinstance(value, str):
                sheet.write_string(row, column, value)
            else:
                sheet.write(row, column, value)
    book.close()
    return out.getvalue()


def written_by_openpyxl(table: list[list[Any]]) -> Any:
    book = openpyxl.Workbook()
    for row, line in enumerate(table, 1):
        for column, value in enumerate(line, 1):
            cell = book.active.cell(row, column, value)
            if isinstance(value, str):
                cell.data_type = "s"
    return book


@pytest.mark.slow
@MANY
@given(table=tables, from_1904=st.booleans())
def test_what_xlsxwriter_writes_is_read_alike(table, from_1904):
    content = written_by_xlsxwriter(table, from_1904=from_1904)

    (sheet,) = read_xlsx(Package(content))

    assert dict(sheet.cells) == theirs(content)
    assert sheet.counts_from_1904 == from_1904


@pytest.mark.slow
@MANY
@given(table=tables)
def test_what_openpyxl_writes_is_read_alike(table):
    out = io.BytesIO()
    written_by_openpyxl(table).save(out)

    (sheet,) = read_xlsx(Package(out.getvalue()))

    assert dict(sheet.cells) == theirs(out.getvalue())


@MANY
@given(table=tables)
def test_open_document_is_read_alike(table, tmp_path):
    content = as_ods(written_by_openpyxl(table), tmp_path / "book.ods").read_bytes()

    (sheet,) = read_ods(Package(content))

    assert dict(sheet.cells) == theirs(content)


@pytest.mark.parametrize("ref", ["A1:B3", "C2:C5"])
def test_merged_cells_are_those_that_calamine_finds(ref):
    book = written_by_openpyxl([[1, 2, 3]] * 6)
    book.active.merge_cells(ref)
    out = io.BytesIO()
    book.save(out)
    with python_calamine.load_workbook(io.BytesIO(out.getvalue())) as there:
        (((top, left), (bottom, right)),) = there.get_sheet_by_index(0).merged_cell_ranges

    sheet: Sheet = read_xlsx(Package(out.getvalue()))[0]

    assert sheet.merged == ((top + 1, bottom + 1, left + 1, right + 1),)
