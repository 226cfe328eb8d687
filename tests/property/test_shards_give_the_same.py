"""Counts, spine and features of people in parts are those of everybody at once, however they are split."""

from dataclasses import dataclass
from datetime import date

import polars as pl
import pytest
from helpers.knowledge import CONFIG, known_on
from helpers.shards import Frames, in_shards
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ageingwell.config.score import RecognitionSettings
from ageingwell.contracts.registry import open_labels
from ageingwell.features.build import build_features, carers_named, names
from ageingwell.features.evidence import fact_days, newest_days
from ageingwell.recognition.counting import count_recognised
from ageingwell.recognition.links import (
    REGISTER,
    add_links,
    count_links,
    links_of_people_and_homes,
    links_of_shard,
)
from ageingwell.recognition.people import recognise, untold_of
from ageingwell.recognition.sums import add_counts, judge
from ageingwell.spine import agencies_contacting_homes, build_spine
from ageingwell.synthetic.other_words import KINDS, in_other_words
from ageingwell.timeline import AsOf

NIGHT = date(2026, 11, 22)
AS_OF = AsOf(NIGHT)
SPLITS = {"n": st.sampled_from([7, 2]), "seed": st.integers(0, 999)}
FLOORS = [RecognitionSettings(), RecognitionSettings(minimum_rows=1), RecognitionSettings(minimum_rows=40)]
QUIET = settings(deadline=None, max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def tables(county_tables: Frames) -> dict[str, pl.DataFrame]:
    return {name: frame for name, frame in county_tables.items() if name != "permissions"}


def with_new_labels(tables: Frames) -> dict[str, pl.DataFrame]:
    """A word that nobody knows in every open column, in the rows of one person or home in three."""
    changed = dict(tables)
    for name, column in open_labels():
        key = "person_id" if "person_id" in changed[name].columns else "household_id"
        odd = pl.col(key).str.slice(-1).is_in(list("02468")) & pl.col(column).is_not_null()
        word = pl.lit("a_word_") + pl.col(key).str.slice(-2, 1)
        changed[name] = changed[name].with_columns(pl.when(odd).then(word).otherwise(column).alias(column))
    return changed


def spine_of(known: dict[str, pl.LazyFrame], contacting: list[str] | None = None) -> pl.DataFrame:
    return build_spine(known, AS_OF, minimum_age=65, places=CONFIG.places, contacting_homes=contacting)


@pytest.mark.slow
@QUIET
@given(**SPLITS, kind=st.sampled_from([None, "new labels", *KINDS]), floors=st.sampled_from(FLOORS))
def test_what_is_recognised_is_counted_judged_and_told_the_same_in_any_parts(tables, n, seed, kind, floors):
    words = (
        tables if kind is None else with_new_labels(tables) if kind == "new labels" else in_other_words(tables, (kind,))
    )
    files = {"places": CONFIG.places, "codelists": CONFIG.codelists}
    everybody = known_on(words, NIGHT)
    whole = recognise(everybody, spine_of(everybody), AS_OF, floors=floors, **files)

    parts = [known_on(part, NIGHT) for part in in_shards(words, n, night=NIGHT, seed=seed)]
    counts = [count_recognised(part, **files) for part in parts]
    sums = add_counts([one.sums for one in counts])
    counted = judge(sums, floors)
    untold = [
        untold_of(part, spine_of(part), AS_OF, counts=one, counted=counted, floors=floors)
        for part, one in zip(parts, counts, strict=True)
    ]

    assert_frame_equal(counted, whole.counted)
    assert_frame_equal(sums.labels, whole.new_labels)
    assert_frame_equal(pl.concat(untold).sort("person_id"), whole.untold)
    turned = add_counts([one.sums for one in reversed(counts)])
    assert turned.codes.equals(sums.codes)
    assert turned.labels.equals(sums.labels)


@pytest.fixture(scope="module")
def whole_links(county_tables: Frames) -> pl.DataFrame:
    return count_links(
        lazily(county_tables), lazily(county_tables)[REGISTER], AS_OF, minimum_age=65, places=CONFIG.places
    )


@pytest.mark.slow
@QUIET
@given(**SPLITS)
def test_links_are_counted_the_same_in_any_parts(county_tables, whole_links, n, seed):
    homes = county_tables[REGISTER].filter(pl.col("recorded_on") < NIGHT)["household_id"].drop_nulls().unique()

    parts = [
        links_of_shard(
            lazily(part),
            part[REGISTER].lazy(),
            AS_OF,
            minimum_age=65,
            places=CONFIG.places,
            homes_named=homes,
        )
        for part in in_shards(county_tables, n, night=NIGHT, seed=seed)
    ]
    rest = [
        links_of_people_and_homes(name, county_tables[name].lazy(), county_tables[REGISTER].lazy(), AS_OF)
        for name in ("contacts", "permissions")
    ]

    assert_frame_equal(add_links([*parts, *rest]), whole_links)
    assert add_links([*rest, *reversed(parts)]).equals(add_links([*parts, *rest]))


@dataclass(frozen=True)
class Whole:
    """Everybody at once: what is known, and what is made of it."""

    known: dict[str, pl.LazyFrame]
    spine: pl.DataFrame
    features: pl.DataFrame
    days: pl.DataFrame


@pytest.fixture(scope="module")
def whole(tables: Frames) -> Whole:
    known = known_on(tables, NIGHT)
    spine = spine_of(known)
    features = build_features(known, spine, AS_OF, codelists=CONFIG.codelists)
    return Whole(known, spine, features, fact_days(known, spine, AS_OF, names=names(), codelists=CONFIG.codelists))


@pytest.mark.slow
@QUIET
@given(**SPLITS)
def test_the_spine_the_features_and_their_days_are_the_same_in_any_parts(tables, whole, n, seed):
    contacting, carers = agencies_contacting_homes(whole.known), carers_named(whole.known)
    newest = newest_days(whole.known)
    files = {"codelists": CONFIG.codelists}

    parts = [known_on(part, NIGHT) for part in in_shards(tables, n, night=NIGHT, seed=seed)]
    spines = [spine_of(part, contacting) for part in parts]
    features = [
        build_features(part, people, AS_OF, carers=carers, **files) for part, people in zip(parts, spines, strict=True)
    ]
    days = [
        fact_days(part, people, AS_OF, names=names(), carers=carers, newest=newest, **files)
        for part, people in zip(parts, spines, strict=True)
    ]

    assert_frame_equal(pl.concat(spines).sort("person_id"), whole.spine)
    assert_frame_equal(pl.concat(features).sort("person_id"), whole.features)
    assert_frame_equal(pl.concat(days).sort("person_id", "feature"), whole.days.sort("person_id", "feature"))


def lazily(tables: Frames) -> dict[str, pl.LazyFrame]:
    return {name: frame.lazy() for name, frame in tables.items()}
