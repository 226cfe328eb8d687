"""A plan goes back with the group's workbook: taken whole, ended with a reason, in own words only where that is set."""

import csv
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from click.testing import CliRunner, Result
from helpers.counties import NIGHT, copy_of, listed, new_version, opt_out, settings_file, texts_of
from helpers.filled import OFFICE, cells_of, fill, fill_plans, keys_of, saved_again

from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.decisions.ledger import read_ledger
from ageingwell.decisions.plan import Plan
from ageingwell.night.score import score

NEXT = NIGHT + timedelta(days=7)
MEETING = NIGHT + timedelta(days=2)
ALARM = "Do a home fire safety visit and fit working smoke alarms"
PLAN: dict[str, Any] = {
    "matters": "Feeling safe at home",
    "step_1": ALARM,
    "step_1_who": "Fire and rescue",
    "step_1_by_when": date(2026, 12, 2),
    "plan_agreed": "Yes",
    "review_on": date(2026, 12, 20),
}


@pytest.fixture
def at(first_night: Path, tmp_path: Path) -> Path:
    return copy_of(first_night, tmp_path / "here")


@pytest.fixture
def with_notes(bundle: Path, tmp_path: Path) -> Path:
    """Settings that keep own words."""
    return settings_file(tmp_path / "settings", bundle=bundle, outreach={"plans.notes": True})


def record(at: Path, *files: Path, more: tuple[str, ...] = (), on: date = MEETING) -> Result:
    arguments = ["record", *map(str, files), "--out", str(at / "out"), "--recorded-on", str(on), *more]
    ran = CliRunner().invoke(cli, arguments)
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return ran


def group(at: Path) -> Path:
    return at / "out" / "current" / "group.xlsx"


def plans(at: Path) -> list[Plan]:
    told = read_ledger(at / "out" / "decisions.sqlite")["plan"]
    return [plan for row in told if (plan := Plan.of(row)) is not None]


def to_mend(at: Path, plan: dict[str, Any], more: tuple[str, ...] = ()) -> str:
    """The note beside a plan that is not taken."""
    filled = fill_plans(group(at), {keys_of(group(at))[0]: plan}, to=at / "back.xlsx")
    ran = record(at, filled, more=more)
    assert ran.exit_code == 22, ran.output
    assert plans(at) == []
    (row,) = cells_of(at / "back.fix.xlsx", "Plans")
    return str(row["to_mend"])


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        ({"matters": None}, "What matters to them: needed for a plan"),
        ({"step_1": None}, "Step 1: needed for a plan. Step 1: needed where someone takes it or a day is named"),
        ({"step_1_who": None}, "Step 1: who: needed for a step"),
        ({"plan_agreed": None}, "Did they agree?: needed for a plan"),
        ({"review_on": None}, "Review on: needed for a plan"),
        ({"review_on": "soon"}, "Review on: not a day; write it as 6 August 2026"),
        ({"helped": "Maybe"}, "Did it help?: not one of the choices"),
        ({"step_1": "Ring her on Sunday"}, "Step 1: not one of the choices; own words are not kept here"),
        ({"ended_for": "It did not help"}, "Does the plan go on?: write that it has ended where there is a reason why"),
        ({"step_2_who": "Housing"}, "Step 2: needed where someone takes it or a day is named"),
    ],
)
def test_a_plan_that_lacks_something_comes_back_with_a_note(at, changed, note):
    assert to_mend(at, PLAN | changed) == note


def test_a_plan_is_taken_whole_and_a_row_as_it_was_sent_says_nothing(at, settings):
    key = keys_of(group(at))[0]
    filled = fill_plans(group(at), {key: PLAN}, to=at / "back.xlsx")
    assert record(at, filled).exit_code == 0
    assert "1 unchanged" in record(at, filled).output
    (plan,) = plans(at)
    assert (plan.matters, plan.agreed, plan.review_on) == ("safe_at_home", "yes", date(2026, 12, 20))
    assert [(step.step, step.who, step.by_when) for step in plan.steps] == [
        ("need:no_working_alarm", "fire", date(2026, 12, 2))
    ]

    score(at / "county", as_of=NEXT, out=at / "out", config=load_config(settings))
    untouched = fill(group(at), {}, to=at / "next.xlsx")

    ran = record(at, untouched, on=NEXT)
    assert ran.exit_code == 0
    assert "nobody wrote anything in it" in ran.output
    assert len(plans(at)) == 1


