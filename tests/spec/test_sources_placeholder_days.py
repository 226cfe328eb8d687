"""Days that stand for no day, over every day column of every table: each has one stated rule, in CSV and in Parquet."""

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
from helpers.tables import good_rows, pseudonym, read, refusals, spoilt, write_csv

from ageingwell.config.score import TableSettings
from ageingwell.contracts.registry import TABLES, columns
from ageingwell.permissions import in_force
from ageingwell.sources.read import CheckedTable, read_agencies

LOW = ("0000-00-00", "0001-01-01", "1753-01-01", "1801-01-01", "1899-12-30", "1900-01-01")
NOUGHT = ("1970-01-01",)
FAR = ("2099-01-01", "2099-12-31", "3000-01-01", "9999-12-31")
# What is stated, by hand: column, low days, 1970-01-01, far days.
STATED = {
    "gp_patients": {
        "moved_in_on": "empty empty empty",
        "registered_on": "refused kept refused",
        "left_on": "empty empty empty",
        "left_recorded_on": "empty empty empty",
        "died_on": "empty empty empty",
        "died_recorded_on": "empty empty empty",
        "recorded_on": "refused kept refused",
    },
    "gp_events": {"happened_on": "empty empty empty", "recorded_on": "refused kept refused"},
    "gp_prescriptions": {"issued_on": "refused kept refused", "recorded_on": "refused kept refused"},
    "hospital_events": {
        "started_on": "refused kept refused",
        "ended_on": "empty empty empty",
        "recorded_on": "refused kept refused",
    },
    "care_events": {
        "started_on": "refused kept refused",
        "ended_on": "empty empty empty",
        "ended_recorded_on": "empty empty empty",
        "recorded_on": "refused kept refused",
        "died_on": "empty empty empty",
    },
    "homes": {"epc_inspected_on": "empty empty empty", "recorded_on": "refused kept refused"},
    "housing_events": {"happened_on": "refused kept refused", "recorded_on": "refused kept refused"},
    "fire_visits": {"visited_on": "refused kept refused", "recorded_on": "refused kept refused"},
    "fire_incidents": {"happened_on": "refused kept refused", "recorded_on": "refused kept refused"},
    "permissions": {
        "from_on": "empty empty empty",
        "to_on": "empty empty empty",
        "checked_on": "refused kept refused",
    },
    "contacts": {"contacted_on": "refused kept refused", "recorded_on": "refused kept refused"},
}
CASES = [
    (name, column, day, becomes)
    for name, days in STATED.items()
    for column, stated in days.items()
    for kind, becomes in zip((LOW, NOUGHT, FAR), stated.split())
    for day in kind
    if becomes != "kept"
]
# Cells that other rules hold against the one under test are emptied.
ALONE = {"gp_patients": {"moved_in_on": None}, "care_events": {"ended_recorded_on": None}}


def test_every_day_column_has_its_rule_stated_here_and_birth_months_have_their_own() -> None:
    days = {(name, column.name) for name in TABLES for column in columns(name) if column.kind == "date"}

    assert days - {(name, column) for name, stated in STATED.items() for column in stated} == {
        ("gp_patients", "birth_month")
    }


def rows_with(name: str, cells: list[tuple[str, str | None]]) -> list[dict[str, str | None]]:
    """A good row, and one for each of the cells (its column, and what stands there)."""
    rows = good_rows(name, len(cells) + 1)
    for at, (column, day) in enumerate(cells, start=1):
        changes = {key: value for key, value in ALONE.get(name, {}).items() if key != column}
        rows = spoilt(rows, at, **{**changes, column: day})
    return rows


def written_as(how: str, folder: Path, name: str, column: str, days: list[str]) -> Path:
    """The rows of a table whose column holds these days, in CSV or typed in Parquet."""
    folder.mkdir()
    rows = rows_with(name, [(column, day) for day in days])
    if how == "csv":
        write_csv(folder / f"{name}.csv", rows)
        return folder
    frame = pl.DataFrame(rows, infer_schema_length=None)
    typed = {"date": pl.Date, "us": pl.Datetime("us"), "utc": pl.Datetime("ms", "UTC")}
    frame = frame.with_columns(pl.col(column).str.to_date().cast(pl.Datetime("us")))
    if how == "int96":
        _write_int96(frame, folder / f"{name}.parquet")
    elif how == "utc":
        frame.with_columns(pl.col(column).dt.replace_time_zone("UTC")).write_parquet(folder / f"{name}.parquet")
    else:
        frame.with_columns(pl.col(column).cast(typed[how])).write_parquet(folder / f"{name}.parquet")
    return folder


