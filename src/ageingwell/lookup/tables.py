"""A model's tables, and how every row's contributions are added up from them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.curves import Curves, curves_of
from ageingwell.lookup.kernels import Kernel, kernel_for
from ageingwell.lookup.margin import Explained, Floats, checked_matrix
from ageingwell.lookup.plain import GroupPlan, plan_of


@dataclass(frozen=True, eq=False)
class LookupTables:
    """A model's tables, as plain arrays. `compile_booster` makes them; `explain` uses them.

    `feature` to `edges`: the readings (see `Readings`). Group `g` has the conditions
    `condition_start[g]:condition_start[g + 1]`. Block `b` has the groups `block_start[b]:block_start[b + 1]` and the
    runs `run_start[b]:run_start[b + 1]`; run `r` adds to feature `run_feature[r]` the entries
    `entry_start[r]:entry_start[r + 1]`; entry `e` is the outcome of the block's group `entry_group[e]` looked up in
    `entries` from `entry_table[e]` on, where there are `entry_outcomes[e]`. Feature `j` has a curve of `heights` at
    `knots`, `knot_start[j]:knot_start[j + 1]`, and of `missing[j]` where the value is; the trees see its codes as the
    `levels` `level_start[j]:level_start[j + 1]`, if there are any. Entries
    and heights are times the slope; entries are whole numbers of the `unit`, to which heights are rounded when they are
    looked up.
    """

    base: NDArray[np.float64]
    unit: NDArray[np.float64]
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
    knot_start: NDArray[np.int64]
    knots: NDArray[np.float64]
    heights: NDArray[np.float64]
    missing: NDArray[np.float64]
    level_start: NDArray[np.int64]
    levels: NDArray[np.float64]

    def explain(
        self, x: Floats, *, threads: int, rows_in_a_tile: int | None = None, kernel: Kernel | None = None
    ) -> Explained:
        """The base, the contributions (n, p) and the calibrated log-odds (n,) of `x`, (n, p) of float64.

        A value that is missing is NaN. Each thread works in its own 20 MB or so besides the answer. The answer is
        the same, bit for bit, for any number of threads, size of tile, division of the rows into calls and kernel;
        which kernel is taken depends on how much work there is (see `kernels.py`).
        """
        checked_matrix(x, len(self.missing))
        kernel = kernel or kernel_for(len(x) * self.work_a_row)
        rows_in_a_tile = rows_in_a_tile or kernel.ROWS_IN_A_TILE
        # Column after column, as the sums of a tile are.
        contributions, log_odds = np.empty(x.shape, order="F"), np.empty(len(x))
        threads = max(1, threads)
        most = max(1, min(rows_in_a_tile, -(-len(x) // threads)))
        tiles = list(range(0, len(x), most))
        shares = [tiles[first::threads] for first in range(min(threads, len(tiles)))]

        def work(share: Sequence[int]) -> None:
            self._work(x, contributions, log_odds, share, most, kernel)

        if len(shares) <= 1:
            work(tiles)
        else:
            with ThreadPoolExecutor(len(shares)) as pool:
                list(pool.map(work, shares))
        return Explained(float(self.base[0]), contributions, log_odds)

    def _work(
        self, x: Floats, contributions: Floats, log_odds: Floats, tiles: Sequence[int], most: int, kernel: Kernel
    ) -> None:
        """Explain some tiles of rows, one after the other, in the same working space."""
        # A few rows more than are used: columns a power of two apart would crowd into the same lines of the cache.
        columns, sums = np.empty((x.shape[1], most + 8)), np.empty((x.shape[1], most + 8))
        widest = int(np.diff(self.edge_start).max(initial=1))
        codes = np.empty((len(self.feature), most), np.min_scalar_type(widest))
        outcome = np.empty((int(np.diff(self.block_start).max(initial=1)), most), np.uint16)
        for first in tiles:
            rows = min(most, len(x) - first)
            columns[:, :rows] = x[first : first + rows].T
            kernel.explain_tile(self, columns, codes, outcome, sums, log_odds[first : first + rows], rows)
            contributions[first : first + rows] = sums[:, :rows].T

    @cached_property
    def plan(self) -> list[GroupPlan]:
        """The groups as the kernel of plain NumPy takes them."""
        return plan_of(self)

    @cached_property
    def curves(self) -> list[Curves]:
        """The margin's curves as the kernel of plain NumPy takes them."""
        return curves_of(
            {"knot_start": self.knot_start, "knots": self.knots, "heights": self.heights, "missing": self.missing}
        )

    def __getstate__(self) -> dict[str, Any]:
        """The arrays alone, without what kernels make of them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def work_a_row(self) -> int:
        """About how many numbers are looked up for a row, with its curves."""
        return len(self.entry_table) + 4 * len(self.missing) + len(self.condition_cut) // 2