def test_a_plan_ends_with_a_reason_alone_and_an_emptied_row_ends_none(at, settings):
    key = keys_of(group(at))[0]
    record(at, fill_plans(group(at), {key: PLAN}, to=at / "back.xlsx"))
    score(at / "county", as_of=NEXT, out=at / "out", config=load_config(settings))
    (row,) = [one for one in cells_of(group(at), "Plans") if one["matters"]]
    emptied = fill_plans(group(at), {row["row_key"]: dict.fromkeys(PLAN)}, to=at / "emptied.xlsx")
    ended = {"plan_state": "It has ended"}
    without = fill_plans(group(at), {row["row_key"]: ended}, to=at / "without.xlsx")

    assert "to end a plan, write that it has ended and why" in record(at, emptied, on=NEXT).output
    assert "Why it ended: needed to end a plan" in record(at, without, on=NEXT).output
    assert len(plans(at)) == 1

    reason = {**ended, "ended_for": "What mattered is met"}
    assert record(at, fill_plans(group(at), {row["row_key"]: reason}, to=at / "ended.xlsx"), on=NEXT).exit_code == 0
    assert plans(at)[-1].ended_for == "matters_met"
    after = score(at / "county", as_of=NEXT + timedelta(days=7), out=at / "out", config=load_config(settings))
    assert after.frames.plans.is_empty()


@pytest.mark.parametrize(
    "words",
    [
        "Ring on 01743 123456",
        "NHS 999 000 0018",
        "uprn 1234",
        "lives at SY1 1AA",
        "write to a.b@example.org",
        "0 1 7 4 3 1 2 3 4 5 6",
        "０１７４３ １２３４５６",
    ],
)
def test_own_words_that_could_name_somebody_are_not_taken_nor_written_again(at, with_notes, words):
    more = ("--config", str(with_notes))
    note = to_mend(at, PLAN | {"step_2": words, "step_2_who": "Family or a friend"}, more)

    assert note == "Step 2: holds a number, postcode or e-mail address that could name someone"
    (row,) = cells_of(at / "back.fix.xlsx", "Plans")
    assert row["step_2"] is None
    assert words not in "".join(texts_of(at / "out").values())


def test_own_words_are_at_most_200_letters(at, with_notes):
    more = ("--config", str(with_notes))
    note = to_mend(at, PLAN | {"step_2": "walk " * 41, "step_2_who": "The person"}, more)

    assert note == "Step 2: longer than 200 letters"


def test_own_words_stand_on_the_groups_own_pages_and_in_no_file_for_others(at, with_notes):
    config = load_config(with_notes)
    # The sheet of a night made without own words does not ask for a note; steps in own words it takes.
    words = {"step_2": "Walk to the bowls club with Jo", "step_2_who": "Fire and rescue"}
    filled = fill_plans(group(at), {keys_of(group(at))[0]: PLAN | words}, to=at / "back.xlsx")
    assert record(at, filled, more=("--config", str(with_notes))).exit_code == 0

    night = score(at / "county", as_of=NEXT, out=at / "out", config=config).folder

    holding = {name for name, text in texts_of(night).items() if "bowls club" in text}
    assert holding == {"plans.parquet", "report.html", "group.xlsx", "group.json", "group.parquet"}


def test_without_leave_for_own_words_there_is_no_column_for_them(at):
    heads = [cell.value for cell in openpyxl.load_workbook(group(at))["Plans"][1]]

    assert "A few words on the plan" not in heads
    assert heads[:3] == ["Code", "Place", "Review"]
    assert heads[-1] == "Row key"


def test_the_sheet_of_plans_alone_is_read_from_a_csv(at):
    key = keys_of(group(at))[0]
    filled = fill_plans(group(at), {key: PLAN}, to=at / "back.xlsx")
    sheet = openpyxl.load_workbook(filled)["Plans"]
    path = at / "plans.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        for row in sheet.iter_rows(values_only=True):
            csv.writer(file).writerow(["" if cell is None else cell for cell in row])

    ran = record(at, path)

    assert ran.exit_code == 0, ran.output
    assert "did not come back" not in ran.output
    assert len(plans(at)) == 1


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("format_", ["xlsx", "ods"])
def test_plans_saved_in_libreoffice_are_the_same(at, settings, format_):
    key = keys_of(group(at))[0]
    filled = fill_plans(group(at), {key: PLAN}, to=at / "back.xlsx")
    assert record(at, saved_again(filled, at / "office", to=format_)).exit_code == 0
    (plan,) = plans(at)
    assert plan.review_on == date(2026, 12, 20)

    score(at / "county", as_of=NEXT, out=at / "out", config=load_config(settings))
    again = saved_again(fill(group(at), {}, to=at / "next.xlsx"), at / "office", to=format_)

    assert "nobody wrote anything in it" in record(at, again, on=NEXT).output


