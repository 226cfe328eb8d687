"""A bend at the top of the log-odds: curves that add up without end say too much where a chance nears its ceiling.

Beyond `at` the log-odds rise by `slope` for each 1 the model says. Each row's contributions shrink by one factor, so
that base and contributions still add up exactly, and the order of people stays.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ageingwell.evaluation.calibration import Line
from ageingwell.lookup.margin import summed

Floats = NDArray[np.float64]
# The bend begins where 2 in 100 people have a higher risk: those a list is made of.
SHARE_BELOW = 0.98
# How far from 1, no bend, the slope is expected to lie before anything is seen.
SPREAD_OF_BEND = 0.3
LEAST_SLOPE = 0.3


@dataclass(frozen=True)
class Bend:
    """Log-odds up to `at` stay; what lies beyond counts `slope` times, from 0.3 to 1.

    >>> Bend(0.0, 0.5).log_odds(np.array([-1.0, 2.0]))
    array([-1.,  1.])
    """

    at: float
    slope: float

    @property
    def is_straight(self) -> bool:
        """Whether it changes nothing."""
        return self.slope == 1.0

    def log_odds(self, straight: Floats) -> Floats:
        """The bent log-odds, any shape."""
        if self.is_straight:
            return straight
        return np.asarray(straight - (1 - self.slope) * np.maximum(straight - self.at, 0.0))

    def straight(self, log_odds: Floats) -> Floats:
        """The log-odds before they were bent."""
        if self.is_straight:
            return log_odds
        return np.asarray(log_odds + (1 / self.slope - 1) * np.maximum(log_odds - self.at, 0.0))

    def steepness(self, straight: Floats) -> Floats:
        """How far the bent log-odds rise with the straight ones, where each of them lies, (n,)."""
        return np.where(straight > self.at, self.slope, 1.0)

    def contributions(self, base: Floats, contributions: Floats) -> Floats:
        """Contributions (n, p) that with the same base (n,) add up to the bent log-odds.

        >>> bent = Bend(0.0, 0.5).contributions(np.array([-2.0, -2.0]), np.array([[1.0, 0.5], [3.0, 1.0]]))
        >>> bent.tolist(), (bent.sum(axis=1) - 2.0).tolist()
        ([[1.0, 0.5], [2.25, 0.75]], [-0.5, 1.0])
        """
        if self.is_straight:
            return contributions
        straight = summed(base, contributions)
        from_base = straight - base
        is_bent = (straight > self.at) & (from_base != 0)
        factor = np.where(is_bent, (self.log_odds(straight) - base) / np.where(is_bent, from_base, 1.0), 1.0)
        return np.asarray(contributions * factor[:, None])

    def along(self, line: Line) -> "Bend":
        """The same bend where a line is laid over the bent log-odds: its log-odds begin to bend at another place."""
        return self if self.is_straight else replace(self, at=line.intercept + line.slope * self.at)


STRAIGHT = Bend(0.0, 1.0)


def bend_of(outcome: Floats, log_odds: Floats, *, weight: Floats, share_below: float = SHARE_BELOW) -> Bend:
    """The likeliest bend of calibrated log-odds, given what happened to people not fitted on; each (n,).

    The slope is expected, before anything is seen, about 0.3 from 1. It never exceeds 1: nothing is made larger.

    >>> x = np.repeat([-3.0, 1.0], [9_000, 100])
    >>> y = np.concatenate([np.arange(9_000) % 20 == 0, np.arange(100) % 2 == 0]).astype(float)
    >>> bend = bend_of(y, x, weight=np.ones(len(y)), share_below=0.98)
    >>> bend.at, 0.7 < bend.slope < 0.8
    (-3.0, True)
    """
    at = float(np.quantile(log_odds, share_below))
    beyond = log_odds > at
    over, y, w = log_odds[beyond] - at, outcome[beyond], weight[beyond]
    slope = 1.0
    for _ in range(100):
        risk = expit(at + slope * over)
        gradient = float((w * (y - risk) * over).sum()) - (slope - 1) / SPREAD_OF_BEND**2
        curvature = float((w * risk * (1 - risk) * over**2).sum()) + SPREAD_OF_BEND**-2
        step = float(np.clip(gradient / curvature, -0.2, 0.2))
        slope += step
        if abs(step) < 1e-10:
            break
    held = round(float(np.clip(slope, LEAST_SLOPE, 1.0)), 9)
    return STRAIGHT if held == 1.0 else Bend(round(at, 9), held)
