"""How well risks put people in order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% interval and the counts behind it."""

    value: float
    low: float
    high: float
    n: int
    n_events: int


def auroc(outcome: ArrayLike, score: ArrayLike) -> Estimate:
    """Area under the receiver operating characteristic curve, ties counted half, with DeLong's interval.

    `outcome` (n,) of 0 and 1, `score` (n,). Source: DeLong and others, Biometrics 1988;44:837; fast form after Sun and
    Xu, IEEE Signal Processing Letters 2014;21:1389.

    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value
    0.75
    """
    happened = np.asarray(outcome, dtype=bool)
    values = np.asarray(score, dtype=float)
    n, n_events = happened.size, int(happened.sum())
    if n_events in (0, n):
        return Estimate(float("nan"), float("nan"), float("nan"), n, n_events)
    cases, controls = values[happened], values[~happened]
    of_cases, of_controls = _placements(cases, controls)
    area = float(of_cases.mean())
    variance = _variance(of_cases) / cases.size + _variance(of_controls) / controls.size
    margin = float(stats.norm.ppf(0.975) * np.sqrt(variance))
    return Estimate(area, max(0.0, area - margin), min(1.0, area + margin), n, n_events)


def auroc_difference(outcome: ArrayLike, score: ArrayLike, rival: ArrayLike) -> Estimate:
    """How much larger the area of `score` is than that of `rival` on the same people, with DeLong's paired interval.

    >>> auroc_difference([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], [0.1, 0.4, 0.35, 0.8]).value
    0.0
    """
    happened = np.asarray(outcome, dtype=bool)
    n, n_events = happened.size, int(happened.sum())
    if n_events in (0, n):
        return Estimate(float("nan"), float("nan"), float("nan"), n, n_events)
    ours, theirs = (
        _placements(values[happened], values[~happened])
        for values in (np.asarray(score, dtype=float), np.asarray(rival, dtype=float))
    )
    by_case, by_control = ours[0] - theirs[0], ours[1] - theirs[1]
    difference = float(by_case.mean())
    variance = _variance(by_case) / by_case.size + _variance(by_control) / by_control.size
    margin = float(stats.norm.ppf(0.975) * np.sqrt(variance))
    return Estimate(difference, difference - margin, difference + margin, n, n_events)


def _placements(cases: NDArray[np.float64], controls: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """For each case the share of controls below it, and for each control the share of cases above it."""
    together = stats.rankdata(np.concatenate([cases, controls]))
    of_cases = (together[: cases.size] - stats.rankdata(cases)) / controls.size
    of_controls = 1 - (together[cases.size :] - stats.rankdata(controls)) / cases.size
    return of_cases, of_controls


def _variance(values: NDArray[np.float64]) -> float:
    return float(values.var(ddof=1)) if values.size > 1 else 0.0
