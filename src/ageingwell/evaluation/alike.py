"""Who is like whom: unvisited people with the same past, about the same risk, and chosen on the same day."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit

from ageingwell.errors import NoComparisonError
from ageingwell.evaluation.checked import household_places, outcome_and_risk, same_people
from ageingwell.evaluation.estimate import Floats

Bools = NDArray[np.bool_]

# Standard deviations of the visited people's log-odds that two people may lie apart (Austin, Pharmaceutical Statistics
# 2011;10:150), and how many unvisited people stand against each visited one.
CALIPER: Final = 0.2
NEIGHBOURS: Final = 3
# Of so many on either side the nearest are chosen; those within a tenth of the caliper of each other are equally near.
_LOOKED_AT: Final = 30
_STEPS: Final = 10
# Prior counts from here on are alike when people are matched; the regression keeps them apart up to twice as many.
MOST_PRIOR: Final = 4
# A risk of 0 or 1 has no log-odds.
OFF_THE_ENDS: Final = 1e-4


def match_nearest(
    *, visited: ArrayLike, risk: ArrayLike, prior: ArrayLike, within: ArrayLike | None = None
) -> tuple[Bools, Floats]:
    """Who is compared: the visited people with somebody alike (n,), and the weights of their controls (n,).

    A control has the same prior count (`MOST_PRIOR` and more are alike) and a log-odds within the caliper; the nearest
    `NEIGHBOURS` share the weight of 1, and one person may stand against several. With `within`, labels (n,) such as the
    day on which people were chosen, two people are alike only where they have the same one. Raises `NoComparisonError`
    where nobody was visited, everybody was, or nobody is alike.

    >>> match_nearest(visited=[1, 0, 0, 1], risk=[0.3, 0.31, 0.9, 0.1], prior=[1, 1, 1, 1])[1].tolist()
    [0.0, 1.0, 0.0, 0.0]
    """
    chosen, risks = outcome_and_risk(visited, risk)
    counts = np.minimum(same_people(risks, prior)[1], MOST_PRIOR)
    if not chosen.any() or chosen.all():
        who = "nobody was" if not chosen.any() else "everyone was"
        raise NoComparisonError(f"{who} visited", "give visited and unvisited people of the same area and time")
    odds = log_odds(risks)
    reach = CALIPER * spread_of(odds[chosen])
    matched, weight = np.zeros(chosen.size, dtype=bool), np.zeros(chosen.size)
    where = np.zeros(chosen.size, dtype=np.int64) if within is None else household_places(within, n=chosen.size)
    for count, place in sorted(set(zip(counts[chosen].tolist(), where[chosen].tolist(), strict=True))):
        inside = (counts == count) & (where == place)
        _weigh(np.flatnonzero(inside & chosen), np.flatnonzero(inside & ~chosen), odds, reach, matched, weight)
    if not matched.any():
        raise NoComparisonError(
            "no unvisited person has about the risk and the prior count of a visited one",
            "give more unvisited people, such as people who just missed the list",
        )
    return matched, weight


def _weigh(
    ours: NDArray[np.intp], theirs: NDArray[np.intp], odds: Floats, reach: float, matched: Bools, weight: Floats
) -> None:
    """Find the nearest controls of one prior count's visited people; of about equally near ones those used least."""
    if not theirs.size:
        return
    theirs = theirs[np.lexsort((theirs, odds[theirs]))]
    near = odds[theirs]
    used = np.zeros(theirs.size)
    for person in ours:
        middle = int(np.searchsorted(near, odds[person]))
        around = np.arange(max(0, middle - _LOOKED_AT), min(theirs.size, middle + _LOOKED_AT))
        apart = np.abs(near[around] - odds[person])
        is_near = apart <= reach + 1e-9
        around, apart = around[is_near], apart[is_near]
        if around.size:
            step = np.floor(apart * _STEPS / reach) if reach > 0 else apart
            chosen = around[np.lexsort((around, used[around], step))[:NEIGHBOURS]]
            matched[person] = True
            used[chosen] += 1
            weight[theirs[chosen]] += 1 / chosen.size


def log_odds(risks: Floats) -> Floats:
    """The log-odds of risks (n,), kept off 0 and 1."""
    return np.asarray(logit(np.clip(risks, OFF_THE_ENDS, 1 - OFF_THE_ENDS)))


def spread_of(values: Floats) -> float:
    """The standard deviation of values (n,), exactly 0 where they differ by rounding alone."""
    spread = float(values.std())
    return spread if spread > 1e-9 * (1 + float(np.abs(values).max(initial=0.0))) else 0.0
