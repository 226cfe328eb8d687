"""What only a night knows and the page for commissioners counts: who is in which group, cold homes, visits and plans.

Counts alone leave this file: groups are read shard by shard and added up.
"""

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from ageingwell.commissioning.community import (
    COLD,
    COMPLETED,
    COUNTS,
    DEPRIVATION,
    ETHNICITY,
    HOMES,
    LISTED,
    MATTERS,
    NO_NEED,
    PEOPLE,
    PLACE,
    PLANNED,
    RURALITY,
    SAID,
    VISITED,
    WAITING,
    WORK,
    WORKER,
)
from ageingwell.commissioning.fair_shares import FIFTHS
from ageingwell.decisions.choices import STILL_TO_DO
from ageingwell.night.first_pass import kept
from ageingwell.night.people import FEATURES, JUDGED, RESIDENTS
from ageingwell.night.tonight import Part
from ageingwell.views.words import label_words

NOT_KNOWN: Final = "Not known"
LUNG, HEART = "Lung disease", "Heart disease, no lung disease on record"
TENURES: Final = ("Social landlord", "Private landlord", "Owned, or held in another way", NOT_KNOWN)
# A contact after which somebody has been seen; whatever else happened, nobody was.
_NOT_SEEN: Final = (*STILL_TO_DO, "wrong_address", "moved", "deceased")


def counted_for_commissioners(
    parts: Sequence[Part],
    *,
    needs: pl.DataFrame,
    listed: pl.Series,
    entries: pl.DataFrame,
    worker: pl.DataFrame,
) -> pl.DataFrame:
    """Count what the page for commissioners needs and no frame of the night has (`COUNTS`).

    `needs` are all needs found, `listed` the people on the list (person_id), `entries` what the ledger tells of people
    who may be used, `worker` what one more worker would reach, as `allocate` gives it.
    """
    entries = entries.sort("position", maintain_order=True)
    has_need = needs["person_id"].drop_nulls().unique()
    cold = needs.filter(need="cold_home")["person_id"].drop_nulls().unique()
    counts = [_of_shard(part, has_need=has_need, listed=listed, cold=cold) for part in parts]
    both = pl.concat([*counts, _work(entries), _said(entries, needs), _worker(worker)])
    return both.group_by("of", "one", "other").agg(pl.col("n").sum()).sort("of", "one", "other")


def _of_shard(part: Part, *, has_need: pl.Series, listed: pl.Series, cold: pl.Series) -> pl.DataFrame:
    people = (
        kept(part, RESIDENTS)
        .select("person_id", "place")
        .join(kept(part, JUDGED).select("person_id", "deprivation_decile", "ethnic_group", "is_rural"), on="person_id")
    )
    state = (
        pl.when(pl.col("person_id").is_in(listed.implode()))
        .then(pl.lit(LISTED))
        .when(pl.col("person_id").is_in(has_need.implode()))
        .then(pl.lit(WAITING))
        .otherwise(pl.lit(NO_NEED))
    )
    # Somebody on the list for a high chance alone has no need that a rule found.
    has = pl.col("person_id").is_in(has_need.implode())
    told = people.with_columns(other=pl.when(has).then(state).otherwise(pl.lit(NO_NEED)))
    groups = {DEPRIVATION: _fifth(), ETHNICITY: _ethnic_group(), RURALITY: _rural(), PLACE: pl.col("place")}
    counted = [_count(told.with_columns(one=group), of) for of, group in groups.items()]
    return pl.concat([*counted, _cold(part, people, cold)])


def _count(rows: pl.DataFrame, of: str) -> pl.DataFrame:
    """Rows by `one` and `other`, counted under the name of a table."""
    counted = rows.group_by("one", "other").agg(n=pl.len().cast(pl.Int64))
    return counted.select(pl.lit(of).alias("of"), "one", "other", "n").cast(COUNTS)


