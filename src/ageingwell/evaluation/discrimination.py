"""How well risks put people in order."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from ageingwell.errors import FrameError
from ageingwell.evaluation.checked import outcome_and
from ageingwell.evaluation.estimate import Estimate as Estimate
from ageingwell.evaluation.estimate import Floats, percentile_interval, resampled, tidy, untold

# Years of age, the first in and the last out. A pooled figure flatters: order is harder to tell among the oldest.
AGE_BANDS: Mapping[str, tuple[float, float]] = {
    "65 to 74": (65, 75),
    "75 to 84": (75, 85),
    "85 and over": (85, float("inf")),
}


def auroc(outcome: ArrayLike, score: ArrayLike) -> Estimate:
    """Area under the receiver operating characteristic curve, ties counted half, with DeLong's interval.

    `outcome` (n,) of 0 and 1, `score` (n,). With fewer than two people on a side, or none out of order, DeLong's spread
    is nothing: the interval is then Newcombe's (method 5, Statistics in Medicine 2006;25:559). Source: DeLong and
    others, Biometrics 1988;44:837; fast form after Sun and Xu, IEEE Signal Processing Letters 2014;21:1389.

    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value
    0.75
    """
    return _area(*outcome_and(outcome, score))


def _area(happened: NDArray[np.bool_], values: Floats) -> Estimate:
    n, n_events = happened.size, int(happened.sum())
    if n_events in (0, n):
        return untold(n, n_events)
    cases, controls = values[happened], values[~happened]
    of_cases, of_controls = _placements(cases, controls)
    area = float(of_cases.mean())
    variance = _variance(of_cases) / cases.size + _variance(of_controls) / controls.size
    if not variance > 0:
        return Estimate(area, *_newcombe(area, cases.size, controls.size), n, n_events)
    margin = float(stats.norm.ppf(0.975) * np.sqrt(variance))
    return Estimate(area, max(0.0, area - margin), min(1.0, area + margin), n, n_events)


def auroc_difference(outcome: ArrayLike, score: ArrayLike, rival: ArrayLike) -> Estimate:
    """How much larger the area of `score` is than that of `rival` on the same people, with DeLong's paired interval.

    >>> auroc_difference([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], [0.1, 0.4, 0.35, 0.8]).value
    0.0
    """
    happened, *both = outcome_and(outcome, score, rival)
    n, n_events = happened.size, int(happened.sum())
    if n_events in (0, n):
        return untold(n, n_events)
    ours, theirs = (_placements(values[happened], values[~happened]) for values in both)
    by_case, by_control = ours[0] - theirs[0], ours[1] - theirs[1]
    difference = float(by_case.mean())
    variance = _variance(by_case) / by_case.size + _variance(by_control) / by_control.size
    margin = float(stats.norm.ppf(0.975) * np.sqrt(variance))
    return Estimate(difference, difference - margin, difference + margin, n, n_events)


def auroc_by_band(
    outcome: ArrayLike, score: ArrayLike, age: ArrayLike, *, bands: Mapping[str, tuple[float, float]] = AGE_BANDS
) -> pl.DataFrame:
    """The area within each age band: band, value, low, high, n, n_events; all three arrays (n,), age in years.

    >>> auroc_by_band([0, 1, 0, 1], [0.1, 0.2, 0.9, 0.3], [66, 70, 86, 90])["value"].to_list()
    [1.0, None, 0.0]
    """
    happened, values, years = outcome_and(outcome, score, age)
    inside = {band: (years >= first) & (years < end) for band, (first, end) in bands.items()}
    return tidy(({"band": band}, _area(happened[rows], values[rows])) for band, rows in inside.items())


def average_precision(
    outcome: ArrayLike, score: ArrayLike, *, draws: int = 500, seed: int = 1, households: ArrayLike | None = None
) -> Estimate:
    """The mean share of events among people at or above each event's score, with a bootstrap interval over households.

    Tied scores are taken together, as scikit-learn does. By chance alone it is the share of people with the event.

    >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value, 4)
    0.8333
    """
    happened, values = outcome_and(outcome, score)
    n, n_events = happened.size, int(happened.sum())
    if n_events == 0:
        return untold(n, n_events)
    precision = _Precision(happened, values)
    low, high = percentile_interval(resampled(precision.of, n, draws=draws, seed=seed, households=households))
    return Estimate(precision.of(np.ones(n, dtype=np.int64)), low, high, n, n_events)


def average_precision_difference(
    outcome: ArrayLike,
    score: ArrayLike,
    rival: ArrayLike,
    *,
    draws: int = 500,
    seed: int = 1,
    households: ArrayLike | None = None,
) -> Estimate:
    """How much larger the average precision of `score` is than that of `rival`, both redrawn on the same people."""
    happened, values, rivals = outcome_and(outcome, score, rival)
    n, n_events = happened.size, int(happened.sum())
    if n_events == 0:
        return untold(n, n_events)
    ours, theirs = _Precision(happened, values), _Precision(happened, rivals)

    def gap(drawn: NDArray[np.int64]) -> float:
        return ours.of(drawn) - theirs.of(drawn)

    low, high = percentile_interval(resampled(gap, n, draws=draws, seed=seed, households=households))
    return Estimate(gap(np.ones(n, dtype=np.int64)), low, high, n, n_events)


def paired_differences(
    outcome: ArrayLike,
    scores: Mapping[str, ArrayLike],
    *,
    model: str,
    draws: int = 500,
    seed: int = 1,
    households: ArrayLike | None = None,
) -> pl.DataFrame:
    """How much better `model` orders the same people than each other score: rival, measure, value, low, high, …

    >>> rivals = {"model": [0.1, 0.2, 0.9], "age": [70, 90, 80]}
    >>> paired_differences([0, 0, 1], rivals, model="model")["value"].to_list()
    [0.5, 0.5]
    """
    if model not in scores:
        raise FrameError(f"the score named {model!r} was not given", "give it with the scores to compare it with")
    ours, rivals = scores[model], {name: score for name, score in scores.items() if name != model}
    rows = []
    for name, rival in rivals.items():
        rows.append(({"rival": name, "measure": "auroc"}, auroc_difference(outcome, ours, rival)))
        gap = average_precision_difference(outcome, ours, rival, draws=draws, seed=seed, households=households)
        rows.append(({"rival": name, "measure": "average_precision"}, gap))
    return tidy(rows)


class _Precision:
    """Average precision of people drawn any number of times; sorted once for all draws."""

    def __init__(self, happened: NDArray[np.bool_], values: Floats) -> None:
        self._order = np.argsort(-values, kind="stable")
        ordered = values[self._order]
        self._ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        self._happened = happened[self._order]

    def of(self, drawn: NDArray[np.int64]) -> float:
        times = drawn[self._order]
        people = np.cumsum(times)[self._ends]
        events = np.cumsum(times * self._happened)[self._ends]
        if events[-1] == 0:
            return float("nan")
        new = np.diff(events, prepend=0)
        return float((new * events / np.maximum(people, 1)).sum() / events[-1])


def _placements(cases: NDArray[np.float64], controls: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """For each case the share of controls below it, and for each control the share of cases above it."""
    together = stats.rankdata(np.concatenate([cases, controls]))
    of_cases = (together[: cases.size] - stats.rankdata(cases)) / controls.size
    of_controls = 1 - (together[cases.size :] - stats.rankdata(controls)) / cases.size
    return of_cases, of_controls


def _variance(values: NDArray[np.float64]) -> float:
    return float(values.var(ddof=1)) if values.size > 1 else float("nan")


def _newcombe(area: float, n_cases: int, n_controls: int) -> tuple[float, float]:
    """The areas that lie no farther from this one than 1.96 of their own standard errors."""
    pairs, half = n_cases * n_controls, (n_cases + n_controls) / 2 - 1

    def beyond(true: float) -> float:
        spread = 1 + half * ((1 - true) / (2 - true) + true / (1 + true))
        return (true - area) ** 2 - float(stats.norm.ppf(0.975)) ** 2 * true * (1 - true) * spread / pairs

    low = 0.0 if area == 0 else float(optimize.brentq(beyond, 0.0, area))
    return low, 1.0 if area == 1 else float(optimize.brentq(beyond, area, 1.0))
