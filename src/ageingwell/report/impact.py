"""What the pages of an impact say: text, lists and tables only, from tables that have been through the door."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

import polars as pl

from ageingwell.decisions.plan_choices import MATTERS
from ageingwell.report.impact_annex import annex_parts
from ageingwell.report.impact_harm import harm_watched
from ageingwell.report.impact_parts import LOT, Table, Tables, as_table, rows_of_everybody, too_early
from ageingwell.report.impact_words import (
    CANNOT_TELL,
    OUTCOME_NAMES,
    answer_words,
    between,
    method_words,
    time_words,
    why_words,
)
from ageingwell.views.words import agency_words, day_words, label_words, need_words

ROUNDED: Final = (
    "Numbers from 1 to 7 are not shown, or numbers that would reveal them. Others are rounded to the nearest 5."
)
_STAGES: Final = {
    "listed": "On a list",
    "agreed": "Visit agreed",
    "reached": "Spoken to",
    "taken_up": "Took up help",
    "completed": "Completed",
    "said_no": "Said no",
}


def impact_page(tables: Tables, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Gather what both pages say. `tables` are those of `learning.impact_tables`; `facts` what was looked at.

    Keys: `facts` (plain data for impact.json), and what the templates draw.
    """
    days, effects = int(facts["days"]), tables["effects"]
    needed = dict(tables["needed"].select("outcome", "n_needed").iter_rows())
    answers = [_answer(effects, outcome, days, facts, n_needed=needed.get(outcome)) for outcome in OUTCOME_NAMES]
    first = answers[0]
    harm = harm_watched(tables, facts)
    told = {
        **facts,
        "answer": first["sentence"],
        "is_told": first["is_told"],
        "answers": answers,
        "harm": harm,
        "needed": tables["needed"].to_dicts(),
    }
    return {
        "facts": told,
        "as_of": day_words(date.fromisoformat(facts["recorded_up_to"])),
        "notices": ["MADE-UP PEOPLE. Nobody here exists."] if facts["made_up"] else [],
        "answer": first,
        "answers": answers,
        "method": method_words(first["method"]),
        "time": time_words(days),
        "harm": harm,
        "delivered": _delivered(tables["delivered"], "agency"),
        "delivered_needs": _delivered(tables["delivered"], "need"),
        "plans": _plans(tables["plans"], "matters", {}),
        "services": _plans(tables["plans"], "step", facts["services"]),
        "when": list(_when(tables["needed"], facts, is_told=bool(first["is_told"]))),
        "left_out": list(_left_out(facts)),
        "rounded": ROUNDED,
        "annex": list(annex_parts(tables, facts)),
    }


def _answer(
    effects: pl.DataFrame, outcome: str, days: int, facts: Mapping[str, Any], *, n_needed: int | None
) -> dict[str, Any]:
    """What is told of one outcome: by lot where that tells it, else matched, else why it cannot be told."""
    rows = rows_of_everybody(effects, outcome, days)
    name = OUTCOME_NAMES[outcome]
    if outcome in facts["untold"]:
        why = facts["untold"][outcome]
        return {
            "outcome": outcome,
            "name": name,
            "is_told": False,
            "method": None,
            "tag": CANNOT_TELL,
            "sentence": f"{CANNOT_TELL}: {why}.",
            "words": why,
            "between": "",
        }
    if not rows:
        why = too_early(facts)
        return {
            "outcome": outcome,
            "name": name,
            "is_told": False,
            "method": None,
            "tag": CANNOT_TELL,
            "sentence": f"{CANNOT_TELL}. {why}",
            "words": why,
            "between": "",
        }
    row = rows[0]
    if row["why_not"] is not None or row["value"] is None:
        why = why_words(row["why_not"])
        return {
            "outcome": outcome,
            "name": name,
            "is_told": False,
            "method": row["method"],
            "tag": CANNOT_TELL,
            "sentence": f"{CANNOT_TELL}: {why}.",
            "words": why,
            "between": "",
        }
    n_needed = n_needed if row["method"] == LOT else None
    tag, words = answer_words(outcome, row, days=days, n_needed=n_needed)
    return {
        "outcome": outcome,
        "name": name,
        "is_told": tag != CANNOT_TELL,
        "method": row["method"],
        "tag": tag,
        "sentence": words,
        "words": words,
        "between": between(outcome, row),
    }


def _delivered(delivered: pl.DataFrame, by: str) -> Table:
    names = delivered.filter(pl.col("by").is_in([by, "all"]))
    cells = {(row["by"], row["name"], row["stage"]): row["shown"] for row in names.to_dicts()}
    words = agency_words if by == "agency" else need_words
    rows = [
        [words(name), *(cells.get((by, name, stage), "0") for stage in _STAGES)]
        for name in names.filter(by=by)["name"].unique().sort()
    ]
    if ("all", "all", "listed") in cells:
        rows.append(["Everyone", *(cells.get(("all", "all", stage), "0") for stage in _STAGES)])
    caption = (
        "What became of people after they were first on a list, by the agency that led"
        if by == "agency"
        else ("The same, by need")
    )
    note = "" if by == "agency" else "Someone with several needs is counted once in each."
    return as_table(caption, ("Agency" if by == "agency" else "Need", *_STAGES.values()), rows, note=note)


def _plans(plans: pl.DataFrame, by: str, services: Mapping[str, str]) -> Table:
    stages = {
        "planned": "Plans",
        "reviewed": "Asked if it helped",
        "helped": "Said it helped",
        "completed": "What mattered is met",
    }
    of = plans.filter(by=by)
    cells = {(row["name"], row["stage"]): row["shown"] for row in of.to_dicts()}
    rows = [
        [
            _step_words(name, services) if by == "step" else MATTERS.get(name, label_words(name)),
            *(cells.get((name, stage), "0") for stage in stages),
        ]
        for name in of["name"].unique().sort()
    ]
    caption = (
        "What matters to people, and whether the plan helped" if by == "matters" else "Steps and services in plans"
    )
    return as_table(caption, ("What matters" if by == "matters" else "Step or service", *stages.values()), rows)


def _step_words(step: str, services: Mapping[str, str]) -> str:
    kind, _, name = step.partition(":")
    if kind == "need":
        return need_words(name)
    return services.get(name, "A service no longer in the directory") if kind == "service" else "In own words"


def _when(needed: pl.DataFrame, facts: Mapping[str, Any], *, is_told: bool) -> Iterator[str]:
    """When it will be possible to tell, and with how many people."""
    if not is_told:
        yield too_early(facts)
    for row in needed.filter(pl.col("outcome") == "emergency_admissions").to_dicts():
        yield (
            f"To find out if emergency admissions change by a fifth, about {row['n_needed']:,} people must take part "
            f"in picking at random. So far {_few(row['n_in_lots_later'])} have, and {_few(row['n_in_lots'])} of them "
            "have been followed long enough."
        )
    if not facts["has_lot"]:
        yield (
            "No places were picked at random. That is the only way to be sure. The how-to “Pick some places at random” "
            "says how to begin."
        )


def _few(count: int | None) -> str:
    return "fewer than 8" if count is None else f"{count:,}"


def _left_out(facts: Mapping[str, Any]) -> Iterator[str]:
    left = facts["left_out"]
    yield (
        f"Left out: {left['listed']} people who were listed and {left['drawn']} who took part in picking at random. "
        "They opted out, asked to be forgotten, or are not in these records. If they fared differently, the figures "
        "can be wrong by that much."
    )
    if facts["nights_unread"]:
        yield f"Nights that could not be read: {', '.join(facts['nights_unread'])}."
