"""The inner loops, compiled by Numba (the extra `fast`): curves, codes, each group's outcome, its table entries.

All work on a tile of rows, column by column: `columns[feature, row]`. All that is added up is a whole number of units
(see `grid.py`), so sums are bit for bit the same for any tile, number of threads and chunking, and those of `plain.py`.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.jit import jit
from ageingwell.lookup.readings import KINDS
from ageingwell.lookup.trees import NEARLY_ZERO

if TYPE_CHECKING:
    from ageingwell.lookup.tables import LookupTables

Array = NDArray[Any]

# Numba takes these over as they are when it compiles, and compiles anew only when this file changes.
NAN_LEFT, NAN_RIGHT, ZERO_LEFT, ZERO_RIGHT, CATEGORIES = (
    KINDS.index(kind) for kind in ("nan_left", "nan_right", "zero_left", "zero_right", "categories")
)
FEW_EDGES = 256
FEW_CATEGORIES = 1 << 16
# Larger tiles read the tables less often and take more room: with 60 features, 20 MB a thread.
ROWS_IN_A_TILE = 16384
SEVERAL_ROWS = 256


@jit
def draw_curves(
    columns: Array, knot_start: Array, knots: Array, heights: Array, missing: Array, unit: float, sums: Array, rows: int
) -> None:
    """Begin `sums[feature, row]` with the height of the feature's curve at the value; 0 where it has none."""
    for feature in range(len(missing)):
        first, stop = knot_start[feature], knot_start[feature + 1]
        if first == stop:
            sums[feature, :rows] = 0.0
        else:
            _draw(columns[feature, :rows], knots[first:stop], heights[first:stop], missing[feature], sums[feature])
            for row in range(rows):
                # Adding 0 makes 0 of -0, whose bits are others.
                sums[feature, row] = np.rint(sums[feature, row] / unit) * unit + 0.0


@jit
def _draw(values: Array, at: Array, adds: Array, missing: float, total: Array) -> None:
    """The heights of a curve: straight between its knots, flat beyond them; as `curves.Curves.heights`."""
    last = len(at) - 1
    begins, origins, rises = np.empty(last + 2), np.empty(last + 2), np.zeros(last + 2)
    begins[0], origins[0] = adds[0], at[0]
    begins[1:], origins[1:] = adds, at
    for knot in range(last):
        rises[knot + 1] = (adds[knot + 1] - adds[knot]) / (at[knot + 1] - at[knot])
    stretch = np.empty(SEVERAL_ROWS, np.int64)
    for first in range(0, len(values), SEVERAL_ROWS):
        value, height = values[first : first + SEVERAL_ROWS], total[first : first + SEVERAL_ROWS]
        if last < FEW_EDGES:
            _count_below(value, at, stretch)
        else:
            for row in range(len(value)):
                stretch[row] = _edges_below(value[row], at)
        for row in range(len(value)):
            along = min(max(value[row], at[0]), at[last])
            place = stretch[row]
            height[row] = (along - origins[place]) * rises[place] + begins[place]
        for row in range(len(value)):
            height[row] = height[row] if value[row] == value[row] else missing


@jit
def _count_below(values: Array, edges: Array, count: Array) -> None:
    """How many edges lie below each value, several rows at once."""
    count[: len(values)] = 0
    for edge in edges:
        for row in range(len(values)):
            count[row] += 1 if values[row] > edge else 0


@jit
def read_levels(columns: Array, level_start: Array, levels: Array, rows: int) -> None:
    """Put what the trees see, `levels[code]`, in place of each code; the last level for a code that was never seen."""
    for feature in range(len(columns)):
        numbers, values = levels[level_start[feature] : level_start[feature + 1]], columns[feature]
        last = len(numbers) - 1
        if last >= 0:
            for row in range(rows):
                code = values[row]
                values[row] = numbers[int(code)] if code >= 0.0 and code < last else numbers[last]


@jit
def encode(
    columns: Array, feature: Array, kind: Array, edge_start: Array, edges: Array, codes: Array, rows: int
) -> None:
    """Write the code of every reading: `codes[reading, row]`. For the kinds see `readings.py`."""
    whole, whole_of = np.empty(rows, np.int64), -1
    for reading in range(len(feature)):
        ours = edges[edge_start[reading] : edge_start[reading + 1]]
        values, code = columns[feature[reading], :rows], codes[reading, :rows]
        if kind[reading] == CATEGORIES and len(ours) > 0 and ours[-1] < FEW_CATEGORIES:
            if whole_of != feature[reading]:
                _whole_numbers(values, whole)
                whole_of = feature[reading]
            _find_categories(whole, ours, code)
        elif kind[reading] == CATEGORIES:
            for row in range(rows):
                code[row] = 0 if _among(values[row], ours) else 1
        elif len(ours) <= FEW_EDGES:
            _count_edges(values, ours, code)
        else:
            for row in range(rows):
                code[row] = _edges_below(_as_number(values[row]), ours)
        _send_missing(values, kind[reading], len(ours), code)


