"""A plan goes back with the group's workbook: taken whole, ended with a reason, in own words only where that is set."""

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from helpers.counties import NIGHT, copy_of, listed, new_version, opt_out, settings_file, texts_of
from helpers.filled import OFFICE, cells_of, each_saved_again, fill, fill_plans, keys_of
from helpers.recording import NEXT, book, key_on, ledger, record
from helpers.shared import Shared

from ageingwell.config.load import load_config
from ageingwell.decisions.plan import Plan
from ageingwell.night.score import score

LAST = NEXT + timedelta(days=7)
ALARM = "Do a home fire safety visit and fit working smoke alarms"
PLAN: dict[str, Any] = {
    "matters": "Feeling safe at home",
    "step_1": ALARM,
    "step_1_who": "Fire and rescue",
    "step_1_by_when": date(2026, 12, 2),
    "plan_agreed": "Yes",
    "review_on": date(2026, 12, 20),
}
ENDED = {"plan_state": "It has ended"}
# What the first meeting wrote of five people: on their rows of the list, and as their plans.
DECIDED: Mapping[str, Mapping[str, Any]] = {
    "visited": {
        "decision": "Contact now",
        "led_by": "Fire and rescue",
        "reason": "Need agreed",
        "outcome": "Completed",
        "contacted_on": "24 November 2026",
    },
    "supported": {"decision": "Already supported", "reason": "Known to us and in hand"},
}
PLANS: Mapping[str, Mapping[str, Any]] = {
    "ended": PLAN,
    "goes on": PLAN,
    "visited": PLAN | {"review_on": date(2026, 11, 28)},
    "supported": PLAN,
    "own words": PLAN | {"step_2": "Walk to the bowls club with Jo", "step_2_who": "Fire and rescue"},
}


@dataclass(frozen=True)
class Weeks:
    """A county, its nights, and who is who.

    After the first night a meeting wrote the plans above; the second does not keep own words, and the third does. In
    between a plan was ended, who was visited has objected, and who is supported has died.
    """

    at: Path
    who: Mapping[str, str]

    def planned(self, folder: str) -> set[str]:
        """Who has a plan that goes on, by the files of a night."""
        people = set(pl.read_parquet(self.at / "out" / folder / "plans.parquet")["person_id"])
        return {who for who, person in self.who.items() if person in people}

    def key(self, who: str, night: date) -> str:
        return key_on(self.who[who], "group", night)


@pytest.fixture(scope="module")
def weeks(first_night: Path, settings: Path, bundle: Path, shared: Shared) -> Weeks:
    at = shared.folder("weeks-of-plans", partial(play, first_night, settings, bundle))
    return Weeks(at, json.loads((at / "who.json").read_text()))


def play(first_night: Path, settings: Path, bundle: Path, at: Path) -> None:
    """Three nights and the meetings between them."""
    shutil.copytree(first_night, at, symlinks=True, dirs_exist_ok=True)
    notes = settings_file(at / "notes", bundle=bundle, outreach={"plans.notes": True})
    by_home = {row["household_id"] or row["person_id"]: row for row in listed(at / "out" / str(NIGHT))}
    chosen = dict(zip(PLANS, by_home.values(), strict=False))
    weeks = Weeks(at, {who: row["person_id"] for who, row in chosen.items()})
    (at / "who.json").write_text(json.dumps(weeks.who))
    filled = fill(group(at), {chosen[who]["row_key"]: said for who, said in DECIDED.items()}, to=at / "first.xlsx")
    fill_plans(filled, {chosen[who]["row_key"]: plan for who, plan in PLANS.items()}, to=filled)
    # The sheet of a night made without own words does not ask for a note; steps in own words it takes.
    assert record(at, filled, more=("--config", str(notes))).exit_code == 0
    score(at / "county", as_of=NEXT, out=at / "out", config=load_config(settings))

    reason = {**ENDED, "ended_for": "What mattered is met"}
    ended = fill_plans(group(at), {weeks.key("ended", NEXT): reason}, to=at / "ended.xlsx")
    assert record(at, ended, on=NEXT).exit_code == 0
    opt_out(at / "county", "objection", person=weeks.who["visited"])
    new_version(at / "county", weeks.who["supported"], died_on=NEXT, recorded_on=NEXT)
    score(at / "county", as_of=LAST, out=at / "out", config=load_config(notes))


