"""The range around a risk: how it is made from people held out, and how often such ranges hold on others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit, logit

from ageingwell.evaluation.checked import household_places
from ageingwell.evaluation.coverage import held_by_group
from ageingwell.evaluation.estimate import Z

Floats = NDArray[np.float64]
GROUPS: Final = 20
# A group of fewer people tells too little; the highest risks are parted as finely as this lets them.
PEOPLE_IN_A_GROUP: Final = 200
PEOPLE_CHECKED: Final = 100
TINY: Final = 1e-4
# Bands of the risk shown, in which coverage is told: from here, up to the next.
BANDS: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)


@dataclass(frozen=True)
class Range:
    """How far one person's chance may lie from the risk given, by risk: knots on the log-odds.

    At each knot the log-odds may be lower by `below` or higher by `above`. Two things are in it, squared and added:
    how far the risk itself may be wrong where it stands (the ends of the 95% interval of the share observed among
    held-out people of about that risk), and how far people of one risk may differ in what no record tells
    (`unlikeness`). Between knots the two are drawn straight. Beyond the last knot nothing was checked.
    `range_coverage` checks the first.
    """

    log_odds: tuple[float, ...]
    below: tuple[float, ...]
    above: tuple[float, ...]

    def ends(self, log_odds: Floats) -> tuple[Floats, Floats]:
        """The two ends, as risks, around each of the calibrated log-odds (n,).

        >>> Range((0.0,), (logit(0.5) - logit(0.4),), (0.0,)).ends(np.array([0.0]))
        (array([0.4]), array([0.5]))
        """
        below = np.interp(log_odds, self.log_odds, self.below)
        above = np.interp(log_odds, self.log_odds, self.above)
        return np.asarray(expit(log_odds - below)), np.asarray(expit(log_odds + above))

    def is_checked(self, log_odds: Floats) -> NDArray[np.bool_]:
        """Whether enough people of so high a risk were held out to check it: up to the last knot, (n,)."""
        return np.asarray(log_odds <= self.log_odds[-1])


NO_RANGE = Range((0.0,), (0.0,), (0.0,))


@dataclass(frozen=True)
class RangeCoverage:
    """The share of groups of people that a range held, of so many in all.

    `by_band` is the same by band of the risk shown: the band's lower end, the share held, and the groups.
    """

    coverage: float
    n_groups: int
    by_band: Mapping[float, tuple[float, int]]


def unlikeness(log_odds: Floats, alike: NDArray[np.str_]) -> Floats:
    """How far people of about the same risk may differ in what no record tells: a variance on the log-odds, (n,).

    Nobody can see that in records. What the records tell beside age and sex is the only measure there is: so what they
    do not tell is taken to matter as much. `alike` (n,) are labels of people of one age band and sex; the variance of
    their `log_odds` (n,) is each one's own.

    >>> unlikeness(np.array([-3.0, -1.0, -2.0]), np.array(["80, female", "80, female", "65, male"])).tolist()
    [1.0, 1.0, 0.0]
    """
    _, group = np.unique(alike, return_inverse=True)
    n = np.bincount(group)
    means = np.bincount(group, log_odds) / n
    return np.asarray((np.bincount(group, (log_odds - means[group]) ** 2) / n)[group])


def range_of(outcome: NDArray[np.int8] | Floats, log_odds: Floats, *, unlike: Floats | None = None) -> Range:
    """How far a person's chance may lie from the risk given, by risk; all arrays (n,), of held-out people.

    `outcome` of 0 and 1 and calibrated `log_odds` say how far shares lie from risks; `unlike`, where it is given, is
    how far people of one risk may differ besides (a variance on the log-odds).
    """
    knots, below, above = [], [], []
    for part in _groups(log_odds):
        n, events, at = part.size, int(outcome[part].sum()), float(log_odds[part].mean())
        low = 0.0 if events == 0 else float(stats.beta.ppf(0.025, events + 0.5, n - events + 0.5))
        high = 1.0 if events == n else float(stats.beta.ppf(0.975, events + 0.5, n - events + 0.5))
        beside = 0.0 if unlike is None else Z * float(np.sqrt(unlike[part].mean()))
        ends = logit(np.clip([low, high], TINY, 1 - TINY))
        knots.append(at)
        below.append(float(np.hypot(max(at - ends[0], 0.0), beside)))
        above.append(float(np.hypot(max(ends[1] - at, 0.0), beside)))
    return Range(tuple(knots), tuple(below), tuple(above))


def _groups(log_odds: Floats) -> list[NDArray[np.int64]]:
    """The rows of 20 equal groups in order of risk, the highest parted into groups of 200 or more."""
    order = np.argsort(log_odds, kind="stable")
    parts = [part for part in np.array_split(order, GROUPS) if part.size]
    *lower, highest = parts
    return [*lower, *np.array_split(highest, max(1, highest.size // PEOPLE_IN_A_GROUP))]


def range_coverage(
    outcome: NDArray[np.int8],
    log_odds: Floats,
    *,
    households: NDArray[np.str_],
    unlike: Floats | None = None,
    halvings: int = 20,
    seed: int = 1,
) -> RangeCoverage:
    """How often a range made on one half of the households holds what is observed in the other half.

    `outcome`, calibrated `log_odds`, `households` and `unlike` (n,) are of people who made neither the model nor its
    line. The households are halved at random `halvings` times; each half's range is laid over groups of about a hundred
    people of neighbouring risk of the other half (at least 20 groups). See `held_by_group` for what counts as inside.
    """
    at = household_places(households, n=len(outcome))
    generator = np.random.default_rng(seed)
    found: list[pl.DataFrame] = []
    for _ in range(halvings):
        first = (generator.random(int(at.max()) + 1) < 0.5)[at]
        for made, checked in ((first, ~first), (~first, first)):
            spread = range_of(outcome[made], log_odds[made], unlike=None if unlike is None else unlike[made])
            low, high = spread.ends(log_odds[checked])
            groups = max(GROUPS, int(checked.sum()) // PEOPLE_CHECKED)
            found.append(held_by_group(outcome[checked], expit(log_odds[checked]), low, high, groups=groups))
    held = pl.concat(found)
    bands = held.group_by(band_of(pl.col("risk"))).agg(pl.col("held").mean(), n=pl.len()).sort("band")
    return RangeCoverage(
        round(float(held["held"].cast(pl.Float64).to_numpy().mean()), 4),
        held.height,
        {band: (round(share, 4), n) for band, share, n in bands.iter_rows()},
    )


def band_of(risk: pl.Expr) -> pl.Expr:
    """The band of a risk shown, by its lower end.

    >>> pl.DataFrame({"risk": [0.004, 0.05, 0.97]}).select(band_of(pl.col("risk")))["band"].to_list()
    [0.0, 0.05, 0.5]
    """
    return pl.coalesce(*(pl.when(risk >= low).then(pl.lit(low)) for low in reversed(BANDS))).alias("band")
