"""Tonight's tables held against those of the last night: did a delivery lose rows or columns, or change its meaning?

Every row of it may be possible, and the delivery wrong: half a file, a column under another name, two columns swapped,
minutes for hours. Nothing but the last delivery can tell. What differs by more than the settings allow is a stop until
a person accepts it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from ageingwell.config.change import ChangeSettings
from ageingwell.governance.night_facts import InputFacts
from ageingwell.kept.measured import MEASURED_FILE, read_measured
from ageingwell.sources.measures import HIDE_BELOW, QUARTILES
from ageingwell.sources.read import CheckedTable, Records

# Fewer cells or rows than these that come or go are no fault of a delivery.
FEWEST: Final = 10
FEWEST_MORE: Final = 50
# A label of which twice as many come, or half as many, though they are few of all; 2 cells in 100 at least.
_TIMES: Final = 2.0
_FEW_IN_ALL: Final = 0.02
# All three quarters so many times higher or lower are another unit.
_OTHER_UNIT: Final = 2.5
# Days move on by themselves: a column of days is given two months of spread at least.
_DAYS: Final = 60.0

Key = tuple[str, str | None, str, str | None]


@dataclass(frozen=True)
class Measured:
    """The figures of one delivery (`MEASURES`), to be asked one by one."""

    values: Mapping[Key, float | None]

    @classmethod
    def of(cls, measures: pl.DataFrame) -> "Measured":
        """The figures of a frame."""
        return cls({(table, column, measure, level): value for table, column, measure, level, value in measures.rows()})

    def tables(self) -> list[str]:
        """The tables that were measured."""
        return sorted({table for table, _, _, _ in self.values})

    def columns(self, table: str) -> list[str]:
        """The columns of a table that were measured."""
        return sorted({column for name, column, _, _ in self.values if name == table and column is not None})

    def labels(self, table: str, column: str) -> list[str]:
        """The labels of a column that were counted."""
        found = (level for name, of, _, level in self.values if (name, of) == (table, column) and level is not None)
        return sorted(found)

    def count(self, table: str, column: str | None, measure: str, level: str | None = None, *, few: float) -> float:
        """A count; `few` where it is 1 to 7 and was hidden, 0 where there is none."""
        value = self.values.get((table, column, measure, level), 0.0)
        return few if value is None else value

    def quarters(self, table: str, column: str) -> tuple[float, float, float] | None:
        """The lower quarter, median and upper quarter of a column; None where too few values stand behind them."""
        low, middle, high = (self.values.get((table, column, name, None)) for name in QUARTILES)
        return None if low is None or middle is None or high is None else (low, middle, high)


def changes(before: pl.DataFrame, now: pl.DataFrame, *, records: Records, limits: ChangeSettings) -> list[str]:
    """Say, table by table and column by column, what differs by more than may be. Nothing of it names a person.

    A table or a column that did not come at all is not asked here: the night is degraded, and every page names it.
    """
    then, tonight = Measured.of(before), Measured.of(now)
    told: list[str] = []
    for table in then.tables():
        if table not in records.tables:
            continue
        told += _rows(table, then, tonight, limits)
        # A column that did not come at all is named on every page, and makes the night a degraded one.
        elsewhere = (*records.tables[table].not_held_columns, *records.tables[table].absent_columns)
        for column in then.columns(table):
            if column not in elsewhere:
                told += _column(table, column, then, tonight, limits)
    return told


def _rows(table: str, then: Measured, now: Measured, limits: ChangeSettings) -> Iterator[str]:
    before = then.count(table, None, "rows", few=HIDE_BELOW - 1)
    here = now.count(table, None, "rows", few=1)
    if before and not here:
        yield f"{table}: {_rough(before)} rows before, none now"
    elif before - here >= FEWEST and here < (1 - limits.max_lost_share_of_rows) * before:
        yield f"{table}: {_rough(before)} rows before, {_rough(here)} now"
    elif here - before >= FEWEST_MORE and here > (1 + limits.max_grown_share_of_rows) * before:
        yield f"{table}: {_rough(before)} rows before, {_rough(here)} now, so many more"


def _rough(count: float) -> str:
    return f"1 to {HIDE_BELOW - 1}" if 0 < count < HIDE_BELOW else f"{count:,.0f}"


def _column(table: str, column: str, then: Measured, now: Measured, limits: ChangeSettings) -> Iterator[str]:
    rows_then = max(then.count(table, None, "rows", few=1), 1.0)
    rows_now = now.count(table, None, "rows", few=HIDE_BELOW - 1)
    filled_then, filled_now = (each.count(table, column, "filled", few=HIDE_BELOW - 1) for each in (then, now))
    expected = filled_then / rows_then * rows_now
    is_less = expected - filled_now >= FEWEST / 2 and filled_now < (1 - limits.max_lost_share_of_values) * expected
    if is_less or (filled_then and rows_now and not filled_now):
        shares = _share(filled_then, rows_then), _share(filled_now, rows_now)
        yield f"{table}: {column} filled in {shares[0]} of rows before, {shares[1]} now"
        return
    moved = _moved_label(table, column, then, now, limits) or _moved_median(table, column, then, now, limits)
    if moved is not None:
        yield f"{table}: {column}: {moved}"


def _share(part: float, whole: float) -> str:
    return f"{min(part / whole, 1.0):.0%}" if whole and part else "none"


def _moved_label(table: str, column: str, then: Measured, now: Measured, limits: ChangeSettings) -> str | None:
    whole_then = then.count(table, column, "filled", few=HIDE_BELOW - 1)
    whole_now = now.count(table, column, "filled", few=HIDE_BELOW - 1)
    if min(whole_then, whole_now) < FEWEST:
        return None
    for label in then.labels(table, column):
        # A hidden count is taken as the one that moved least.
        was, here = (each.count(table, column, "label", label, few=-1.0) for each in (then, now))
        was, here = _nearest(was, here), _nearest(here, was)
        before, after = was / whole_then, here / whole_now
        # Of the labels that are there now, as many as that share of all would be.
        if abs(after - before) * min(whole_then, whole_now) < FEWEST:
            continue
        few = min(before, after) * _TIMES <= max(before, after) and abs(after - before) >= _FEW_IN_ALL
        if few or abs(after - before) > limits.max_moved_share_of_labels:
            return f"{label} in {before:.0%} of cells before, {after:.0%} now"
    return None


def _nearest(count: float, other: float) -> float:
    """What a hidden count of 1 to 7 may be at the nearest to another count."""
    return count if count >= 0 else min(max(other, 1.0), float(HIDE_BELOW - 1))


def _moved_median(table: str, column: str, then: Measured, now: Measured, limits: ChangeSettings) -> str | None:
    was, here = then.quarters(table, column), now.quarters(table, column)
    if was is None or here is None:
        return None
    are_days = column.endswith("_on") or column == "birth_month"
    least = _DAYS if are_days else max(abs(was[1]) / 4, 0.25)
    # The middle half of a normal distribution is 1.349 of its standard deviations wide.
    spread = max((was[2] - was[0]) / 1.349, least)
    is_far = abs(here[1] - was[1]) > limits.max_moved_spreads_of_numbers * spread
    if not is_far and (are_days or not _is_other_unit(was, here)):
        return None
    return "its days are other ones than before" if are_days else f"median {was[1]:g} before, {here[1]:g} now"


def _is_other_unit(was: Iterable[float], here: Iterable[float]) -> bool:
    pairs = list(zip(was, here, strict=True))
    if any(before <= 0 or after <= 0 for before, after in pairs):
        return False
    times = [after / before for before, after in pairs]
    return all(one >= _OTHER_UNIT for one in times) or all(one <= 1 / _OTHER_UNIT for one in times)


def dated_ahead(tables: Mapping[str, CheckedTable], *, on: date, today: date, limits: ChangeSettings) -> list[str]:
    """The tables of which too many rows were recorded after both the night and today: a sender's clock is wrong."""
    latest = max(on, today)
    told = []
    for name, table in sorted(tables.items()):
        ahead = table.n_dated_ahead(latest)
        if ahead >= FEWEST and ahead > limits.max_share_dated_ahead * table.n_good:
            told.append(f"{name}: {ahead / table.n_good:.0%} of rows are dated after {latest}")
    return told


