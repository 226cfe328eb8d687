"""What visits changed, from what the nights offered, what the ledger says and what later records tell: exact tables.

Nothing here may leave as it is: `governance.impact_shown` is the door.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from ageingwell.config.load import Config
from ageingwell.errors import NoComparisonError
from ageingwell.evaluation.effect import needed_for
from ageingwell.learning.arms import RisksOn, as_drawn, listed_or_not
from ageingwell.learning.delivery import (
    contacts_with,
    counted,
    delivered,
    newest_plans,
    overdue_visits,
    plans_counted,
    refused_often,
)
from ageingwell.learning.effects_told import BY_LOT, MATCHED, EffectsTold, effects_told
from ageingwell.learning.later_records import later_records, settled_by
from ageingwell.learning.shares import groups_of, shares_served
from ageingwell.spine import Tables, latest_versions, read_places

# Harm has to be seen sooner than help: three months, as long as people who were not picked are left off the list.
HARM_DAYS: Final = 91
# The effect for which the number of people needed is told: a fifth of what happens to those offered a visit.
WORTH: Final = 0.2
NEEDED: Final = pl.Schema(
    {
        "outcome": pl.String,
        "effect": pl.Float64,
        "n_needed": pl.Int64,
        "n_in_lots": pl.Int64,
        "n_in_lots_later": pl.Int64,
        "n_listed": pl.Int64,
    }
)


@dataclass(frozen=True)
class Source:
    """All of people who may be used: `tables` as known, what the nights `offered`, the `lots`, the ledger's `entries`,
    `contacts` of agencies and lists, agreed visits still to be made, and the estimates of a night (`risks_on`).
    `untold` are outcomes that the records cannot tell."""

    tables: Tables
    offered: pl.DataFrame
    lots: pl.DataFrame
    entries: pl.DataFrame
    contacts: pl.DataFrame
    agreed: pl.DataFrame
    risks_on: RisksOn
    config: Config
    until: date
    untold: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ImpactFound:
    """Exact tables: effects of a year and of `HARM_DAYS`, what was delivered, shares of groups, agencies, refusals.

    `n_moved` are people on either side who moved away inside the days, `first_settled` the day on which the first night
    will have settled, and `n_settled` how many of the listed and of the drawn could be followed so far.
    """

    effects: EffectsTold
    harm: EffectsTold
    needed: pl.DataFrame
    delivered: pl.DataFrame
    plans: pl.DataFrame
    shares: pl.DataFrame
    agencies: pl.DataFrame
    refused_often: pl.Series
    n_settled: Mapping[str, int]
    n_sides: Mapping[str, int]
    first_settled: date | None
    is_harm_watch: bool = False


def impact_of(source: Source, *, days: int, settling_days: int, seed: int) -> ImpactFound:
    """Work out every table from what people were offered and what happened to them in the `days` after."""
    people = latest_versions(source.tables["gp_patients"]).join(
        read_places(source.config.places), on="lsoa21", how="left"
    )
    offered = _with_homes(source.offered, people)
    arms = {
        BY_LOT: as_drawn(source.lots, offered),
        MATCHED: listed_or_not(offered, seed=seed, risks_on=source.risks_on),
    }
    followed = {
        span: {
            method: _followed(arm, source, people, days=span, settling_days=settling_days)
            for method, arm in arms.items()
        }
        for span in (days, HARM_DAYS)
    }
    listed = arms[MATCHED].filter("is_visited")
    homes = offered.select("person_id", "household_id").drop_nulls().unique()
    contacts = contacts_with(source.contacts, homes.join(people.select("person_id"), on="person_id", how="semi"))
    on = offered["night"].max()
    with_age = people.with_columns(age=_age(pl.lit(on if isinstance(on, date) else source.until)))
    every_contact = contacts_with(source.contacts, people.select("person_id", "household_id"))
    return ImpactFound(
        effects=effects_told(_enough(followed[days]), days=days),
        harm=effects_told(_of_everybody(_enough(followed[HARM_DAYS])), days=HARM_DAYS),
        needed=_needed(followed[days], arms, listed),
        delivered=counted(delivered(listed, contacts=contacts, entries=source.entries)),
        plans=plans_counted(newest_plans(source.entries)),
        shares=shares_served(offered, groups_of(with_age)),
        agencies=overdue_visits(source.agreed),
        refused_often=refused_often(every_contact),
        n_settled={method: int(rows["is_visited"].sum()) for method, rows in followed[days].items()},
        n_sides={method: rows.height for method, rows in followed[days].items()},
        first_settled=_first_settled(arms, days=days + settling_days),
        is_harm_watch=days == HARM_DAYS,
    )


def _with_homes(offered: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """With the home on the register of whoever was offered help on a night of which the names alone are kept."""
    homes = people.select("person_id", _home="household_id")
    both = offered.join(homes, on="person_id", how="left", maintain_order="left")
    return both.with_columns(household_id=pl.coalesce("household_id", "_home")).drop("_home")


def _followed(
    arm: pl.DataFrame, source: Source, people: pl.DataFrame, *, days: int, settling_days: int
) -> pl.DataFrame:
    """The rows of an arm whose days have passed, with what happened in them and with traits as they stood."""
    settled = arm.filter(settled_by(source.until, days=days, settling_days=settling_days))
    told = later_records(source.tables, settled, days=days, codelists=source.config.codelists).with_columns(
        pl.lit(None, dtype=pl.Float64).alias(outcome) for outcome in source.untold
    )
    both = settled.join(told, on=["person_id", "index_on"]).filter(pl.col("followed") > 0)
    traits = people.select("person_id", "birth_month", "sex", "deprivation_decile")
    return (
        both.join(traits, on="person_id")
        .with_columns(
            age=_age(pl.col("index_on")),
            is_female=(pl.col("sex") == "female").fill_null(value=False).cast(pl.Float64),
            # Who lives where nobody knows the decile stands in the middle.
            deprivation_decile=pl.col("deprivation_decile").fill_null(5).cast(pl.Float64),
        )
        .sort("person_id", "index_on", "is_visited")
    )


def _age(on: pl.Expr) -> pl.Expr:
    return ((on - pl.col("birth_month")).dt.total_days() / 365.25).floor()


def _enough(arms: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The arms in which there is somebody."""
    return {method: rows for method, rows in arms.items() if not rows.is_empty()}


