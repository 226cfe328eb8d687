"""A table that is late, empty or not sent: the rest goes on, its features are unknown, and nothing changes its type."""

from datetime import date, timedelta

import polars as pl
import pytest
from helpers.knowledge import CONFIG, features_on, known_on
from polars.testing import assert_frame_equal

from ageingwell.features.build import FEATURES, HOME_SOURCES, names
from ageingwell.outcomes import OUTCOMES, label_outcomes
from ageingwell.timeline import AsOf, Horizon

NIGHT = date(2025, 8, 24)
# The prepared sources that each table feeds.
FEEDS = {
    "gp_events": ("gp_events", "household_gp_events"),
    "gp_prescriptions": ("medicines", "household_medicines"),
    "hospital_events": ("hospital_events",),
    "care_events": ("care_events", "named_carers"),
    "homes": ("home_facts",),
    "housing_events": ("housing_events", "adaptations"),
    "fire_visits": ("fire_visits",),
    "fire_incidents": ("fire_incidents",),
    "contacts": (),
}
Tables = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def tables(county_tables: Tables) -> Tables:
    return {name: frame for name, frame in county_tables.items() if name != "permissions"}


@pytest.fixture(scope="module")
def whole(tables: Tables) -> tuple[pl.DataFrame, pl.DataFrame]:
    return features_on(tables, NIGHT)


@pytest.fixture(scope="module")
def labels(tables: Tables, whole: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    return labelled(tables, whole[0])


def labelled(tables: Tables, spine: pl.DataFrame) -> pl.DataFrame:
    settled = known_on(tables, date(2026, 11, 22))
    return label_outcomes(settled, spine, AsOf(NIGHT), horizon=Horizon(365), codelists=CONFIG.codelists)


@pytest.mark.parametrize("name", FEEDS)
def test_without_a_table_its_features_are_unknown_and_the_rest_is_as_before(
    name: str, tables: Tables, whole: tuple[pl.DataFrame, pl.DataFrame], labels: pl.DataFrame
) -> None:
    without = {other: frame for other, frame in tables.items() if other != name}

    spine, features = features_on(without, NIGHT)

    assert spine.schema == whole[0].schema
    assert features.schema == whole[1].schema
    assert spine["person_id"].equals(whole[0]["person_id"])
    own = [feature.name for feature in FEATURES if feature.source in FEEDS[name]]
    assert [column for column in own if features[column].null_count() < features.height] == []
    kept = [feature.name for feature in FEATURES if feature.source not in (*FEEDS[name], "derived", "spine")]
    assert_frame_equal(features.select(kept), whole[1].select(kept))
    if name != "gp_events":
        assert labelled(without, spine).schema == labels.schema


def test_without_gp_entries_frailty_is_unknown_and_not_nil(tables: Tables) -> None:
    without = {name: frame for name, frame in tables.items() if name != "gp_events"}

    features = features_on(without, NIGHT)[1]

    assert features["n_deficits"].null_count() == features.height
    assert features["frailty_index"].null_count() == features.height


def test_without_prescriptions_the_other_deficits_still_count(tables: Tables) -> None:
    without = {name: frame for name, frame in tables.items() if name != "gp_prescriptions"}

    features = features_on(without, NIGHT)[1]

    assert features["has_polypharmacy"].null_count() == features.height
    assert features["n_deficits"].max() > 0  # type: ignore[operator]
    # That there is none at all is not known without the one that prescriptions tell.
    assert features["n_deficits"].min() == 1.0


def test_the_gp_register_alone_is_enough(tables: Tables, whole: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    spine, features = features_on({"gp_patients": tables["gp_patients"]}, NIGHT)

    assert spine.schema == whole[0].schema
    assert features.schema == whole[1].schema
    assert features["age"].equals(whole[1]["age"])
    assert spine["known_to"].list.len().sum() == 0
    # Housing tells of some care homes; the register alone only prompts a check.
    assert set(spine["care_home"]) <= {"no", "check"}


@pytest.mark.parametrize("name", FEEDS)
def test_a_table_without_rows_counts_as_sent(
    name: str, tables: Tables, whole: tuple[pl.DataFrame, pl.DataFrame], labels: pl.DataFrame
) -> None:
    emptied = {**tables, name: tables[name].clear()}

    spine, features = features_on(emptied, NIGHT)

    assert features.schema == whole[1].schema
    assert spine.schema == whole[0].schema
    counted = [f for f in FEATURES if f.source in FEEDS[name] and f.without_rows == 0]
    at_home = spine["household_id"].is_not_null()
    for feature in counted:
        # What a home's records tell of people, they tell from when the people came.
        of_people_there = feature.source in HOME_SOURCES and feature.about == "person"
        days = (feature.lookback_days or 0) if of_people_there else 0
        told = at_home & (spine["lived_here_from"] <= NIGHT - timedelta(days=days))
        assert features.filter(told)[feature.name].to_list() == [0.0] * int(told.sum())
        assert features.filter(at_home & ~told)[feature.name].null_count() == int((at_home & ~told).sum())
    if name != "gp_events":
        assert labelled(emptied, spine).schema == labels.schema


def test_all_tables_without_rows_but_the_register(tables: Tables, whole: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    emptied = {name: frame if name == "gp_patients" else frame.clear() for name, frame in tables.items()}

    spine, features = features_on(emptied, NIGHT)

    assert features.schema == whole[1].schema
    assert labelled(emptied, spine).select(pl.col(OUTCOMES).max()).row(0)[:3] != (None, None, None)


def test_nobody_at_all(tables: Tables, whole: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    nobody = {**tables, "gp_patients": tables["gp_patients"].clear()}

    spine, features = features_on(nobody, NIGHT)

    assert (spine.height, features.height) == (0, 0)
    assert spine.schema == whole[0].schema
    assert features.schema == whole[1].schema
    assert labelled(nobody, spine).height == 0


def test_features_come_in_their_order_as_numbers_for_everyone_on_the_spine_once(
    whole: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    spine, features = whole

    assert features.columns == ["person_id", *names()]
    assert set(features.dtypes[1:]) == {pl.Float64()}
    assert features["person_id"].equals(spine["person_id"])
    assert features["person_id"].is_sorted()
    assert features["person_id"].is_unique().all()
    assert not any(features[name].is_nan().any() or features[name].is_infinite().any() for name in names())


def test_labels_are_for_everyone_on_the_spine_in_its_order(
    whole: tuple[pl.DataFrame, pl.DataFrame], labels: pl.DataFrame
) -> None:
    found = labels

    assert found["person_id"].equals(whole[0]["person_id"])
    assert [found[name].dtype for name in OUTCOMES] == [pl.Int8] * 4
    lost, died = found["loss_of_independence"], found["death"]
    assert found.filter((died == 1) & (lost != 1)).is_empty()
    assert found.filter((pl.col("new_long_term_care") == 1) & (lost != 1)).is_empty()
