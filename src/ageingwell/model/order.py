"""An order of rows that depends on what they hold alone: the same rows give the same fit, however they were sorted."""

from math import fsum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_START, _STEP = np.uint64(0x9E3779B97F4A7C15), (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_MISSING = np.uint64(0x7FF8000000000000)


def row_hashes(codes: Floats) -> NDArray[np.uint64]:
    """A number (n,) of 64 bits of each row of a matrix (n, p): equal rows have equal ones. -0 is 0.

    Source: the mixing steps are those of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).

    >>> first, second, third = row_hashes(np.array([[0.0, np.nan], [-0.0, np.nan], [0.0, 1.0]]))
    >>> bool(first == second), bool(first == third)
    (True, False)
    """
    made = np.full(len(codes), _START, dtype=np.uint64)
    for place in range(codes.shape[1]):
        # Adding 0 turns -0 to 0; what is missing is written in more than one way.
        values = np.ascontiguousarray(codes[:, place]) + 0.0
        bits = np.where(np.isnan(values), _MISSING, values.view(np.uint64))
        made = mixed_bits(made ^ bits)
    return made


def mixed_bits(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers of 64 bits (n,) as others that look as if they were drawn; different ones stay different."""
    made = bits + _START
    made = (made ^ (made >> np.uint64(30))) * _STEP[0]
    made = (made ^ (made >> np.uint64(27))) * _STEP[1]
    return np.asarray(made ^ (made >> np.uint64(31)))


def canonical_order(
    codes: Floats, outcome: Floats, *, weight: Floats, groups: ArrayLike | None = None, time: ArrayLike | None = None
) -> Ints:
    """The places (n,) of rows in an order that does not depend on the order they are given in.

    By a hash of their features, so that neighbours have nothing to do with each other; then by outcome, weight, group
    and time. Rows that are still tied are the same row, and their order changes nothing.

    >>> codes, died = np.array([[70.0], [80.0], [90.0]]), np.zeros(3)
    >>> one = codes[canonical_order(codes, died, weight=np.ones(3))]
    >>> other = codes[::-1][canonical_order(codes[::-1], died, weight=np.ones(3))]
    >>> one.tolist() == other.tolist()
    True
    """
    others = [np.unique(np.asarray(given), return_inverse=True)[1] for given in (time, groups) if given is not None]
    return np.lexsort([*others, weight, outcome, row_hashes(codes)])


def rows_of(codes: Floats, rows: Ints | NDArray[np.bool_]) -> Floats:
    """Some rows (m, p) of a matrix (n, p), column by column as they are read, without a copy of more than these."""
    chosen = np.flatnonzero(rows) if rows.dtype == bool else rows
    made = np.empty((len(chosen), codes.shape[1]), order="F")
    for place in range(codes.shape[1]):
        made[:, place] = codes[chosen, place]
    return made


def in_mean_one(weight: Floats) -> Floats:
    """Weights (n,) divided by their mean, whose sum does not depend on the order of rows.

    >>> in_mean_one(np.array([1.0, 3.0])).tolist()
    [0.5, 1.5]
    """
    return weight / (fsum(weight) / len(weight)) if len(weight) else weight
