"""How far risks lie from the observed share, along a smooth curve: the integrated calibration index.

The smoother: local straight lines through the people nearest in risk (LOESS of degree 1, tricube weights, span 0.75,
no robustness rounds), fitted at up to `POINTS` quantiles of the risk and drawn straight between them. Its values are
kept within [0, 1]. Sources: Austin and Steyerberg, Statistics in Medicine 2019;38:4051; Cleveland, Journal of the
American Statistical Association 1979;74:829.
"""

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from ageingwell.evaluation.checked import finite, outcome_and_risk
from ageingwell.evaluation.estimate import Estimate, Floats, distance_interval, resampled, tidy, untold

SPAN = 0.75
POINTS = 100


def calibration_index(
    outcome: ArrayLike, risk: ArrayLike, *, draws: int = 100, seed: int = 1, households: ArrayLike | None = None
) -> pl.DataFrame:
    """The distance between risk and smoothed observed share over people: measure, value, low, high, n, n_events.

    `ici` is its mean, `e50` its median, `e90` its 90th percentile, `emax` its largest; bootstrap intervals, of
    `households` (n,) where they are given, which reach down to 0 where chance alone could make such a distance. All
    are null with fewer than ten people or one outcome only.

    >>> calibration_index([0, 1] * 10, [0.5] * 20, draws=10)["value"].to_list()
    [0.0, 0.0, 0.0, 0.0]
    """
    happened, risks = outcome_and_risk(outcome, risk)
    n, n_events = happened.size, int(happened.sum())
    measures = ("ici", "e50", "e90", "emax")
    if n < 10 or n_events in (0, n):
        return tidy(({"measure": measure}, untold(n, n_events)) for measure in measures)
    # Sorted once; a person drawn three times stands three times in a row.
    order = np.lexsort((happened, risks))
    y, x = happened[order].astype(float), risks[order]

    def distances(drawn: NDArray[np.int64]) -> Floats:
        people = np.repeat(np.arange(n), drawn[order])
        return _summary(np.abs(_smoothed(y[people], x[people], at=x[people]) - x[people]))

    found = distances(np.ones(n, dtype=np.int64))
    redrawn = resampled(distances, n, draws=draws, seed=seed, households=households)
    return tidy(
        (
            {"measure": measure},
            Estimate(float(found[at]), *distance_interval(float(found[at]), redrawn[:, at]), n, n_events),
        )
        for at, measure in enumerate(measures)
    )


def smoothed(outcome: ArrayLike, risk: ArrayLike, *, at: ArrayLike) -> Floats:
    """The smoothed observed share at the risks `at` (m,), from people with `outcome` and `risk`, both (n,)."""
    happened, risks = outcome_and_risk(outcome, risk)
    return _smoothed(happened.astype(float), risks, at=finite(at))


def _smoothed(y: Floats, x: Floats, *, at: Floats) -> Floats:
    order = np.argsort(x, kind="stable")
    y, x = y[order], x[order]
    knots = np.unique(x)
    if knots.size > POINTS:
        knots = np.unique(np.quantile(x, np.linspace(0, 1, POINTS), method="nearest"))
    values = np.array([_local_line(y, x, knot) for knot in knots])
    return np.asarray(np.clip(np.interp(at, knots, values), 0.0, 1.0))


def _local_line(y: Floats, x: Floats, knot: float) -> float:
    """The weighted straight line through the nearest `SPAN` of people, read at `knot`; `x` ascending."""
    nearest = max(2, int(SPAN * x.size + 1e-10))
    first = _window(x, knot, nearest)
    # People as far away as the farthest of the window weigh nothing, so which of them stand in it does not matter.
    reach = float(max(knot - x[first], x[first + nearest - 1] - knot))
    if reach == 0:
        return float(y[x == knot].mean())
    x, y = x[first : first + nearest], y[first : first + nearest]
    weight = (1 - (np.abs(x - knot) / reach) ** 3) ** 3
    total = weight.sum()
    centre = (weight * x).sum() / total
    height = (weight * y).sum() / total
    spread = (weight * (x - centre) ** 2).sum()
    if spread <= 1e-12 * total:
        return float(height)
    slope = (weight * (x - centre) * y).sum() / spread
    return float(height + slope * (knot - centre))


def _window(x: Floats, knot: float, size: int) -> int:
    """Where the `size` values nearest to `knot` begin in ascending `x`."""
    low, high = 0, x.size - size
    while low < high:
        middle = (low + high) // 2
        if knot - x[middle] > x[middle + size] - knot:
            low = middle + 1
        else:
            high = middle
    return low


def _summary(distance: Floats) -> Floats:
    return np.array([distance.mean(), np.median(distance), np.quantile(distance, 0.9), distance.max()])
