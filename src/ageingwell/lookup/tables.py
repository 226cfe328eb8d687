"""Exact contributions of a boosted-tree model by looking them up: compile once, then explain at prediction speed.

The steps: read the trees (`trees.py`), number the ways values are read (`readings.py`), cut the trees into pieces with
few joint outcomes (`pieces.py`), merge pieces into groups (`merge.py`), tabulate each group's Shapley values for every
joint outcome (`grouping.py`, by the formula in `shapley.py`), lay the tables out in blocks (here), and for every row
add one entry a group and feature (`kernel.py`).
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.fallback import DoesNotFit
from ageingwell.lookup.grouping import Group, join, tabulate
from ageingwell.lookup.margin import Explained, Floats, LinearMargin, checked_matrix, full_margin
from ageingwell.lookup.pieces import Piece, cut
from ageingwell.lookup.readings import Readings, read_splits
from ageingwell.lookup.trees import Tree, UnfitError, read_trees

if TYPE_CHECKING:
    import lightgbm as lgb

# Joint outcomes: of a subtree before merging, of a group after it. Measured; twice or half as many change little.
IN_A_PIECE = 256
IN_A_GROUP = 1024
# An outcome is kept in 16 bits.
IN_A_LEAF = 1 << 16
MOST_BYTES = 512 << 20
GROUPS_IN_A_BLOCK = 64
ROWS_IN_A_TILE = 8192


@dataclass(frozen=True)
class LookupTables:
    """A model's tables, as plain arrays. `compile_booster` makes them; `explain` uses them.

    `feature` to `edges`: the readings (see `Readings`). Group `g` has the conditions
    `condition_start[g]:condition_start[g + 1]`. Block `b` has the groups `block_start[b]:block_start[b + 1]` and the
    runs `run_start[b]:run_start[b + 1]`; run `r` adds to feature `run_feature[r]` the entries
    `entry_start[r]:entry_start[r + 1]`; entry `e` is the outcome of the block's group `entry_group[e]` looked up in
    `entries` from `entry_table[e]` on, where there are `entry_outcomes[e]`. `weights` and `means` are the linear margin, times the slope.
    """

    base: NDArray[np.float64]
    feature: NDArray[np.int64]
    kind: NDArray[np.int64]
    edge_start: NDArray[np.int64]
    edges: NDArray[np.float64]
    condition_start: NDArray[np.int64]
    condition_reading: NDArray[np.int64]
    condition_cut: NDArray[np.int64]
    condition_stride: NDArray[np.uint16]
    block_start: NDArray[np.int64]
    run_start: NDArray[np.int64]
    run_feature: NDArray[np.int64]
    entry_start: NDArray[np.int64]
    entry_group: NDArray[np.int64]
    entry_table: NDArray[np.int64]
    entry_outcomes: NDArray[np.int64]
    entries: NDArray[np.float64]
    weights: NDArray[np.float64]
    means: NDArray[np.float64]

    def explain(self, x: Floats, *, threads: int, rows_in_a_tile: int = ROWS_IN_A_TILE) -> Explained:
        """The base, the contributions (n, p) and the calibrated log-odds (n,) of `x`, (n, p) of float64.

        A value that is missing is NaN. Each thread works in its own few megabytes besides the answer. The answer is
        the same, bit for bit, for any number of threads, size of tile and division of the rows into calls.
        """
        checked_matrix(x, len(self.weights))
        contributions, log_odds = np.empty(x.shape), np.empty(len(x))
        tiles = list(range(0, len(x), rows_in_a_tile))
        shares = [tiles[first::threads] for first in range(min(threads, len(tiles)))]

        def work(share: Sequence[int]) -> None:
            self._work(x, contributions, log_odds, share, rows_in_a_tile)

        if len(shares) <= 1:
            work(tiles)
        else:
            with ThreadPoolExecutor(len(shares)) as pool:
                list(pool.map(work, shares))
        return Explained(float(self.base[0]), contributions, log_odds)

    def hold_together(self) -> bool:
        """Whether every number points to something that is there: the loops that use them do not check.

        Tables read from a file are used only if they do.
        """
        return all(getattr(self, name).dtype == kind and getattr(self, name).ndim == 1 for name, kind in TYPES.items()) and (
            len(self.base) == 1
            and len(self.weights) == len(self.means)
            and len(self.feature) == len(self.kind)
            and len(self.condition_reading) == len(self.condition_cut) == len(self.condition_stride)
            and len(self.entry_group) == len(self.entry_table) == len(self.entry_outcomes)
            and _covers(self.edge_start, len(self.feature), len(self.edges))
            and _covers(self.block_start, len(self.run_start) - 1, len(self.condition_start) - 1)
            and _covers(self.condition_start, len(self.condition_start) - 1, len(self.condition_reading))
            and _covers(self.run_start, len(self.run_start) - 1, len(self.run_feature))
            and _covers(self.entry_start, len(self.run_feature), len(self.entry_table))
            and _below(self.feature, len(self.weights))
            and _below(self.run_feature, len(self.weights))
            and _below(self.condition_reading, len(self.feature))
            and _below(self.entry_table + self.entry_outcomes - 1, len(self.entries))
            and self._outcomes_stay_in_their_tables()
        )

    def _outcomes_stay_in_their_tables(self) -> bool:
        """Whether the highest outcome of every entry's group lies in the entry's table."""
        strides = np.concatenate([[0], np.cumsum(self.condition_stride, dtype=np.int64)])
        highest = strides[self.condition_start[1:]] - strides[self.condition_start[:-1]]
        run_of = np.repeat(np.arange(len(self.run_feature)), np.diff(self.entry_start))
        block_of = np.repeat(np.arange(len(self.run_start) - 1), np.diff(self.run_start))[run_of]
        if not _below(self.entry_group, 1 << 62) or not (self.entry_group < np.diff(self.block_start)[block_of]).all():
            return False
        group = self.block_start[block_of] + self.entry_group
        return bool((highest[group] < self.entry_outcomes).all() and (self.entry_table >= 0).all())

    def _work(self, x: Floats, contributions: Floats, log_odds: Floats, tiles: Sequence[int], most: int) -> None:
        """Explain some tiles of rows, one after the other, in the same working space."""
        from ageingwell.lookup.kernel import add, encode, finish  # imports Numba, which takes a second

        most = min(most, len(x))
        columns, sums = np.empty((x.shape[1], most)), np.empty((x.shape[1], most))
        widest = int(np.diff(self.edge_start).max(initial=1))
        codes = np.empty((len(self.feature), most), np.uint8 if widest < 256 else np.uint16 if widest < 65536 else np.int32)
        outcome = np.empty((int(np.diff(self.block_start).max(initial=1)), most), np.uint16)
        for first in tiles:
            rows = min(most, len(x) - first)
            columns[:, :rows] = x[first : first + rows].T
            sums[:, :rows] = 0.0
            encode(columns, self.feature, self.kind, self.edge_start, self.edges, codes, rows)
            add(
                codes,
                self.condition_start,
                self.condition_reading,
                self.condition_cut,
                self.condition_stride,
                self.block_start,
                self.run_start,
                self.run_feature,
                self.entry_start,
                self.entry_group,
                self.entry_table,
                self.entry_outcomes,
                self.entries,
                outcome,
                sums,
                rows,
            )
            finish(columns, self.weights, self.means, self.base[0], sums, log_odds[first : first + rows], rows)
            contributions[first : first + rows] = sums[:, :rows].T


TYPES = {field.name: {"base": np.float64, "condition_stride": np.uint16}.get(field.name, np.int64) for field in fields(LookupTables)}
TYPES |= dict.fromkeys(("edges", "entries", "weights", "means"), np.float64)


def compile_booster(
    booster: "lgb.Booster", *, line: tuple[float, float] = (0.0, 1.0), margin: LinearMargin | None = None
) -> LookupTables | DoesNotFit:
    """Tabulate a booster's exact path-dependent SHAP values, carried through the line `intercept + slope · log-odds`.

    `margin` is what the trees were boosted from, if anything. Where the trees do not fit the tables, `DoesNotFit` says
    why and explains by LightGBM's own `pred_contrib`.
    """
    margin = full_margin(margin, booster.num_feature())
    try:
        return _compile(read_trees(booster), line=line, margin=margin)
    except UnfitError as why:
        return DoesNotFit(str(why), booster, line, margin)


def _compile(trees: Sequence[Tree], *, line: tuple[float, float], margin: LinearMargin) -> LookupTables:
    from ageingwell.lookup.merge import merge  # imports Numba

    intercept, slope = line
    readings = read_splits(trees)
    pieces: list[Piece] = []
    for tree in trees:
        if tree.splits:
            pieces += cut(tree, readings, most=IN_A_PIECE, most_in_a_leaf=IN_A_LEAF)
    groups = [join(some, readings) for some in merge(pieces, readings, most=IN_A_GROUP)]
    size = 8 * sum(len(group.features) * group.outcomes for group in groups)
    if size > MOST_BYTES:
        raise UnfitError(f"its tables would take {size >> 20:,} MiB; the most is {MOST_BYTES >> 20:,}")
    base = intercept + slope * (margin.intercept + sum(tree.mean() for tree in trees))
    return LookupTables(
        base=np.array([base]),
        feature=readings.feature,
        kind=readings.kind,
        edge_start=readings.edge_start,
        edges=readings.edges,
        **_conditions(groups, readings),
        **_blocks(groups, readings, slope=slope),
        weights=slope * margin.coefficients,
        means=margin.means,
    )


def _conditions(groups: Sequence[Group], readings: Readings) -> dict[str, NDArray[Any]]:
    """Every group's conditions, one group after the other."""
    conditions = np.array([c for group in groups for c in group.conditions], np.int64)
    return {
        "condition_start": _starts([len(group.conditions) for group in groups]),
        "condition_reading": readings.reading_of[conditions],
        "condition_cut": readings.cut_of[conditions],
        "condition_stride": np.array([stride for group in groups for stride in group.strides], np.uint16),
    }


