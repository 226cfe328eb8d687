"""A place's own calibration: the parent's line moved as far as the place's events can say, and no farther."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ageingwell.evaluation.calibration import Line
from ageingwell.evaluation.checked import outcome_and, weights
from ageingwell.evaluation.estimate import Z
from ageingwell.model.fitted import FittedRisk, over_line
from ageingwell.model.ranges import Range

Floats = NDArray[np.float64]
# How far places are expected to lie from their parent before anything is seen: a height of 0.2 on the log-odds (rates a
# fifth higher or lower) and a slope of 0.1. A height so expected weighs as much as 25 events do (1 / 0.2²).
SPREAD_OF_HEIGHT, SPREAD_OF_SLOPE = 0.2, 0.1
# A place never turns the order of people, however few of them spoke.
LEAST_SLOPE, MOST_SLOPE = 0.5, 2.0


@dataclass(frozen=True)
class Move:
    """How a place's log-odds follow from the parent's: `x + height + (slope - 1) * (x - centre)`.

    `centre` is the mean of the parent's log-odds, each counted for what it tells; about it height and slope hardly
    depend on one another. `height_share` and `slope_share` are how much of what the place alone would say was kept: 0
    without events, near 1 with thousands. `height_error` and `slope_error` are what is left unknown of either.
    """

    height: float
    slope: float
    centre: float
    height_share: float
    slope_share: float
    height_error: float
    slope_error: float

    @property
    def line(self) -> Line:
        """The same as intercept and slope on the parent's log-odds."""
        return Line(self.height + (1 - self.slope) * self.centre, self.slope)

    def error(self, log_odds: Floats) -> Floats:
        """The standard error of the moved log-odds, (n,)."""
        return np.asarray(np.hypot(self.height_error, (log_odds - self.centre) * self.slope_error))


def move_of_place(
    outcome: Floats,
    log_odds: Floats,
    *,
    weight: Floats | None = None,
    spread_of_height: float = SPREAD_OF_HEIGHT,
    spread_of_slope: float = SPREAD_OF_SLOPE,
) -> Move:
    """The likeliest move from a parent's calibrated `log_odds` (n,), given the place's `outcome` (n,) of 0 and 1.

    Height and slope are expected to be normal about 0 and 1 with the spreads given; the likeliest values by Newton's
    method. Without people, or with nothing but chance to see, nothing moves.

    Source: Steyerberg and others, Statistics in Medicine 2004;23:2567 (shrinkage of recalibration in small places).

    >>> few, many = (move_of_place(np.repeat([1.0, 0.0], [3 * n, n]), np.zeros(4 * n)) for n in (2, 2_000))
    >>> round(few.height, 2), round(many.height, 2)
    (0.07, 1.08)
    """
    y, x = np.asarray(outcome, dtype=float), np.asarray(log_odds, dtype=float)
    if y.size:
        outcome_and(outcome, log_odds)
    w = np.ones(y.size) if weight is None or not y.size else weights(weight, n=y.size)
    tells = w * expit(x) * (1 - expit(x))
    centre = float(np.average(x, weights=tells)) if y.size else 0.0
    apart = x - centre
    expected = np.array([spread_of_height**-2, spread_of_slope**-2])
    beta = np.array([0.0, 1.0])
    for _ in range(100):
        risk = expit(centre + beta[0] + beta[1] * apart)
        left, spread = w * (y - risk), w * risk * (1 - risk)
        gradient = np.array([left.sum(), (left * apart).sum()]) - expected * (beta - [0.0, 1.0])
        seen = np.array([spread.sum(), (spread * apart**2).sum()])
        cross = float((spread * apart).sum())
        curvature = np.array([[seen[0] + expected[0], cross], [cross, seen[1] + expected[1]]])
        step = np.clip(np.linalg.solve(curvature, gradient), -0.5, 0.5)
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    errors = np.sqrt(np.diag(np.linalg.inv(curvature)))
    shares = seen / (seen + expected)
    slope = float(np.clip(beta[1], LEAST_SLOPE, MOST_SLOPE))
    figures = (float(beta[0]), slope, centre, *shares.tolist(), *errors.tolist())
    return Move(*(round(figure, 9) for figure in figures))


def moved(model: FittedRisk, move: Move) -> FittedRisk:
    """The parent's model with the place's line; contributions stay exactly additive, and the order of people stays.

    The range moves with the line, and its arms are widened by what is unknown of the move (squared and added).
    """
    later, spread = move.line, model.spread
    knots = np.array(spread.log_odds)
    unknown = Z * move.error(knots)
    arms = ([float(np.hypot(arm, more)) for arm, more in zip(side, unknown)] for side in (spread.below, spread.above))
    below, above = arms
    at = later.intercept + later.slope * knots
    return replace(over_line(model, later), spread=Range(tuple(at.tolist()), tuple(below), tuple(above)))
