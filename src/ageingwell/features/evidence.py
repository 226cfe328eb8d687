"""Who told a fact, and of which day: read off the features' own definitions, so that nothing is written twice."""

from collections.abc import Collection, Mapping
from datetime import date
from functools import cache
from typing import Final

import polars as pl

from ageingwell.features.behind import ORIGINS, roots_of
from ageingwell.features.build import (
    FEATURES,
    SOURCES,
    Codelists,
    Given,
    bit_of_list,
    by_subject,
    of_source,
    rows_about,
)
from ageingwell.features.feature import Dated, Feature, Seen
from ageingwell.spine import REPEATS_TAKEN_OUT_LATER, Tables
from ageingwell.timeline import AsOf

# What no one agency tells, whatever its source.
OF_SEVERAL: Final = ("n_known_agencies",)
_BY_NAME: Final = {feature.name: feature for feature in FEATURES}


@cache
def agencies_of(name: str) -> tuple[str, ...]:
    """The agencies whose records a feature is made from; none where it counts the agencies themselves.

    >>> agencies_of("n_falls_365d"), agencies_of("has_polypharmacy"), agencies_of("lives_alone_probability")
    (('gp',), ('gp',), ('fire', 'gp', 'housing'))
    """
    if name in OF_SEVERAL:
        return ()
    feature = _BY_NAME[name]
    if feature.source != "derived":
        return (ORIGINS[feature.source][0],)
    return tuple(sorted({agency for part in _parts(feature) for agency in agencies_of(part)} | _register_of(feature)))


def fact_days(
    tables: Tables,
    people: pl.DataFrame,
    as_of: AsOf,
    *,
    codelists: Codelists,
    names: Collection[str],
    carers: pl.LazyFrame | None = None,
    newest: Mapping[str, date | None] | None = None,
) -> pl.DataFrame:
    """Of which day each fact is: one row a person and feature, person_id, feature, known_on.

    The newest day of the records that the value rests on, all known before the cut-off; where it rests on none (no fall
    recorded), the day up to which the source is recorded. A fact that has no day of its own takes the day its newest
    record of the person came in. `people` are rows of the spine. Where `tables` are those of some people alone,
    `carers` and `newest` are what `carers_named` and `newest_days` find in everybody's.
    """
    given = Given(_of_their_homes(tables, people, as_of), people, codelists, as_of, carers)
    seen = Seen(as_of, bit_of_list(codelists))
    asked = _with_parts(names)
    days = people.select("person_id", _register=_register_days(tables, people))
    for source in SOURCES:
        features = [feature for feature in of_source(source) if feature.name in asked]
        if features:
            found = _days(source, features, given, seen)
            days = days.join(found, on="person_id", how="left", maintain_order="left")
    for feature in of_source("derived"):
        if feature.name in asked:
            made_of = [*_parts(feature), *(["_register"] if _register_of(feature) else [])]
            days = days.with_columns(pl.max_horizontal(made_of).alias(feature.name))
    up_to = _up_to(newest_days(tables) if newest is None else newest, asked)
    days = days.with_columns(pl.lit(None, dtype=pl.Date).alias(name) for name in sorted(set(names) & set(OF_SEVERAL)))
    filled = [pl.coalesce(name, pl.lit(up_to[name], dtype=pl.Date)).alias(name) for name in sorted(names)]
    long = days.select("person_id", *filled).unpivot(index="person_id", variable_name="feature", value_name="known_on")
    # Without any fact asked for there is no day to take the type from.
    return long.cast({"feature": pl.String, "known_on": pl.Date})


def _of_their_homes(tables: Tables, people: pl.DataFrame, as_of: AsOf) -> dict[str, pl.LazyFrame]:
    """The tables, of coded entries and prescriptions only the rows of those who live with these people."""
    members = Given(tables, people, {}, as_of).together.lazy().select(person_id="member").unique()
    asked = [name for name in REPEATS_TAKEN_OUT_LATER if name in tables]
    theirs = pl.collect_all(tables[name].join(members, on="person_id", how="semi") for name in asked)
    return {**tables, **{name: rows.lazy() for name, rows in zip(asked, theirs, strict=True)}}


