"""One figure with its count and its spread: the shape in which every measure is told."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import expit, logit

from ageingwell.errors import FrameError
from ageingwell.evaluation.checked import household_places

Floats = NDArray[np.float64]
Method = Literal["wilson", "clopper_pearson", "jeffreys"]

# A share of 0 or 1 has no log-odds.
_OFF_THE_ENDS = 1e-6
Z = float(stats.norm.ppf(0.975))
FIGURES = {"value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "n": pl.Int64, "n_events": pl.Int64}


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% interval and the counts behind it; NaN where it cannot be told."""

    value: float
    low: float
    high: float
    n: int
    n_events: int


def untold(n: int, n_events: int) -> Estimate:
    """The estimate of a figure that cannot be told from so few people."""
    return Estimate(float("nan"), float("nan"), float("nan"), n, n_events)


def around(value: float, standard_error: float, *, n: int, n_events: int) -> Estimate:
    """An estimate with the normal 95% interval of its standard error."""
    return Estimate(value, value - Z * standard_error, value + Z * standard_error, n, n_events)


def proportion(n_events: float, n: int, *, method: Method = "wilson") -> Estimate:
    """A share with a 95% interval that holds its promise in small groups.

    `n_events` may be a mean of whole numbers (events expected over ties). `wilson` is the score interval, near 95% on
    average; `clopper_pearson` never covers less than 95%; `jeffreys` lies between, and ends at 0 or 1 where nobody or
    everybody had the event. Source: Brown, Cai and DasGupta, Statistical Science 2001;16:101.

    >>> told = proportion(1, 10)
    >>> told.value, round(told.low, 4), round(told.high, 4)
    (0.1, 0.0179, 0.4042)
    """
    if n == 0:
        return untold(0, 0)
    # A mean over ties may be off by a rounding.
    if not -1e-9 <= n_events <= n + 1e-9:
        raise FrameError(f"a share is of 0 to {n:,} people, and the events counted are not", "count again")
    low, high = {"wilson": _wilson, "clopper_pearson": _clopper_pearson, "jeffreys": _jeffreys}[method](n_events, n)
    return Estimate(n_events / n, low, high, n, round(n_events))


def _wilson(x: float, n: int) -> tuple[float, float]:
    share, z2 = x / n, Z * Z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    margin = Z * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # The formula gives 0 and 1 here; rounding would not.
    return 0.0 if x == 0 else float(centre - margin), 1.0 if x == n else float(centre + margin)


def _clopper_pearson(x: float, n: int) -> tuple[float, float]:
    low = 0.0 if x == 0 else float(stats.beta.ppf(0.025, x, n - x + 1))
    return low, 1.0 if x == n else float(stats.beta.ppf(0.975, x + 1, n - x))


def _jeffreys(x: float, n: int) -> tuple[float, float]:
    low = 0.0 if x == 0 else float(stats.beta.ppf(0.025, x + 0.5, n - x + 0.5))
    return low, 1.0 if x == n else float(stats.beta.ppf(0.975, x + 0.5, n - x + 0.5))