def older_than_last(folder: Path | None, now: pl.DataFrame) -> list[str]:
    """The tables whose newest record is older than that of the last delivery: an older extract was sent again."""
    before = None if folder is None else read_measured(folder)
    if before is None:
        return []
    then, tonight = (Measured.of(one).values for one in (before, now))
    newest = {table: value for (table, _, measure, _), value in tonight.items() if measure == "newest"}
    older = (
        table
        for (table, _, measure, _), value in then.items()
        if measure == "newest" and value is not None and (here := newest.get(table)) is not None and here < value
    )
    return sorted(older)


def same_as_last(inputs: Mapping[str, InputFacts], last: Mapping[str, Any] | None, *, on: date) -> list[str]:
    """The tables of which the very same files came as on an earlier night, whose manifest is `last`.

    >>> file = {"files": [{"file": "homes.csv", "sha256": "ab"}]}
    >>> same_as_last({"homes": file}, {"as_of": "2026-11-15", "inputs": {"homes": file}}, on=date(2026, 11, 22))
    ['homes']
    """
    if last is None or last.get("as_of") == on.isoformat():
        return []
    before = last.get("inputs", {})
    return [name for name, told in inputs.items() if _hashes(told) and _hashes(told) == _hashes(before.get(name, {}))]


def _hashes(told: Mapping[str, Any]) -> list[str]:
    return [file["sha256"] for file in told.get("files", [])]


def differences_since(folder: Path | None, now: pl.DataFrame, *, records: Records, limits: ChangeSettings) -> list[str]:
    """What differs by more than may be from the deliveries of an earlier night, in `folder`; nothing without one."""
    if folder is None or not (folder / MEASURED_FILE).exists():
        return []
    before = read_measured(folder)
    if before is None:
        return [f"{MEASURED_FILE} of the night {folder.name} cannot be read, so nothing can be compared with it"]
    return changes(before, now, records=records, limits=limits)