def test_a_column_of_steps_that_did_not_come_back_takes_no_step_away(at, settings):
    key = keys_of(group(at))[0]
    record(at, fill_plans(group(at), {key: PLAN}, to=at / "back.xlsx"))
    score(at / "county", as_of=NEXT, out=at / "out", config=load_config(settings))
    (row,) = [one for one in cells_of(group(at), "Plans") if one["matters"]]
    book = openpyxl.load_workbook(fill_plans(group(at), {row["row_key"]: {"helped": "Yes"}}, to=at / "next.xlsx"))
    sheet = book["Plans"]
    at_column = next(cell.column for cell in sheet[1] if cell.value == "Step 1: by when")
    sheet.tables.clear()
    sheet.delete_cols(at_column)
    book.save(at / "next.xlsx")

    assert record(at, at / "next.xlsx", on=NEXT).exit_code == 0
    assert plans(at)[-1].helped == "yes"
    assert plans(at)[-1].steps[0].by_when == date(2026, 12, 2)


def test_a_plan_of_somebody_off_the_list_is_still_reviewed_and_goes_with_an_opt_out(at, settings):
    config = load_config(settings)
    key = keys_of(group(at))[0]
    person = next(row["person_id"] for row in listed(at / "out" / "current") if row["row_key"] == key)
    done = {
        "decision": "Contact now",
        "led_by": "Fire and rescue",
        "reason": "Need agreed",
        "outcome": "Completed",
        "contacted_on": "24 November 2026",
    }
    filled = fill_plans(
        fill(group(at), {key: done}, to=at / "back.xlsx"),
        {key: PLAN | {"review_on": date(2026, 11, 28)}},
        to=at / "back.xlsx",
    )
    assert record(at, filled).exit_code == 0

    night = score(at / "county", as_of=NEXT, out=at / "out", config=config)

    assert person not in set(night.frames.listed["person_id"])
    first = cells_of(group(at), "Plans")[0]
    assert (first["place"], first["plan_review"]) == ("Not on this list", "Review due since 28 November")
    assert "Plans to review now: 1." in (night.folder / "report.html").read_text(encoding="utf-8")

    opt_out(at / "county", "objection", person=person)
    gone = score(at / "county", as_of=NEXT, out=at / "out", config=config).folder
    assert pl.read_parquet(gone / "plans.parquet").is_empty()
    assert person not in "".join(texts_of(gone).values())


def test_a_plan_goes_with_a_death_that_is_told_after_the_night(at, settings):
    config = load_config(settings)
    key = keys_of(group(at))[0]
    person = next(row["person_id"] for row in listed(at / "out" / "current") if row["row_key"] == key)
    no = {"decision": "Already supported", "reason": "Known to us and in hand"}
    filled = fill_plans(fill(group(at), {key: no}, to=at / "back.xlsx"), {key: PLAN}, to=at / "back.xlsx")
    assert record(at, filled).exit_code == 0
    night = score(at / "county", as_of=NEXT, out=at / "out", config=config)
    assert night.frames.plans["person_id"].to_list() == [person]
    assert person not in set(night.frames.listed["person_id"])
    new_version(at / "county", person, died_on=NEXT, recorded_on=NEXT)

    after = score(at / "county", as_of=NEXT, out=at / "out", config=config)

    assert after.frames.plans.is_empty()


def test_plans_in_an_agencys_list_are_not_taken(at):
    key = keys_of(at / "out" / "current" / "agencies" / "gp.xlsx")[0]
    book = openpyxl.load_workbook(at / "out" / "current" / "agencies" / "gp.xlsx")
    theirs = openpyxl.load_workbook(fill_plans(group(at), {keys_of(group(at))[0]: PLAN}, to=at / "back.xlsx"))["Plans"]
    sheet = book.create_sheet("Plans")
    for row in theirs.iter_rows(min_row=1, max_row=2, values_only=True):
        sheet.append(row)
    sheet.cell(2, 1).value = key
    for column, cell in enumerate(theirs[1], start=1):
        if str(cell.value) in ("What matters to them",):
            sheet.cell(2, column).value = "Seeing people"
    book.save(at / "gp.xlsx")

    ran = record(at, at / "gp.xlsx")

    assert ran.exit_code == 22
    assert "are taken from the group's own list alone" in ran.output
    assert plans(at) == []
