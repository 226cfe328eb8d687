"""Contributions as differences in 100: one rule that knows no order of the facts, and whole numbers that add up.

Contributions live on the log-odds, readers think of people in 100. On the straight line of log-odds that leads from the
people compared with to this person, every fact gets the same factor: the average slope of the logistic function on that
line. So no fact comes first, and the effects add up to the difference of the two risks exactly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit

# Closer on the log-odds than this, the two risks are one and the slope is that of the point itself.
SAME = 1e-6


def average_slope(start: ArrayLike, end: ArrayLike) -> NDArray[np.float64]:
    """How much risk a unit of log-odds is worth between two risks: (end - start) / (logit(end) - logit(start)).

    Where the two meet it is the slope there, p (1 - p); it never exceeds 1/4. Risks in (0, 1), any shape.

    >>> average_slope([0.12, 0.5], [0.31, 0.5]).round(4).tolist()
    [0.1594, 0.25]
    """
    low, high = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    apart = logit(high) - logit(low)
    is_same = np.abs(apart) < SAME
    return np.asarray(np.where(is_same, high * (1 - high), (high - low) / np.where(is_same, 1.0, apart)))


def whole(risk: float) -> int:
    """A risk as a whole number of 100, a half rounded up.

    >>> whole(0.314), whole(0.125), whole(0.004)
    (31, 13, 0)
    """
    return math.floor(100 * risk + 0.5)


def or_more(risk: float) -> str:
    """A risk beyond what was checked, as far as it may be told: half, or the tens it is above.

    >>> or_more(0.88), or_more(0.47)
    ('about half or more', 'about 40 in 100 or more')
    """
    tens = math.floor(10 * risk + 1e-9) * 10
    return "about half or more" if tens >= 50 else f"about {tens} in 100 or more"


@dataclass(frozen=True)
class Sum:
    """`start` + every one of `shown` + `rest` = `end`, in whole numbers of 100."""

    start: int
    shown: tuple[int, ...]
    rest: int
    end: int


def in_whole_numbers(effects: Sequence[float], *, start: float, end: float) -> Sum:
    """Round effects (in 100, those that may be shown) so that start, effects and all others together make the end.

    Both risks are rounded as anywhere else. Between them the largest remainders decide: every effect and the rest are
    rounded down, and what is then lacking goes, one each, to those that lost most; of two that lost the same, to the
    rest, then to the stronger, then to the first given. So a larger effect never gets the smaller number, and no effect
    changes its sign.

    >>> in_whole_numbers([8.4, 4.4, -2.6], start=0.12, end=0.231)
    Sum(start=12, shown=(9, 4, -3), rest=1, end=23)
    """
    first, last = whole(start), whole(end)
    parts = [100 * (end - start) - math.fsum(effects), *effects]
    down = [math.floor(part) for part in parts]
    lacking = last - first - sum(down)
    by_loss = sorted(range(len(parts)), key=lambda n: (down[n] - parts[n], n > 0, -abs(parts[n])))
    numbers = [part + (n in by_loss[: max(lacking, 0)]) for n, part in enumerate(down)]
    # Rounding the two risks apart may take away, or ask for, one more than the parts lost.
    numbers[0] += last - first - sum(numbers)
    return Sum(first, tuple(numbers[1:]), numbers[0], last)
