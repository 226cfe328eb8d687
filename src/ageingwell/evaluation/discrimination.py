"""How well risks put people in order."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats
from scipy.special import expit, logit

from ageingwell.errors import FrameError
from ageingwell.evaluation.checked import outcome_and
from ageingwell.evaluation.estimate import Estimate as Estimate
from ageingwell.evaluation.estimate import Floats, events_apart, gap_interval, resampled, share_interval, tidy, untold
from ageingwell.evaluation.estimate import difference as difference_of_two

# Where a search that must not end at 0 or 1 stops: nearer than any area of fewer than a billion pairs.
_APART = 1e-12

# Years of age, the first in and the last out. A pooled figure flatters: order is harder to tell among the oldest.
AGE_BANDS: Mapping[str, tuple[float, float]] = {
    "65 to 74": (65, 75),
    "75 to 84": (75, 85),
    "85 and over": (85, float("inf")),
}


def auroc(outcome: ArrayLike, score: ArrayLike) -> Estimate:
    """Area under the receiver operating characteristic curve, ties counted half, with a 95% interval.

    `outcome` (n,) of 0 and 1, `score` (n,). The interval is the wider, at each end, of two: DeLong's spread on the
    log-odds of the area with Student's t, and Newcombe's method 5. DeLong's alone is too short where events are few or
    nearly all are in order, and nothing where all are; Newcombe's alone is too short where the two sides differ in
    spread. Together they err to the wide side: `benchmarks/intervals.md` has what they cover. Sources: DeLong and
    others, Biometrics 1988;44:837; fast form after Sun and Xu, IEEE Signal Processing Letters 2014;21:1389; Newcombe,
    Statistics in Medicine 2006;25:559.

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
    low, high = _newcombe(area, cases.size, controls.size)
    error, freedom = _spread(of_cases, of_controls)
    if error > 0 and 0 < area < 1:
        margin = float(stats.t.ppf(0.975, freedom)) * error / (area * (1 - area))
        low, high = min(low, float(expit(logit(area) - margin))), max(high, float(expit(logit(area) + margin)))
    return Estimate(area, low, high, n, n_events)


def auroc_difference(outcome: ArrayLike, score: ArrayLike, rival: ArrayLike) -> Estimate:
    """How much larger the area of `score` is than that of `rival` on the same people, with DeLong's paired interval.

    The margin is Student's t of the paired spread. Where two different scores put the few people there are equally in
    order, that spread is nothing, which is no proof that they are alike: the interval is then that of two areas of
    different people, which is too wide. It cannot be told (NaN) with one person on a side.

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
    error, freedom = _spread(by_case, by_control)
    if error == 0 and not _in_one_order(*both):
        apart = difference_of_two(_area(happened, both[0]), _area(happened, both[1]))
        return Estimate(difference, apart.low, apart.high, n, n_events)
    margin = float(stats.t.ppf(0.975, freedom)) * error if error else error
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

    The interval is the wider, at each end, of two: the redrawn figures on the log-odds, moved by what redrawing adds,
    with Student's t of the events; and Jeffreys' of a share of so many events (after Boyd and others, ECML PKDD
    2013;8190:451). Either alone is too short where events are few; together they err to the wide side. Tied scores are
    taken together, as scikit-learn does. By chance alone it is the share of people with the event.

    >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value, 4)
    0.8333
    """
    happened, values = outcome_and(outcome, score)
    n, n_events = happened.size, int(happened.sum())
    if n_events == 0:
        return untold(n, n_events)
    precision = _Precision(happened, values)
    value = precision.of(np.ones(n, dtype=np.int64))
    redrawn = resampled(precision.of, n, draws=draws, seed=seed, households=households)
    return Estimate(value, *share_interval(value, redrawn, n_events=events_apart(happened, households)), n, n_events)


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

    value = gap(np.ones(n, dtype=np.int64))
    redrawn = resampled(gap, n, draws=draws, seed=seed, households=households)
    return Estimate(value, *gap_interval(value, redrawn, n_events=events_apart(happened, households)), n, n_events)


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


def _spread(of_cases: Floats, of_controls: Floats) -> tuple[float, float]:
    """DeLong's standard error, and its degrees of freedom after Welch and Satterthwaite; NaN with one on a side."""
    sizes = of_cases.size, of_controls.size
    if min(sizes) < 2:
        return float("nan"), float("nan")
    parts = [float(values.var(ddof=1)) / values.size for values in (of_cases, of_controls)]
    total = sum(parts)
    if total == 0:
        return 0.0, float("inf")
    return float(np.sqrt(total)), total**2 / sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))


def _in_one_order(one: Floats, other: Floats) -> bool:
    """Whether two scores put these people in the same order, ties included."""
    return bool((stats.rankdata(one) == stats.rankdata(other)).all())


def _newcombe(area: float, n_cases: int, n_controls: int) -> tuple[float, float]:
    """The areas that lie no farther from this one than 1.96 of their own standard errors."""
    pairs, half = n_cases * n_controls, (n_cases + n_controls) / 2 - 1

    def beyond(true: float) -> float:
        spread = 1 + half * ((1 - true) / (2 - true) + true / (1 + true))
        return (true - area) ** 2 - float(stats.norm.ppf(0.975)) ** 2 * true * (1 - true) * spread / pairs

    # At 0 and 1 the areas' own standard error is nothing, so `beyond` is 0 there as well: the search stops short of it.
    low = 0.0 if area == 0 else float(optimize.brentq(beyond, 0.0, area - _APART if area == 1 else area))
    return low, 1.0 if area == 1 else float(optimize.brentq(beyond, area + _APART if area == 0 else area, 1.0))
