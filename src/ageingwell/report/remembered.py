"""What was decided, done and planned before, in words: one tidy frame that lists, pages and workbooks take from."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import polars as pl

from ageingwell.config.outreach import Interventions
from ageingwell.decisions.choices import (
    ADDED_FOR,
    CONTACT_NOW,
    DECISIONS,
    OUTCOMES,
    PERSON_SAID,
    QUESTIONS,
    REASONS,
)
from ageingwell.decisions.plan_choices import AGREED, HELPED, MATTERS, OWN, WHO, step_choices
from ageingwell.views.reader import Reader
from ageingwell.views.remembered import ABOUT, ASK, last_time_for, plans_for
from ageingwell.views.words import MONTHS, agency_words

Row = Mapping[str, Any]
ASK_THE_CHAIR: Final = "a step that you agreed with the group; ask the chair what it is"
SERVICE_GONE: Final = "a local service that is no longer in the directory"
WITHIN: Final = 300  # days in which a day needs no year
_COLUMNS: Final[dict[str, Any]] = {
    "person_id": pl.String,
    "standing": pl.String,
    "due_on": pl.Date,
    "chosen": pl.String,
    "chosen_lead": pl.String,
    "last_time": pl.List(pl.String),
    "plan": pl.List(pl.String),
    "review": pl.String,
    "is_review_due": pl.Boolean,
}
REMEMBERED: Final = pl.Schema(_COLUMNS)


def remembered(
    reader: Reader,
    *,
    last_time: pl.DataFrame,
    plans: pl.DataFrame,
    services: pl.DataFrame,
    interventions: Interventions,
    as_of: date,
) -> pl.DataFrame:
    """One row a person of whom this reader may be told something of before (`REMEMBERED`), every cell in words.

    `standing` is what the status of an overdue visit says, “Overdue since 26 November”; `due_on` the day that was named
    for an agreed visit, or that has passed; `chosen` that the lead
    `chosen_lead` was chosen, and when; `last_time` what was decided, what came of it and what the person said, a
    sentence each; `plan` the plan, a sentence each; `review` when it is to be looked at. The other arguments are the
    night's tables of those names.
    """
    told = {row["person_id"]: row for row in last_time_for(reader, last_time).iter_rows(named=True)}
    steps = step_choices(interventions, services)
    own = plans_for(reader, plans, interventions).sort("person_id", "number")
    of_plan = {str(person): part.to_dicts() for (person,), part in own.group_by("person_id", maintain_order=True)}
    rows = [
        _row(person, told.get(person), of_plan.get(person, []), reader=reader, steps=steps, as_of=as_of)
        for person in sorted({*told, *of_plan})
    ]
    return pl.DataFrame(rows, schema=REMEMBERED)


def _row(
    person: str, last: Row | None, plan: list[dict[str, Any]], *, reader: Reader, steps: Mapping[str, str], as_of: date
) -> dict[str, Any]:
    is_group = reader.recipient == "group"
    return {
        "person_id": person,
        "standing": None if last is None else _standing(last, as_of),
        "due_on": None if last is None else _due_on(last),
        "chosen": None if last is None else _chosen(last, is_group, as_of),
        "chosen_lead": None if last is None else last["led_by"],
        "last_time": [] if last is None else last_words(last, is_group=is_group, as_of=as_of),
        "plan": plan_words(plan, reader=reader, steps=steps, as_of=as_of) if plan else [],
        "review": review_words(plan[0], as_of) if plan else None,
        "is_review_due": bool(plan) and bool(plan[0]["is_review_due"]),
    }


def _standing(last: Row, as_of: date) -> str | None:
    if last["status"] != "overdue" or last["due_on"] is None:
        return None
    return f"Overdue since {short_day(last['due_on'], as_of)}"


def _due_on(last: Row) -> date | None:
    """The day by which an agreed visit is to be made, where that was named or has passed."""
    is_open = last["status"] in ("agreed", "overdue")
    named = last["by_when"] is not None or last["status"] == "overdue"
    return last["due_on"] if is_open and named else None


def _chosen(last: Row, is_group: bool, as_of: date) -> str | None:
    if last["decision"] != CONTACT_NOW or last["decided_on"] is None:
        return None
    who = "you" if is_group else "the group"
    return f"{who} chose this lead on {short_day(last['decided_on'], as_of)}"


def last_words(last: Row, *, is_group: bool, as_of: date) -> list[str]:
    """Say what was decided, what came of it and what the person said: a line each, the decision first.

    >>> last = dict.fromkeys(("by_when", "reason", "question", "outcome", "contacted_by", "status", "contacted_on"))
    >>> last |= {"decision": "contact_now", "led_by": "gp", "decided_on": date(2026, 11, 24)}
    >>> last |= {"by_when": date(2026, 11, 26), "reason": "need_agreed", "person_said": None, "said_on": None}
    >>> last_words(last, is_group=True, as_of=date(2026, 11, 29))
    ['24 November: you decided: Contact now, led by GP practices, by 26 November (need agreed)']
    """
    said = [_decision(last, "you" if is_group else "the group", as_of), _outcome(last, as_of), _word(last, as_of)]
    if last["status"] == "held":
        said.append("The visit is held: someone reports that the person said no. You decide")
    return [one for one in said if one]


def _decision(last: Row, who: str, as_of: date) -> str:
    if last["decision"] is None or last["decided_on"] is None:
        return ""
    words = DECISIONS.get(last["decision"], "")
    lead = f", led by {agency_words(last['led_by'])}" if last["led_by"] else ""
    day = f", by {short_day(last['by_when'], as_of)}" if last["by_when"] else ""
    reasons = {**REASONS, **ADDED_FOR}
    why = f" ({_small(reasons[last['reason']])})" if last["reason"] in reasons else ""
    asked = f". To find out: {_small(QUESTIONS[last['question']])}" if last["question"] in QUESTIONS else ""
    return f"{short_day(last['decided_on'], as_of)}: {who} decided: {words}{lead}{day}{why}{asked}"


def _outcome(last: Row, as_of: date) -> str:
    if last["outcome"] is None:
        return ""
    day = f"{short_day(last['contacted_on'], as_of)}: " if last["contacted_on"] else ""
    by = f"contact by {agency_words(last['contacted_by'])}: " if last["contacted_by"] else ""
    return _capital(f"{day}{by}{OUTCOMES.get(last['outcome'], '')}")


def _word(last: Row, as_of: date) -> str:
    if last["person_said"] is None:
        return ""
    day = f"{short_day(last['said_on'], as_of)}: " if last["said_on"] else ""
    return _capital(f"{day}the person said: {PERSON_SAID.get(last['person_said'], '')}")


def plan_words(plan: list[dict[str, Any]], *, reader: Reader, steps: Mapping[str, str], as_of: date) -> list[str]:
    """Say a plan: what matters, each step with who and by when, whether they agreed, whether it helped."""
    first = plan[0]
    matters = [MATTERS[label] for label in (first["matters"], first["also_matters"]) if label in MATTERS]
    told = [f"What matters: {' and '.join(matters)}"] if matters else []
    for row in plan:
        words = _step(row, reader, steps)
        by = f", by {short_day(row['by_when'], as_of)}" if row["by_when"] else ""
        told.append(f"{WHO.get(row['who'], '')}: {words}{by}")
    if first["agreed"] in AGREED:
        told.append(f"The person agreed: {_small(AGREED[first['agreed']])}")
    if first["helped"] in HELPED:
        told.append(f"Did it help? {HELPED[first['helped']]}")
    if first["note"]:
        told.append(f"In their words: {str(first['note']).rstrip('.')}")
    return told


def _step(row: Row, reader: Reader, steps: Mapping[str, str]) -> str:
    step = str(row["step"])
    if step == OWN:
        return row["words"] or ASK_THE_CHAIR
    if step == ASK:
        return ASK_THE_CHAIR
    if step.startswith(ABOUT):
        return reader.need_words(step.removeprefix(ABOUT))
    return steps.get(step, SERVICE_GONE if step.startswith("service:") else ASK_THE_CHAIR)


def review_words(first: Row, as_of: date) -> str:
    """Say when a plan is to be looked at.

    >>> review_words({"review_on": date(2026, 12, 3), "is_review_due": True}, date(2026, 12, 6))
    'Review due since 3 December'
    """
    day = short_day(first["review_on"], as_of)
    if first["is_review_due"]:
        return "Review due today" if first["review_on"] == as_of else f"Review due since {day}"
    return f"Review on {day}"


def short_day(day: date, as_of: date) -> str:
    """Say a day without its year where nobody could take it for another.

    >>> short_day(date(2026, 11, 26), date(2026, 11, 29)), short_day(date(2025, 11, 26), date(2026, 11, 29))
    ('26 November', '26 November 2025')
    """
    words = f"{day.day} {MONTHS[day.month - 1]}"
    return words if abs((as_of - day).days) <= WITHIN else f"{words} {day.year}"


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
