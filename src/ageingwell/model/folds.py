"""Parts of the rows for inner validation: a group never stands on both sides, later rows judge earlier ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Split:
    """Rows to fit on and rows to judge by."""

    fit: Bools
    judge: Bools


def folds_of(outcome: NDArray[np.float64], *, groups: ArrayLike | None, n: int, seed: int) -> Ints:
    """The fold of each row (n,), drawn so that each has about as many events; a group lies in one fold."""
    draw = np.random.default_rng(seed)
    unit = np.arange(len(outcome)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    size = int(unit.max()) + 1
    events = np.bincount(unit, weights=outcome, minlength=size)
    order = np.lexsort((draw.random(size), -events))
    of_unit = np.empty(size, dtype=np.int64)
    of_unit[order] = np.arange(size) % n
    return np.asarray(of_unit[unit], dtype=np.int64)


def splits_of(fold: Ints, *, time: ArrayLike | None) -> list[Split]:
    """One split a fold; with `time`, the later rows of each fold are judged by a fit on the earlier rows of the rest.

    Earlier means before the last quarter of the rows, or before the last moment where there are few moments.
    """
    if time is None:
        return [Split(fold != part, fold == part) for part in np.unique(fold)]
    moment = np.unique(np.asarray(time), return_inverse=True)[1]
    if moment.max() == 0:
        return [Split(fold != part, fold == part) for part in np.unique(fold)]
    first_late = max(1, int(np.quantile(moment, 0.75)))
    late = moment >= first_late
    return [Split((fold != part) & ~late, (fold == part) & late) for part in np.unique(fold)]
