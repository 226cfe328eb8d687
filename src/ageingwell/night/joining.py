"""The frames of a night put side by side: what one step needs of several others."""

import polars as pl

from ageingwell.bundle import Bundle, predict
from ageingwell.contracts.made import OutreachList
from ageingwell.contracts.registry import TABLES
from ageingwell.model.contributions import Contributions
from ageingwell.permitted import REFUSED_NEWEST
from ageingwell.pseudonyms import Key, row_key
from ageingwell.reasons import reasons_of_people
from ageingwell.register import Recipient
from ageingwell.sources.read import Records
from ageingwell.spine import last_moves, latest_versions, registered
from ageingwell.timeline import AsOf

GROUP: Recipient = "group"


def risks_of(bundle: Bundle, features: pl.DataFrame, *, threads: int) -> pl.DataFrame:
    """Everyone's risks; all of them missing where the bundle is not usable, so that rules alone decide."""
    risks = predict(bundle, features, threads=threads)
    if bundle.usable:
        return risks
    return risks.with_columns(
        pl.lit(None, dtype=pl.Float64).alias(name) for name in risks.columns if name != "person_id"
    )


def side_by_side(spine: pl.DataFrame, features: pl.DataFrame, risks: pl.DataFrame) -> pl.DataFrame:
    """Spine, features and risks side by side; where both have a column, the spine's stays."""
    own = features.select("person_id", *(name for name in features.columns if name not in spine.columns))
    joined = spine.join(own, on="person_id", how="left", maintain_order="left")
    return joined.join(risks, on="person_id", how="left", maintain_order="left")


def with_why_held(left: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Those who left a night, each who is held with the reason that `held_people` gives.

    >>> left = pl.DataFrame({"person_id": ["p1", "p2"], "reason": ["record_held", "moved"]})
    >>> with_why_held(left, pl.DataFrame({"person_id": ["p1"], "reason": ["death_not_read"]}))["reason"].to_list()
    ['death_not_read', 'moved']
    """
    why = left.select("person_id").join(held, on="person_id", how="left", maintain_order="left")["reason"]
    is_held = pl.col("reason") == REFUSED_NEWEST
    return left.with_columns(reason=pl.when(is_held).then(pl.coalesce(why, "reason")).otherwise("reason"))


def contacts_of(records: Records) -> pl.DataFrame:
    """What the agencies did; no rows where the table was not sent."""
    if "contacts" in records.tables:
        return records.tables["contacts"].rows.collect()
    return pl.DataFrame(
        schema={name: field.dtype.type for name, field in TABLES["contacts"].to_schema().columns.items()}
    )


def everybody(tables: dict[str, pl.LazyFrame], as_of: AsOf) -> pl.DataFrame:
    """Everybody registered, of any age, with their home and since when they live there."""
    people = registered(latest_versions(tables["gp_patients"]), as_of)
    moved = people.join(last_moves(tables["gp_patients"]), on="person_id", how="left")
    since = pl.coalesce("moved_in_on", "moved_by", "registered_on")
    return moved.select("person_id", "household_id", lived_here_from=since)


def contributions_of(bundle: Bundle, features: pl.DataFrame, *, threads: int) -> Contributions:
    """What each fact adds to everybody's risk, of whomever it is asked and of any groups of people."""
    return Contributions(bundle.compiled[bundle.ranking_outcome], features, threads)


def slow_models(bundle: Bundle) -> list[str]:
    """What a reader is told of each model that has no look-up tables."""
    return [
        f"the model of {outcome} is explained by LightGBM itself, which takes longer: {model.why_slow}"
        for outcome, model in bundle.compiled.items()
        if model.why_slow is not None
    ]


def with_reasons_and_keys(rows: pl.DataFrame, reasons: pl.DataFrame, *, key: Key, as_of: AsOf) -> pl.DataFrame:
    """The rows of the list with their sentences and their keys, in the order of the contract's columns."""
    in_order = ("person_id", pl.col("direction") == "lowers", -pl.col("adds_in_100").abs(), "position")
    words = reasons_of_people(reasons.filter("shown").sort(*in_order))
    row = row_key(pl.col("person_id"), recipient=GROUP, as_of=as_of.day, key=key)
    joined = rows.join(words.select("person_id", "reasons"), on="person_id", how="left", maintain_order="left")
    keyed = joined.with_columns(row_key=row, reasons=pl.col("reasons").fill_null([]))
    return keyed.select(list(OutreachList.to_schema().columns))


def scores_of(stay: pl.DataFrame, bundle: Bundle) -> pl.DataFrame:
    """Every eligible person's risks and scores (contract: `Scores`)."""
    outcomes = [f"risk_{outcome}" for outcome in bundle.models]
    n_known = pl.col("known_to").list.len().cast(pl.Int64).alias("n_known_agencies")
    return stay.select("person_id", "household_id", "risk", *outcomes, "score", "base", n_known).sort("person_id")