def _with_parts(names: Collection[str]) -> set[str]:
    parts = {part for name in names for part in (_parts(_BY_NAME[name]) if _BY_NAME[name].source == "derived" else ())}
    return {*names, *(_with_parts(parts) if parts else ())}


def _parts(feature: Feature) -> list[str]:
    """The features that a derived one is made of."""
    return [root for root in roots_of(feature) if root in _BY_NAME]


def _register_of(feature: Feature) -> set[str]:
    """`gp` where a derived feature reads the register besides other features."""
    return {"gp"} if set(roots_of(feature)) - set(_BY_NAME) else set()


def _days(source: str, features: list[Feature], given: Given, seen: Seen) -> pl.DataFrame:
    """The newest day of the rows behind each feature of a source: person_id, a column a feature."""
    rows = SOURCES[source](given)
    found = given.spine.select("person_id")
    for about, part in by_subject(features):
        dated = [feature.value.newest(seen).alias(feature.name) for feature in part if isinstance(feature.value, Dated)]
        if rows is not None and dated:
            newest = rows_about(rows, about).group_by("person_id").agg(dated).collect()
            found = found.join(newest, on="person_id", how="left", maintain_order="left")
    undated = [feature for feature in features if feature.name not in found.columns]
    return found.join(_record_days(source, undated, given), on="person_id", how="left", maintain_order="left")


def _record_days(source: str, features: list[Feature], given: Given) -> pl.DataFrame:
    """For features without a day of their own: when the newest record of the person came in that tells anything."""
    if source == "home_facts" and "homes" in given.tables:
        tells = [pl.any_horizontal(_is_known(column) for column in roots_of(feature)) for feature in features]
        came = [pl.col("recorded_on").filter(told).max().alias(feature.name) for feature, told in zip(features, tells)]
        homes = given.tables["homes"].join(given.homes, on="household_id")
        return homes.group_by("person_id").agg(came).collect()
    if source == "spine":
        register = _register_days(given.tables, given.spine)
        return given.spine.select("person_id", *(register.alias(feature.name) for feature in features))
    blank = pl.lit(None, dtype=pl.Date)
    return given.spine.select("person_id", *(blank.alias(feature.name) for feature in features))


def _is_known(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).ne_missing("unknown") & pl.col(column).is_not_null()


def _register_days(tables: Tables, people: pl.DataFrame) -> pl.Series:
    """When the newest version of each person on the GP register came in."""
    ours = tables["gp_patients"].join(people.lazy().select("person_id"), on="person_id", how="semi")
    newest = ours.group_by("person_id").agg(_day=pl.col("recorded_on").max()).collect()
    return people.select("person_id").join(newest, on="person_id", how="left", maintain_order="left")["_day"]


def newest_days(tables: Tables) -> dict[str, date | None]:
    """Up to which day each table is recorded: that of its newest row, missing without any."""
    return {name: rows.select(pl.col("recorded_on").max()).collect().item() for name, rows in tables.items()}


def _up_to(newest: Mapping[str, date | None], names: Collection[str]) -> dict[str, date | None]:
    """Where a fact rests on no record, it is known up to the newest record of the whole source."""
    sources = {name: _sources_of(_BY_NAME[name]) for name in names}
    days = {name: [newest.get(ORIGINS[source][1]) for source in found] for name, found in sources.items()}
    days |= {name: [] for name in OF_SEVERAL}
    return {name: max((day for day in found if day is not None), default=None) for name, found in days.items()}


def _sources_of(feature: Feature) -> set[str]:
    if feature.source != "derived":
        return {feature.source}
    return {source for part in _parts(feature) for source in _sources_of(_BY_NAME[part])}
