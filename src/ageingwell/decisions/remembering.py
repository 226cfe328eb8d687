"""What the ledger tells of each person, to be shown next time: the last decision, what came of it, and the plan."""

from datetime import date
from typing import Any, Final

import polars as pl

from ageingwell.decisions.plan import Plan

HELD: Final = "held"
LAST_TIME: Final = pl.Schema(
    {
        "person_id": pl.String,
        "night": pl.Date,
        "decided_on": pl.Date,
        "decision": pl.String,
        "led_by": pl.String,
        "by_when": pl.Date,
        "due_on": pl.Date,
        "status": pl.String,
        "reason": pl.String,
        "question": pl.String,
        "decided_by": pl.String,
        "outcome": pl.String,
        "contacted_on": pl.Date,
        "contacted_by": pl.String,
        "person_said": pl.String,
        "said_on": pl.Date,
        "said_to": pl.String,
        "said_night": pl.Date,
    }
)
PLANS: Final = pl.Schema(
    {
        "person_id": pl.String,
        "night": pl.Date,
        "made_on": pl.Date,
        "matters": pl.String,
        "also_matters": pl.String,
        "number": pl.Int64,
        "step": pl.String,
        "words": pl.String,
        "who": pl.String,
        "by_when": pl.Date,
        "agreed": pl.String,
        "review_on": pl.Date,
        "is_review_due": pl.Boolean,
        "helped": pl.String,
        "note": pl.String,
    }
)
_ROW: Final = ("night", "recipient", "person_id")


def last_times(
    entries: pl.DataFrame, *, decided: pl.DataFrame, agreed: pl.DataFrame, held: pl.DataFrame
) -> pl.DataFrame:
    """One row a person of whom the ledger tells something (`LAST_TIME`): the decision in force, the newest contact, and
    the newest word of the person.

    `entries` are those known on the night, `decided` the decisions in force (`decisions_in_force`), `agreed` and `held`
    the visits still to be made, with `due_on` and `status`. `night` is that of the list on which it was decided, or of
    the newest list that tells anything.
    """
    standing = pl.concat([agreed, held.with_columns(status=pl.lit(HELD))]).select("person_id", "due_on", "status")
    told = entries.filter(
        pl.any_horizontal(pl.col(name).is_not_null() for name in ("decision", "outcome", "person_said"))
    )
    people = told.group_by("person_id").agg(newest=pl.col("night").max())
    of_decision = decided.select(
        "person_id",
        "night",
        "decision",
        "led_by",
        "by_when",
        "reason",
        "question",
        decided_on="recorded_on",
        decided_by="recipient",
    )
    every = (
        people.join(of_decision, on="person_id", how="left")
        .join(standing, on="person_id", how="left")
        .join(_last_contacts(entries), on="person_id", how="left")
        .join(_last_words(entries), on="person_id", how="left")
    )
    return every.with_columns(night=pl.coalesce("night", "newest")).select(LAST_TIME.names()).sort("person_id")


def _last_contacts(entries: pl.DataFrame) -> pl.DataFrame:
    met = entries.filter(pl.col("outcome").is_not_null()).sort("position")
    newest = met.unique(_ROW, keep="last", maintain_order=True).sort("contacted_on", "position")
    return newest.unique("person_id", keep="last", maintain_order=True).select(
        "person_id", "outcome", "contacted_on", contacted_by="agency"
    )


def _last_words(entries: pl.DataFrame) -> pl.DataFrame:
    said = entries.filter(pl.col("person_said").is_not_null()).sort("position")
    newest = said.unique("person_id", keep="last", maintain_order=True)
    # Said at the contact that the row tells of, else known by the day it was recorded.
    said_on = pl.coalesce("contacted_on", "recorded_on")
    return newest.select("person_id", "person_said", said_on=said_on, said_to="recipient", said_night="night")


def plans_in_force(entries: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """One row a step of each plan that goes on (`PLANS`): of each person the plan of the newest list, as last said.

    `made_on` is the day the plan was first recorded, since the last one ended.
    """
    told = entries.filter(pl.col("plan").is_not_null()).sort("night", "position")
    newest: dict[str, tuple[date, date, Plan]] = {}
    for row in told.select("person_id", "night", "recorded_on", "plan").iter_rows(named=True):
        plan, before = Plan.of(row["plan"]), newest.get(row["person_id"])
        if plan is None:
            continue
        goes_on = before is not None and not before[2].is_over
        made_on = before[1] if before is not None and goes_on else row["recorded_on"]
        newest[row["person_id"]] = (row["night"], made_on, plan)
    rows = [
        step
        for person, (night, made_on, plan) in sorted(newest.items())
        if not plan.is_over
        for step in _steps(person, night, made_on, plan, as_of)
    ]
    return pl.DataFrame(rows, schema=PLANS)


def _steps(person: str, night: date, made_on: date, plan: Plan, as_of: date) -> list[dict[str, Any]]:
    of_plan = {
        "person_id": person,
        "night": night,
        "made_on": made_on,
        "matters": plan.matters,
        "also_matters": plan.also_matters,
        "agreed": plan.agreed,
        "review_on": plan.review_on,
        "is_review_due": plan.review_on is not None and plan.review_on <= as_of,
        "helped": plan.helped,
        "note": plan.note,
    }
    return [
        {**of_plan, "number": n, "step": one.step, "words": one.words, "who": one.who, "by_when": one.by_when}
        for n, one in enumerate(plan.steps, start=1)
    ]
