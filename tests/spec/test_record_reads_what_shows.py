"""A cell says what a reader sees in it, in every kind of file: days, numbers, merged cells and formulas."""

import csv
import io
import tracemalloc
import zipfile
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from helpers.filled import fill, keys_of
from helpers.ods import as_ods
from helpers.views import AS_OF, row, rows, see, spine_of
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from ageingwell.decisions.accounting import account_of
from ageingwell.decisions.days import day_of
from ageingwell.decisions.judging import Judged, judge
from ageingwell.decisions.reading import Filled, read_filled
from ageingwell.decisions.sent import SentList, Subject
from ageingwell.errors import DecisionFileError
from ageingwell.report.choices import ASKED, headings
from ageingwell.report.csv import agency_csv
from ageingwell.report.workbook import agency_workbook
from ageingwell.views.columns import FOR_HOMES, AgencyView

pytestmark = pytest.mark.slow

MEETING = AS_OF + timedelta(days=18)
MANY = rows(*(row(f"p{n}", f"h{n // 2}", n + 1, "gp", place=f"Place {n % 3}") for n in range(8)))
VIEW = see("gp", rows=MANY, people=spine_of(MANY))
HOMES = AgencyView(
    "gp",
    AS_OF,
    FOR_HOMES,
    pl.DataFrame({column.name: [f"{column.name} {n}" for n in range(3)] for column in FOR_HOMES}),
)
MET = {"outcome": "Deceased", "contacted_on": datetime(2026, 12, 1)}
YES = {"decision": "Contact now", "led_by": "Fire and rescue", "reason": "Need agreed"}


@pytest.fixture(scope="module")
def sent_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sent") / "gp.xlsx"
    path.write_bytes(agency_workbook(VIEW, homes=HOMES))
    path.with_suffix(".csv").write_bytes(agency_csv(VIEW, notices=["Records of housing are late."]))
    return path


def sent_list(path: Path) -> SentList:
    filled = read(path)
    asked = {question.name for question in ASKED}
    columns = tuple(name for name in filled.columns if name not in asked)
    people = {one["row_key"]: Subject(one["row_key"][::-1], one["household_key"], "gp") for one in filled.rows}
    return SentList("gp", AS_OF, columns, {one["row_key"]: one.cells for one in filled.rows}, people, as_sent=filled)


def read(path: Path) -> Filled:
    return read_filled(path, titles=headings())


def judged(path: Path, sent: Path) -> list[Judged]:
    return judge(read(path), sent_list(sent), on=MEETING)


def one_row(sent_file: Path, to: Path, answers: Mapping[str, Any]) -> Judged:
    filled = fill(sent_file, {keys_of(sent_file)[0]: answers}, to=to / "back.xlsx")
    (found,) = judged(filled, sent_file)
    return found


@pytest.mark.parametrize(
    ("written", "day"),
    [
        (datetime(2026, 12, 1, 9, 30), date(2026, 12, 1)),
        ("2026-12-01 09:30", date(2026, 12, 1)),
        ("1 December 2026, 9:30 am", date(2026, 12, 1)),
        ("1/12/26", date(2026, 12, 1)),
        (46357, date(2026, 12, 1)),
        (46357.395, date(2026, 12, 1)),
        # Nobody has made a contact on these days: they are slips, and come back.
        ("0026-12-01", None),
        ("1900-01-00", None),
        (0, None),
        (1, None),
        ("12/31/2026", None),
        ("2026-13-01", None),
        ("09:30", None),
    ],
)
def test_a_day_is_read_as_it_shows_or_comes_back(sent_file, tmp_path, written, day):
    found = one_row(sent_file, tmp_path, {**MET, "contacted_on": written})

    assert (None if found.entry is None else found.entry.contacted_on) == day
    assert (found.verdict == "accepted") == (day is not None)


@pytest.mark.parametrize(
    ("days_before", "verdict"), [(0, "accepted"), (42, "accepted"), (43, "rejected"), (170, "rejected")]
)
def test_a_contact_long_before_the_list_comes_back(sent_file, tmp_path, days_before, verdict):
    day = AS_OF - timedelta(days=days_before)
    found = one_row(sent_file, tmp_path, {**MET, "contacted_on": datetime(day.year, day.month, day.day)})

    assert found.verdict == verdict
    if verdict == "rejected":
        assert found.notes == ("Contacted on: is more than 42 days before the night of the list",)


def test_how_long_before_is_a_setting(sent_file, tmp_path):
    filled = fill(sent_file, {keys_of(sent_file)[0]: MET}, to=tmp_path / "back.xlsx")
    early = fill(sent_file, {keys_of(sent_file)[0]: {**MET, "contacted_on": "20/11/2026"}}, to=tmp_path / "early.xlsx")

    for path, verdict in ((filled, "accepted"), (early, "rejected")):
        (found,) = judge(read(path), sent_list(sent_file), on=MEETING, contact_days_before=1)
        assert found.verdict == verdict


