"""One bad cell in an optional column, of every kind, in every table: the row stays and the cell is counted once."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.tables import good_rows, pseudonym, read, refusals, spoilt, write_csv
from polars.testing import assert_frame_equal

from ageingwell.contracts.fields import RULES
from ageingwell.contracts.registry import TABLES, Column, columns
from ageingwell.sources.read import CheckedTable


@dataclass(frozen=True)
class Bad:
    """A text, and the rule that it breaks as a cell of one column."""

    column: str
    text: str
    rule: str


UNREADABLE = {
    "date": ("not_a_date", ("2024-02-30", "03/04/2024", "soon", "45000")),
    "number": ("not_a_number", ("a lot", "18,50", "inf")),
    "whole": ("not_a_whole_number", ("one", "1.5")),
}
PLACEHOLDERS = ("1900-01-01", "0001-01-01", "9999-12-31")
# What an agency may say of an opt-out only in a form that can be read: whom or which home it concerns.
NEVER_EMPTIED = {("permissions", "person_id"), ("permissions", "household_id")}
# Rules across columns would speak of these; the cells that they need stay as they are or are given.
BESIDE: dict[tuple[str, str], dict[str, str | None]] = {
    ("contacts", "person_id"): {"household_id": pseudonym(5)},
    ("care_events", "ended_on"): {"ended_recorded_on": None},
}


def bad_cells(table: str, column: Column) -> list[Bad]:
    rule, texts = UNREADABLE.get(column.kind, ("", ()))
    bad = [Bad(column.name, text, rule) for text in texts]
    if column.kind == "date" and column.placeholder is not None:
        bad += [Bad(column.name, day, "placeholder_day") for day in PLACEHOLDERS]
    if column.labels:
        bad.append(Bad(column.name, "No such label", "unknown_label"))
    for check in TABLES[table].to_schema().columns[column.name].checks:
        limits = check.statistics or {}
        bad += [Bad(column.name, "No such shape!", "wrong_shape")] if "pattern" in limits else []
        bad += [Bad(column.name, str(limits["min_value"] - 1), "out_of_range")] if "min_value" in limits else []
        bad += [Bad(column.name, str(limits["max_value"] + 1), "out_of_range")] if "max_value" in limits else []
    if (table, column.name) == ("gp_prescriptions", "dmd_code"):
        bad.append(Bad("dmd_code", "42104411000001109", "bad_check_digit"))
    return bad


OPTIONAL = [
    (table, bad)
    for table in TABLES
    for column in columns(table)
    if not column.required and (table, column.name) not in NEVER_EMPTIED
    for bad in bad_cells(table, column)
]
REQUIRED = [
    (table, bad)
    for table in TABLES
    for column in columns(table)
    if column.required or (table, column.name) in NEVER_EMPTIED
    for bad in bad_cells(table, column)
    if column.name != "birth_month" or bad.rule != "placeholder_day"
]


def read_rows(folder: Path, table: str, bad: list[Bad], *, emptied: bool = False) -> CheckedTable:
    """A good row, then for each bad cell a row that has it, or nothing in its place, and another good row."""
    folder.mkdir()
    rows = good_rows(table, 2 * len(bad) + 1)
    for row, cell in zip(rows[1::2], bad, strict=True):
        row |= {**BESIDE.get((table, cell.column), {}), cell.column: None if emptied else cell.text}
    write_csv(folder / f"{table}.csv", rows)
    return read(table, folder)


def in_their_rows(bad: list[Bad]) -> list[tuple[int, Bad]]:
    """Each bad cell with the number of its row, counted from 1."""
    return [(2 * number, cell) for number, cell in enumerate(bad, start=1)]


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_a_bad_cell_of_an_optional_column_is_emptied_and_counted_once(table: str, tmp_path: Path) -> None:
    bad = [cell for name, cell in OPTIONAL if name == table]
    checked = read_rows(tmp_path / "bad", table, bad)
    empty = read_rows(tmp_path / "empty", table, bad, emptied=True)

    assert refusals(checked) == []
    told = Counter((cell.column, cell.rule) for cell in bad)
    assert checked.emptied.rows() == [(*what, n) for what, n in sorted(told.items())]
    assert checked.emptied_cells.rows() == [
        (f"{table}.csv", row, cell.column, [cell.rule]) for row, cell in in_their_rows(bad)
    ]
    # Each row says what it would say had nobody written anything there, and its neighbours what they said.
    assert_frame_equal(checked.rows.collect(), empty.rows.collect())
    assert empty.emptied.is_empty()


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_a_bad_cell_of_a_required_column_refuses_its_row_alone(table: str, tmp_path: Path) -> None:
    bad = [cell for name, cell in REQUIRED if name == table]
    checked = read_rows(tmp_path / "bad", table, bad)

    found = refusals(checked)
    assert {row for row, _, _ in found} == {row for row, _ in in_their_rows(bad)}
    for at, cell in in_their_rows(bad):
        # A code that is no code breaks the rule of its check digit as well.
        assert any(row == at and name == cell.column and cell.rule in rules for row, name, rules in found), cell
    assert checked.n_good == len(bad) + 1
    assert checked.emptied.is_empty()


def test_every_optional_column_that_promises_anything_is_tried() -> None:
    free: set[tuple[str, str]] = set()
    promising = {
        (table, column.name)
        for table in TABLES
        for column in columns(table)
        if not column.required and (column.kind != "label" or column.labels)
    }

    assert {(table, bad.column) for table, bad in OPTIONAL} == promising - free - NEVER_EMPTIED
    assert {bad.rule for _, bad in OPTIONAL} <= set(RULES)


@pytest.mark.parametrize("table", TABLES)
def test_all_optional_cells_of_a_row_bad_at_once_leave_the_row(table: str, tmp_path: Path) -> None:
    kept = {"contacts": {"person_id"}, "gp_prescriptions": {"bnf_code"}}.get(table, set())
    first = {bad.column: bad for name, bad in reversed(OPTIONAL) if name == table and bad.column not in kept}
    write_csv(
        tmp_path / f"{table}.csv", spoilt(good_rows(table, 3), 1, **{name: bad.text for name, bad in first.items()})
    )

    checked = read(table, tmp_path)

    assert refusals(checked) == []
    assert checked.emptied.rows() == sorted((bad.column, bad.rule, 1) for bad in first.values())


@pytest.mark.parametrize("dtype", ["list", "bytes"])
@pytest.mark.parametrize("table", TABLES)
def test_columns_of_a_type_that_holds_nothing_readable_are_emptied(table: str, dtype: str, tmp_path: Path) -> None:
    kept = {"contacts": "person_id", "gp_prescriptions": "bnf_code"}.get(table, "")
    wanted = sorted(
        column.name
        for column in columns(table)
        if not (column.required or column.name == kept or (table, column.name) in NEVER_EMPTIED)
    )
    cells = [["x"]] * 2 if dtype == "list" else [b"\xff"] * 2
    rows = pl.DataFrame(good_rows(table, 2), infer_schema_length=None)
    rows.with_columns(pl.Series(name, cells) for name in wanted).write_parquet(tmp_path / f"{table}.parquet")

    checked = read(table, tmp_path)

    assert refusals(checked) == []
    assert checked.emptied.select("column", "n_cells").rows() == [(name, 2) for name in wanted]
    assert sorted(checked.badly_read) == wanted


# --- What follows for people ---


@pytest.mark.parametrize("column", ["died_on", "died_recorded_on", "left_on", "left_recorded_on", "household_id"])
@pytest.mark.parametrize("text", ["31/02/2024", "not known", "1900-01-01"])
def test_an_end_or_home_that_cannot_be_read_is_never_taken_for_none(column: str, text: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "gp_patients.csv", spoilt(good_rows("gp_patients", 3), 1, **{column: text}))

    checked = read("gp_patients", tmp_path)

    is_only_a_day_of_recording = text == "1900-01-01" and column.endswith("recorded_on")
    held = [] if is_only_a_day_of_recording else [(pseudonym(2), date(2024, 6, 11), column)]
    assert checked.unread_people.rows() == held
    assert checked.n_good == 3


@pytest.mark.parametrize("column", ["from_on", "to_on"])
@pytest.mark.parametrize("text", ["31/02/2024", "until further notice", "1900-01-01", "9999-12-31"])
def test_a_day_of_an_opt_out_that_cannot_be_read_keeps_it_in_force(column: str, text: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "permissions.csv", spoilt(good_rows("permissions", 3), 1, **{column: text}))

    checked = read("permissions", tmp_path)

    assert checked.rows.collect()[column].is_null().to_list() == [False, True, False]
    assert checked.emptied["column"].to_list() == [column]


def test_rules_across_columns_are_tested_on_what_is_left(tmp_path: Path) -> None:
    rows = spoilt(good_rows("gp_prescriptions", 2), 0, bnf_code="atorvastatin 20mg", dmd_code=None)
    write_csv(tmp_path / "gp_prescriptions.csv", rows)

    checked = read("gp_prescriptions", tmp_path)

    assert refusals(checked) == [(1, "issued_on", ["one_of_two_needed"])]
    assert checked.emptied.rows() == [("bnf_code", "wrong_shape", 1)]


def test_a_column_mostly_unreadable_is_told_and_one_half_readable_is_not(tmp_path: Path) -> None:
    for n_bad, told in ((2, ()), (3, ("unit_cost",))):
        (folder := tmp_path / str(n_bad)).mkdir()
        rows = good_rows("care_events", 5)
        costs = ["a lot"] * n_bad + ["18.50"] * 2
        write_csv(folder / "care_events.csv", [row | {"unit_cost": cost} for row, cost in zip(rows, [*costs, None])])

        checked = read("care_events", folder)

        assert checked.badly_read == told
        assert checked.n_refused == 0
