"""The curves of all features at once, in plain NumPy: with many features and few rows, that is what takes time."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.edges import edges_below

Array = NDArray[Any]
# Curves of at most so many knots are drawn together; those with more, one by one.
KNOTS_TOGETHER = (2, 6, 16)
# So many numbers at a time stay in the processor's own memory.
NUMBERS_AT_A_TIME = 1 << 15


class Curves(NamedTuple):
    """Some features' curves: knots `at` (curves, knots), the last ones infinite where a curve has fewer.

    Below, between and above the knots there are stretches, one more than knots. On each a curve begins at a height, at
    an origin, and rises by so much for one: flat before the first knot and after the last.
    """

    features: Array
    at: Array
    begins: Array
    origins: Array
    rises: Array
    low: Array
    high: Array
    missing: Array

    @classmethod
    def of(cls, features: Array, curves: list[tuple[Array, Array]], missing: Array) -> Self:
        """Curves of about as many knots: the knots and the heights of each."""
        most = max(len(at) for at, _ in curves)
        begins, origins, rises = (np.zeros((len(curves), most + 1)) for _ in range(3))
        knots = np.full((len(curves), most), np.inf)
        for row, (at, adds) in enumerate(curves):
            n = len(at)
            knots[row, :n] = at
            begins[row, 0], origins[row, 0] = adds[0], at[0]
            begins[row, 1 : n + 1], origins[row, 1 : n + 1] = adds, at
            rises[row, 1:n] = np.diff(adds) / np.diff(at)
        ends = np.array([(at[0], at[-1]) for at, _ in curves])
        return cls(features, knots, begins, origins, rises, ends[:, :1], ends[:, 1:], missing[:, None])

    def heights(self, values: Array) -> Array:
        """The heights at `values` (curves, rows)."""
        stretch = np.arange(0, self.begins.size, self.begins.shape[1])[:, None] + self._knots_below(values)
        along = np.maximum(values, self.low)
        np.minimum(along, self.high, out=along)
        along -= np.take(self.origins, stretch)
        along *= np.take(self.rises, stretch)
        along += np.take(self.begins, stretch)
        np.copyto(along, self.missing, where=np.isnan(values))
        return along

    def _knots_below(self, values: Array) -> Array:
        if len(self.at) == 1:
            return edges_below(values[0], self.at[0])[None]
        count, above = np.zeros(values.shape, np.uint8), np.empty(values.shape, bool)
        for at in self.at.T:
            np.greater(values, at[:, None], out=above)
            count += above
        return count


def curves_of(margin: Mapping[str, Array]) -> list[Curves]:
    """All curves of a margin as `margin.flat` gives it."""
    start, knots, heights = margin["knot_start"], margin["knots"], margin["heights"]
    length, made = np.diff(start), []
    for features in _together(length):
        each = [slice(start[feature], start[feature + 1]) for feature in features]
        made.append(Curves.of(features, [(knots[s], heights[s]) for s in each], margin["missing"][features]))
    return made


def _together(length: Array) -> Iterator[Array]:
    """Features of about as many knots; those without any are left out."""
    fewest = 0
    for most in KNOTS_TOGETHER:
        features = np.flatnonzero((length > fewest) & (length <= most))
        if features.size:
            yield features
        fewest = most
    yield from np.flatnonzero(length > fewest)[:, None]


def draw_curves(columns: Array, curves: list[Curves], unit: float, sums: Array, rows: int) -> None:
    """Begin `sums[feature, row]` with the height of the feature's curve at the value; 0 where it has none."""
    sums[:, :rows] = 0.0
    for some in curves:
        most = max(1, NUMBERS_AT_A_TIME // len(some.features))
        for first in range(0, rows, most):
            part = slice(first, min(first + most, rows))
            height = some.heights(columns[some.features, part])
            height /= unit
            np.rint(height, out=height)
            height *= unit
            # Adding 0 makes 0 of -0, whose bits are others.
            height += 0.0
            sums[some.features, part] = height
