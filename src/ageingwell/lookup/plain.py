"""The loops of `kernel.py` in plain NumPy, to the same bits: nothing to compile, at a quarter of the speed.

For curves and small forests that is soon enough. Bits are the same because every number that is added up is a whole
number of units (see `grid.py`), and a curve's height is worked out by the same steps.
"""

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.curves import draw_curves
from ageingwell.lookup.edges import edges_below
from ageingwell.lookup.readings import KINDS
from ageingwell.lookup.trees import NEARLY_ZERO

if TYPE_CHECKING:
    from ageingwell.lookup.tables import LookupTables

Array = NDArray[Any]
NAN_LEFT, NAN_RIGHT, ZERO_LEFT, ZERO_RIGHT, CATEGORIES = (
    KINDS.index(kind) for kind in ("nan_left", "nan_right", "zero_left", "zero_right", "categories")
)
# Categories below this are looked up; others are searched for.
FEW_CATEGORIES = 1 << 16
# The columns of a tile, its codes and a group's tables stay in the processor's own memory.
ROWS_IN_A_TILE = 8192


class GroupPlan(NamedTuple):
    """A group as loops take it: its conditions (reading, cut, stride), and a table for each feature it adds to."""

    conditions: list[tuple[int, int, int]]
    tables: list[tuple[int, Array]]


def plan_of(tables: "LookupTables") -> list[GroupPlan]:
    """The groups of some tables."""
    conditions = list(
        zip(tables.condition_reading.tolist(), tables.condition_cut.tolist(), tables.condition_stride.tolist())
    )
    starts = tables.condition_start.tolist()
    plans = [GroupPlan(conditions[first:stop], []) for first, stop in pairwise(starts)]
    feature = np.repeat(tables.run_feature, np.diff(tables.entry_start))
    block = np.repeat(np.arange(len(tables.run_start) - 1), np.diff(tables.run_start))
    group = tables.block_start[np.repeat(block, np.diff(tables.entry_start))] + tables.entry_group
    stops = tables.entry_table + tables.entry_outcomes
    for of, to, start, stop in zip(
        group.tolist(), feature.tolist(), tables.entry_table.tolist(), stops.tolist(), strict=True
    ):
        plans[of].tables.append((to, tables.entries[start:stop]))
    return plans


def read_levels(columns: Array, level_start: Array, levels: Array, rows: int) -> None:
    """Put what the trees see, `levels[code]`, in place of each code; the last level for a code that was never seen."""
    for feature in np.flatnonzero(np.diff(level_start)).tolist():
        numbers, codes = levels[level_start[feature] : level_start[feature + 1]], columns[feature, :rows]
        last = len(numbers) - 1
        columns[feature, :rows] = numbers[np.where((codes >= 0) & (codes < last), codes, last).astype(np.intp)]


def encode(
    columns: Array, feature: Array, kind: Array, edge_start: Array, edges: Array, codes: Array, rows: int
) -> None:
    """Write the code of every reading: `codes[reading, row]`. For the kinds see `readings.py`."""
    last, number, whole_of, whole = -1, np.zeros(0), -1, np.zeros(0, np.intp)
    for reading, (of, how) in enumerate(zip(feature.tolist(), kind.tolist())):
        ours = edges[edge_start[reading] : edge_start[reading + 1]]
        values, code = columns[of, :rows], codes[reading, :rows]
        if how == CATEGORIES:
            if of != whole_of:
                whole_of, whole = of, _whole_numbers(values)
            code[:] = _not_among(whole, ours)
            continue
        if of != last:
            last, number = of, _as_numbers(values)
        code[:] = edges_below(number, ours)
        if how in (NAN_LEFT, NAN_RIGHT):
            code[np.isnan(values)] = len(ours) if how == NAN_RIGHT else 0
        elif how in (ZERO_LEFT, ZERO_RIGHT):
            code[number == 0.0] = len(ours) if how == ZERO_RIGHT else 0


def _as_numbers(values: Array) -> Array:
    """The numbers to compare with edges: 0 where a value is missing or nearly 0."""
    # A comparison with NaN is false.
    return np.where((values < -NEARLY_ZERO) | (values > NEARLY_ZERO), values, 0.0)


def _whole_numbers(values: Array) -> Array:
    """The whole part of each value, as LightGBM cuts off its fraction; -1 for what is missing, below 0 or too large."""
    # Of -1 to 0 the whole part is 0 too.
    possible = (values > -1.0) & (values < 2147483648.0)
    return np.where(possible, np.maximum(values, 0.0), -1.0).astype(np.intp)


def _not_among(whole: Array, categories: Array) -> Array:
    """Whether whole numbers are none of the categories."""
    if not categories.size or categories[-1] >= FEW_CATEGORIES:
        return ~np.isin(whole, categories)
    # One place more for what is beyond the last category; -1 leads to it as well.
    is_none = np.ones(int(categories[-1]) + 2, bool)
    is_none[categories[(categories >= 0) & (categories <= categories[-1])].astype(np.intp)] = False
    return np.take(is_none, np.minimum(whole, len(is_none) - 1), mode="wrap")


def add(codes: Array, plan: list[GroupPlan], sums: Array, rows: int) -> None:
    """Add every group's table entries to `sums[feature, row]`."""
    met, stride_of_met = np.empty(rows, bool), np.empty(rows, np.uint16)
    outcome, place, found = np.empty(rows, np.uint16), np.empty(rows, np.intp), np.empty(rows)
    for group in plan:
        outcome[:] = 0
        for reading, cut, stride in group.conditions:
            np.greater(codes[reading, :rows], codes.dtype.type(cut), out=met)
            np.multiply(met, np.uint16(stride), out=stride_of_met)
            np.add(outcome, stride_of_met, out=outcome)
        np.copyto(place, outcome)
        for feature, table in group.tables:
            # No place lies outside the table; without a mode NumPy would copy in order to check that first.
            np.take(table, place, out=found, mode="wrap")
            total = sums[feature, :rows]
            np.add(total, found, out=total)


def finish(base: float, sums: Array, log_odds: Array, rows: int) -> None:
    """Each row's base plus its sums."""
    np.sum(sums[:, :rows], axis=0, out=log_odds)
    log_odds += base


def explain_tile(
    tables: "LookupTables", columns: Array, codes: Array, outcome: Array, sums: Array, log_odds: Array, rows: int
) -> None:
    """What `kernel.explain_tile` does."""
    draw_curves(columns, tables.curves, float(tables.unit[0]), sums, rows)
    read_levels(columns, tables.level_start, tables.levels, rows)
    encode(columns, tables.feature, tables.kind, tables.edge_start, tables.edges, codes, rows)
    add(codes, tables.plan, sums, rows)
    finish(float(tables.base[0]), sums, log_odds, rows)