def _of_everybody(arms: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The arms without agencies and needs: harm is looked for among everybody."""
    none = pl.lit([], dtype=pl.List(pl.String))
    return {
        method: rows.with_columns(lead_agency=pl.lit(None, dtype=pl.String), needs=none)
        for method, rows in arms.items()
    }


def _needed(
    followed: Mapping[str, pl.DataFrame], arms: Mapping[str, pl.DataFrame], listed: pl.DataFrame
) -> pl.DataFrame:
    """How many people a lot must draw from to find a change of a fifth in each outcome, and how many there are."""
    rows = next((one for one in (followed[BY_LOT], followed[MATCHED].filter("is_visited")) if one.height > 1), None)
    told = []
    for outcome in ("emergency_admissions", "emergency_bed_days", "falls_admissions", "new_long_term_care", "deaths"):
        if rows is None or rows[outcome].is_null().any():
            continue
        mean, spread = rows[outcome].mean(), rows[outcome].std()
        if not isinstance(mean, float) or not isinstance(spread, float):
            continue
        try:
            n_needed = needed_for(WORTH * mean, spread=spread)
        except NoComparisonError:
            continue
        n_lots = arms[BY_LOT].height
        told.append((outcome, WORTH * mean, n_needed, followed[BY_LOT].height, n_lots, listed.height))
    return pl.DataFrame(told, schema=NEEDED, orient="row")


def _first_settled(arms: Mapping[str, pl.DataFrame], *, days: int) -> date | None:
    first = pl.concat([arm.select("index_on") for arm in arms.values()])["index_on"].min()
    if not isinstance(first, date):
        return None
    return date.fromordinal(first.toordinal() + days)
