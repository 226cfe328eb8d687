"""The sheet of plans in the group's workbook: one row a person, with the plan that goes on filled in."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from ageingwell.config.outreach import Interventions
from ageingwell.decisions.plan import LONGEST_WORDS, MOST_STEPS
from ageingwell.decisions.plan_choices import (
    AGREED,
    ENDED_FOR,
    HELPED,
    MATTERS,
    OWN,
    PLAN_STATE,
    PLAN_TITLES,
    WHO,
    step_choices,
)
from ageingwell.decisions.tables import PLAN_ANSWERS
from ageingwell.pseudonyms.digests import row_key
from ageingwell.pseudonyms.keys import Key
from ageingwell.report.choices import REVIEW, Asked
from ageingwell.report.remembered import SERVICE_GONE, review_words
from ageingwell.views.columns import PLACE, ROW_KEY

SHOWN: Final = (ROW_KEY, PLACE, REVIEW)
NOT_LISTED: Final = "Not on this list"
NO_PLAN_YET: Final = "No plan yet"
_TEXT: Final = dict.fromkeys(PLAN_ANSWERS, pl.String)


@dataclass(frozen=True)
class PlanSheet:
    """The sheet: what is shown, the questions, and the plan that goes on of each person as it stands."""

    shown: pl.DataFrame
    asked: tuple[Asked, ...]
    answers: pl.DataFrame


def plan_sheet(
    listed: pl.DataFrame,
    *,
    plans: pl.DataFrame,
    services: pl.DataFrame,
    interventions: Interventions,
    as_of: date,
    key: Key,
    notes: bool,
) -> PlanSheet:
    """Everybody of the group's list, in its order (`listed`: the cells of its view), then others with a plan.

    Plans of which the review is due stand first. The other frames are the night's tables of their names; `notes` says
    whether own words may be kept.
    """
    keyed = plans.with_columns(row_key=row_key(pl.col("person_id"), recipient="group", as_of=as_of, key=key))
    of_key = {str(one): part.sort("number").to_dicts() for (one,), part in keyed.group_by("row_key")}
    places = dict(listed.select("row_key", "place").iter_rows())
    off_list = sorted(set(of_key) - set(places))
    keys = [*places, *off_list]
    keys.sort(key=lambda one: not (one in of_key and of_key[one][0]["is_review_due"]))
    steps = step_choices(interventions, services)
    asked = plan_questions(steps, notes=notes)
    shown = [
        (one, places.get(one, NOT_LISTED), review_words(of_key[one][0], as_of) if one in of_key else NO_PLAN_YET)
        for one in keys
    ]
    answers = [_filled_in(of_key[one], steps) if one in of_key else {} for one in keys]
    names = [question.name for question in asked]
    cells = [[row.get(name) for name in names] for row in answers]
    return PlanSheet(
        pl.DataFrame(shown, schema=[column.name for column in SHOWN], orient="row"),
        asked,
        pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String), orient="row"),
    )


def plan_questions(steps: dict[str, str], *, notes: bool) -> tuple[Asked, ...]:
    """What the sheet asks, with the choices of each question; own words only where they may be kept."""
    words = tuple(steps.values())
    asked = [
        _asked("matters", "What matters most to the person, in their own view", tuple(MATTERS.values()), 22),
        _asked("also_matters", "What else matters to them", tuple(MATTERS.values()), 22),
    ]
    for n in range(1, MOST_STEPS + 1):
        how = "; or a few own words" if notes else ""
        asked += [
            _asked(f"step_{n}", f"What is to be done, from the list{how}", words, 34, is_open=notes),
            _asked(f"step_{n}_who", "Who does it", tuple(WHO.values()), 16),
            _asked(f"step_{n}_by_when", "By which day", is_day=True, width=14),
        ]
    asked += [
        _asked("plan_agreed", "Whether the person agreed to this plan", tuple(AGREED.values()), 14),
        _asked("review_on", "The day you look at the plan again", is_day=True, width=14),
        _asked("helped", "What the person says: did it help with what matters to them", tuple(HELPED.values()), 14),
        _asked("plan_state", "Write that it has ended to end it", tuple(PLAN_STATE.values()), 14),
        _asked("ended_for", "Needed to end a plan", tuple(ENDED_FOR.values()), 22),
    ]
    if notes:
        meaning = f"Up to {LONGEST_WORDS} letters; no name, no number, no clinical detail"
        asked.append(_asked("plan_note", meaning, width=36))
    return tuple(asked)


def _asked(
    name: str,
    meaning: str,
    choices: tuple[str, ...] = (),
    width: int = 20,
    *,
    is_day: bool = False,
    is_open: bool = False,
) -> Asked:
    return Asked(name, PLAN_TITLES[name], meaning, choices, is_day=is_day, width=width, is_open=is_open)


def _filled_in(plan: list[dict[str, Any]], steps: dict[str, str]) -> dict[str, str | None]:
    """The plan of one person as the sheet asks it: choices in words, days as text."""
    first = plan[0]
    cells: dict[str, str | None] = {
        "matters": MATTERS.get(first["matters"]),
        "also_matters": MATTERS.get(first["also_matters"] or ""),
        "plan_agreed": AGREED.get(first["agreed"]),
        "review_on": str(first["review_on"]),
        "helped": HELPED.get(first["helped"] or ""),
        "plan_note": first["note"],
    }
    for row in plan:
        at = f"step_{row['number']}"
        cells[at] = row["words"] if row["step"] == OWN else steps.get(row["step"], SERVICE_GONE)
        cells[f"{at}_who"] = WHO.get(row["who"])
        cells[f"{at}_by_when"] = None if row["by_when"] is None else str(row["by_when"])
    return cells
