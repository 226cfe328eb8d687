"""Which rows a model is fitted on where there are more than it needs: the rare ones all, of the others a part.

Every person with the outcome tells as much as several without it: with three rows without it to one with it, a fit on
some rows is nearly as sure as one on all. So people who had it are kept, others are drawn at random, and each row
counts for as many as it stands for, so that risks are those of all rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class SampledWarning(UserWarning):
    """There are more rows than a model is fitted on: a sample was drawn."""


@dataclass(frozen=True)
class Sample:
    """The places of the rows kept, (m,) in their order, and for how many rows each of them stands, (m,)."""

    rows: Ints
    stands_for: Floats

    def like_all(self, rows: Ints, *, seed: int) -> Bools:
        """Which of some places of the sample to keep, so that those kept have the outcome as often as all rows do."""
        share = self.stands_for[rows] / self.stands_for.max(initial=1.0)
        return np.asarray(np.random.default_rng(seed).random(len(rows)) < share)


def sample_of(outcome: Floats, *, groups: ArrayLike | None, most: int, seed: int) -> Sample | None:
    """At most `most` of the rows, or None where there are no more.

    `outcome` (n,) of 0 and 1. Groups in which somebody had the outcome fill up to half of the sample, the other groups
    the rest. A group's rows are kept together, so no part is filled further than whole groups go. With `groups` the
    same are drawn in whatever order the rows stand.

    >>> found = sample_of(np.array([1.0] * 10 + [0.0] * 990), groups=None, most=110, seed=1)
    >>> len(found.rows), float(found.stands_for[0]), float(found.stands_for[-1])
    (110, 1.0, 9.9)
    """
    n = len(outcome)
    if n <= most:
        return None
    unit = np.arange(n) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    size = np.bincount(unit)
    had_it = np.bincount(unit, weights=outcome) > 0
    order = np.argsort(np.random.default_rng(seed).random(len(size)), kind="stable")
    with_it = _first(order[had_it[order]], size, most=max(most // 2, most - int(size[~had_it].sum())))
    without = _first(order[~had_it[order]], size, most=most - int(size[with_it].sum()))
    stands_for = np.zeros(len(size))
    for kept, all_of_them in ((with_it, had_it), (without, ~had_it)):
        stands_for[kept] = size[all_of_them].sum() / max(1, int(size[kept].sum()))
    rows = np.flatnonzero(stands_for[unit] > 0)
    return Sample(rows, stands_for[unit][rows])


def _first(units: Ints, size: Ints, *, most: int) -> Ints:
    """The first units that have no more rows together than so many; one at least."""
    fits = np.cumsum(size[units]) <= most
    return units[: max(1, int(fits.sum()))]