def difference(ours: Estimate, theirs: Estimate) -> Estimate:
    """How much larger `ours` is than `theirs`, two groups of different people, from their own intervals.

    For Wilson shares this is Newcombe's hybrid score interval (Statistics in Medicine 1998;17:873, method 10); for any
    other pair the same recovery of variances (Zou and Donner, Statistics in Medicine 2008;27:1693).

    >>> told = difference(proportion(56, 70), proportion(48, 80))
    >>> round(told.value, 4), round(told.low, 4), round(told.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    gap = ours.value - theirs.value
    below = np.hypot(ours.value - ours.low, theirs.high - theirs.value)
    above = np.hypot(ours.high - ours.value, theirs.value - theirs.low)
    return Estimate(gap, float(gap - below), float(gap + above), ours.n + theirs.n, ours.n_events + theirs.n_events)


def resampled(
    statistic: Callable[[NDArray[np.int64]], float | Floats],
    n: int,
    *,
    draws: int,
    seed: int,
    households: ArrayLike | None = None,
) -> Floats:
    """The statistic under the bootstrap: called with how often each of `n` people was drawn, (draws,) or (draws, m).

    With `households`, (n,) labels, whole households are drawn: people of one home share more than chance, and drawing
    them one by one would make every interval too short. Without, people are drawn. The same seed gives the same draws.
    `FrameError` where a household is missing.

    >>> resampled(lambda drawn: drawn, 3, draws=2, seed=1, households=["a", "a", "b"]).tolist()
    [[1, 1, 1], [0, 0, 2]]
    """
    generator = np.random.default_rng(seed)
    at = np.arange(n) if households is None else household_places(households, n=n)
    size = int(at.max(initial=-1)) + 1
    drawn = (np.bincount(generator.integers(size, size=size), minlength=size)[at] for _ in range(draws))
    return np.array([statistic(times) for times in drawn])


def percentile_interval(values: ArrayLike) -> tuple[float, float]:
    """The middle 95% of bootstrap values, those that could not be told left out."""
    told = _told(values)
    if not told.size:
        return float("nan"), float("nan")
    low, high = np.quantile(told, [0.025, 0.975])
    return float(low), float(high)


def share_interval(value: float, redrawn: ArrayLike, *, n_events: int) -> tuple[float, float]:
    """A 95% interval of a share that rests on `n_events` events, from its bootstrap values (draws,).

    At each end the wider of two: mean and spread of the values on the log-odds, moved by what redrawing adds, with
    Student's t; and Jeffreys' interval of so many events. NaN without events.

    >>> [round(end, 2) for end in share_interval(1.0, [1.0, 1.0, 1.0], n_events=3)]
    [0.46, 1.0]
    """
    told = _told(redrawn)
    if not told.size or n_events < 1 or np.isnan(value):
        return float("nan"), float("nan")
    low, high = _jeffreys(value * n_events, n_events)
    odds = logit(np.clip(told, _OFF_THE_ENDS, 1 - _OFF_THE_ENDS))
    centre = 2 * logit(np.clip(value, _OFF_THE_ENDS, 1 - _OFF_THE_ENDS)) - odds.mean()
    margin = _student(n_events - 1) * (odds.std(ddof=1) if told.size > 1 else 0.0)
    return min(low, value, float(expit(centre - margin))), max(high, value, float(expit(centre + margin)))


def gap_interval(value: float, redrawn: ArrayLike, *, n_events: int) -> tuple[float, float]:
    """A 95% interval of a difference from its bootstrap values (draws,): their spread with Student's t of the events.

    It is moved by what redrawing adds. NaN with fewer than two events.

    >>> gap_interval(0.1, [0.1, 0.1], n_events=9)
    (0.1, 0.1)
    """
    told = _told(redrawn)
    if told.size < 2 or n_events < 2:
        return float("nan"), float("nan")
    centre = 2 * value - float(told.mean())
    margin = _student(n_events - 1) * float(told.std(ddof=1))
    return min(value, centre - margin), max(value, centre + margin)


def distance_interval(value: float, redrawn: ArrayLike) -> tuple[float, float]:
    """A 95% interval of a distance, which chance only lengthens, from its bootstrap values (draws,).

    Redrawing adds chance once more, so values of a distance that is truly nothing all lie above 0, and their middle 95%
    never holds it. The lower end is the middle's own, or what is left of it when twice the square that redrawing added
    is taken away, whichever is lower: once for the draws, once for the people. It errs to the wide side.

    >>> [round(end, 3) for end in distance_interval(0.03, [0.02, 0.04, 0.06])]
    [0.0, 0.059]
    """
    told = _told(redrawn)
    low, high = percentile_interval(told)
    if not told.size:
        return low, high
    added = max(0.0, float((told**2).mean()) - value**2)
    return min(value, float(np.sqrt(max(0.0, low**2 - 2 * added)))), max(value, high)


def events_apart(happened: NDArray[np.bool_], households: ArrayLike | None) -> int:
    """How many events are independent of one another: one a home, where homes are given.

    >>> events_apart(np.array([True, True, False]), ["a", "a", "b"])
    1
    """
    if households is None:
        return int(happened.sum())
    return int(np.unique(household_places(households, n=happened.size)[happened]).size)


def _told(values: ArrayLike) -> Floats:
    told = np.asarray(values, dtype=float)
    return np.asarray(told[~np.isnan(told)])


def _student(freedom: int) -> float:
    return float(stats.t.ppf(0.975, max(1, freedom)))


def tidy(rows: Iterable[tuple[Mapping[str, Any], Estimate]]) -> pl.DataFrame:
    """One row an estimate: its labels, then value, low, high, n, n_events; a figure that cannot be told is null."""
    listed = [{**labels, **vars(estimate)} for labels, estimate in rows]
    if not listed:
        return pl.DataFrame(schema=FIGURES)
    table = pl.DataFrame(listed, schema_overrides=FIGURES, infer_schema_length=None)
    return table.with_columns(pl.col("value", "low", "high").fill_nan(None))
