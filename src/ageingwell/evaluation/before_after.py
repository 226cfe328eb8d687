"""Did the visits change anything? Never a bare before and after: people at a peak come down by themselves.

Roland and others (BMJ 2005;330:289): people aged 65 and over with two or more emergency admissions made 38% of
admissions in the index year, fewer than 10% in the next and 3% five years on, with nobody's help. So visited people
are set beside people of the same risk and the same past who were not visited, and what is told is how much more the
visited changed than they did.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.optimize import linear_sum_assignment

from ageingwell.errors import NoComparisonError
from ageingwell.evaluation.checked import outcome_and, weights
from ageingwell.evaluation.estimate import Estimate, Floats, tidy

RISK_EDGES = (0.05, 0.10, 0.20, 0.30, 0.50)
# Prior counts from here on share one band.
MOST_PRIOR = 4

WHY = (
    "a before and after without comparable people proves nothing: those chosen at a peak come down by themselves "
    "(Roland and others, BMJ 2005;330:289)"
)


@dataclass(frozen=True)
class Matched:
    """Who is compared with whom: each person's stratum and weight (n,), 0 where nobody alike was found.

    The weights of visited people are 1; those of their controls add up to as many in each stratum.
    """

    stratum: NDArray[np.int64]
    weight: Floats


def before_after(
    before: ArrayLike,
    after: ArrayLike,
    *,
    visited: ArrayLike | None = None,
    risk: ArrayLike | None = None,
    prior: ArrayLike | None = None,
    how: Literal["stratum", "nearest"] = "stratum",
) -> pl.DataFrame:
    """What visited people changed more than people like them: who, measure, value, low, high, n, n_events.

    All arrays (n,), one entry a person: `before` and `after` count or cost the same thing over two spans of the same
    length, `visited` is 0 or 1, `risk` and `prior` (a count, such as emergency admissions) are as they stood when
    people were chosen. `how` is `match`'s. Rows: `before`, `after` and `change` of the visited and of their controls,
    then `difference in differences`, the only one that says anything about the visits; intervals are of Student's t
    with the spread within strata, and hold the matching fixed. `n_events` is visited people compared.

    Raises `NoComparisonError` for a bare before and after: without unvisited people, or with nobody alike. Matching
    removes what risk and past explain; why one was visited and the other not may still differ, and only a random share
    settles that.

    >>> told = before_after(
    ...     [3, 3, 3, 3], [1, 2, 1, 1], visited=[1, 1, 0, 0], risk=[0.4, 0.4, 0.4, 0.4], prior=[3, 3, 3, 3]
    ... )
    >>> told.filter(measure="difference in differences")["value"].to_list()
    [0.5]
    """
    if visited is None or risk is None or prior is None:
        raise NoComparisonError(
            WHY, "say who was visited, and give everyone's risk and prior count, unvisited people too"
        )
    chosen, first, then, *_ = outcome_and(visited, before, after, risk, prior, named="visited")
    matched = match(visited=visited, risk=risk, prior=prior, how=how)
    used = matched.weight > 0
    ours, theirs = used & chosen, used & ~chosen
    rows = []
    change = {"before": first, "after": then, "change": then - first}
    for who, inside in {"visited": ours, "controls": theirs}.items():
        for measure, values in change.items():
            rows.append(({"who": who, "measure": measure}, _mean(values, matched, inside, int(ours.sum()))))
    rows.append(
        ({"who": "both", "measure": "difference in differences"}, _gap(change["change"], matched, ours, theirs))
    )
    return tidy(rows)


def match(
    *, visited: ArrayLike, risk: ArrayLike, prior: ArrayLike, how: Literal["stratum", "nearest"] = "stratum"
) -> Matched:
    """Find unvisited people like the visited: the same risk band and the same prior count (4 and more are alike).

    `stratum` weights all of them, so that each visited person stands against the mean of those alike. `nearest` gives
    each visited person one unvisited person of the same stratum, so that the risks of all pairs lie as near as can
    be; a stratum's visited people beyond its unvisited ones are left out.

    >>> match(visited=[1, 0, 0, 1], risk=[0.3, 0.31, 0.32, 0.01], prior=[2, 2, 2, 0]).weight.tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    chosen, risks, counts = outcome_and(visited, risk, prior, named="visited")
    if not chosen.any():
        raise NoComparisonError("nobody was visited", "give the visited people a 1")
    if chosen.all():
        raise NoComparisonError(f"everyone was visited; {WHY}", "give unvisited people of the same area and time too")
    bands = np.column_stack([np.searchsorted(RISK_EDGES, risks, side="right"), np.minimum(counts, MOST_PRIOR)])
    _, stratum = np.unique(bands, axis=0, return_inverse=True)
    stratum = np.asarray(stratum, dtype=np.int64).reshape(-1)
    weight = np.zeros(chosen.size)
    for number in np.unique(stratum[chosen]):
        inside = stratum == number
        _weigh(weight, np.flatnonzero(inside & chosen), np.flatnonzero(inside & ~chosen), risks, how)
    if not weight.any():
        raise NoComparisonError(
            f"no unvisited person has the risk band and prior count of a visited one; {WHY}",
            "give more unvisited people, such as people who just missed the list",
        )
    return Matched(stratum, weight)


