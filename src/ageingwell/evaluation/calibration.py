"""Whether risks mean what they say: of 100 people given 30 in 100, about 30."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import expit, logit


@dataclass(frozen=True)
class Line:
    """A straight line on the log-odds: `intercept + slope * log_odds`."""

    intercept: float
    slope: float


def calibration_line(outcome: ArrayLike, log_odds: ArrayLike) -> Line:
    """The logistic recalibration line; intercept 0 and slope 1 where the risks are right.

    `outcome` (n,) of 0 and 1, `log_odds` (n,). Fitted by Newton's method on the logistic likelihood; raises
    `ValueError` where the outcome has one value only, the log-odds are all alike, or they part the outcomes wholly.
    """
    y, x = np.asarray(outcome, dtype=float), np.asarray(log_odds, dtype=float)
    if y.min() == y.max() or x.min() == x.max():
        raise ValueError("a calibration line needs both outcomes and more than one score")
    # In units of their own spread, so that the steps suit log-odds of any size.
    centre, spread = x.mean(), x.std()
    design = np.column_stack([np.ones_like(x), (x - centre) / spread])
    beta = np.array([logit(y.mean()), 0.0])
    for _ in range(100):
        risk = expit(design @ beta)
        gradient = design.T @ (y - risk)
        hessian = (design * (risk * (1 - risk))[:, None]).T @ design
        if np.linalg.cond(hessian) > 1e14:
            break
        step = np.linalg.solve(hessian, gradient)
        beta = beta + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-10:
            slope = beta[1] / spread
            return Line(float(beta[0] - slope * centre), float(slope))
    raise ValueError("no calibration line fits: the scores part those with the outcome from those without")


@dataclass(frozen=True)
class Curve:
    """Groups of people in order of risk: mean log-odds, people, events, and the observed share with its interval."""

    log_odds: NDArray[np.float64]
    n: NDArray[np.int64]
    n_events: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def calibration_curve(outcome: ArrayLike, log_odds: ArrayLike, *, groups: int = 20) -> Curve:
    """Split people into equal groups by risk and count what happened, with Jeffreys 95% intervals.

    Source of the interval: Brown, Cai and DasGupta, Statistical Science 2001;16:101.
    """
    y, x = np.asarray(outcome, dtype=float), np.asarray(log_odds, dtype=float)
    order = np.argsort(x, kind="stable")
    parts = [part for part in np.array_split(order, groups) if part.size]
    n = np.array([part.size for part in parts])
    events = np.array([int(y[part].sum()) for part in parts])
    low = np.where(events == 0, 0.0, stats.beta.ppf(0.025, events + 0.5, n - events + 0.5))
    high = np.where(events == n, 1.0, stats.beta.ppf(0.975, events + 0.5, n - events + 0.5))
    return Curve(np.array([x[part].mean() for part in parts]), n, events, low, high)
