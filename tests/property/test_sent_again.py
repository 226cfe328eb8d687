"""The law of versions: what was sent before and is sent again changes nothing, in whatever parts and order.

The tables of a small county are taken as frames. Each is sent twice, in overlapping parts, or with an earlier version
of each event that had not ended; the spine, features, flags, last contacts, days of evidence and labels of training
must stay equal to the last bit.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from helpers.knowledge import CONFIG, Frames, known_on

from ageingwell.contracts.registry import TABLES
from ageingwell.features.build import build_features
from ageingwell.features.build import names as feature_names
from ageingwell.features.evidence import fact_days
from ageingwell.outcomes import first_contacts, label_outcomes
from ageingwell.outreach.flags import Markers, exits, flagged
from ageingwell.sources.read import read_agencies
from ageingwell.spine import build_spine, deaths_told, last_contacts, latest_versions
from ageingwell.timeline import AsOf, Horizon

AS_OF = date(2025, 8, 24)
SETTLED = AS_OF + timedelta(days=455)
NOBODY = pl.DataFrame(schema={"person_id": pl.String, "household_id": pl.String})
EVENTS = ("hospital_events", "care_events")
WHO_AND_WHEN = (
    "person_id", "household_id", "started_on", "happened_on", "visited_on", "issued_on", "contacted_on", "recorded_on",
)  # fmt: skip
EVERY_TABLE = [name for name in TABLES if name != "permissions"]


def worked_out(tables: Frames) -> dict[str, pl.DataFrame]:
    """Everything that is made of the tables, on one day."""
    as_of, horizon, lists = AsOf(AS_OF), Horizon(365), CONFIG.codelists
    known, settled = known_on(tables, AS_OF), known_on(tables, SETTLED)
    spine = build_spine(known, as_of, minimum_age=65, places=CONFIG.places)
    flags = flagged(
        spine,
        tables=known,
        gone=exits(
            latest_versions(tables["gp_patients"].lazy()),
            told_dead=deaths_told({name: frame.lazy() for name, frame in tables.items()})["person_id"],
            on=AS_OF,
        ),
        markers=Markers(NOBODY, NOBODY),
        held=NOBODY,
        as_of=as_of,
        codelists=lists,
        thresholds=CONFIG.outreach.thresholds,
    )
    return {
        "spine": spine,
        "features": build_features(known, spine, as_of, codelists=lists),
        "flags": flags.sort("person_id"),
        "last contacts": last_contacts(known, spine, as_of),
        "evidence": fact_days(known, spine, as_of, codelists=lists, names=feature_names()).sort("person_id", "feature"),
        "labels": label_outcomes(settled, spine, as_of, horizon=horizon, codelists=lists).sort("person_id"),
        "contacts": first_contacts(settled, spine, as_of, horizon=horizon),
    }


def differing(left: dict[str, pl.DataFrame], right: dict[str, pl.DataFrame]) -> list[str]:
    return [name for name in left if not left[name].equals(right[name])]


@pytest.fixture(scope="module")
def tables(county_tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    return {name: frame for name, frame in county_tables.items() if name != "permissions"}


@pytest.fixture(scope="module")
def once(tables: Frames) -> dict[str, pl.DataFrame]:
    return worked_out(tables)


def in_overlapping_parts(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Two thirds of the rows from the front and two thirds from the back, shuffled: every row is there."""
    most = -(-2 * frame.height // 3)
    return pl.concat([frame.head(most), frame.tail(most)]).sample(fraction=1, shuffle=True, seed=seed)


@pytest.mark.parametrize("half", [0, 1])
def test_tables_sent_twice_change_nothing(half: int, tables: Frames, once: dict[str, pl.DataFrame]) -> None:
    again = {
        name: pl.concat([tables[name], tables[name]]).sample(fraction=1, shuffle=True, seed=1)
        for name in EVERY_TABLE[half::2]
    }

    assert differing(once, worked_out({**tables, **again})) == []


def test_all_tables_in_overlapping_parts_change_nothing(tables: Frames, once: dict[str, pl.DataFrame]) -> None:
    parts = {name: in_overlapping_parts(frame, 0) for name, frame in tables.items()}

    assert differing(once, worked_out(parts)) == []


@pytest.mark.parametrize("days_before", [0, 1])
def test_a_version_of_the_same_event_that_had_not_ended_yet_changes_nothing(
    days_before: int, tables: Frames, once: dict[str, pl.DataFrame]
) -> None:
    """Where both were recorded by then; a version that was the only one known then is another matter."""
    both = {name: with_versions_not_ended(tables[name], days_before) for name in EVENTS}

    assert differing(once, worked_out({**tables, **both})) == []


def with_versions_not_ended(rows: pl.DataFrame, days_before: int) -> pl.DataFrame:
    """The rows, and those that were known lately once more, as they were before they ended."""
    emptied = [column for column in ("ended_on", "ended_recorded_on") if column in rows.columns]
    earlier = rows.with_columns(pl.col("recorded_on") - pl.duration(days=days_before))
    known = (pl.col("recorded_on") < AS_OF - timedelta(days=1)) & (pl.col("started_on") <= pl.col("recorded_on"))
    open_yet = earlier.filter(known).with_columns(pl.lit(None, dtype=pl.Date).alias(column) for column in emptied)
    return pl.concat([rows, open_yet]).sample(fraction=1, shuffle=True, seed=2)


def test_versions_that_differ_give_the_same_whatever_their_order(tables: Frames) -> None:
    """Every event once more, recorded on the same day, with its other columns taken from another row."""
    mixed: dict[str, pl.DataFrame] = {}
    for name, frame in tables.items():
        if name in ("gp_patients", "homes"):
            continue
        keys = [column for column in WHO_AND_WHEN if column in frame.columns]
        rest = frame.drop(keys).sample(fraction=1, shuffle=True, seed=0)
        other = pl.concat([frame.select(keys), rest], how="horizontal").select(frame.columns)
        mixed[name] = pl.concat([frame, other])
    together = worked_out({**tables, **mixed})
    for seed in (9, 10):
        shuffled = {name: frame.sample(fraction=1, shuffle=True, seed=seed) for name, frame in mixed.items()}
        assert differing(together, worked_out({**tables, **shuffled})) == []


def test_every_file_sent_twice_is_read_without_a_refusal_and_gives_the_same(
    tables: Frames, county_tables: dict[str, pl.DataFrame], once: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    for name, frame in county_tables.items():
        (tmp_path / name).mkdir()
        most = -(-2 * frame.height // 3)
        frame.head(most).write_parquet(tmp_path / name / "a.parquet")
        frame.tail(most).write_parquet(tmp_path / name / "b.parquet")

    records: Any = read_agencies(tmp_path, CONFIG.tables, workspace=tmp_path / ".checked", max_refused_share=0.0)

    assert {name: table.n_refused for name, table in records.tables.items()} == dict.fromkeys(TABLES, 0)
    rows = {name: table.rows.collect() for name, table in records.tables.items() if name != "permissions"}
    assert differing(once, worked_out(rows)) == []
