"""Four weekly nights and the meetings between them: what each list, page and workbook says of each person by then.

The county's records do not change, so whatever differs from night to night is what the group decided, what was done,
and what the people said. What has to come of it stands in the tables below, written by hand.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, partial
from html import unescape
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from helpers.counties import NIGHT, copy_of, listed
from helpers.filled import cells_of, fill, fill_plans
from helpers.shared import Shared

from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.decisions.ledger import read_ledger
from ageingwell.night.score import score
from ageingwell.pseudonyms import Key, row_key

N1, N2, N3, N4 = (NIGHT + timedelta(weeks=week) for week in range(4))  # 22 and 29 November, 6 and 13 December 2026
FIRST, SECOND, THIRD = (night + timedelta(days=2) for night in (N1, N2, N3))  # meetings: 24 November, 1 and 8 December
NOW = {"decision": "Contact now", "reason": "Need agreed"}
GP, FIRE, HOUSING, VOLUNTARY = (
    {"led_by": words} for words in ("GP practices", "Fire and rescue", "Housing", "Voluntary sector")
)

# What the meeting of 24 November wrote, of people who live each in a home of their own.
DECIDED: Mapping[str, Mapping[str, Any]] = {
    "late": {**NOW, **GP, "by_when": "26 November 2026"},
    "in time": {**NOW, **FIRE, "by_when": "10 December 2026"},
    "declined": {**NOW, **HOUSING},
    "let go": {**NOW, **GP, "by_when": "25 November 2026"},
    "said no": {**NOW, **GP},
    "asked about": {
        "decision": "Need to know more",
        "reason": "Record out of date",
        "question": "Who is in touch already",
        "by_when": "5 December 2026",
    },
    "nobody in": {**NOW, **FIRE, "by_when": "27 November 2026"},
    "changed": {"decision": "Not right for this person", "reason": "Not this person"},
    "planned": {**NOW, **GP},
    "plan ended": {**NOW, **VOLUNTARY},
}
PLANS: Mapping[str, Mapping[str, Any]] = {
    "planned": {
        "matters": "Staying in my own home",
        "also_matters": "Seeing people",
        "step_1": "Do a home fire safety visit and fit working smoke alarms",
        "step_1_who": "Fire and rescue",
        "step_1_by_when": date(2026, 12, 2),
        "step_2": "Offer a warm-home check: heating, insulation, draughts, and help with the cost",
        "step_2_who": "Family or a friend",
        "plan_agreed": "Yes",
        "review_on": date(2026, 12, 3),
    },
    "plan ended": {
        "matters": "Managing money",
        "step_1": "Offer a warm-home check: heating, insulation, draughts, and help with the cost",
        "step_1_who": "Housing",
        "plan_agreed": "In part",
        "review_on": date(2026, 12, 20),
    },
}

# What has to be true. Status and lead on the list, or why somebody is off it; then what their page says of before.
EXPECTED = """
night | who         | status                    | lead      | off the list      | last time
N2    | late        | Overdue since 26 November | gp        |                   | gp by 26
N3    | late        | Overdue since 26 November | gp        |                   | gp by 26
N4    | late        | Overdue since 26 November | gp        |                   | gp by 26
N2    | in time     | Agreed                    | fire      |                   | fire by 10
N3    | in time     | Agreed                    | fire      |                   | fire by 10
N4    | in time     | Overdue since 10 December | fire      |                   | fire by 10
N2    | declined    | Agreed                    | housing   |                   | housing
N3    | declined    |                           |           | cooling_off       |
N4    | declined    |                           |           | cooling_off       |
N2    | let go      | Overdue since 25 November | gp        |                   | gp by 25
N3    | let go      |                           |           | decided_otherwise |
N4    | let go      |                           |           | decided_otherwise |
N2    | said no     | Agreed                    | gp        |                   | gp
N3    | said no     |                           |           | no_to_settle      |
N4    | said no     | Agreed                    | voluntary |                   | voluntary after all, no reported
N2    | asked about |                           |           | decided_otherwise |
N3    | asked about | Proposed                  | suggested |                   | question
N4    | asked about | Proposed                  | suggested |                   | question
N2    | nobody in   |                           |           | cooling_off       |
N3    | nobody in   |                           |           | cooling_off       |
N4    | nobody in   | Overdue since 27 November | fire      |                   | fire by 27, nobody in, could not say
N2    | changed     |                           |           | decided_otherwise |
N3    | changed     | Agreed                    | voluntary |                   | voluntary
N4    | changed     | Agreed                    | voluntary |                   | voluntary
N2    | planned     | Agreed                    | gp        |                   | gp
N3    | planned     | Agreed                    | gp        |                   | gp
N4    | planned     | Agreed                    | gp        |                   | gp
N2    | untouched   | Proposed                  | suggested |                   |
N4    | untouched   | Proposed                  | suggested |                   |
"""
CHOSE = "24 November: you decided: Contact now, led by"
SAID = {
    "gp by 26": f"{CHOSE} GP practices, by 26 November (need agreed)",
    "gp by 25": f"{CHOSE} GP practices, by 25 November (need agreed)",
    "gp": f"{CHOSE} GP practices (need agreed)",
    "fire by 10": f"{CHOSE} Fire and rescue, by 10 December (need agreed)",
    "fire by 27": f"{CHOSE} Fire and rescue, by 27 November (need agreed)",
    "housing": f"{CHOSE} Housing (need agreed)",
    "voluntary": "1 December: you decided: Contact now, led by Voluntary sector (need agreed)",
    "voluntary after all": "8 December: you decided: Contact now, led by Voluntary sector (person's own wish)",
    "no reported": "1 December: the person said: Asked not to be contacted",
    "nobody in": "25 November: contact by Fire and rescue: No access",
    "could not say": "25 November: the person said: Could not say",
    "question": "24 November: you decided: Need to know more, by 5 December (record out of date). "
    "To find out: who is in touch already",
}
EXPECTED_PLANS = """
night | who        | review                      | plan
N2    | planned    | Review on 3 December        | home and people, alarms, warm home, agreed
N3    | planned    | Review due since 3 December | home and people, alarms, warm home, agreed
N4    | planned    | Review on 20 December       | home and people, alarms, agreed, helped in part
N2    | plan ended | Review on 20 December       | money, warm home by housing, agreed in part
N3    | plan ended |                             |
N4    | plan ended |                             |
"""
WARM_HOME = "Offer a warm-home check: heating, insulation, draughts, and help with the cost"
PLANNED = {
    "home and people": "What matters: Staying in my own home and Seeing people",
    "alarms": "Fire and rescue: Do a home fire safety visit and fit working smoke alarms, by 2 December",
    "warm home": f"Family or a friend: {WARM_HOME}",
    "agreed": "The person agreed: yes",
    "helped in part": "Did it help? In part",
    "money": "What matters: Managing money",
    "warm home by housing": f"Housing: {WARM_HOME}",
    "agreed in part": "The person agreed: in part",
}


@cache
def sent_cells(path: Path, sheet: str = "List") -> list[dict[str, Any]]:
    """The rows of a workbook that was sent, read once for all that is asked of it."""
    return cells_of(path, sheet)


def rows(drawing: str) -> list[dict[str, str]]:
    head, *lines = [[cell.strip() for cell in line.split("|")] for line in drawing.strip().splitlines()]
    return [dict(zip(head, line, strict=True)) for line in lines]


@dataclass(frozen=True)
class Weeks:
    """A county, its four nights, who is who, and what the commands said."""

    at: Path
    who: Mapping[str, str]

    def night(self, name: str) -> Path:
        return self.at / "out" / str({"N1": N1, "N2": N2, "N3": N3, "N4": N4}[name])

    def key(self, who: str, night: str, recipient: str = "group") -> str:
        """The key of somebody on one recipient's list of a night."""
        on = date.fromisoformat(self.night(night).name)
        person = pl.lit(self.who[who])
        return str(pl.select(row_key(person, recipient=recipient, as_of=on, key=Key.made_up(0))).item())

    def row(self, who: str, night: str) -> dict[str, Any] | None:
        return next((one for one in listed(self.night(night)) if one["person_id"] == self.who[who]), None)

    def sheet(self, who: str, night: str, sheet: str = "List", recipient: str = "group") -> dict[str, Any] | None:
        """The row of somebody in a recipient's workbook."""
        book = "group.xlsx" if recipient == "group" else f"agencies/{recipient}.xlsx"
        key = self.key(who, night, recipient)
        return next((one for one in sent_cells(self.night(night) / book, sheet) if one["row_key"] == key), None)

    def page(self, who: str, night: str, file: str = "report.html", recipient: str = "group") -> str | None:
        """What somebody's page says, as a reader reads it."""
        key = self.key(who, night, recipient)[:8]
        shown = f"{key[:4]} {key[4:]}"
        html = (self.night(night) / file).read_text(encoding="utf-8")
        cards = [card for card in html.split("<article")[1:] if f'<span class="key">{shown}</span>' in card]
        return None if not cards else text_of(cards[0].partition("</article>")[0])

    def first_page(self, night: str) -> str:
        return text_of((self.night(night) / "report.html").read_text(encoding="utf-8").partition("<article")[0])


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)).split())