def _write_int96(frame: pl.DataFrame, path: Path) -> None:
    """As Spark and Hive write a time stamp."""
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(frame.to_arrow(), path, use_deprecated_int96_timestamps=True, store_schema=False)


Told = dict[tuple[str, int], tuple[str, ...]]


def refused(checked: CheckedTable) -> Told:
    """The rules of every refused row, by its column and number."""
    return {(column or "", row): tuple(rules) for row, column, rules in refusals(checked)}


def emptied(checked: CheckedTable) -> Told:
    """The rules of every emptied cell, by its column and row."""
    cells = checked.emptied_cells.select("column", "row_number", "rules").rows()
    return {(column, row): tuple(rules) for column, row, rules in cells}


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_a_day_that_stands_for_none_is_refused_or_read_as_empty_by_the_rule_of_its_column(
    name: str, tmp_path: Path
) -> None:
    """Each column and day stands in a row of its own."""
    cases = [(column, day, becomes) for of, column, day, becomes in CASES if of == name]
    wanted = {becomes: {} for becomes in ("refused", "empty")}
    for row, (column, _, becomes) in enumerate(cases, start=2):
        wanted[becomes][column, row] = ("placeholder_day",)
    write_csv(tmp_path / f"{name}.csv", rows_with(name, [(column, day) for column, day, _ in cases]))
    (tmp_path / "empty").mkdir()
    without = [(column, day if becomes == "refused" else None) for column, day, becomes in cases]
    write_csv(tmp_path / "empty" / f"{name}.csv", rows_with(name, without))

    checked, empty = read(name, tmp_path), read(name, tmp_path / "empty")

    assert refused(checked) == wanted["refused"]
    assert emptied(checked) == wanted["empty"]
    assert checked.rows.collect().equals(empty.rows.collect())
    assert checked.n_good == 1 + len(wanted["empty"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "column"), [("gp_patients", "left_on"), ("hospital_events", "ended_on"), ("homes", "recorded_on")]
)
def test_typed_days_are_read_as_the_same_days_in_csv(name: str, column: str, tmp_path: Path) -> None:
    days = [*LOW[1:], *NOUGHT, *FAR, "2024-06-30"]
    as_text = read(name, written_as("csv", tmp_path / "csv", name, column, days))
    assert {row for _, row in {**refused(as_text), **emptied(as_text)}} >= set(range(2, 7))

    for how in ("date", "us", "utc", "int96"):
        typed = read(name, written_as(how, tmp_path / how, name, column, days))

        assert (refused(typed), emptied(typed)) == (refused(as_text), emptied(as_text)), how
        assert typed.rows.collect().equals(as_text.rows.collect()), how