def test_a_visit_agreed_until_a_day_that_is_over_is_taken_with_a_word(sent_file, tmp_path):
    found = one_row(sent_file, tmp_path, {**YES, "by_when": "25 November 2026"})

    assert (found.verdict, found.notes) == ("accepted", ("By when: is before the day of recording",))


@pytest.mark.parametrize(
    ("written", "verdict"),
    [
        (datetime(2026, 12, 1), "accepted"),  # a cell that shows a day
        (44895, "rejected"),  # a bare number: 1 December 2026 if counted from 1904, and 2022 if not
        ("44895", "rejected"),
        (46357, "rejected"),
        ("1 December 2026", "accepted"),
    ],
)
def test_a_workbook_that_counts_days_from_1904_is_four_years_off_nowhere(sent_file, tmp_path, written, verdict):
    book = openpyxl.load_workbook(sent_file)
    book.epoch = CALENDAR_MAC_1904
    sheet = book["List"]
    at = {cell.value: cell.column for cell in sheet[1]}
    sheet.cell(2, at["What happened"]).value = "Completed"
    sheet.cell(2, at["Contacted on"]).value = written
    if not isinstance(written, datetime):
        sheet.cell(2, at["Contacted on"]).number_format = "General"
    book.save(tmp_path / "mac.xlsx")

    (found,) = judged(tmp_path / "mac.xlsx", sent_file)

    assert found.verdict == verdict
    assert found.entry is None or found.entry.contacted_on == date(2026, 12, 1)
    assert verdict == "accepted" or "counts days from 1904" in found.notes[0]


@pytest.mark.parametrize("text", ["2026-08-06T09:30:00Z", "6 Aug 2026 9:30pm", "06/08/2026 09:30:15.5", "46240.99"])
def test_a_time_of_the_day_is_left_out(text):
    assert day_of(text) == date(2026, 8, 6)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["back.csv", "back.txt"])
def test_a_csv_however_a_program_writes_it_says_the_same(sent_file, tmp_path, mark, encoding, name):
    head, *body = csv.reader(io.StringIO(sent_file.with_suffix(".csv").read_text("utf-8-sig")))
    for line in body:
        line[head.index("facts")] = "Has fallen, lives alone, 2 steps, \u201cneeds help\u201d, caf\xe9"
        for column, text in YES.items():
            line[head.index(column)] = text
    out = io.StringIO()
    csv.writer(out, delimiter=mark).writerows([["For Tuesday, the group"], head, *body])
    (tmp_path / name).write_bytes(out.getvalue().encode(encoding))

    assert {found.verdict for found in judged(tmp_path / name, sent_file)} == {"accepted"}
    assert len(judged(tmp_path / name, sent_file)) == len(body)


def test_a_quotation_mark_that_is_never_closed_swallows_no_row(sent_file, tmp_path):
    lines = sent_file.with_suffix(".csv").read_text("utf-8-sig").splitlines()
    lines[2] = lines[2].removesuffix('"')
    (tmp_path / "back.csv").write_text("\n".join(lines), encoding="utf-8")

    with pytest.raises(DecisionFileError, match="is not a CSV file that can be read"):
        read(tmp_path / "back.csv")


def test_what_every_csv_holds_beside_the_list_is_no_column_of_ones_own(sent_file):
    path = sent_file.with_suffix(".csv")
    account = account_of(read(path), sent_list(path), [])

    assert (account.own_columns, account.missing, account.not_shown) == ((), (), ())
    assert account.rows["not_answered"] == account.n_rows == 8


@pytest.mark.parametrize(("typed", "label"), [("Y", "yes"), ("YES.", "yes"), (True, "yes"), ("not yet ", "not_yet")])
def test_whether_told_is_read_however_it_is_written(sent_file, tmp_path, typed, label):
    found = one_row(sent_file, tmp_path, {**YES, "told": typed})

    assert found.entry is not None
    assert found.entry.told == label


@pytest.mark.parametrize("reason", ["Person\u2019s own wish.", " PERSON'S  OWN WISH", "person\u2018s own wish!"])
def test_a_choice_is_read_however_it_is_written(sent_file, tmp_path, reason):
    found = one_row(sent_file, tmp_path, {"decision": "Person has said no.", "reason": reason})

    assert found.entry is not None
    assert found.entry.reason == "own_wish"


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_words_on_the_sheet_of_homes_are_counted(sent_file, tmp_path, kind):
    book = openpyxl.load_workbook(sent_file)
    homes = book["Homes"]
    as_sent = saved(book, tmp_path / f"sent.{kind}", kind)
    homes.cell(1, homes.max_column + 1).value = "Result"
    homes.cell(2, homes.max_column).value = "Nobody lives there"
    homes.cell(3, 2).value = "All well"
    written = saved(book, tmp_path / f"back.{kind}", kind)

    told = [account_of(read(path), sent_list(sent_file), []) for path in (as_sent, written)]

    assert [(one.n_homes_changed, one.rows["of_homes"], dict(one.words)) for one in told] == [(0, 3, {}), (2, 3, {})]