@pytest.fixture(scope="module")
def weeks(first_night: Path, settings: Path, shared: Shared) -> Weeks:
    at = shared.folder("four-weeks", partial(play, first_night, settings))
    who = dict(pl.read_parquet(at / "who.parquet").rows())
    return Weeks(at, who)


def play(first_night: Path, settings: Path, at: Path) -> None:
    copy_of(first_night / "county", at / "county")
    copy_of(first_night / "out", at / "out")
    config = load_config(settings)
    names = [*DECIDED, "untouched"]
    weeks = Weeks(at, dict(zip(names, with_a_home_of_their_own(at, len(names)), strict=True)))
    pl.DataFrame(list(weeks.who.items()), schema=["who", "person_id"], orient="row").write_parquet(at / "who.parquet")
    first_meeting(weeks)
    score(at / "county", as_of=N2, out=at / "out", config=config)
    second_meeting(weeks)
    score(at / "county", as_of=N3, out=at / "out", config=config)
    third_meeting(weeks)
    score(at / "county", as_of=N4, out=at / "out", config=config)


def with_a_home_of_their_own(at: Path, n: int) -> list[str]:
    """People on the first list who live with nobody else on the register."""
    people = pl.read_parquet(at / "out" / str(N1) / "residents.parquet")
    alone = people.filter(pl.len().over("household_id") == 1).drop_nulls("household_id")["person_id"]
    found = [row["person_id"] for row in listed(at / "out" / str(N1)) if row["person_id"] in set(alone)]
    # The one who is led by the voluntary sector comes first: so a lead that is chosen is told from one suggested.
    first = next(row["person_id"] for row in listed(at / "out" / str(N1)) if row["lead_agency"] != "gp")
    return list(dict.fromkeys([first, *found]))[:n] if first in found else found[:n]


