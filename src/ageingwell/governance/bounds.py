"""How closely a reader of published numbers can bound the counts behind them, by linear programmes.

A published number says that some counts add up to something between two ends: 40 says 38 to 42. All such statements
together, over every page, may leave a hidden sum of counts little room although none of them shows it. HiGHS finds the
least and the most that it can be.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

# A hidden count that can be told to within so many people is not hidden.
TOO_CLOSE: Final = 2
# Two solutions so far apart show the room without a search for both ends; one more than `TOO_CLOSE` for the rounding.
_FAR: Final = TOO_CLOSE + 2
_NEARLY: Final = 1e-6

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Statement:
    """Counts, by number and with a weight, that add up to something from `low` to `high`."""

    weights: tuple[tuple[int, float], ...]
    low: float
    high: float


def bounded(
    asked: Sequence[Sequence[int]], *, statements: Sequence[Statement], truth: Sequence[int], most: float | None = None
) -> list[tuple[int, int]]:
    """The least and the most that each sum of counts can be, as whole numbers: all that a reader can find out.

    `asked` are sums of counts by number, `truth` the counts themselves, which agree with every statement; `most` is how
    large any count may be. Where `most` is missing it is far beyond all of them.

    >>> two = [Statement(((0, 1.0), (1, 1.0)), 8, 12), Statement(((1, 1.0),), 8, 12)]
    >>> bounded([[0]], statements=two, truth=[1, 9])
    [(0, 4)]
    """
    programme = _Programme(statements, truth, most)
    found = []
    for cells in asked:
        gain = programme.gain_of([cells])
        ends = [float(programme.highest(side * gain[0]) @ gain[0]) for side in (-1.0, 1.0)]
        found.append((ceil(ends[0] - _NEARLY), floor(ends[1] + _NEARLY)))
    return found


def too_close(asked: Sequence[Sequence[int]], *, statements: Sequence[Statement], truth: Sequence[int]) -> list[int]:
    """Which of the sums of counts, by position, a reader can tell to within `TOO_CLOSE` people.

    A few solutions far from each other show of nearly all of them that they have room; only the rest is searched.

    Under a total shown as 20 stand 10, 15 and two hidden ones, which can then only be 0 or 1:

    >>> total = Statement(((0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0)), 18, 22)
    >>> parts = [Statement(((2, 1.0),), 8, 12), Statement(((3, 1.0),), 13, 17)]
    >>> too_close([[0], [1]], statements=[total, *parts], truth=[1, 0, 8, 13])
    [0, 1]
    """
    if not asked:
        return []
    programme = _Programme(statements, truth, None)
    gains = programme.gain_of(asked)
    here = gains @ np.asarray(truth, dtype=np.float64)
    low, high = here.copy(), here.copy()
    for signs in _directions(len(asked)):
        is_open = high - low < _FAR
        if not is_open.any():
            return []
        seen = gains @ programme.highest(np.asarray((signs * is_open) @ gains, dtype=np.float64))
        low, high = np.minimum(low, seen), np.maximum(high, seen)
    searched = [at for at in range(len(asked)) if high[at] - low[at] < _FAR]
    ends = bounded([asked[at] for at in searched], statements=statements, truth=truth)
    return [at for at, (least, most) in zip(searched, ends, strict=True) if most - least <= TOO_CLOSE]


def _directions(n: int) -> Iterator[Floats]:
    """Signs by which all sums are pushed at once: up, down, and by the digits of their number."""
    every = np.arange(n)
    yield np.ones(n)
    yield -np.ones(n)
    for digit in range(max(n - 1, 1).bit_length()):
        signs = np.where(every >> digit & 1, 1.0, -1.0)
        yield signs
        yield -signs


class _Programme:
    """The statements as one linear programme, solved for one aim after another."""

    def __init__(self, statements: Sequence[Statement], truth: Sequence[int], most: float | None) -> None:
        self._n = len(truth)
        top = float(most) if most is not None else 2.0 * (sum(truth) + 1_000)
        self._bounds = Bounds(0, top)
        self._constraints: Any = ()
        if statements:
            rows = [at for at, one in enumerate(statements) for _ in one.weights]
            columns = [cell for one in statements for cell, _ in one.weights]
            weights = [weight for one in statements for _, weight in one.weights]
            # HiGHS of an older SciPy takes places of 32 bits alone.
            at = tuple(np.array(places, dtype=np.int32) for places in (rows, columns))
            left = csr_array((weights, at), shape=(len(statements), self._n))
            ends = np.array([(one.low, one.high) for one in statements])
            self._constraints = LinearConstraint(left, ends[:, 0], ends[:, 1])

    def gain_of(self, asked: Sequence[Sequence[int]]) -> Floats:
        """One row a sum: 1 for each count in it."""
        gains = np.zeros((len(asked), self._n))
        for row, cells in enumerate(asked):
            gains[row, list(cells)] = 1.0
        return gains

    def highest(self, gain: Floats) -> Floats:
        """Counts that agree with every statement and of which the aim is highest."""
        answer = milp(c=-gain, bounds=self._bounds, constraints=self._constraints)
        if answer.x is None:
            raise RuntimeError(f"counts that agree with the page were not found: {answer.message}")
        return np.asarray(answer.x, dtype=np.float64)