@pytest.fixture
def at(first_night: Path, tmp_path: Path) -> Path:
    return copy_of(first_night, tmp_path / "here")


@pytest.fixture
def there(weeks: Weeks, tmp_path: Path) -> Path:
    """The weeks, to write into the workbooks of their later nights."""
    return copy_of(weeks.at, tmp_path / "there")


@pytest.fixture
def with_notes(bundle: Path, tmp_path: Path) -> Path:
    """Settings that keep own words."""
    return settings_file(tmp_path / "settings", bundle=bundle, outreach={"plans.notes": True})


def group(at: Path, night: str = "current") -> Path:
    return book(at, "group", night=night)


def plans(at: Path) -> list[Plan]:
    return [plan for row in ledger(at)["plan"] if (plan := Plan.of(row)) is not None]


def to_mend(at: Path, written: Sequence[Mapping[str, Any]], more: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The rows that come back of plans that are not taken, each with the note beside it, in their order."""
    keys = keys_of(group(at))[: len(written)]
    filled = fill_plans(group(at), dict(zip(keys, written, strict=True)), to=at / "back.xlsx")
    ran = record(at, filled, more=more)
    assert ran.exit_code == 22, ran.output
    assert plans(at) == []
    rows = {row["row_key"]: row for row in cells_of(at / "back.fix.xlsx", "Plans")}
    assert set(rows) == set(keys)
    return [rows[key] for key in keys]


# What is changed in a whole plan, and the note beside it.
LACKING: tuple[tuple[Mapping[str, Any], str], ...] = (
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
)


def test_a_plan_that_lacks_something_comes_back_with_a_note(at):
    rows = to_mend(at, [PLAN | changed for changed, _ in LACKING])

    assert [row["to_mend"] for row in rows] == [note for _, note in LACKING]


def test_a_plan_is_taken_whole(at):
    key = keys_of(group(at))[0]
    filled = fill_plans(group(at), {key: PLAN}, to=at / "back.xlsx")
    assert record(at, filled).exit_code == 0
    assert "1 unchanged" in record(at, filled).output
    (plan,) = plans(at)
    assert (plan.matters, plan.agreed, plan.review_on) == ("safe_at_home", "yes", date(2026, 12, 20))
    assert [(step.step, step.who, step.by_when) for step in plan.steps] == [
        ("need:no_working_alarm", "fire", date(2026, 12, 2))
    ]


def test_a_row_as_it_was_sent_says_nothing(there):
    before = len(plans(there))

    ran = record(there, fill(group(there), {}, to=there / "next.xlsx"), on=LAST)

    assert ran.exit_code == 0
    assert "nobody wrote anything in it" in ran.output
    assert len(plans(there)) == before


def test_a_plan_ends_with_a_reason_alone_and_an_emptied_row_ends_none(weeks, there):
    sent, key, before = group(there, str(NEXT)), weeks.key("goes on", NEXT), len(plans(there))
    emptied = fill_plans(sent, {key: dict.fromkeys(PLAN)}, to=there / "emptied.xlsx")
    without = fill_plans(sent, {key: ENDED}, to=there / "without.xlsx")

    assert "to end a plan, write that it has ended and why" in record(there, emptied, on=NEXT).output
    assert "Why it ended: needed to end a plan" in record(there, without, on=NEXT).output
    assert len(plans(there)) == before

    # With a reason one was ended before the last night.
    assert [plan.ended_for for plan in plans(there) if plan.ended_for] == ["matters_met"]
    assert "ended" in weeks.planned(str(NEXT))
    assert weeks.planned(str(LAST)) == {"goes on", "own words"}


NAMING = (
    "Ring on 01743 123456",
    "NHS 999 000 0018",
    "uprn 1234",
    "lives at SY1 1AA",
    "write to a.b@example.org",
    "0 1 7 4 3 1 2 3 4 5 6",
    "０１７４３ １２３４５６",
)


def test_own_words_that_could_name_somebody_or_are_long_are_not_taken_nor_written_again(at, with_notes):
    said = [*NAMING, "walk " * 41]
    written = [PLAN | {"step_2": words, "step_2_who": "Family or a friend"} for words in said]

    rows = to_mend(at, written, ("--config", str(with_notes)))

    named = "Step 2: holds a number, postcode or e-mail address that could name someone"
    assert [row["to_mend"] for row in rows] == [*[named] * len(NAMING), "Step 2: longer than 200 letters"]
    assert [row["step_2"] for row in rows[: len(NAMING)]] == [None] * len(NAMING)
    everything = "".join(texts_of(at / "out").values())
    assert [words for words in NAMING if words in everything] == []


def test_own_words_stand_on_the_groups_own_pages_and_in_no_file_for_others(weeks):
    holding = {name for name, text in texts_of(weeks.at / "out" / str(LAST)).items() if "bowls club" in text}

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
@pytest.mark.parametrize("format_", [pytest.param("xlsx", marks=pytest.mark.full), "ods"])
def test_plans_saved_in_libreoffice_are_the_same(at, there, format_):
    filled = fill_plans(group(at), {keys_of(group(at))[0]: PLAN}, to=at / "back.xlsx")
    untouched = fill(group(there), {}, to=there / "next.xlsx")
    first, again = each_saved_again([filled, untouched], at / "office", to=format_)

    assert record(at, first).exit_code == 0
    (plan,) = plans(at)
    assert plan.review_on == date(2026, 12, 20)
    assert "nobody wrote anything in it" in record(there, again, on=LAST).output


def test_a_column_of_steps_that_did_not_come_back_takes_no_step_away(weeks, there):
    said = {weeks.key("goes on", LAST): {"helped": "Yes"}}
    book = openpyxl.load_workbook(fill_plans(group(there), said, to=there / "next.xlsx"))
    sheet = book["Plans"]
    at_column = next(cell.column for cell in sheet[1] if cell.value == "Step 1: by when")
    sheet.tables.clear()
    sheet.delete_cols(at_column)
    book.save(there / "next.xlsx")

    ran = record(there, there / "next.xlsx", on=LAST)

    assert ran.exit_code == 0, ran.output
    assert plans(there)[-1].helped == "yes"
    assert plans(there)[-1].steps[0].by_when == date(2026, 12, 2)


def test_a_plan_of_somebody_off_the_list_is_still_reviewed(weeks):
    night = weeks.at / "out" / str(NEXT)
    people = {row["person_id"] for row in listed(night)}

    assert people & {weeks.who["visited"], weeks.who["supported"]} == set()
    assert weeks.planned(night.name) == set(PLANS)
    first = cells_of(group(weeks.at, night.name), "Plans")[0]
    assert (first["place"], first["plan_review"]) == ("Not on this list", "Review due since 28 November")
    assert "Plans to review now: 1." in (night / "report.html").read_text(encoding="utf-8")


def test_a_plan_goes_with_an_opt_out_and_with_a_death(weeks):
    """They are off the list already, so it is the plans alone that a withdrawal and the next night have to drop."""
    for night in (f"{NEXT}.r2", str(LAST)):
        assert weeks.planned(night) & {"visited", "supported"} == set(), night
    assert weeks.who["visited"] not in "".join(texts_of(weeks.at / "out" / f"{NEXT}.r2").values())
    assert weeks.who["visited"] not in "".join(texts_of(weeks.at / "out" / str(LAST)).values())


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
