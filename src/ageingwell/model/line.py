"""The calibration line of a fit with few events: pulled towards the line that changes nothing."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ageingwell.evaluation.calibration import Line

Floats = NDArray[np.float64]
# How far from 1 a slope is expected to lie: of a fit judged by its own folds, and of a later year judged by both.
SPREAD_OF_SLOPE = 0.3
SPREAD_OF_LATER_SLOPE = 0.1
LEAST_SLOPE, MOST_SLOPE = 0.05, 2.0


def shrunken_line(outcome: Floats, score: Floats, *, weight: Floats, spread_of_slope: float = SPREAD_OF_SLOPE) -> Line:
    """The logistic recalibration line whose slope is expected, before anything is seen, about so far from 1.

    `outcome` of 0 and 1, raw log-odds `score`, `weight`, each (n,). The slope always lies between 0.05 and 2, so that
    calibration never turns the order of people; the intercept makes the mean risk that which was observed.

    >>> line = shrunken_line(np.array([0.0, 1.0, 0.0, 1.0]), np.array([-1.0, -1.0, 1.0, 1.0]), weight=np.ones(4))
    >>> 0.05 <= line.slope < 1, round(line.intercept, 6)
    (True, 0.0)
    """
    slope, intercept = 1.0, 0.0
    for _ in range(100):
        risk = expit(intercept + slope * score)
        left, spread = weight * (outcome - risk), weight * risk * (1 - risk) + 1e-12
        gradient = np.array([left.sum(), (left * score).sum() - (slope - 1) / spread_of_slope**2])
        cross = (spread * score).sum()
        curvature = np.array([[spread.sum(), cross], [cross, (spread * score**2).sum() + spread_of_slope**-2]])
        step = np.clip(np.linalg.solve(curvature, gradient), -0.5, 0.5)
        intercept, slope = intercept + step[0], slope + step[1]
        if np.abs(step).max() < 1e-10:
            break
    held = float(np.clip(slope, LEAST_SLOPE, MOST_SLOPE))
    return Line(height_of(outcome, held * score, weight), round(held, 9))


def height_of(outcome: Floats, score: Floats, weight: Floats) -> float:
    """The shift at which the mean risk is the observed share."""
    low, high = -60.0, 60.0
    for _ in range(100):
        middle = (low + high) / 2
        above = (weight * (expit(middle + score) - outcome)).sum() > 0
        low, high = (low, middle) if above else (middle, high)
    return round((low + high) / 2, 9)
