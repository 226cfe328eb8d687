"""Whether a range around a risk holds what it promises, in groups of people of neighbouring risk."""

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from ageingwell.evaluation.calibration import equal_groups
from ageingwell.evaluation.checked import outcome_and, same_people
from ageingwell.evaluation.estimate import Floats, proportion


def holds(
    outcome: ArrayLike, risk: ArrayLike, low: ArrayLike, high: ArrayLike, *, groups: int = 20
) -> NDArray[np.bool_]:
    """Whether each group's observed share lies within the mean range of its people; see `held_by_group`.

    >>> holds([1] * 28 + [0] * 72, [0.2] * 100, [0.15] * 100, [0.25] * 100, groups=1).tolist()
    [True]
    >>> holds([1] * 45 + [0] * 55, [0.2] * 100, [0.15] * 100, [0.25] * 100, groups=1).tolist()
    [False]
    """
    return np.asarray(held_by_group(outcome, risk, low, high, groups=groups)["held"].to_numpy(), dtype=bool)


def held_by_group(
    outcome: ArrayLike, risk: ArrayLike, low: ArrayLike, high: ArrayLike, *, groups: int = 20
) -> pl.DataFrame:
    """Whether each group's observed share lies within the mean range of its people, its own chance allowed for.

    All arrays (n,). A group of 200 people has a chance of its own, which is no fault of the range: the distance from
    the group's mean risk to its observed share may be as long as the range's arm on that side and the group's own
    (Jeffreys 95%), the two squared and added, as for the difference of two independent shares (Zou and Donner,
    Statistics in Medicine 2008;27:1693). A row a group, lowest risks first: risk (its mean), held.

    >>> held_by_group([1] * 28 + [0] * 72, [0.2] * 100, [0.15] * 100, [0.25] * 100, groups=1)["held"].to_list()
    [True]
    """
    happened, risks, lows, highs = outcome_and(outcome, risk, low, high)
    of_person = equal_groups(risks, groups)
    found = []
    for group in np.unique(of_person):
        inside = of_person == group
        observed = proportion(int(happened[inside].sum()), int(inside.sum()), method="jeffreys")
        given = float(risks[inside].mean())
        if observed.value >= given:
            arms = float(highs[inside].mean()) - given, observed.value - observed.low
        else:
            arms = given - float(lows[inside].mean()), observed.high - observed.value
        found.append((given, bool(abs(observed.value - given) <= np.hypot(*arms))))
    return pl.DataFrame(found, schema={"risk": pl.Float64, "held": pl.Boolean}, orient="row")


def holds_truth(true_risk: ArrayLike, risk: ArrayLike, low: ArrayLike, high: ArrayLike, *, groups: int) -> Floats:
    """Whether the mean true risk of each group lies within its mean range; only of made-up people is it known.

    >>> holds_truth([0.2, 0.3], [0.2, 0.2], [0.1, 0.1], [0.24, 0.24], groups=1).tolist()
    [False]
    """
    true, risks, lows, highs = same_people(true_risk, risk, low, high)
    of_person = equal_groups(risks, groups)
    n = np.bincount(of_person)
    held = np.flatnonzero(n)
    means = [np.bincount(of_person, array)[held] / n[held] for array in (true, lows, highs)]
    return np.asarray((means[0] >= means[1]) & (means[0] <= means[2]))