def _fifth() -> pl.Expr:
    number = ((pl.col("deprivation_decile") + 1) // 2).cast(pl.Int64)
    return number.replace_strict(dict(enumerate(FIFTHS[:5], start=1)), default=NOT_KNOWN, return_dtype=pl.String)


def _ethnic_group() -> pl.Expr:
    known = pl.col("ethnic_group").is_not_null() & (pl.col("ethnic_group") != "unknown")
    return (
        pl.when(known)
        .then(pl.col("ethnic_group").map_elements(label_words, return_dtype=pl.String))
        .otherwise(pl.lit(NOT_KNOWN))
    )


def _rural() -> pl.Expr:
    rural = pl.when(pl.col("is_rural")).then(pl.lit("Rural")).otherwise(pl.lit("Urban"))
    return pl.when(pl.col("is_rural").is_null()).then(pl.lit(NOT_KNOWN)).otherwise(rural)


def _cold(part: Part, people: pl.DataFrame, cold: pl.Series) -> pl.DataFrame:
    """People in a cold home with heart or lung disease, by tenure."""
    # The features of a shard are many: these columns alone are read.
    features = pl.scan_parquet(part.shard.folder / f"{FEATURES}.parquet", glob=False)
    facts = features.select("person_id", "is_social_rented", "is_private_rented", "has_respiratory_disease").collect()
    theirs = people.filter(pl.col("person_id").is_in(cold.implode())).join(facts, on="person_id", how="left")
    tenure = (
        pl.when(pl.col("is_social_rented") == 1)
        .then(pl.lit(TENURES[0]))
        .when(pl.col("is_private_rented") == 1)
        .then(pl.lit(TENURES[1]))
        .when(pl.col("is_social_rented").is_not_null())
        .then(pl.lit(TENURES[2]))
        .otherwise(pl.lit(TENURES[3]))
    )
    illness = pl.when(pl.col("has_respiratory_disease") == 1).then(pl.lit(LUNG)).otherwise(pl.lit(HEART))
    return _count(theirs.with_columns(one=tenure, other=illness), COLD)


def _work(entries: pl.DataFrame) -> pl.DataFrame:
    """People visited, with a plan, and with a plan that met what mattered, by the agency that led; each once."""
    led = pl.coalesce("agency", "led_by", "suggested_lead")
    plan = pl.col("plan").struct
    kinds = {
        VISITED: pl.col("outcome").is_not_null() & ~pl.col("outcome").is_in(_NOT_SEEN),
        PLANNED: pl.col("plan").is_not_null(),
        COMPLETED: pl.col("plan").is_not_null() & (plan.field("ended_for") == "matters_met").fill_null(value=False),
    }
    # A plan is recorded without its lead: that of the person's newest decision leads.
    leads = (
        entries.with_columns(one=led)
        .drop_nulls("one")
        .unique("person_id", keep="last", maintain_order=True)
        .select("person_id", "one")
    )
    rows = [
        entries.filter(of_kind)
        .select("person_id")
        .unique()
        .join(leads, on="person_id")
        .with_columns(other=pl.lit(kind))
        for kind, of_kind in kinds.items()
    ]
    return _count(pl.concat(rows), WORK)


def _said(entries: pl.DataFrame, needs: pl.DataFrame) -> pl.DataFrame:
    """What people with each need last said, and what matters to those with a plan: choices, never their own words."""
    of_need = needs.select("person_id", one="need").drop_nulls().unique()

    def newest(label: pl.Expr) -> pl.DataFrame:
        told = entries.select("person_id", other=label).drop_nulls("other")
        return told.unique("person_id", keep="last", maintain_order=True).join(of_need, on="person_id")

    matters = pl.col("plan").struct.field("matters")
    return pl.concat([_count(newest(pl.col("person_said")), SAID), _count(newest(matters), MATTERS)])


def _worker(worker: pl.DataFrame) -> pl.DataFrame:
    rows: list[tuple[Any, ...]] = [
        (WORKER, agency, other, n)
        for agency, homes, people in worker.select("lead_agency", "homes", "people").iter_rows()
        for other, n in ((HOMES, homes), (PEOPLE, people))
    ]
    return pl.DataFrame(rows, schema=COUNTS, orient="row")
