"""The one law of features: what is recorded on or after the cut-off changes nothing.

The tables of a small county are taken as frames. Each case adds, deletes and rewrites rows recorded on or after the
cut-off in every table at once, and rewrites endings that were not yet known; spine and features must stay equal to the
last bit. The controls show that the same means, turned on the past, do change them.
"""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from helpers.knowledge import CONFIG, Frames, features_on

from ageingwell.contracts.registry import TABLES, columns
from ageingwell.features.behind import ORIGINS
from ageingwell.features.build import FEATURES

AS_OF = date(2025, 8, 24)
N_CASES = 40
# The ending of a row, the column of its recording, and what is known only with it.
ENDINGS = {
    "gp_patients": [("left_on", "left_recorded_on", None), ("died_on", "died_recorded_on", None)],
    "care_events": [("ended_on", "ended_recorded_on", "event_outcome")],
    "hospital_events": [("ended_on", None, None)],
}
Built = tuple[pl.DataFrame, pl.DataFrame]


@pytest.fixture(scope="module")
def tables(county_tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The county, with some stays that ended so lately that nobody knew: it tells of most only once they are over."""
    stays = county_tables["hospital_events"]
    just_over = stays.sample(60, seed=1).with_columns(
        started_on=pl.lit(AS_OF - timedelta(days=15)),
        ended_on=pl.lit(AS_OF - timedelta(days=5)),
        recorded_on=pl.lit(AS_OF - timedelta(days=3)),
    )
    told = {**county_tables, "hospital_events": pl.concat([stays, just_over])}
    return {name: frame for name, frame in told.items() if name != "permissions"}


@pytest.fixture(scope="module")
def untouched(tables: Frames) -> Built:
    return features_on(tables, AS_OF)


def same(left: Built, right: Built) -> bool:
    return left[0].equals(right[0]) and left[1].equals(right[1])


# What shows in the spine is changed alone; every other table shows in features that are made of its rows alone.
ALONE = ("gp_patients", "contacts", "fire_incidents")
MADE_OF = {name: [one.name for one in FEATURES if ORIGINS.get(one.source, ("", ""))[1] == name] for name in TABLES}


def not_seen(changed: Frames, tables: Frames, expected: Built, day: date) -> list[str]:
    """Of the tables that were changed, those of which neither the spine nor a feature of their own shows it."""
    missed = [name for name in ALONE if same(features_on({**tables, name: changed[name]}, day), expected)]
    features = features_on({**changed, **{name: tables[name] for name in ALONE}}, day)[1]
    for name in changed.keys() - ALONE:
        assert MADE_OF[name], name
        if features.select(MADE_OF[name]).equals(expected[1].select(MADE_OF[name])):
            missed.append(name)
    return missed


def any_cells(frame: pl.DataFrame, name: str, n: int, rng: np.random.Generator) -> pl.DataFrame:
    """Rows whose every cell comes from another row of the table, or is any label or day, or missing."""
    made = {}
    for column in columns(name):
        pool = frame[column.name]
        if column.labels:
            pool = pl.Series(column.labels, dtype=pl.String)
        if column.kind == "date":
            # Days from long before the cut-off to long after it, many of them on its very edge.
            edge = [AS_OF + timedelta(days=int(days)) for days in (*rng.integers(-1500, 400, 30), -1, 0, 1, 0)]
            pool = pl.concat([pl.Series(edge, dtype=pl.Date), pool.sample(30, with_replacement=True, seed=1)])
        cells = pool.gather(rng.integers(0, len(pool), n))
        gaps = pl.Series(rng.random(n) < (0.2 if column.nullable else 0))
        made[column.name] = pl.select(pl.when(~gaps).then(cells))[:, 0].cast(column.dtype)
    return pl.DataFrame(made)


def told_later(rows: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    days = rng.choice([0, 0, 1, 2, 30, 365, 3000], rows.height)
    later = pl.Series([AS_OF + timedelta(days=int(day)) for day in days], dtype=pl.Date)
    return rows.with_columns(recorded_on=later)


def other_future(frame: pl.DataFrame, name: str, rng: np.random.Generator) -> pl.DataFrame:
    """The same past with another future: some of its rows deleted, some rewritten, and new ones."""
    past = frame.filter(pl.col("recorded_on") < AS_OF)
    future = frame.filter(pl.col("recorded_on") >= AS_OF)
    kept = future.filter(pl.Series(rng.random(future.height) < 0.4))
    rewritten = told_later(any_cells(frame, name, future.height // 3 + 5, rng), rng)
    again = told_later(past.sample(min(past.height, 60), seed=int(rng.integers(1 << 30))), rng)
    rows = pl.concat([other_endings(past, name, rng), kept, rewritten, again])
    return rows.sample(fraction=1, shuffle=True, seed=int(rng.integers(1 << 30)))


def other_endings(past: pl.DataFrame, name: str, rng: np.random.Generator) -> pl.DataFrame:
    """Rewrite endings that nobody could know by the cut-off, and end rows that had not ended."""
    lag = timedelta(days=CONFIG.tables[name].lag_days)
    for ending, recorded, with_it in ENDINGS.get(name, []):
        # A row recorded on its ending or after it tells the ending.
        with_row = pl.when(pl.col(ending) <= pl.col("recorded_on")).then(pl.col("recorded_on"))
        own = [] if recorded is None else [pl.col(recorded)]
        known_from = pl.coalesce(*own, with_row, pl.col(ending) + lag)
        is_open = past.select((known_from >= AS_OF).fill_null(value=True)).to_series()
        chosen = is_open & pl.Series(rng.random(past.height) < 0.7)
        # With its own recording day an ending may lie far back; without, it is known from its day and the lag.
        earliest = -(lag.days if recorded is None else 900)
        days = rng.integers(earliest, 300, past.height)
        new = pl.Series([AS_OF + timedelta(days=int(day)) for day in days], dtype=pl.Date)
        new = new.zip_with(pl.Series(rng.random(past.height) < 0.8), pl.Series([None], dtype=pl.Date))
        told = pl.Series([AS_OF + timedelta(days=int(day)) for day in rng.choice([0, 1, 40], past.height)])
        if recorded is None:
            told_by_row = (new <= past["recorded_on"]).fill_null(value=False)
            chosen = chosen & ~told_by_row
        changes = {ending: new}
        changes |= {} if recorded is None else {recorded: told}
        if with_it is not None:
            # An outcome without an end is known with its row, so it comes with an end here.
            said = pl.when(pl.lit(new).is_not_null()).then(pl.lit("support_declined")).otherwise(pl.col(with_it))
            changes |= {with_it: past.select(said).to_series()}
        past = past.with_columns(
            pl.when(chosen).then(value).otherwise(key).alias(key) for key, value in changes.items()
        )
    return past


@pytest.mark.sweep(of=4)
@pytest.mark.parametrize("seed", range(N_CASES))
def test_another_future_changes_nothing(seed: int, tables: Frames, untouched: Built) -> None:
    rng = np.random.default_rng(seed)

    perturbed = {name: other_future(frame, name, rng) for name, frame in tables.items()}

    spine, features = features_on(perturbed, AS_OF)
    assert spine.equals(untouched[0])
    different = [name for name in features.columns if not features[name].equals(untouched[1][name])]
    assert different == []


def test_no_future_at_all_changes_nothing(tables: Frames, untouched: Built) -> None:
    past = {name: frame.filter(pl.col("recorded_on") < AS_OF) for name, frame in tables.items()}

    assert same(features_on(past, AS_OF), untouched)


def test_the_same_perturbations_show_to_a_later_cut_off(tables: Frames) -> None:
    later = AS_OF + timedelta(days=366)
    perturbed = {name: other_future(frame, name, np.random.default_rng(1)) for name, frame in tables.items()}

    assert not_seen(perturbed, tables, features_on(tables, later), later) == []


def test_records_of_the_day_before_the_cut_off_do_count(tables: Frames, untouched: Built) -> None:
    perturbed = {}
    for name, frame in tables.items():
        day_before = frame.filter(pl.col("recorded_on") < AS_OF)
        day = "recorded_on" if name in ("gp_patients", "homes") else columns_day(name)
        told = any_cells(frame, name, 400, np.random.default_rng(2)).with_columns(
            pl.lit(AS_OF - timedelta(days=1)).alias(column) for column in {day, "recorded_on"}
        )
        perturbed[name] = pl.concat([day_before, told])

    assert not_seen(perturbed, tables, untouched, AS_OF) == []


def columns_day(name: str) -> str:
    days = ("happened_on", "issued_on", "started_on", "visited_on", "contacted_on")
    return next(column.name for column in columns(name) if column.name in days)


@pytest.mark.slow
def test_deleting_the_past_of_any_table_is_seen(tables: Frames, untouched: Built) -> None:
    halved = {
        name: frame.filter(pl.Series(np.random.default_rng(3).random(frame.height) < 0.5))
        for name, frame in tables.items()
    }

    assert not_seen(halved, tables, untouched, AS_OF) == []


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_the_rows_changes_nothing(seed: int, tables: Frames, untouched: Built) -> None:
    shuffled = {name: frame.sample(fraction=1, shuffle=True, seed=seed) for name, frame in tables.items()}

    assert same(features_on(shuffled, AS_OF), untouched)


def test_the_order_of_the_columns_changes_nothing(tables: Frames, untouched: Built) -> None:
    turned = {name: frame.select(reversed(frame.columns)) for name, frame in tables.items()}

    assert same(features_on(turned, AS_OF), untouched)
