"""What a row of a list says when it comes back, and what is said beside it where it cannot be taken."""

from datetime import date
from pathlib import Path

import openpyxl
import pytest
from helpers.filled import cells_of, fill, keys_of
from helpers.views import AS_OF, see

from ageingwell.config.outreach import DecisionDays
from ageingwell.contracts.registry import columns
from ageingwell.decisions.choices import CONTACT_NOW, DECISIONS, LEADS, OUTCOMES
from ageingwell.decisions.judging import judge
from ageingwell.decisions.reading import read_filled
from ageingwell.decisions.sent import SentList, Subject
from ageingwell.meeting.mending import draw_fix
from ageingwell.report.choices import ASKED, headings
from ageingwell.report.codes import list_code
from ageingwell.report.workbook import agency_workbook
from ageingwell.views.words import agency_words

MEETING = date(2026, 11, 24)
YES = {"decision": "Contact now", "led_by": "Fire and rescue", "reason": "Need agreed"}
ADDED = {
    "person": "q" * 32,
    "added_for": "A visitor to the home is worried",
    "led_by": "Voluntary sector",
    "note": "seen by the warden",
}


@pytest.fixture(scope="module")
def sent_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The practice's workbook of a small night, as it was sent."""
    path = tmp_path_factory.mktemp("sent") / "gp.xlsx"
    path.write_bytes(agency_workbook(see("gp")))
    return path


def sent_list(path: Path) -> SentList:
    """The list behind a workbook, with somebody who could be added."""
    filled = read_filled(path, titles=headings())
    answers = {question.name for question in ASKED}
    # Short codes are drawn from the keys: no list keeps them.
    columns = tuple(name for name in filled.columns if name not in (*answers, "code", "home_code"))
    people = {row["row_key"]: Subject(f"person {n}", f"home {n}", "gp") for n, row in enumerate(filled.rows)}
    cells = {row["row_key"]: {name: row[name] for name in columns} for row in filled.rows}
    return SentList("gp", AS_OF, columns, cells, people, known={"q" * 32: Subject("q" * 32, None)})


def judged(path: Path, sent: Path) -> list:
    return judge(read_filled(path, titles=headings()), sent_list(sent), on=MEETING)


def fix_of(path: Path, sent: Path, to: Path) -> Path:
    filled = read_filled(path, titles=headings())
    rows = judge(filled, sent_list(sent), on=MEETING)
    to.write_bytes(draw_fix(filled, sent_list(sent), rows, code=list_code(see("gp"))))
    return to


def test_an_answer_is_kept_as_labels_and_days_with_whether_it_follows_the_suggestion(sent_file, tmp_path):
    first, second, *_ = keys_of(sent_file)
    answers = {
        first: {**YES, "led_by": " gp  PRACTICES ", "by_when": "1 Dec 26", "told": "not yet"},
        second: {**YES, "outcome": "accepted", "contacted_on": date(2026, 11, 23)},
    }

    one, other = (row.entry for row in judged(fill(sent_file, answers, to=tmp_path / "back.xlsx"), sent_file))

    assert (one.decision, one.led_by, one.by_when, one.told) == ("contact_now", "gp", date(2026, 12, 1), "not_yet")
    assert one.agrees_with_suggestion is True
    assert (other.led_by, other.agrees_with_suggestion) == ("fire", False)
    assert (other.outcome, other.contacted_on, other.agency) == ("accepted", date(2026, 11, 23), "gp")


def test_a_row_nobody_wrote_in_says_nothing(sent_file, tmp_path):
    assert judged(fill(sent_file, {}, to=tmp_path / "back.xlsx"), sent_file) == []


def test_the_same_key_twice_counts_once_where_the_rows_agree_and_not_at_all_where_they_differ(sent_file, tmp_path):
    filled = openpyxl.load_workbook(fill(sent_file, {keys_of(sent_file)[0]: YES}, to=tmp_path / "back.xlsx"))
    sheet = filled["List"]
    sheet.append([cell.value for cell in sheet[2]])
    filled.save(tmp_path / "twice.xlsx")
    assert [row.verdict for row in judged(tmp_path / "twice.xlsx", sent_file)] == ["accepted"]

    sheet.cell(sheet.max_row, 1 + sheet[1].index(next(c for c in sheet[1] if c.value == "Led by"))).value = "Housing"
    filled.save(tmp_path / "twice.xlsx")
    assert [row.verdict for row in judged(tmp_path / "twice.xlsx", sent_file)] == ["rejected", "rejected"]


