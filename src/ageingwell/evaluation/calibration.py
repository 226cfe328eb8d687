"""Whether risks mean what they say: of 100 people given 30 in 100, about 30."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import expit, logit

from ageingwell.evaluation.checked import outcome_and, outcome_and_risk
from ageingwell.evaluation.estimate import Estimate, around, proportion, tidy, untold


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
    happened, x = outcome_and(outcome, log_odds)
    y = happened.astype(float)
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
    y, x = outcome_and(outcome, log_odds)
    order = np.argsort(x, kind="stable")
    parts = [part for part in np.array_split(order, groups) if part.size]
    n = np.array([part.size for part in parts])
    events = np.array([int(y[part].sum()) for part in parts])
    low = np.where(events == 0, 0.0, stats.beta.ppf(0.025, events + 0.5, n - events + 0.5))
    high = np.where(events == n, 1.0, stats.beta.ppf(0.975, events + 0.5, n - events + 0.5))
    return Curve(np.array([x[part].mean() for part in parts]), n, events, low, high)


def calibration(outcome: ArrayLike, log_odds: ArrayLike) -> pl.DataFrame:
    """How far risks mean what they say: measure, value, low, high, n, n_events.

    `slope` and `intercept` are of the recalibration line, with Wald intervals; `intercept_at_slope_1` moves all risks
    alike (calibration-in-the-large on the log-odds); `observed_over_expected` is the same as a ratio of events.
    A figure that cannot be told is null.

    >>> calibration([0, 1, 0, 1], [-1.0, -1.0, 1.0, 1.0]).select("measure", "value").rows()[0]
    ('slope', 0.0)
    """
    happened, x = outcome_and(outcome, log_odds)
    slope, intercept = _line_estimates(happened, x)
    told = {
        "slope": slope,
        "intercept": intercept,
        "intercept_at_slope_1": _intercept_at_slope_1(happened, x),
        "observed_over_expected": observed_over_expected(happened, expit(x)),
    }
    return tidy(({"measure": measure}, estimate) for measure, estimate in told.items())


def calibration_slope(outcome: ArrayLike, risk: ArrayLike) -> Estimate:
    """The slope of the recalibration line of `risk` (n,): 1 where risks lie as far apart as they should.

    >>> calibration_slope([0, 1, 0, 1], [0.25, 0.25, 0.75, 0.75]).value
    0.0
    """
    return _line_of_risk(outcome, risk)[0]


def calibration_intercept(outcome: ArrayLike, risk: ArrayLike) -> Estimate:
    """The intercept of the recalibration line of `risk` (n,), in log-odds: 0 where risks are right, with a slope of 1.

    >>> calibration_intercept([0, 1, 0, 1], [0.25, 0.25, 0.75, 0.75]).value
    0.0
    """
    return _line_of_risk(outcome, risk)[1]


def _line_of_risk(outcome: ArrayLike, risk: ArrayLike) -> tuple[Estimate, Estimate]:
    happened, risks = outcome_and_risk(outcome, risk)
    # A risk of 0 or 1 has no log-odds.
    return _line_estimates(happened, logit(np.clip(risks, 1e-12, 1 - 1e-12)))


def observed_over_expected(outcome: ArrayLike, risk: ArrayLike) -> Estimate:
    """Events that happened over events the risks expected, with the exact (Clopper-Pearson) interval of the observed.

    Exact where all risks are alike, and never too short where they differ: the number of events then varies less
    (Hoeffding, Annals of Mathematical Statistics 1956;27:713).

    >>> observed_over_expected([1, 0, 0, 1], [0.1, 0.2, 0.3, 0.4]).value
    2.0
    """
    happened, risks = outcome_and_risk(outcome, risk)
    n, n_events, expected = happened.size, int(happened.sum()), float(risks.sum())
    if expected <= 0:
        return untold(n, n_events)
    share = proportion(n_events, n, method="clopper_pearson")
    return Estimate(n_events / expected, share.low * n / expected, share.high * n / expected, n, n_events)


def calibration_groups(outcome: ArrayLike, risk: ArrayLike, *, groups: int = 10) -> pl.DataFrame:
    """The calibration curve as a table, lowest risks first: group, mean_risk, value (share observed), low, high, …

    People of the same risk share a group, so their order changes nothing; Jeffreys 95% intervals.

    >>> calibration_groups([0, 0, 1, 1], [0.1, 0.1, 0.6, 0.8], groups=2).select("mean_risk", "value").rows()
    [(0.1, 0.0), (0.7, 1.0)]
    """
    happened, risks = outcome_and_risk(outcome, risk)
    of_person = equal_groups(risks, groups)
    rows = []
    for number, group in enumerate(np.unique(of_person), start=1):
        inside = of_person == group
        observed = proportion(int(happened[inside].sum()), int(inside.sum()), method="jeffreys")
        rows.append(({"group": number, "mean_risk": float(risks[inside].mean())}, observed))
    return tidy(rows)


def equal_groups(values: NDArray[np.float64], groups: int) -> NDArray[np.int64]:
    """The number of each person's group (n,): about as many people in each, tied values never parted."""
    ranks = stats.rankdata(values, method="average")
    return np.asarray(np.minimum((ranks - 0.5) * groups / values.size, groups - 1), dtype=np.int64)


def _line_estimates(happened: NDArray[np.bool_], x: NDArray[np.float64]) -> tuple[Estimate, Estimate]:
    n, n_events = happened.size, int(happened.sum())
    try:
        line = calibration_line(happened, x)
    except ValueError:
        return untold(n, n_events), untold(n, n_events)
    risk = expit(line.intercept + line.slope * x)
    weight = risk * (1 - risk)
    # Fisher information about the weighted centre, where slope and height vary apart from one another.
    centre = float((weight * x).sum() / weight.sum())
    of_slope = 1 / float((weight * (x - centre) ** 2).sum())
    of_intercept = 1 / float(weight.sum()) + centre**2 * of_slope
    return (
        around(line.slope, float(np.sqrt(of_slope)), n=n, n_events=n_events),
        around(line.intercept, float(np.sqrt(of_intercept)), n=n, n_events=n_events),
    )


def _intercept_at_slope_1(happened: NDArray[np.bool_], x: NDArray[np.float64]) -> Estimate:
    n, n_events = happened.size, int(happened.sum())
    if n_events in (0, n):
        return untold(n, n_events)
    shift = 0.0
    for _ in range(200):
        risk = expit(x + shift)
        information = max(float((risk * (1 - risk)).sum()), 1e-12)
        step = float(np.clip((n_events - risk.sum()) / information, -1.0, 1.0))
        shift += step
        if abs(step) < 1e-10:
            break
    return around(shift, 1 / float(np.sqrt(information)), n=n, n_events=n_events)
