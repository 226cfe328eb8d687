"""The inner loops: encode values, find each group's outcome, add its table entries.

All work on a tile of rows, column by column: `columns[feature, row]`. A row's sums are made in one fixed order that
depends on the tables alone, so they are bit for bit the same for any tile, number of threads and chunking.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.jit import jit
from ageingwell.lookup.trees import NEARLY_ZERO

Array = NDArray[Any]


@jit
def encode(columns: Array, feature: Array, kind: Array, edge_start: Array, edges: Array, codes: Array, rows: int) -> None:
    """Write the code of every reading: `codes[reading, row]`. For the kinds see `readings.py`."""
    for reading in range(len(feature)):
        first, stop = edge_start[reading], edge_start[reading + 1]
        values, code, how = columns[feature[reading]], codes[reading], kind[reading]
        for row in range(rows):
            value = values[row]
            missing = value != value
            if how == 5:
                code[row] = 0 if _among(value, edges, first, stop) else 1
                continue
            # LightGBM's own reader drops values nearly 0.
            is_zero = missing or (-NEARLY_ZERO <= value <= NEARLY_ZERO)
            if (how == 1 and missing) or (how == 3 and is_zero):
                code[row] = 0
            elif (how == 2 and missing) or (how == 4 and is_zero):
                code[row] = stop - first
            else:
                code[row] = _edges_below(0.0 if is_zero else value, edges, first, stop)


@jit
def _edges_below(value: float, edges: Array, first: int, stop: int) -> int:
    """How many of `edges[first:stop]`, ascending, lie strictly below a value; all splits send `value <= edge` left."""
    low, length = first, stop - first
    while length > 1:
        half = length // 2
        low += half if edges[low + half - 1] < value else 0
        length -= half
    return low - first + (1 if length == 1 and edges[low] < value else 0)


@jit
def _among(value: float, edges: Array, first: int, stop: int) -> bool:
    """Whether a value is one of the categories: LightGBM cuts off its fraction; what is missing or below 0 is none."""
    if not (-1.0 < value < 2147483648.0):
        return False
    whole = np.floor(max(value, 0.0))
    below = _edges_below(whole, edges, first, stop)
    return first + below < stop and edges[first + below] == whole


@jit
def add(
    codes: Array,
    condition_start: Array,
    condition_reading: Array,
    condition_cut: Array,
    condition_stride: Array,
    block_start: Array,
    run_start: Array,
    run_feature: Array,
    entry_start: Array,
    entry_group: Array,
    entry_table: Array,
    entries: Array,
    outcome: Array,
    sums: Array,
    rows: int,
) -> None:
    """Add every group's table entries to `sums[feature, row]`.

    Groups are taken in blocks: first the outcome of each group of the block, then, feature by feature, the entries of
    the block's groups, so that a row's sum is loaded and stored once for several entries.
    """
    for block in range(len(block_start) - 1):
        first_group = block_start[block]
        for group in range(first_group, block_start[block + 1]):
            here = outcome[group - first_group]
            here[:rows] = 0
            for c in range(condition_start[group], condition_start[group + 1]):
                _pass(here, codes[condition_reading[c]], condition_cut[c], condition_stride[c], rows)
        for run in range(run_start[block], run_start[block + 1]):
            total, e, stop = sums[run_feature[run]], entry_start[run], entry_start[run + 1]
            while e + 4 <= stop:
                _add_four(
                    total,
                    outcome[entry_group[e]], entries[entry_table[e] :],
                    outcome[entry_group[e + 1]], entries[entry_table[e + 1] :],
                    outcome[entry_group[e + 2]], entries[entry_table[e + 2] :],
                    outcome[entry_group[e + 3]], entries[entry_table[e + 3] :],
                    rows,
                )  # fmt: skip
                e += 4
            while e + 2 <= stop:
                _add_two(
                    total,
                    outcome[entry_group[e]], entries[entry_table[e] :],
                    outcome[entry_group[e + 1]], entries[entry_table[e + 1] :],
                    rows,
                )  # fmt: skip
                e += 2
            if e < stop:
                _add_one(total, outcome[entry_group[e]], entries[entry_table[e] :], rows)


@jit
def _pass(outcome: Array, code: Array, cut: int, stride: int, rows: int) -> None:
    """Move a row's outcome on by `stride` where its code lies above the cut."""
    for row in range(rows):
        outcome[row] += stride if code[row] > cut else outcome.dtype.type(0)


@jit
def _add_one(total: Array, a: Array, table_a: Array, rows: int) -> None:
    for row in range(rows):
        total[row] += table_a[a[row]]


@jit
def _add_two(total: Array, a: Array, table_a: Array, b: Array, table_b: Array, rows: int) -> None:
    for row in range(rows):
        total[row] += table_a[a[row]] + table_b[b[row]]


@jit
def _add_four(
    total: Array,
    a: Array,
    table_a: Array,
    b: Array,
    table_b: Array,
    c: Array,
    table_c: Array,
    d: Array,
    table_d: Array,
    rows: int,
) -> None:
    for row in range(rows):
        total[row] += (table_a[a[row]] + table_b[b[row]]) + (table_c[c[row]] + table_d[d[row]])


@jit
def finish(columns: Array, weights: Array, means: Array, base: float, sums: Array, log_odds: Array, rows: int) -> None:
    """Add the linear margin, `weight * (value - mean)` and 0 where missing, then each row's base plus its sums."""
    for row in range(rows):
        log_odds[row] = base
    for feature in range(len(weights)):
        total, values, weight, mean = sums[feature], columns[feature], weights[feature], means[feature]
        if weight != 0.0:
            for row in range(rows):
                if values[row] == values[row]:
                    total[row] += weight * (values[row] - mean)
        for row in range(rows):
            log_odds[row] += total[row]