def record(weeks: Weeks, *files: Path, on: date) -> Any:
    arguments = ["record", *map(str, files), "--out", str(weeks.at / "out"), "--recorded-on", str(on)]
    ran = CliRunner().invoke(cli, [*arguments, "--role", "meeting chair"])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return ran


def first_meeting(weeks: Weeks) -> None:
    answers = {weeks.key(who, "N1"): given for who, given in DECIDED.items()}
    filled = fill(weeks.night("N1") / "group.xlsx", answers, to=weeks.at / "first.xlsx")
    fill_plans(filled, {weeks.key(who, "N1"): plan for who, plan in PLANS.items()}, to=filled)
    assert record(weeks, filled, on=FIRST).exit_code == 0
    # The crew of the fire service tells what came of its visit on its own list, which leads there or not.
    nobody_in = {"outcome": "No access", "contacted_on": "25 November 2026", "person_said": "Could not say"}
    told = {**DECIDED["nobody in"], **nobody_in}
    again = fill(weeks.night("N1") / "group.xlsx", {weeks.key("nobody in", "N1"): told}, to=weeks.at / "visit.xlsx")
    assert record(weeks, again, on=FIRST + timedelta(days=2)).exit_code == 0


def second_meeting(weeks: Weeks) -> None:
    declined = {"outcome": "Declined help", "contacted_on": "30 November 2026", "person_said": "Has enough help"}
    of_housing = fill(
        weeks.night("N2") / "agencies/housing.xlsx",
        {weeks.key("declined", "N2", "housing"): declined},
        to=weeks.at / "housing.xlsx",
    )
    assert record(weeks, of_housing, on=SECOND).exit_code == 0

    says_no = {"person_said": "Asked not to be contacted"}
    of_gp = fill(
        weeks.night("N2") / "agencies/gp.xlsx", {weeks.key("said no", "N2", "gp"): says_no}, to=weeks.at / "gp.xlsx"
    )
    asked = record(weeks, of_gp, on=SECOND)
    assert asked.exit_code == 23, asked.output
    (row,) = cells_of(weeks.at / f"clashes-{N2}.xlsx")
    assert row["row_key"] == weeks.key("said no", "N2")
    assert row["said"] == (
        "GP practices: Asked not to be contacted; The group: Contact now, led by GP practices (Need agreed)"
    )

    let_go = {"decision": "No visit any more", "reason": "Someone else is better placed"}
    of_group = fill(weeks.night("N2") / "group.xlsx", {weeks.key("let go", "N2"): let_go}, to=weeks.at / "second.xlsx")
    fill_plans(of_group, {weeks.key("plan ended", "N2"): {"plan_state": "It has ended"}}, to=of_group)
    to_mend = record(weeks, of_group, on=SECOND)
    assert to_mend.exit_code == 22
    assert "Why it ended: needed to end a plan" in to_mend.output
    mended = fill_plans(
        weeks.at / "second.fix.xlsx",
        {weeks.key("plan ended", "N2"): {"ended_for": "Person's own wish"}},
        to=weeks.at / "mended.xlsx",
    )
    assert record(weeks, mended, on=SECOND).exit_code == 0

    changed = {**NOW, **VOLUNTARY}
    of_first = fill(weeks.night("N1") / "group.xlsx", {weeks.key("changed", "N1"): changed}, to=weeks.at / "mind.xlsx")
    assert record(weeks, of_first, on=SECOND).exit_code == 0