@jit
def _whole_numbers(values: Array, whole: Array) -> None:
    """The whole part of each value, as LightGBM cuts off its fraction; `FEW_CATEGORIES` for what is no category."""
    for row in range(len(values)):
        is_small = -1.0 < values[row] < FEW_CATEGORIES
        whole[row] = int(max(values[row], 0.0)) if is_small else FEW_CATEGORIES


@jit
def _find_categories(whole: Array, categories: Array, code: Array) -> None:
    """Write 0 where a whole number is among the categories and 1 elsewhere: many splits ask, so it is looked up."""
    beyond = int(categories[-1]) + 1
    found = np.ones(beyond + 1, np.uint8)
    for category in categories:
        if 0.0 <= category < beyond:
            found[int(category)] = 0
    for row in range(len(whole)):
        code[row] = found[min(whole[row], beyond)]


@jit
def _as_number(value: float) -> float:
    """The number to compare with edges. Missing is 0; so is what is nearly 0, which LightGBM's own reader drops."""
    return value if value < -NEARLY_ZERO or value > NEARLY_ZERO else 0.0


@jit
def _send_missing(values: Array, kind: int, highest: int, code: Array) -> None:
    """Write the lowest or the highest code where the kind of reading sends a value left or right everywhere."""
    if kind in (NAN_LEFT, NAN_RIGHT):
        for row in range(len(values)):
            if values[row] != values[row]:
                code[row] = highest if kind == NAN_RIGHT else 0
    elif kind in (ZERO_LEFT, ZERO_RIGHT):
        for row in range(len(values)):
            if _as_number(values[row]) == 0.0:
                code[row] = highest if kind == ZERO_RIGHT else 0


@jit
def _count_edges(values: Array, edges: Array, code: Array) -> None:
    """Compare with every edge: for up to hundreds, faster than a search, as several rows are compared at once."""
    number, count = np.empty(SEVERAL_ROWS), np.empty(SEVERAL_ROWS)
    for first in range(0, len(values), SEVERAL_ROWS):
        rows = min(SEVERAL_ROWS, len(values) - first)
        for row in range(rows):
            number[row] = _as_number(values[first + row])
            count[row] = 0.0
        for edge in edges:
            for row in range(SEVERAL_ROWS):
                count[row] += 1.0 if number[row] > edge else 0.0
        for row in range(rows):
            code[first + row] = int(count[row])


@jit
def _edges_below(value: float, edges: Array) -> int:
    """How many edges, ascending, lie strictly below a value; all splits send `value <= edge` left."""
    low, length = 0, len(edges)
    while length > 0:
        half = length // 2
        if edges[low + half] < value:
            low, length = low + half + 1, length - half - 1
        else:
            length = half
    return low


@jit
def _among(value: float, categories: Array) -> bool:
    """Whether a value is one of the categories: LightGBM cuts off its fraction; what is missing or below 0 is none."""
    if not (-1.0 < value < 2147483648.0):
        return False
    whole = np.floor(max(value, 0.0))
    below = _edges_below(whole, categories)
    return below < len(categories) and categories[below] == whole


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
    entry_outcomes: Array,
    entries: Array,
    outcome: Array,
    sums: Array,
    rows: int,
) -> int:
    """Add every group's table entries to `sums[feature, row]`.

    Groups are taken in blocks: first the outcome of each group of the block, then, feature by feature, the entries of
    the block's groups, so that a row's sum is loaded and stored once for several entries.
    """
    bits, touched = entries.view(np.int64), 0
    for block in range(len(block_start) - 1):
        first_group = block_start[block]
        for group in range(first_group, block_start[block + 1]):
            first, stop = condition_start[group], condition_start[group + 1]
            _find_outcome(
                outcome[group - first_group],
                codes,
                condition_reading[first:stop],
                condition_cut[first:stop],
                condition_stride[first:stop],
                rows,
            )
        for run in range(run_start[block], run_start[block + 1]):
            total, e, stop = sums[run_feature[run]], entry_start[run], entry_start[run + 1]
            for ahead in range(e, stop):
                touched ^= _touch(bits[entry_table[ahead] : entry_table[ahead] + entry_outcomes[ahead]])
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
            if e + 3 == stop:
                _add_three(
                    total,
                    outcome[entry_group[e]], entries[entry_table[e] :],
                    outcome[entry_group[e + 1]], entries[entry_table[e + 1] :],
                    outcome[entry_group[e + 2]], entries[entry_table[e + 2] :],
                    rows,
                )  # fmt: skip
            elif e + 2 == stop:
                _add_two(
                    total,
                    outcome[entry_group[e]], entries[entry_table[e] :],
                    outcome[entry_group[e + 1]], entries[entry_table[e + 1] :],
                    rows,
                )  # fmt: skip
            elif e + 1 == stop:
                _add_one(total, outcome[entry_group[e]], entries[entry_table[e] :], rows)
    return touched