def test_days_of_the_year_5_000_000_are_no_days(tmp_path: Path) -> None:
    for number, dtype in enumerate((pl.Date, pl.Datetime("ms"), pl.Datetime("us"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        far = pl.Series([2**31 - 1 if dtype == pl.Date else 2**62]).cast(pl.Int32 if dtype == pl.Date else pl.Int64)
        frame = pl.DataFrame(good_rows("homes", 1), infer_schema_length=None).with_columns(
            far.cast(dtype).alias("epc_inspected_on")
        )
        frame.write_parquet(folder / "homes.parquet")

        assert read("homes", folder).emptied.rows() == [("epc_inspected_on", "not_a_date", 1)]


# --- What follows for people ---


def test_the_end_of_those_still_registered_is_no_end(tmp_path: Path) -> None:
    rows = [row | {"left_on": "9999-12-31", "died_on": "9999-12-31"} for row in good_rows("gp_patients", 3)]
    write_csv(tmp_path / "gp_patients.csv", rows)

    checked = read("gp_patients", tmp_path)

    assert checked.rows.select("left_on", "died_on").collect().rows() == [(None, None)] * 3
    assert checked.emptied.rows() == [("died_on", "placeholder_day", 3), ("left_on", "placeholder_day", 3)]


@pytest.mark.parametrize(
    "changes",
    [
        {"died_on": "1900-01-01"},
        {"died_on": "1970-01-01", "died_recorded_on": "2024-05-01"},
        {"died_on": None, "died_recorded_on": "2024-05-01"},
        {"died_on": "9999-12-31", "died_recorded_on": "2024-05-01"},
        {"died_on": "2026-01-01"},
        {"left_on": "1801-01-01"},
    ],
    ids=str,
)
def test_an_end_of_unknown_day_holds_the_person_and_never_vanishes(
    changes: dict[str, str | None], tmp_path: Path
) -> None:
    write_csv(tmp_path / "gp_patients.csv", spoilt(good_rows("gp_patients", 3), 1, **changes))

    checked = read("gp_patients", tmp_path)

    # A death without a day breaks a rule across columns; a day that stands for none empties its cell and no more.
    people = pl.concat([checked.refused_people, checked.unread_people.drop("column")])
    assert people.unique().rows() == [(pseudonym(2), date(2024, 6, 11))]
    assert checked.rows.filter(pl.col("person_id") == pseudonym(2)).collect()["died_on"].to_list() in ([], [None])


@pytest.mark.parametrize("to_on", ["0001-01-01", "1899-12-30", "1900-01-01", "1970-01-01", "1999-12-31"])
@pytest.mark.parametrize("kind", ["type_1", "national", "objection", "restriction", "safeguarding", "staff_safety"])
@pytest.mark.parametrize("subject", ["person_id", "household_id"])
def test_an_opt_out_that_ends_before_there_were_any_has_no_end(
    to_on: str, kind: str, subject: str, tmp_path: Path
) -> None:
    ends = {"person_id": None, "household_id": None, subject: pseudonym(2)}
    rows = spoilt(good_rows("permissions", 40), 7, **ends, kind=kind, from_on=None, to_on=to_on)
    write_csv(tmp_path / "permissions.csv", rows)
    settings = {"permissions": TableSettings(required=True)}

    records = read_agencies(tmp_path, settings, workspace=tmp_path / "w", max_refused_share=0.5, only=("permissions",))

    opted = in_force(records.tables["permissions"].rows, on=date(2026, 11, 22))
    assert opted.filter(pl.col("from_on").is_null()).select(subject, "kind").rows() == [(pseudonym(2), kind)]
    assert records.tables["permissions"].emptied.rows() == [("to_on", "placeholder_day", 1)]


def test_an_opt_out_without_an_end_may_say_9999(tmp_path: Path) -> None:
    write_csv(tmp_path / "permissions.csv", [row | {"to_on": "9999-12-31"} for row in good_rows("permissions", 2)])

    assert read("permissions", tmp_path).rows.collect()["to_on"].to_list() == [None, None]


def test_a_reckoned_day_of_recording_rests_on_no_placeholder(tmp_path: Path) -> None:
    rows = spoilt(good_rows("care_events", 2), 0, started_on="9999-12-31", ended_on=None, ended_recorded_on=None)
    write_csv(tmp_path / "care_events.csv", [{k: v for k, v in row.items() if k != "recorded_on"} for row in rows])

    checked = read("care_events", tmp_path, recorded_on="started_on + 30d")

    assert (1, "started_on", ["placeholder_day"]) in refusals(checked)
    assert checked.n_good == 1


def test_a_birth_month_keeps_its_own_rules(tmp_path: Path) -> None:
    for number, day in enumerate(("1900-01-01", "9999-12-01", "0001-01-01")):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_csv(folder / "gp_patients.csv", spoilt(good_rows("gp_patients", 2), 0, birth_month=day))

        assert "impossible_age" in [rule for _, at, rules in refusals(read("gp_patients", folder)) for rule in rules
                                    if at == "birth_month"]  # fmt: skip


# --- Rows dated ahead ---


@pytest.mark.parametrize("name", TABLES)
def test_one_row_dated_ahead_never_says_how_new_a_table_is(name: str, tmp_path: Path) -> None:
    day = "checked_on" if name == "permissions" else "recorded_on"
    write_csv(tmp_path / f"{name}.csv", spoilt(good_rows(name, 4), 2, **{day: "2050-11-01"}))

    checked = read(name, tmp_path)

    assert checked.newest_on == date(2050, 11, 1)
    assert checked.newest_known(date(2026, 11, 22)) == date(2024, 6, 11)
    assert checked.n_dated_ahead(date(2026, 11, 22)) == 1
    assert checked.newest_known(date(2020, 1, 1)) is None
    assert (checked.newest_known(date(2050, 11, 1)), checked.n_dated_ahead(date(2050, 11, 1))) == (date(2050, 11, 1), 0)


def test_the_last_moment_of_9999_is_no_day(tmp_path: Path) -> None:
    frame = pl.DataFrame(good_rows("homes", 1)).with_columns(
        pl.Series("epc_inspected_on", [datetime(9999, 12, 31, 23, 59, 59)])
    )
    frame.write_parquet(tmp_path / "homes.parquet")

    assert read("homes", tmp_path).emptied.rows() == [("epc_inspected_on", "placeholder_day", 1)]