def third_meeting(weeks: Weeks) -> None:
    answer = {"decision": "Contact now", **VOLUNTARY, "reason": "Person's own wish"}
    settled = fill(weeks.at / f"clashes-{N2}.xlsx", {weeks.key("said no", "N2"): answer}, to=weeks.at / "settled.xlsx")
    assert record(weeks, settled, on=THIRD).exit_code == 0
    review = {"helped": "In part", "review_on": date(2026, 12, 20), "step_2": None, "step_2_who": None}
    of_plan = fill_plans(
        weeks.night("N3") / "group.xlsx", {weeks.key("planned", "N3"): review}, to=weeks.at / "reviewed.xlsx"
    )
    assert record(weeks, of_plan, on=THIRD).exit_code == 0


@pytest.mark.parametrize("told", rows(EXPECTED), ids=lambda told: f"{told['night']} {told['who']}")
def test_the_list_the_page_and_the_workbook_say_what_was_decided_and_done(weeks, told):
    who, night = told["who"], told["night"]
    row, sheet, page = weeks.row(who, night), weeks.sheet(who, night), weeks.page(who, night)
    if told["off the list"]:
        left = pl.read_parquet(weeks.night(night) / "attrition.parquet").filter(person_id=weeks.who[who])
        assert left["reason"].to_list() == [told["off the list"]]
        assert (row, sheet, page) == (None, None, None)
        return
    assert row is not None
    assert sheet is not None
    assert page is not None
    assert row["status"] == told["status"].partition(" ")[0].lower()
    assert sheet["status"] == told["status"]
    assert told["status"] in page
    if told["lead"] != "suggested":
        assert row["lead_agency"] == told["lead"]
    said = [SAID[label] for label in told["last time"].split(", ") if label]
    assert sheet["last_time"] == ("; ".join(said) or "Nothing decided before")
    for sentence in said:
        assert sentence in page
    is_chosen = told["status"] != "Proposed"
    assert ("ou chose this lead on" in page) is is_chosen
    assert ("This is a suggestion." in page) is not is_chosen


