"""Whatever is typed into a list is recorded, given back to mend, or told: for every column, sheet and kind of file."""

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from click.testing import CliRunner
from helpers.counties import NIGHT, copy_of
from helpers.filled import cells_of
from helpers.ods import as_ods

from ageingwell.cli import cli
from ageingwell.decisions.ledger import read_ledger

MEETING = NIGHT + timedelta(days=18)
ROWS = range(2, 7)  # five rows of a sheet, below its headings
LIST: dict[str, Any] = {
    "Decision": "Contact now",
    "Led by": "Fire and rescue",
    "Reason": "Need agreed",
    "By when": datetime(2027, 1, 31),
    "Have they been told?": "Yes",
    "What happened": "Deferred",
    "Contacted on": datetime(2026, 12, 1),
}
ADDED: dict[str, Any] = {
    "Person": None,  # another one in every row
    "Reason for adding": "A visitor to the home is worried",
    "Led by": "Voluntary sector",
    "By when": datetime(2027, 1, 31),
    "Have they been told?": "Yes",
    "In a few words": "seen by the warden",
}
EVERY = [("List", title) for title in LIST] + [("Add someone", title) for title in ADDED]
SHEETS = pytest.mark.parametrize(("sheet", "title"), EVERY)
# A CSV holds the list alone.
COLUMNS = pytest.mark.parametrize(
    ("sheet", "title", "kind"),
    [(*one, kind) for one in EVERY for kind in ("xlsx", "ods", "csv") if kind != "csv" or one[0] == "List"],
)
WORKBOOKS = pytest.mark.parametrize("kind", ["xlsx", "ods"])
FILES = pytest.mark.parametrize("kind", ["xlsx", "ods", "csv"])
Sheet = Any