def test_threads_and_text_boxes_are_counted(sent_file, tmp_path):
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "xl/threadedComments/threadedComment1.xml": "<ThreadedComments><threadedComment/><threadedComment/>"
        "</ThreadedComments>",
        "xl/drawings/drawing9.xml": "<wsDr><sp><t>has moved</t></sp><sp><t> </t></sp></wsDr>",
    }
    rels = (
        f'<Relationships><Relationship Id="r8" Type="{relations}/threadedComment" '
        'Target="../threadedComments/threadedComment1.xml"/>'
        f'<Relationship Id="r9" Type="{relations}/drawing" Target="../drawings/drawing9.xml"/></Relationships>'
    )
    path = with_parts(sent_file, tmp_path / "back.xlsx", {**parts, "xl/worksheets/_rels/sheet1.xml.rels": rels})

    assert (read(path).n_comments, read(path).n_text_boxes) == (2, 1)


@pytest.mark.sweep(of=3)
@pytest.mark.parametrize("place", ["A1048576", "XFD1048576", "XFD2"])
@pytest.mark.parametrize("text", [None, "x"])
@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_a_stray_cell_far_away_costs_nothing(sent_file, tmp_path, place, text, kind):
    path = tmp_path / f"back.{kind}"
    book = openpyxl.load_workbook(fill(sent_file, {keys_of(sent_file)[0]: YES}, to=tmp_path / "filled.xlsx"))
    if kind == "xlsx":
        book["List"][place].value = text
        book["List"][place].font = openpyxl.styles.Font(bold=True)
        book.save(path)
    else:
        as_ods(book, path)
        blank = '<table:table-row table:number-rows-repeated="1000000">'
        stray = '<table:table-cell table:number-columns-repeated="16383"/><table:table-cell><text:p>x</text:p>'
        end = f"<table:table-row>{stray}</table:table-cell></table:table-row>" if text else ""
        change(path, "content.xml", lambda xml: xml.replace("</table:table>", f"{end}</table:table>"))
        assert blank in zipfile.ZipFile(path).read("content.xml").decode()

    tracemalloc.start()
    found = judged(path, sent_file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert [one.verdict for one in found] == ["accepted"]
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("change_of", "message"),
    [
        (lambda xml: xml.replace("<worksheet", '<!DOCTYPE x [<!ENTITY a "b">]><worksheet', 1), "is not a workbook"),
        (lambda xml: xml[: len(xml) // 2], "is not a workbook"),
        (lambda xml: xml.replace("<sheetData>", "<sheetData>" + " " * 110_000_000, 1), "more than any list"),
        (lambda xml: xml.replace("</row>", "<c/>" * 400_000 + "</row>", 1), "more than any list"),
    ],
)
def test_what_is_no_list_or_too_large_is_refused_in_words(sent_file, tmp_path, change_of, message):
    path = tmp_path / "back.xlsx"
    path.write_bytes(sent_file.read_bytes())
    change(path, "xl/worksheets/sheet3.xml", change_of)

    with pytest.raises(DecisionFileError, match=message):
        read(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0" * 9, b"", b"\0" * 99, b'a"b,c', b"," * 99_999])
@pytest.mark.parametrize("name", ["back.xlsx", "back.ods", "back.csv"])
def test_a_file_that_is_something_else_is_refused_in_words(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(DecisionFileError):
        read(tmp_path / name)


def test_merged_cells_over_the_whole_sheet_are_refused_not_counted_for_ever(sent_file, tmp_path):
    path = tmp_path / "back.xlsx"
    path.write_bytes(sent_file.read_bytes())
    areas = '<mergeCell ref="A2:XFD1048576"/>' * 50_000
    change(path, "xl/worksheets/sheet3.xml", lambda xml: xml.replace("</sheetData>", f"</sheetData>{areas}"))

    with pytest.raises(DecisionFileError, match="more than any list"):
        read(path)


def saved(book: Any, to: Path, kind: str) -> Path:
    if kind == "ods":
        return as_ods(book, to)
    book.save(to)
    return to


def with_parts(path: Path, to: Path, parts: Mapping[str, str]) -> Path:
    """A copy of a workbook with more parts."""
    to.write_bytes(path.read_bytes())
    with zipfile.ZipFile(to, "a") as package:
        for name, text in parts.items():
            package.writestr(name, text)
    return to


def change(path: Path, part: str, how: Any) -> None:
    """Write one part of a file again, changed."""
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    parts[part] = how(parts[part].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