@pytest.mark.parametrize("told", rows(EXPECTED_PLANS), ids=lambda told: f"{told['night']} {told['who']}")
def test_the_page_and_both_sheets_show_the_plan_and_when_to_review_it(weeks, told):
    who, night = told["who"], told["night"]
    said = [PLANNED[label] for label in told["plan"].split(", ") if label]
    plans, sheet, page = weeks.sheet(who, night, "Plans"), weeks.sheet(who, night), weeks.page(who, night)
    assert plans is not None
    assert plans["plan_review"] == (told["review"] or "No plan yet")
    assert sheet is not None
    assert sheet["plan"] == ("; ".join(said) or "No plan")
    assert page is not None
    for sentence in [*said, *([told["review"]] if told["review"] else [])]:
        assert sentence in page


@pytest.mark.parametrize("night", ["N2", "N3", "N4"])
def test_overdue_visits_stand_at_the_top_of_every_list(weeks, night):
    for book in ("group.xlsx", "agencies/gp.xlsx", "agencies/fire.xlsx", "agencies/housing.xlsx"):
        status = [row["status"].startswith("Overdue") for row in sent_cells(weeks.night(night) / book)]
        assert status == sorted(status, reverse=True), book


# Of the 11 people above: what page one says, in exact counts of the group's own rows.
@pytest.mark.parametrize(
    ("night", "sentences"),
    [
        ("N2", ["5 in time, 2 overdue"]),
        ("N3", ["4 in time, 1 overdue", "someone reports that the person said no: 1.", "Plans to review now: 1."]),
        ("N4", ["4 in time, 3 overdue"]),
    ],
)
def test_page_one_gives_the_chair_exact_counts(weeks, night, sentences):
    page = weeks.first_page(night)
    for sentence in sentences:
        assert sentence in page
    assert "1 to 7 of the last list" not in page
    gone = pl.read_parquet(weeks.night(night) / "left_list.parquet")
    assert f"{gone.height} left it" in page


def test_the_chair_is_asked_about_the_visit_that_is_held_by_key_and_list(weeks):
    key = weeks.key("said no", "N2")
    asked = f"{key[:4]} {key[4:8]} on the list of 29 November: GP practices reports: Asked not to be contacted."
    assert asked in weeks.first_page("N3")
    assert key[:4] not in weeks.first_page("N4").partition("About this area")[2].partition("The list")[0]


def test_an_agency_reads_its_own_part_of_a_decision_and_of_a_plan_alone(weeks):
    late = weeks.sheet("late", "N2", recipient="gp")
    assert late is not None
    assert late["status"] == "Overdue since 26 November"
    assert late["last_time"] == "24 November: the group decided: Contact now, led by GP practices, by 26 November"
    # The plan has a step for the fire service, and none for the practice that leads the visit.
    planned = weeks.sheet("planned", "N2", recipient="gp")
    assert planned is not None
    assert planned["plan"] == "No plan"
    for agency in ("gp", "fire", "housing", "social_care", "voluntary"):
        for suffix in ("xlsx", "html", "csv", "json"):
            text = b"".join(file.read_bytes() for file in weeks.night("N2").glob(f"agencies/{agency}.{suffix}"))
            assert b"Staying in my own home" not in text


def test_the_ledger_holds_every_word_once_and_its_chain(weeks):
    told = read_ledger(weeks.at / "out" / "decisions.sqlite")
    # 10 decisions and 2 plans; the visit to nobody; what housing and the practice told; let go, the plan's end, and
    # a changed mind; the chair's word, and the review.
    assert told.height == 12 + 1 + 2 + 3 + 2
    assert told.filter(pl.col("plan").is_not_null()).height == 4