@pytest.fixture(scope="module")
def at(first_night: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A county and its night. Tests that record something work in a copy."""
    # A dry run writes nothing, but it holds the folder's lock: each process has a folder of its own.
    return copy_of(first_night, tmp_path_factory.mktemp("lossless") / "at")


def unlisted(at: Path) -> list[str]:
    gone = pl.read_parquet(at / "out" / "current" / "attrition.parquet")
    left = gone.filter(pl.col("step").is_in(["rank", "allocate"])).drop_nulls("person_id").sort("person_id")
    return left["person_id"].to_list()


def heads(sheet: Sheet) -> dict[str, int]:
    return {cell.value: cell.column for cell in sheet[1] if cell.value}


def answered(at: Path, sheet: str) -> Any:
    """The practice's workbook with five rows of a sheet answered in full."""
    book = openpyxl.load_workbook(at / "out" / "current" / "agencies" / "gp.xlsx")
    answers, people = (LIST, []) if sheet == "List" else (ADDED, unlisted(at))
    columns = heads(book[sheet])
    for number in ROWS:
        for title, value in answers.items():
            given = people[number] if title == "Person" else value
            book[sheet].cell(number, columns[title]).value = given
    return book


def saved(book: Any, to: Path, kind: str) -> Path:
    """The book as a file of that kind; the list alone where it is a CSV."""
    path = to / f"back.{kind}"
    if kind == "xlsx":
        book.save(path)
    elif kind == "ods":
        as_ods(book, path)
    else:
        out = io.StringIO()
        csv.writer(out).writerows([[cell.value for cell in line] for line in book["List"].iter_rows()])
        path.write_text(out.getvalue(), encoding="utf-8")
    return path


def told(at: Path, *files: Path, dry: bool = True) -> tuple[int, dict[str, Any]]:
    """The exit code of `record`, and what it says of the first file."""
    out = ["--out", str(at / "out"), "--recorded-on", str(MEETING), "--json", *(["--dry-run"] if dry else [])]
    ran = CliRunner().invoke(cli, ["record", *map(str, files), *out])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    said = json.loads(ran.stdout.splitlines()[0])
    return ran.exit_code, {**said["files"][0], "notes": [row["note"] for row in said["rows"]]}


@WORKBOOKS
@pytest.mark.parametrize("sheet", ["List", "Add someone"])
def test_a_list_filled_in_as_asked_is_recorded_whole(at, tmp_path, sheet, kind):
    code, file = told(at, saved(answered(at, sheet), tmp_path, kind))

    assert (code, file["accepted"], file["rejected"]) == (0, 5, 0)
    assert file["columns_missing"] == file["columns_not_sent"] == []


@pytest.mark.sweep(of=8)
@COLUMNS
def test_a_renamed_column_gives_its_rows_back_and_is_named(at, tmp_path, sheet, title, kind):
    book = answered(at, sheet)
    book[sheet].cell(1, heads(book[sheet])[title]).value = "Outcome of visit"

    code, file = told(at, saved(book, tmp_path, kind))

    assert (code, file["accepted"], file["rejected"]) == (22, 0, 5)
    assert file["columns_missing"] == [{"sheet": sheet, "column": title}]
    (own,) = file["columns_not_sent"]
    assert (own["heading"], own["n_rows"], own["n_to_mend"]) == ("Outcome of visit", 5, 5)
    assert all("`Outcome of visit`" in note and f"`{title}`" in note for note in file["notes"])


@pytest.mark.sweep(of=8)
@COLUMNS
def test_a_column_that_was_taken_out_is_named(at, tmp_path, sheet, title, kind):
    book = answered(at, sheet)
    book[sheet].delete_cols(heads(book[sheet])[title])

    code, file = told(at, saved(book, tmp_path, kind))

    assert file["columns_missing"] == [{"sheet": sheet, "column": title}]
    assert (code == 0) == (file["rejected"] == 0)
    assert file["n_answered"] == 5


@pytest.mark.sweep(of=8)
@SHEETS
@WORKBOOKS
def test_a_merged_cell_counts_for_every_row_it_covers(at, tmp_path, sheet, title, kind):
    book = answered(at, sheet)
    column = heads(book[sheet])[title]
    book[sheet].merge_cells(start_row=2, end_row=6, start_column=column, end_column=column)

    code, file = told(at, saved(book, tmp_path, kind))

    if title == "Person":
        # Five rows cannot be about one person: who the others were nobody can say.
        assert (code, file["accepted"], file["rejected"]) == (22, 1, 4)
    else:
        assert (code, file["accepted"], file["n_merged"]) == (0, 5, 4)


@pytest.mark.sweep(of=8)
@SHEETS
@WORKBOOKS
def test_a_formula_that_nobody_worked_out_gives_its_row_back(at, tmp_path, sheet, title, kind):
    book = answered(at, sheet)
    book[sheet].cell(3, heads(book[sheet])[title]).value = "=U2"

    code, file = told(at, saved(book, tmp_path, kind))

    assert (code, file["accepted"], file["rejected"]) == (22, 4, 1)
    assert [note for note in file["notes"] if note] == [
        f"{title}: holds a formula without its value; write the answer itself"
    ]


@pytest.mark.sweep(of=8)
@SHEETS
@pytest.mark.parametrize("written", [str.upper, lambda title: f" {title}: ", lambda title: title.replace(" ", "-")])
def test_a_heading_in_other_letters_is_still_that_heading(at, tmp_path, sheet, title, written: Callable[[str], str]):
    book = answered(at, sheet)
    book[sheet].cell(1, heads(book[sheet])[title]).value = written(title)

    assert told(at, saved(book, tmp_path, "xlsx"))[1]["accepted"] == 5


@pytest.mark.sweep(of=4)
@pytest.mark.parametrize("title", LIST)
def test_an_answer_hidden_under_a_merged_cell_is_not_passed_over(at, tmp_path, title):
    book = answered(at, "List")
    column = heads(book["List"])[title]
    book["List"].merge_cells(start_row=2, end_row=6, start_column=column, end_column=column)
    # LibreOffice can keep what a merged cell covers.
    cells = book["List"]._cells
    cells[4, column] = openpyxl.cell.Cell(book["List"], row=4, column=column, value="Moved")

    code, file = told(at, saved(book, tmp_path, "xlsx"))

    assert (code, file["accepted"], file["rejected"]) == (22, 4, 1)
    assert "hides another answer under a merged cell" in " ".join(file["notes"])


def test_a_column_of_ones_own_is_told_and_costs_nothing(at, tmp_path):
    book = answered(at, "List")
    own = book["List"].max_column + 1
    for number, text in ((1, "Note"), (2, "Key at no. 4"), (3, "Rang twice"), (9, "Yes")):
        book["List"].cell(number, own).value = text

    code, file = told(at, saved(book, tmp_path, "xlsx"))

    assert (code, file["accepted"]) == (0, 5)
    assert file["columns_not_sent"] == [{"sheet": "List", "heading": "Note", "n_rows": 3, "n_to_mend": 0}]


@pytest.mark.parametrize("answer", ["Deceased", "refused", "Person has said no"])
def test_an_answer_in_a_column_of_ones_own_is_given_back(at, tmp_path, answer):
    book = openpyxl.load_workbook(at / "out" / "current" / "agencies" / "gp.xlsx")
    own = book["List"].max_column + 1
    book["List"].cell(1, own).value = "Our notes"
    book["List"].cell(2, own).value = answer

    code, file = told(at, saved(book, tmp_path, "xlsx"))

    assert (code, file["rejected"], file["accepted"]) == (22, 1, 0)
    assert "`Our notes`: is not one of our columns, and has an answer in it" in file["notes"][0]


def test_what_stood_under_a_renamed_heading_is_in_the_file_to_mend_and_is_not_typed_twice(at, tmp_path):
    here = copy_of(at, tmp_path / "here")
    book = answered(here, "List")
    columns = heads(book["List"])
    for title, other in (("What happened", "Outcome of visit"), ("Contacted on", "Date of visit")):
        book["List"].cell(1, columns[title]).value = other
    assert told(here, saved(book, here, "xlsx"), dry=False)[0] == 22
    assert read_ledger(here / "out" / "decisions.sqlite").is_empty()

    fix = openpyxl.load_workbook(here / "back.fix.xlsx")
    at_title = heads(fix["List"])
    for number in ROWS:
        for title, other in (("What happened", "Outcome of visit"), ("Contacted on", "Date of visit")):
            written = fix["List"].cell(number, at_title[other]).value
            fix["List"].cell(number, at_title[title]).value = written
    fix.save(here / "mended.xlsx")

    assert told(here, here / "mended.xlsx", dry=False)[0] == 0
    ledger = read_ledger(here / "out" / "decisions.sqlite")
    assert set(ledger["outcome"]) == {"deferred"}
    assert ledger.height == 5


def test_a_mended_file_in_which_an_answer_was_left_under_its_own_heading_comes_back_again(at, tmp_path):
    here = copy_of(at, tmp_path / "here")
    book = answered(here, "List")
    book["List"].cell(1, heads(book["List"])["What happened"]).value = "Outcome of visit"
    told(here, saved(book, here, "xlsx"), dry=False)

    code, file = told(here, here / "back.fix.xlsx", dry=False)

    assert (code, file["rejected"]) == (22, 5)
    assert cells_of(here / "out" / "current" / "agencies" / "gp.xlsx")


def below(book: Any) -> None:
    book["List"].cell(book["List"].max_row + 3, 1).value = "Signed for the group"


def below_an_answer(book: Any) -> None:
    book["List"].cell(book["List"].max_row + 3, heads(book["List"])["Decision"]).value = "Total: 5"


def cleared_key(book: Any) -> None:
    book["List"].cell(3, heads(book["List"])["Row key"]).value = None


def spaced_key(book: Any) -> None:
    cell = book["List"].cell(3, heads(book["List"])["Row key"])
    cell.value = f"{cell.value[:4].capitalize()} {cell.value[4:]}"


def comment(book: Any) -> None:
    book["List"].cell(3, 2).comment = openpyxl.comments.Comment("She has died", "front desk")


def title_above(book: Any) -> None:
    book["List"].insert_rows(1)
    book["List"].cell(1, 1).value = "For Tuesday: Mr at no. 4 has moved"


def sheet_of_notes(book: Any) -> None:
    book.create_sheet("Minutes").append(["No. 4 has moved"])


def on_the_cover(book: Any) -> None:
    book["Cover"].cell(40, 2).value = "No. 4 has moved"


def without_added(book: Any) -> None:
    del book["Add someone"]


@WORKBOOKS
@pytest.mark.parametrize(
    ("done", "code", "expected"),
    [
        (below, 0, {"accepted": 5, "not_on_list": 1}),
        (below_an_answer, 22, {"accepted": 5, "rejected": 1}),
        (cleared_key, 22, {"accepted": 4, "rejected": 1}),
        (spaced_key, 0, {"accepted": 5}),
        (comment, 0, {"accepted": 5, "n_comments": 1}),
        (title_above, 0, {"accepted": 5, "n_above_headings": 1}),
        (sheet_of_notes, 0, {"accepted": 5, "words_elsewhere": {"Minutes": 1}}),
        (on_the_cover, 0, {"accepted": 5, "words_elsewhere": {"Cover": 1}}),
        (without_added, 0, {"accepted": 5, "sheet_to_add_missing": True}),
    ],
)
def test_what_stands_where_nothing_is_asked_is_told(at, tmp_path, kind, done, code, expected):
    book = answered(at, "List")
    done(book)

    ended, file = told(at, saved(book, tmp_path, kind))

    assert (ended, {name: file[name] for name in expected}) == (code, expected)


@FILES
def test_the_classes_of_rows_add_up_to_the_rows_that_hold_anything(at, tmp_path, kind):
    book = answered(at, "List")
    sheet, columns = book["List"], heads(book["List"])
    sheet.append([cell.value for cell in sheet[2]])
    sheet.cell(3, columns["Decision"]).value = "perhaps"
    sheet.cell(sheet.max_row + 2, 1).value = "Total"
    sheet.cell(sheet.max_row + 1, sheet.max_column + 1).value = "a stray word"
    shown = [sheet, *([book["Homes"]] if kind != "csv" and "Homes" in book.sheetnames else [])]
    n_filled = sum(any(cell.value is not None for cell in line) for one in shown for line in one.iter_rows(min_row=2))

    file = told(at, saved(book, tmp_path, kind))[1]

    classes = ("accepted", "unchanged", "clash", "rejected", "repeated", "not_answered", "not_on_list", "of_homes")
    assert sum(file[name] for name in classes) == file["n_rows"] == n_filled
    assert (file["repeated"], file["rejected"], file["not_on_list"]) == (1, 1, 2)
    assert file["n_answered"] == 6


def test_the_summary_in_words_names_what_was_lost_sight_of_and_no_value(at, tmp_path):
    book = answered(at, "List")
    book["List"].delete_cols(heads(book["List"])["What happened"])
    book["List"].delete_cols(heads(book["List"])["Contacted on"])
    comment(book)
    path = saved(book, tmp_path, "xlsx")

    ran = CliRunner().invoke(
        cli, ["record", str(path), "--out", str(at / "out"), "--recorded-on", str(MEETING), "--dry-run"]
    )

    assert ran.exit_code == 0
    assert "List: `What happened`, `Contacted on` did not come back: no answer could be read there" in ran.output
    assert "1 comments on cells; they are not read" in ran.output
    assert "has died" not in ran.output
