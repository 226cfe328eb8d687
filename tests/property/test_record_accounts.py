"""Every row that holds anything is in exactly one class, wherever on a list people write."""

from pathlib import Path

import openpyxl
import pytest
from helpers.filled import fill
from helpers.laws import examples
from helpers.ods import as_ods
from helpers.views import AS_OF, row, rows, see, spine_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ageingwell.decisions.accounting import CLASSES, account_of
from ageingwell.decisions.judging import judge
from ageingwell.decisions.reading import read_filled
from ageingwell.decisions.sent import SentList, Subject
from ageingwell.report.choices import ASKED, headings
from ageingwell.report.workbook import agency_workbook

MANY = rows(*(row(f"p{n}", f"h{n // 2}", n + 1, "gp", place=f"Place {n % 3}") for n in range(8)))
VIEW = see("gp", rows=MANY, people=spine_of(MANY))
# Where somebody writes, and what: below, beside and between what was sent, over keys and headings too.
written = st.tuples(
    st.sampled_from(["List", "Add someone"]),
    st.integers(2, 16),
    st.integers(1, 34),
    st.sampled_from(["Contact now", "Deceased", "Yes", "2026-12-01", "Housing", "seen", "q" * 32, None]),
)
merged = st.tuples(st.integers(2, 9), st.integers(1, 4), st.integers(1, 30), st.integers(0, 2))


@pytest.fixture(scope="module")
def sent_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sent") / "gp.xlsx"
    path.write_bytes(agency_workbook(VIEW))
    return path


def sent_list(path: Path) -> SentList:
    filled = read_filled(path, titles=headings())
    asked = {question.name for question in ASKED}
    columns = tuple(name for name in filled.columns if name not in asked)
    people = {one["row_key"]: Subject(one["row_key"][::-1], one["household_key"], "gp") for one in filled.rows}
    cells = {one["row_key"]: one.cells for one in filled.rows}
    return SentList("gp", AS_OF, columns, cells, people, as_sent=filled)


@pytest.mark.slow
@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.lists(written, max_size=25),
    areas=st.lists(merged, max_size=2),
    gone=st.lists(st.integers(2, 30), max_size=3),
    is_ods=st.booleans(),
)
def test_the_classes_hold_every_row_once(cells, areas, gone, is_ods, sent_file, tmp_path):
    book = openpyxl.load_workbook(fill(sent_file, {}, to=tmp_path / "back.xlsx"))
    for sheet, at, column, value in cells:
        book[sheet].cell(at, column).value = value
    for column in gone:
        book["List"].cell(1, column).value = None
    for at, down, column, across in areas[:1]:
        book["List"].merge_cells(start_row=at, end_row=at + down, start_column=column, end_column=column + across)
    path = tmp_path / ("back.ods" if is_ods else "back.xlsx")
    if is_ods:
        as_ods(book, path)
    else:
        book.save(path)
    sent = sent_list(sent_file)

    filled = read_filled(path, titles=headings())
    judged = judge(filled, sent, on=AS_OF)
    account = account_of(filled, sent, judged)

    n_filled = sum(
        any(cell.value is not None for cell in line)
        for sheet in ("List", "Add someone")
        for line in book[sheet].iter_rows(min_row=2)
    )
    assert sum(account.rows[name] for name in CLASSES) == account.n_rows == n_filled
    assert sum(account.rows[name] for name in ("accepted", "unchanged", "clash", "rejected")) == len(judged)
    # No word goes unsaid: a row with words under a heading of its own is to mend, or told by that heading.
    told = sum(own.n_rows for own in account.own_columns)
    rows_with_own = sum(bool(one.other) for one in (*filled.rows, *filled.added))
    assert told >= rows_with_own