@pytest.mark.parametrize(
    ("answers", "note"),
    [
        ({"decision": "Contact now", "led_by": "Housing"}, "Reason: needed for every decision"),
        ({"decision": "Contact now", "reason": "Need agreed"}, "Led by: needed to contact now"),
        ({"reason": "Need agreed"}, "Decision: needed where there is a lead, a reason or a day"),
        ({**YES, "by_when": "12/25/2026"}, "By when: not a day; write it as 6 August 2026"),
        ({**YES, "by_when": "6 August 2026"}, "By when: is before the night of the list"),
        ({"outcome": "Accepted"}, "Contacted on: needed to say what happened"),
        ({"contacted_on": "23 November 2026"}, "What happened: needed where there was a contact"),
        ({"outcome": "Accepted", "contacted_on": "2026-11-25"}, "Contacted on: is after the day of recording"),
        ({**YES, "led_by": "The vicar"}, "Led by: not one of the choices"),
        ({**YES, "row_key": "b" * 32}, "Row key: not on this list, of this night"),
        ({**YES, "row_key": None}, "Row key: missing"),
    ],
)
def test_what_is_wrong_with_a_row_is_said_beside_it(sent_file, tmp_path, answers, note):
    filled = fill(sent_file, {keys_of(sent_file)[0]: answers}, to=tmp_path / "back.xlsx")

    (row,) = judged(filled, sent_file)

    assert (row.verdict, row.entry) == ("rejected", None)
    assert any(said.startswith(note) for said in row.notes)
    (back,) = cells_of(fix_of(filled, sent_file, tmp_path / "fix.xlsx"))
    assert note in back["to_mend"]


@pytest.mark.parametrize(
    ("row", "note"),
    [
        ({"person": "b" * 32}, "Person: not among the people whose records may be used that night"),
        ({"person": None}, "Person: needed"),
        ({"led_by": None}, "Led by: needed for someone added"),
        ({"note": "call 01694 722222"}, "In a few words: holds a number"),
        ({"note": "x" * 201}, "In a few words: longer than 200 letters"),
        ({"added_for": "?"}, "Reason for adding: not one of the choices"),
    ],
)
def test_what_is_wrong_with_somebody_added_comes_back(sent_file, tmp_path, row, note):
    filled = fill(sent_file, {}, added=[{**ADDED, **row}], to=tmp_path / "back.xlsx")

    (found,) = judged(filled, sent_file)

    assert (found.verdict, found.is_added) == ("rejected", True)
    assert any(said.startswith(note) for said in found.notes)
    (back,) = cells_of(fix_of(filled, sent_file, tmp_path / "fix.xlsx"), "Add someone")
    assert note in back["to_mend"]


@pytest.mark.parametrize("typed", ["=1+1", "@SUM(A1)", "+44", "-1", "=cmd|' /C calc'!A0", "\uff1d1"])
def test_what_was_typed_comes_back_as_text_and_never_as_a_formula(sent_file, tmp_path, typed):
    key = keys_of(sent_file)[0]
    filled = openpyxl.load_workbook(sent_file)
    for name, row in (("List", {"Decision": typed, "Reason": typed}), ("Add someone", {"In a few words": typed})):
        heads = {cell.value: cell.column for cell in filled[name][1]}
        for title, value in row.items():
            cell = filled[name].cell(2, heads[title])
            cell.value, cell.data_type = value, "s"
    filled.save(tmp_path / "back.xlsx")

    fix = openpyxl.load_workbook(fix_of(tmp_path / "back.xlsx", sent_file, tmp_path / "fix.xlsx"))

    assert cells_of(tmp_path / "fix.xlsx", "List")[0]["row_key"] == key
    shown = [cell for sheet in fix for row in sheet.iter_rows() for cell in row]
    assert [cell.coordinate for cell in shown if cell.data_type == "f"] == []
    assert any(str(cell.value).lstrip("'") == typed for cell in shown)


def test_the_choices_are_those_of_the_contracts_and_of_the_views():
    outcomes = next(column for column in columns("contacts") if column.name == "outcome").labels
    agencies = next(column for column in columns("contacts") if column.name == "agency").labels

    assert tuple(OUTCOMES) == outcomes
    assert {agency: agency_words(agency) for agency in agencies} == LEADS
    assert set(DecisionDays.model_fields) == set(DECISIONS) - {CONTACT_NOW}
