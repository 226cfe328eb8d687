"""What became of people after they were listed: agreed, reached, taken up, completed; by agency, need and service."""

from collections.abc import Iterable
from datetime import date
from typing import Final

import polars as pl

from ageingwell.decisions.choices import CONTACT_NOW, STILL_TO_DO
from ageingwell.decisions.plan import Plan
from ageingwell.outcomes import TAKEN_UP

# The stages that people come through, each within the one before it; and two that they come to instead.
STAGES: Final = ("listed", "reached", "taken_up", "completed")
BESIDE_THEM: Final = ("agreed", "said_no")
NOES: Final = ("declined_help", "refused")
_NOT_REACHED: Final = (*STILL_TO_DO, "wrong_address", "deceased", "moved")
COUNTS: Final = pl.Schema({"by": pl.String, "name": pl.String, "stage": pl.String, "n": pl.Int64})
_ENDED_WELL: Final = "matters_met"


def contacts_with(contacts: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """The contacts with people or their homes: person_id, agency, contacted_on, outcome.

    `people` have person_id and household_id; `contacts` are those of agencies and of lists.
    """
    told = contacts.select("person_id", "household_id", "agency", "contacted_on", "outcome")
    own = told.drop("household_id").join(people.select("person_id"), on="person_id", how="semi")
    homes = people.select("person_id", "household_id").drop_nulls().unique()
    at_home = told.filter(pl.col("person_id").is_null()).drop("person_id").join(homes, on="household_id")
    columns = ("person_id", "agency", "contacted_on", "outcome")
    return pl.concat([own.select(columns), at_home.select(columns)]).unique().sort(columns)


def delivered(listed: pl.DataFrame, *, contacts: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """What became of each person after the night they were first listed: person_id, lead_agency, needs and a mark for
    each stage.

    `listed` are people with index_on, lead_agency and needs; `contacts` what `contacts_with` gives; `entries` the
    ledger's. A plan that ended because what mattered was met is completed too.
    """
    since = contacts.join(listed.select("person_id", "index_on"), on="person_id").filter(
        pl.col("contacted_on") >= pl.col("index_on")
    )
    met = since.group_by("person_id").agg(
        _reached=(~pl.col("outcome").is_in(_NOT_REACHED)).any(),
        _taken=pl.col("outcome").is_in(TAKEN_UP).any(),
        _completed=(pl.col("outcome") == "completed").any(),
        said_no=pl.col("outcome").is_in(NOES).any(),
    )
    agreed = entries.filter(decision=CONTACT_NOW).select("person_id").unique().with_columns(agreed=pl.lit(value=True))
    plans = newest_plans(entries)
    done = plans.filter(ended_for=_ENDED_WELL).select("person_id", _met=pl.lit(value=True))
    both = listed.select("person_id", "lead_agency", "needs")
    for more in (met, agreed, done):
        both = both.join(more, on="person_id", how="left", maintain_order="left")
    flags = ("_reached", "_taken", "_completed", "_met", "said_no", "agreed")
    both = both.with_columns(pl.col(flags).fill_null(value=False))
    completed = pl.col("_completed") | pl.col("_met")
    taken = pl.col("_taken") | completed
    return both.select(
        "person_id",
        "lead_agency",
        "needs",
        "agreed",
        "said_no",
        listed=pl.lit(value=True),
        reached=pl.col("_reached") | taken,
        taken_up=taken,
        completed=completed,
    )


def counted(people: pl.DataFrame) -> pl.DataFrame:
    """Count the people of each stage (`COUNTS`): all of them, by the agency that led, and by need (several each)."""
    stages = [*STAGES, *BESIDE_THEM]
    known = people.with_columns(pl.col("lead_agency").fill_null("not known"))
    parts = (
        ("all", known.with_columns(name=pl.lit("all"))),
        ("agency", known.with_columns(name=pl.col("lead_agency"))),
        ("need", known.explode("needs", empty_as_null=True).drop_nulls("needs").with_columns(name=pl.col("needs"))),
    )
    sums = [
        part.group_by(pl.lit(by).alias("by"), "name").agg(pl.col(stage).sum().cast(pl.Int64) for stage in stages)
        for by, part in parts
    ]
    long = pl.concat(sums).unpivot(on=stages, index=["by", "name"], variable_name="stage", value_name="n")
    return long.select(COUNTS.names()).cast(COUNTS).sort("by", "name", "stage")


def newest_plans(entries: pl.DataFrame) -> pl.DataFrame:
    """The newest plan of each person, over or not: person_id, matters, helped, ended_for, steps."""
    told = entries.filter(pl.col("plan").is_not_null()).sort("night", "position")
    newest = told.unique("person_id", keep="last", maintain_order=True).select("person_id", "plan")
    rows = [
        (person, plan.matters, plan.helped, plan.ended_for, [step.step for step in plan.steps])
        for person, plan in _plans(newest)
    ]
    texts = dict.fromkeys(("person_id", "matters", "helped", "ended_for"), pl.String())
    return pl.DataFrame(rows, schema=pl.Schema({**texts, "steps": pl.List(pl.String())}), orient="row")


def _plans(newest: pl.DataFrame) -> Iterable[tuple[str, Plan]]:
    for person, told in newest.iter_rows():
        plan = Plan.of(told)
        if plan is not None:
            yield person, plan


def plans_counted(plans: pl.DataFrame) -> pl.DataFrame:
    """Count the plans by step (a need's or a service's) and by what matters: by, name, stage, n.

    Stages: `planned`, `reviewed` (somebody asked whether it helped), `helped` (they said yes or in part), `completed`.
    """
    marks = plans.with_columns(
        planned=pl.lit(value=True),
        reviewed=pl.col("helped").is_in(["yes", "partly", "no"]).fill_null(value=False),
        _helped=pl.col("helped").is_in(["yes", "partly"]).fill_null(value=False),
        completed=(pl.col("ended_for") == _ENDED_WELL).fill_null(value=False),
    )
    stages = {"planned": "planned", "reviewed": "reviewed", "helped": "_helped", "completed": "completed"}
    steps = marks.explode("steps", empty_as_null=True).drop_nulls("steps").unique(["person_id", "steps"])
    parts = (("step", steps, "steps"), ("matters", marks, "matters"))
    sums = [
        part.group_by(pl.lit(by).alias("by"), pl.col(name).alias("name")).agg(
            pl.col(mark).sum().cast(pl.Int64).alias(stage) for stage, mark in stages.items()
        )
        for by, part, name in parts
    ]
    long = pl.concat(sums).unpivot(on=list(stages), index=["by", "name"], variable_name="stage", value_name="n")
    return long.select(COUNTS.names()).cast(COUNTS).sort("by", "name", "stage")


def refused_often(contacts: pl.DataFrame, *, times: int = 3) -> pl.Series:
    """Who said no `times` times or more, on different days: person_id."""
    noes = contacts.filter(pl.col("outcome").is_in(NOES)).unique(["person_id", "contacted_on"])
    often = noes.group_by("person_id").len().filter(pl.col("len") >= times)
    return often["person_id"].sort()


def overdue_visits(agreed: pl.DataFrame) -> pl.DataFrame:
    """How many visits each agency has agreed and not made, and how many of those are overdue: agency, agreed, overdue.

    `agreed` is what `agreed_visits` gives.
    """
    of = agreed.group_by(agency="led_by").agg(
        agreed=pl.len().cast(pl.Int64), overdue=(pl.col("status") == "overdue").sum().cast(pl.Int64)
    )
    return of.drop_nulls("agency").sort("agency")


def days_to_reach(listed: pl.DataFrame, contacts: pl.DataFrame, *, until: date) -> pl.DataFrame:
    """Days from the night somebody was first listed to the first time they were reached: person_id, days."""
    met = contacts.filter(~pl.col("outcome").is_in(_NOT_REACHED) & (pl.col("contacted_on") < until))
    both = listed.select("person_id", "index_on").join(met, on="person_id")
    since = both.filter(pl.col("contacted_on") >= pl.col("index_on"))
    first = since.group_by("person_id", "index_on").agg(pl.col("contacted_on").min())
    return first.select("person_id", days=(pl.col("contacted_on") - pl.col("index_on")).dt.total_days())
