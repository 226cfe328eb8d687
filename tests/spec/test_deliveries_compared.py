"""A delivery that lost rows or columns, or changed its meaning, is held against the last: never taken in silence."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import NIGHT
from helpers.evidence import counted

from ageingwell.config.change import ChangeSettings
from ageingwell.config.load import load_config
from ageingwell.contracts.registry import TABLES, columns
from ageingwell.governance.night_facts import InputFacts
from ageingwell.night.deliveries import changes, dated_ahead
from ageingwell.night.untold import columns_gone
from ageingwell.sources.checked import BY_DAY
from ageingwell.sources.measures import MEASURES, measure_tables
from ageingwell.sources.read import CheckedTable, Records, read_agencies

LIMITS = ChangeSettings()
# Of fewer cells a handful comes and goes by itself, and counts of 1 to 7 are not kept.
FEWEST_CELLS = 20


@pytest.fixture(scope="module")
def records(county: Path, tmp_path_factory: pytest.TempPathFactory) -> Records:
    workspace = tmp_path_factory.mktemp("checked")
    return read_agencies(county, load_config().tables, workspace=workspace, max_refused_share=0.1)


@pytest.fixture(scope="module")
def last(records: Records) -> dict[str, pl.DataFrame]:
    """The figures of each table as it was sent last."""
    return {name: measure_tables({name: table}, on=NIGHT) for name, table in records.tables.items()}


def differing(
    records: Records, last: dict[str, pl.DataFrame], table: str, how: Callable[[pl.LazyFrame], pl.LazyFrame]
) -> list[str]:
    """What is said of one table that came in another form than last time."""
    rows = how(records.tables[table].rows).collect()
    sent = replace(records.tables[table], rows=rows.lazy(), n_good=rows.height)
    return changes(last[table], measure_tables({table: sent}, on=NIGHT), records=records, limits=LIMITS)


def filled(records: Records) -> Iterator[tuple[str, str, int]]:
    """Every column of every table, with how many of its cells say something."""
    for name, table in records.tables.items():
        rows = table.rows.collect()
        for column in columns(name):
            cells = rows[column.name]
            n = int((cells.is_not_null() & (cells.cast(pl.String) != "unknown")).sum())
            yield name, column.name, n


def emptied(column: str, share: float) -> Callable[[pl.LazyFrame], pl.LazyFrame]:
    """The rows with a share of the cells of one column empty."""
    is_lost = pl.int_range(pl.len()) % 100 < 100 * share
    return lambda rows: rows.with_columns(pl.when(~is_lost).then(pl.col(column)).alias(column))


def named_as_dropped(records: Records, table: str, column: str) -> bool:
    """Whether a night names an optional column that came last time and does not now; without others nothing is read."""
    optional = {one.name for one in columns(table) if not one.required}
    without = {table: InputFacts(absent_columns=[column])}
    return column not in optional or columns_gone(without, {"inputs": {table: {"absent_columns": []}}}) == {
        table: [column]
    }


def test_whatever_any_table_or_column_loses_is_said(records: Records, last: dict[str, pl.DataFrame]) -> None:
    silent: list[tuple[str, ...]] = []
    n = 0
    assert set(records.tables) == set(TABLES)
    for table in records.tables:
        for how, change in {
            "halved": lambda rows: rows.gather_every(2),
            "first half": lambda rows: rows.head(records.tables[table].n_good // 2),  # noqa: B023
            "no rows": lambda rows: rows.head(0),
            "twice": lambda rows: pl.concat([rows, rows]),
        }.items():
            if records.tables[table].n_good < FEWEST_CELLS or (how == "twice" and records.tables[table].n_good < 55):
                continue
            n += 1
            silent += [] if differing(records, last, table, change) else [(table, how)]
    for table, column, cells in filled(records):
        n += 1
        silent += [] if named_as_dropped(records, table, column) else [(table, column, "dropped")]
        for how, share in (("emptied", 1), ("halved", 0.5)):
            if cells == 0 or (how == "halved" and cells < FEWEST_CELLS):
                continue
            n += 1
            silent += [] if differing(records, last, table, emptied(column, share)) else [(table, column, how)]

    counted("R2.delivery_losses", n, len(silent), seed=3)
    assert silent == []


def test_the_same_delivery_and_one_of_a_week_later_say_nothing(records: Records, last: dict[str, pl.DataFrame]) -> None:
    for table in records.tables:
        assert differing(records, last, table, lambda rows: rows) == []
        # A week's worth of rows less, of five years.
        day = "checked_on" if table == "permissions" else "recorded_on"
        before = NIGHT - timedelta(days=7)
        if table != "permissions":
            assert differing(records, last, table, lambda rows: rows.filter(pl.col(day) < before)) == [], table  # noqa: B023


def test_two_columns_that_were_swapped_are_told_by_what_they_hold(records: Records) -> None:
    # Of 300 homes visited 15 in 100 have a smoker, and 2 in 100 somebody on oxygen.
    rows = {"smoker": ["yes"] * 45 + ["no"] * 255, "home_oxygen": ["yes"] * 6 + ["no"] * 294}
    visits = CheckedTable("fire_visits", pl.LazyFrame(rows), pl.DataFrame(), n_read=300, n_good=300)
    swapped = replace(visits, rows=visits.rows.rename({"smoker": "home_oxygen", "home_oxygen": "smoker"}))
    before, now = (measure_tables({"fire_visits": one}, on=NIGHT) for one in (visits, swapped))

    assert changes(before, now, records=records, limits=LIMITS) == [
        "fire_visits: home_oxygen: no in 98% of cells before, 85% now",
        "fire_visits: smoker: no in 85% of cells before, 98% now",
    ]


def test_minutes_for_hours_are_told_by_the_median(records: Records, last: dict[str, pl.DataFrame]) -> None:
    told = differing(
        records, last, "care_events", lambda rows: rows.with_columns(pl.col("planned_units_per_week") * 60)
    )

    assert [said.split(": median")[0] for said in told] == ["care_events: planned_units_per_week"]


def test_months_for_years_are_told_by_the_days(records: Records, last: dict[str, pl.DataFrame]) -> None:
    told = differing(
        records, last, "gp_patients", lambda rows: rows.with_columns(pl.col("birth_month").dt.offset_by("-90y"))
    )

    assert told == ["gp_patients: birth_month: its days are other ones than before"]


def test_rows_dated_after_the_night_and_today_are_told_without_a_last_night() -> None:
    days = pl.DataFrame({"day": [NIGHT, date(2099, 1, 1)], "n_rows": [500, 500]}, schema=BY_DAY)
    table = CheckedTable("gp_events", pl.LazyFrame(), pl.DataFrame(), n_read=1_000, n_good=1_000, by_day=days)

    assert dated_ahead({"gp_events": table}, on=NIGHT, today=NIGHT, limits=LIMITS) == [
        "gp_events: 50% of rows are dated after 2026-11-22"
    ]
    # A night of the past worked out again: its later rows are not used, and are no fault.
    assert dated_ahead({"gp_events": table}, on=NIGHT, today=date(2099, 1, 1), limits=LIMITS) == []


def test_no_figure_that_is_kept_stands_on_one_to_seven(records: Records, last: dict[str, pl.DataFrame]) -> None:
    kept = pl.concat([pl.DataFrame(schema=MEASURES), *last.values()])
    counts = kept.filter(pl.col("measure").is_in(["rows", "filled", "label"]))["value"].drop_nulls()

    counted("P4.cells", counts.len(), int((counts.is_between(1, 7) | (counts % 5 != 0)).sum()), seed=3)
    assert counts.is_between(1, 7).sum() == 0
    assert (counts % 5 != 0).sum() == 0
    told = {(table, column): n for table, column, n in filled(records)}
    medians = kept.filter(pl.col("measure").is_in(["median", "lower_quarter", "upper_quarter"])).drop_nulls("value")
    assert all(told[table, column] >= 8 for table, column in medians.select("table", "column").iter_rows())