@jit
def _touch(table: Array) -> int:
    """Read a table from end to end, a number a cache line, so that it is near when it is looked up at random.

    In order, memory is read ahead; at random, each miss is waited for. The result has no meaning, but without one the
    compiler would leave the reading out.
    """
    bits = 0
    for n in range(0, len(table), 8):
        bits ^= table[n]
    return bits


@jit
def _find_outcome(outcome: Array, codes: Array, reading: Array, cut: Array, stride: Array, rows: int) -> None:
    """Write each row's outcome: the sum of the strides of the conditions it meets. Four at a time are loaded once."""
    outcome[:rows] = 0
    c = 0
    while c + 4 <= len(cut):
        _meet_four(
            outcome,
            codes[reading[c]], cut[c], stride[c],
            codes[reading[c + 1]], cut[c + 1], stride[c + 1],
            codes[reading[c + 2]], cut[c + 2], stride[c + 2],
            codes[reading[c + 3]], cut[c + 3], stride[c + 3],
            rows,
        )  # fmt: skip
        c += 4
    while c < len(cut):
        _meet_one(outcome, codes[reading[c]], cut[c], stride[c], rows)
        c += 1


@jit
def _meet_one(outcome: Array, code: Array, cut: int, stride: int, rows: int) -> None:
    """Move a row's outcome on by `stride` where its code lies above the cut."""
    # A cut as wide as the codes are is compared with many of them at once.
    above, none = code.dtype.type(cut), outcome.dtype.type(0)
    for row in range(rows):
        outcome[row] += stride if code[row] > above else none


@jit
def _meet_four(
    outcome: Array,
    code_a: Array, cut_a: int, stride_a: int,
    code_b: Array, cut_b: int, stride_b: int,
    code_c: Array, cut_c: int, stride_c: int,
    code_d: Array, cut_d: int, stride_d: int,
    rows: int,
) -> None:  # fmt: skip
    none, of = outcome.dtype.type(0), code_a.dtype.type
    a, b, c, d = of(cut_a), of(cut_b), of(cut_c), of(cut_d)
    for row in range(rows):
        outcome[row] += (
            (stride_a if code_a[row] > a else none)
            + (stride_b if code_b[row] > b else none)
            + (stride_c if code_c[row] > c else none)
            + (stride_d if code_d[row] > d else none)
        )


@jit
def _add_one(total: Array, a: Array, table_a: Array, rows: int) -> None:
    for row in range(rows):
        total[row] += table_a[a[row]]


@jit
def _add_two(total: Array, a: Array, table_a: Array, b: Array, table_b: Array, rows: int) -> None:
    for row in range(rows):
        total[row] += table_a[a[row]] + table_b[b[row]]


@jit
def _add_three(
    total: Array, a: Array, table_a: Array, b: Array, table_b: Array, c: Array, table_c: Array, rows: int
) -> None:
    for row in range(rows):
        total[row] += (table_a[a[row]] + table_b[b[row]]) + table_c[c[row]]


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
def finish(base: float, sums: Array, log_odds: Array, rows: int) -> None:
    """Each row's base plus its sums, feature by feature."""
    for row in range(rows):
        log_odds[row] = base
    for total in sums:
        for row in range(rows):
            log_odds[row] += total[row]


def explain_tile(
    tables: "LookupTables", columns: Array, codes: Array, outcome: Array, sums: Array, log_odds: Array, rows: int
) -> None:
    """Write the sums and the log-odds of a tile of rows; `columns`, `codes` and `outcome` are working space."""
    draw_curves(columns, tables.knot_start, tables.knots, tables.heights, tables.missing, tables.unit[0], sums, rows)
    read_levels(columns, tables.level_start, tables.levels, rows)
    encode(columns, tables.feature, tables.kind, tables.edge_start, tables.edges, codes, rows)
    add(
        codes,
        tables.condition_start,
        tables.condition_reading,
        tables.condition_cut,
        tables.condition_stride,
        tables.block_start,
        tables.run_start,
        tables.run_feature,
        tables.entry_start,
        tables.entry_group,
        tables.entry_table,
        tables.entry_outcomes,
        tables.entries,
        outcome,
        sums,
        rows,
    )
    finish(tables.base[0], sums, log_odds, rows)