def _blocks(groups: Sequence[Group], readings: Readings, *, slope: float) -> dict[str, NDArray[Any]]:
    """The groups in blocks, and each block's entries sorted by feature."""
    tables = [slope * tabulate(group, readings) for group in groups]
    table_start = _starts([table.size for table in tables])
    firsts = range(0, len(groups), GROUPS_IN_A_BLOCK)
    runs: list[list[int]] = []
    entries: list[list[tuple[int, int, int]]] = []
    for first in firsts:
        of: dict[int, list[tuple[int, int, int]]] = {}
        for place, group in enumerate(groups[first : first + GROUPS_IN_A_BLOCK]):
            for row, feature in enumerate(group.features):
                of.setdefault(feature, []).append((place, int(table_start[first + place]) + row * group.outcomes, group.outcomes))
        runs.append(sorted(of))
        entries += [of[feature] for feature in runs[-1]]
    flat = np.array([entry for run in entries for entry in run], np.int64).reshape(-1, 3)
    return {
        "block_start": np.array([*firsts, len(groups)], np.int64),
        "run_start": _starts([len(run) for run in runs]),
        "run_feature": np.array([feature for run in runs for feature in run], np.int64),
        "entry_start": _starts([len(run) for run in entries]),
        "entry_group": np.ascontiguousarray(flat[:, 0]),
        "entry_table": np.ascontiguousarray(flat[:, 1]),
        "entry_outcomes": np.ascontiguousarray(flat[:, 2]),
        "entries": np.concatenate([*(table.ravel() for table in tables), np.zeros(0)]),
    }


def _starts(lengths: Sequence[int]) -> NDArray[np.int64]:
    """Where each of several parts begins, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(np.array(lengths, np.int64))]).astype(np.int64)


def _covers(start: NDArray[np.int64], parts: int, whole: int) -> bool:
    """Whether `start` divides a whole into that many parts."""
    return bool(len(start) == parts + 1 and start[0] == 0 and start[-1] == whole and (np.diff(start) >= 0).all())


def _below(numbers: NDArray[np.int64], end: int) -> bool:
    """Whether all numbers lie in [0, end)."""
    return bool(((numbers >= 0) & (numbers < end)).all())