def _weigh(weight: Floats, ours: NDArray[np.intp], theirs: NDArray[np.intp], risks: Floats, how: str) -> None:
    """Set the weights of one stratum."""
    if not theirs.size:
        return
    if how == "stratum":
        weight[ours], weight[theirs] = 1.0, ours.size / theirs.size
        return
    pairs = linear_sum_assignment(np.abs(risks[ours][:, None] - risks[theirs][None, :]))
    weight[ours[pairs[0]]], weight[theirs[pairs[1]]] = 1.0, 1.0


def balance(*, visited: ArrayLike, risk: ArrayLike, prior: ArrayLike, matched: Matched) -> pl.DataFrame:
    """How alike the two sides are before and after matching: trait, when, visited, controls, standardised_gap, n.

    The gap is in standard deviations of the visited before matching; beyond 0.1 either way they are not alike (Austin,
    Statistics in Medicine 2009;28:3083).
    """
    chosen, risks, counts = outcome_and(visited, risk, prior, named="visited")
    after = weights(matched.weight, n=chosen.size)
    rows = []
    for trait, values in {"risk": risks, "prior count": counts}.items():
        spread = float(values[chosen].std())
        for when, weight in {"before matching": np.ones(chosen.size), "after matching": after}.items():
            sides = [float(np.average(values[side], weights=weight[side])) for side in (chosen, ~chosen)]
            gap = (sides[0] - sides[1]) / spread if spread > 0 else None
            rows.append((trait, when, *sides, gap, int((weight > 0).sum())))
    columns = ["trait", "when", "visited", "controls", "standardised_gap", "n"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def _mean(values: Floats, matched: Matched, inside: NDArray[np.bool_], n_visited: int) -> Estimate:
    """The weighted mean of one side, spread within strata and between them taken together."""
    weight = matched.weight[inside] / matched.weight[inside].sum()
    mean = float((weight * values[inside]).sum())
    variance = float((weight**2 * (values[inside] - mean) ** 2).sum())
    n = int(inside.sum())
    margin = float(stats.t.ppf(0.975, n - 1) * np.sqrt(variance * n / (n - 1))) if n > 1 else float("nan")
    return Estimate(mean, mean - margin, mean + margin, n, n_visited)


def _gap(change: Floats, matched: Matched, ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> Estimate:
    """The mean over visited people of their change less that of their stratum's controls."""
    n_ours, n = int(ours.sum()), int(ours.sum() + theirs.sum())
    gap = float(
        (matched.weight * np.where(ours, change, 0)).sum() / n_ours
        - (matched.weight * np.where(theirs, change, 0)).sum() / n_ours
    )
    variance, freedom = 0.0, 0.0
    for side in (ours, theirs):
        spread, left = _within(change[side], matched.stratum[side])
        part = spread * float(((matched.weight[side] / n_ours) ** 2).sum())
        variance += part
        freedom += part**2 / left if left else 0.0
        if not left:
            return Estimate(gap, float("nan"), float("nan"), n, n_ours)
    # Welch and Satterthwaite's degrees of freedom, for sides that differ in spread.
    margin = float(stats.t.ppf(0.975, variance**2 / freedom) * np.sqrt(variance)) if variance > 0 else 0.0
    return Estimate(gap, gap - margin, gap + margin, n, n_ours)


def _within(values: Floats, stratum: NDArray[np.int64]) -> tuple[float, int]:
    """The variance of values about their stratum's mean, and the degrees of freedom left for it."""
    _, at = np.unique(stratum, return_inverse=True)
    means = np.bincount(at, values) / np.bincount(at)
    left = values.size - means.size
    return (float(((values - means[at]) ** 2).sum()) / left if left else float("nan")), left
