"""Contributions leaf by leaf, without tables, to the same bits: for few rows, and for forests too large for tables."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup import plain
from ageingwell.lookup.curves import curves_of, draw_curves
from ageingwell.lookup.forest import Forest
from ageingwell.lookup.leaves import Alike
from ageingwell.lookup.margin import Explained, Floats, flat
from ageingwell.lookup.shapley import exact_leaf_values

ROWS_AT_A_TIME = 64
# So many numbers at a time stay in the processor's own memory.
NUMBERS_AT_A_TIME = 1 << 15


@dataclass(frozen=True, eq=False)
class Batch:
    """Some leaves of as many players: whose steps are taken, and to whom their values go.

    Player `n` of all leaves' players takes the steps from `begins[n]` on: each a `condition`, and whether it has to be
    met. `order` sorts the players by feature; feature `features[k]` has those from `runs[k]` on.
    """

    z: Floats
    v: Floats
    condition: NDArray[np.int64]
    right: NDArray[np.bool_]
    begins: NDArray[np.int64]
    order: NDArray[np.int64]
    runs: NDArray[np.int64]
    features: NDArray[np.int64]

    @classmethod
    def of(cls, part: Alike) -> "Batch":
        """The leaves of a part as arrays."""
        steps = [player for leaf in part.steps for player in leaf]
        lengths = np.array([len(player) for player in steps])
        players = np.array(part.players).ravel()
        order = np.argsort(players, kind="stable")
        features, runs = np.unique(players[order], return_index=True)
        return cls(
            z=part.z,
            v=part.v,
            condition=np.array([condition for player in steps for condition, _ in player]),
            right=np.array([right for player in steps for _, right in player]),
            begins=np.cumsum(lengths) - lengths,
            order=order,
            runs=runs,
            features=features,
        )


class Direct:
    """A forest's leaves, ready to be gone through for each row."""

    def __init__(self, forest: Forest) -> None:
        self.forest = forest
        self.margin = flat(forest.margin, slope=forest.line[1])
        self.curves = curves_of(self.margin)
        self.batches = [
            Batch.of(part) for some in forest.leaves for part in some.parts(rows=ROWS_AT_A_TIME, most=NUMBERS_AT_A_TIME)
        ]

    def explain(self, x: Floats) -> Explained:
        """What `LookupTables.explain` gives."""
        contributions, log_odds = np.empty(x.shape, order="F"), np.empty(len(x))
        for first in range(0, len(x), ROWS_AT_A_TIME):
            rows = slice(first, first + ROWS_AT_A_TIME)
            sums = self._sums(np.array(x[rows].T, order="C"))
            contributions[rows] = sums.T
            plain.finish(self.forest.base, sums, log_odds[rows], sums.shape[1])
        return Explained(self.forest.base, contributions, log_odds)

    def _sums(self, columns: Floats) -> Floats:
        """The contributions (p, rows) of some rows' columns, which are worked in."""
        readings, (features, rows) = self.forest.readings, columns.shape
        sums, codes = np.empty((features, rows)), np.empty((len(readings.feature), rows), np.int64)
        draw_curves(columns, self.curves, self.forest.unit, sums, rows)
        plain.read_levels(columns, self.margin["level_start"], self.margin["levels"], rows)
        plain.encode(columns, readings.feature, readings.kind, readings.edge_start, readings.edges, codes, rows)
        met = codes[readings.reading_of] > readings.cut_of[:, None]
        for batch in self.batches:
            taken = met[batch.condition] == batch.right[:, None]
            b = np.logical_and.reduceat(taken, batch.begins, axis=0).reshape(*batch.z.shape, rows)
            values = exact_leaf_values(batch.z, self.forest.line[1] * batch.v, b.astype(float), self.forest.unit)
            ours = values.reshape(-1, rows)[batch.order]
            sums[batch.features] += np.add.reduceat(ours, batch.runs, axis=0)
        return sums
