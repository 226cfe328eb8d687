"""What visits changed: by lot where there was one, else against people like those visited, and refused where neither.

People are chosen at a peak and come down by themselves (Roland and others, BMJ 2005;330:289), so a figure is told only
of people who had others beside them at the same risk and with the same past. What still differs between the two is
taken out by regression (Abadie and Imbens, Journal of Business and Economic Statistics 2011;29:1); how alike they are,
and what a figure comes to that the visits cannot have changed, stands beside it. `benchmarks/impact.md` has what the
intervals hold in made-up populations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import logit

from ageingwell.errors import NoComparisonError
from ageingwell.evaluation.checked import household_places, outcome_and, outcome_and_risk, same_people
from ageingwell.evaluation.estimate import Estimate, Floats, tidy

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
# Beyond this many standard deviations two sides are not alike (Austin, Statistics in Medicine 2009;28:3083).
MOST_APART: Final = 0.1
# The visited who may be left out for want of people like them, and the fewest people that the controls must amount to.
MOST_LEFT_OUT: Final = 0.2
FEWEST_CONTROLS: Final = 20.0
# A risk of 0 or 1 has no log-odds.
OFF_THE_ENDS: Final = 1e-4


@dataclass(frozen=True)
class Effect:
    """What the visits changed in `after`, a person visited.

    `estimate` is the difference with its 95% interval; its `n` counts people compared and `n_events` those visited.
    `balance` tells how alike the two sides are (trait, visited, controls, standardised_gap); `checks` what the same
    comparison comes to of figures that the visits cannot have changed (name, value, low, high, n, n_events).
    `left_out` is the share of visited people for whom nobody alike was found. `hidden` is the largest difference that
    the checks leave possible although no visit made it, in the unit of `estimate` where the checks count the same
    thing; None without checks. `why_not` says in plain words why the
    difference says nothing about the visits; None where it may be told.
    """

    estimate: Estimate
    balance: pl.DataFrame
    checks: pl.DataFrame
    left_out: float
    hidden: float | None
    why_not: str | None


def effect_by_lot(
    after: ArrayLike,
    drawn: ArrayLike,
    *,
    chance: ArrayLike | None = None,
    traits: Mapping[str, ArrayLike] | None = None,
    households: ArrayLike | None = None,
) -> Estimate:
    """What being drawn changed in `after` (n,), a person drawn, whether or not the visit took place.

    `drawn` (n,) is 0 or 1 as the lot fell, `chance` (n,) the chance of each person to be drawn, between 0 and 1, where
    it was not the same for all. `traits` (n,) as they stood before the draw make the interval narrower, never the
    figure wrong (Lin, Annals of Applied Statistics 2013;7:295). Households are drawn whole, so their people count
    together. The interval is of Student's t with each household's own spread (HC3). `n_events` counts people drawn.
    Raises `NoComparisonError` with fewer than two households on a side.

    >>> found = effect_by_lot([1, 2, 3, 2, 3, 4], [1, 1, 1, 0, 0, 0])
    >>> round(found.value, 9), found.n
    (-1.0, 6)
    """
    arm, values = outcome_and(drawn, after, named="lot")
    weight = np.ones(arm.size)
    if chance is not None:
        of_draw, _ = same_people(chance, values)
        if not ((of_draw > 0) & (of_draw < 1)).all():
            raise NoComparisonError(
                "someone could not be picked, or was sure to be", "compare people who took part in the random draw"
            )
        weight = np.where(arm, 1 / of_draw, 1 / (1 - of_draw))
    homes = np.arange(arm.size) if households is None else household_places(households, n=arm.size)
    if min(np.unique(homes[side]).size for side in (arm, ~arm)) < 2:
        raise NoComparisonError(
            "fewer than two households were drawn, or fewer than two lost", "wait until more draws have been held"
        )
    columns = [np.ones(arm.size), arm.astype(float)]
    for trait in (traits or {}).values():
        _, column = same_people(values, trait)
        column = column - column.mean()
        if column.any():
            # Its own line in each arm, about the mean of both.
            columns += [column, column * arm]
    return _coefficient(np.column_stack(columns), values, weight, homes, at=1, n_events=int(arm.sum()))


def effect_of_visits(
    after: ArrayLike,
    visited: ArrayLike,
    *,
    risk: ArrayLike,
    prior: ArrayLike,
    traits: Mapping[str, ArrayLike] | None = None,
    unchanged: Mapping[str, ArrayLike] | None = None,
) -> Effect:
    """What visits changed in `after` (n,), a person visited, against unvisited people of the same risk and past.

    `visited` (n,) is 0 or 1; `risk` (n,), `prior` (n,) a count such as emergency admissions, and `traits` (n,) are as
    they stood when people were chosen. Each visited person stands against up to `NEIGHBOURS` unvisited ones with the
    same prior count and about the same risk; a regression among those takes out what still differs. `unchanged` (n,)
    are figures that no visit can have changed, such as admissions of the year before: where the same comparison finds
    something in them, the two sides differ in what nobody wrote down.

    The effect is *not told* (`why_not`) where too many of the visited have nobody like them, the controls amount to too
    few people, the two sides are not alike, or a figure is found changed that cannot be. Raises `NoComparisonError`
    where nobody was visited, everybody was, or no pair is alike.

    >>> found = effect_of_visits(
    ...     [2.0, 2, 1, 1] * 30, [1, 0, 1, 0] * 30, risk=[0.4, 0.4, 0.1, 0.1] * 30, prior=[3, 3, 0, 0] * 30
    ... )
    >>> round(abs(found.estimate.value), 6), found.why_not is None
    (0.0, True)
    """
    chosen, values = outcome_and(visited, after, named="visited")
    _, risks = outcome_and_risk(chosen, risk)
    counts, *others = (same_people(values, trait)[1] for trait in (prior, *(traits or {}).values()))
    matched, weight = match_nearest(visited=chosen, risk=risks, prior=counts)
    names = ("risk, log-odds", "prior count", *(traits or {}))
    told = dict(zip(names, (log_odds(risks), counts, *others), strict=True))
    compared = Compared(matched, weight, told)
    checks = tidy(
        ({"name": name}, compared.gap(same_people(values, figure)[1])) for name, figure in (unchanged or {}).items()
    )
    left_out = 1 - matched.sum() / chosen.sum()
    hidden = max((abs(end) for row in checks.select("low", "high").drop_nulls().rows() for end in row), default=None)
    reason = why_not(compared, checks, float(left_out))
    return Effect(compared.gap(values), compared.balance(), checks, float(left_out), hidden, reason)


def match_nearest(*, visited: ArrayLike, risk: ArrayLike, prior: ArrayLike) -> tuple[Bools, Floats]:
    """Who is compared: the visited people with somebody alike (n,), and the weights of their controls (n,).

    A control has the same prior count (`MOST_PRIOR` and more are alike) and a log-odds within the caliper; the nearest
    `NEIGHBOURS` share the weight of 1, and one person may stand against several. Raises `NoComparisonError` where
    nobody was visited, everybody was, or nobody is alike.

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
    for count in np.unique(counts[chosen]):
        inside = counts == count
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


class Compared:
    """Visited people and their controls, and the line through the controls that says what would have been."""

    def __init__(self, matched: Bools, weight: Floats, traits: Mapping[str, Floats]) -> None:
        self.ours, self.theirs = matched, weight > 0
        self.weight = weight[self.theirs]
        self.traits = traits
        columns = [np.ones(matched.size)]
        for name, trait in traits.items():
            capped = np.minimum(trait, 2 * MOST_PRIOR) if name == "prior count" else trait
            spread = spread_of(capped[matched])
            if spread and spread_of(capped[self.theirs]):
                scaled = (capped - capped[matched].mean()) / spread
                columns += [scaled, scaled**2] if name == "risk, log-odds" else [scaled]
        self.design = np.column_stack(columns)

    @property
    def controls(self) -> float:
        """How many people the weighted controls amount to (Kish)."""
        return float(self.weight.sum() ** 2 / (self.weight**2).sum())

    @property
    def freedom(self) -> float:
        """The degrees of freedom that are left for an interval."""
        return float(min(float(self.ours.sum()) - 1, self.controls - self.design.shape[1]))

    def mean(self, values: Floats, *, of_visited: bool) -> Estimate:
        """The mean of one side, the controls by their weights."""
        inside = self.ours if of_visited else self.theirs
        share = (np.ones(int(inside.sum())) if of_visited else self.weight) / (
            inside.sum() if of_visited else self.weight.sum()
        )
        mean, n = float(share @ values[inside]), int(inside.sum())
        if n < 2:
            return Estimate(mean, float("nan"), float("nan"), n, int(self.ours.sum()))
        variance = float((share**2 * (values[inside] - mean) ** 2).sum()) * n / (n - 1)
        margin = float(stats.t.ppf(0.975, n - 1) * np.sqrt(variance))
        return Estimate(mean, mean - margin, mean + margin, n, int(self.ours.sum()))

    def gap(self, values: Floats) -> Estimate:
        """The mean of the visited less what the controls' line says of them, with each person's own spread (HC3)."""
        ours, theirs, weight = self.design[self.ours], self.design[self.theirs], self.weight
        inverse = np.linalg.pinv((theirs * weight[:, None]).T @ theirs)
        line = inverse @ (theirs * weight[:, None]).T @ values[self.theirs]
        beyond = values[self.ours] - ours @ line
        part = (ours.mean(axis=0) @ inverse) @ (theirs * weight[:, None]).T
        leverage = np.einsum("ij,jk,ik->i", theirs, inverse, theirs) * weight
        rest = (values[self.theirs] - theirs @ line) / np.clip(1 - leverage, 0.1, None)
        n_ours, n = int(self.ours.sum()), int(self.ours.sum() + self.theirs.sum())
        value = float(beyond.mean())
        if self.freedom < 1:
            return Estimate(value, float("nan"), float("nan"), n, n_ours)
        variance = float((part**2 * rest**2).sum()) + float(beyond.var(ddof=1)) / n_ours
        margin = float(stats.t.ppf(0.975, self.freedom) * np.sqrt(variance))
        return Estimate(value, value - margin, value + margin, n, n_ours)

    def balance(self) -> pl.DataFrame:
        """How alike the two sides are: trait, visited, controls, standardised_gap."""
        rows = []
        for name, trait in self.traits.items():
            sides = float(trait[self.ours].mean()), float(np.average(trait[self.theirs], weights=self.weight))
            spread = spread_of(trait[self.ours])
            rows.append((name, *sides, (sides[0] - sides[1]) / spread if spread else None))
        schema = {
            "trait": pl.String,
            "visited": pl.Float64,
            "controls": pl.Float64,
            "standardised_gap": pl.Float64,
        }
        return pl.DataFrame(rows, schema=schema, orient="row")


def why_not(compared: Compared, checks: pl.DataFrame, left_out: float) -> str | None:
    """Why a comparison says nothing about the visits, in plain words; None where it does."""
    if left_out > MOST_LEFT_OUT:
        return (
            f"{100 * left_out:.0f} in 100 of the visited have nobody unvisited like them, so nobody can say how they "
            "would have fared"
        )
    if compared.controls < FEWEST_CONTROLS or compared.freedom < 1:
        return f"those like the visited amount to {compared.controls:.0f} people, and {FEWEST_CONTROLS:.0f} are needed"
    apart = compared.balance().filter(pl.col("standardised_gap").abs() > MOST_APART)["trait"].to_list()
    if apart:
        return f"the visited and the others are not alike in: {', '.join(apart)}"
    changed = checks.filter((pl.col("low") > 0) | (pl.col("high") < 0))["name"].to_list() if checks.height else []
    if changed:
        return (
            f"the comparison finds a difference where the visits cannot have made one ({', '.join(changed)}), so "
            "the two sides differ in something that no record tells"
        )
    return None


def log_odds(risks: Floats) -> Floats:
    """The log-odds of risks (n,), kept off 0 and 1."""
    return np.asarray(logit(np.clip(risks, OFF_THE_ENDS, 1 - OFF_THE_ENDS)))


def spread_of(values: Floats) -> float:
    """The standard deviation of values (n,), exactly 0 where they differ by rounding alone."""
    spread = float(values.std())
    return spread if spread > 1e-9 * (1 + float(np.abs(values).max(initial=0.0))) else 0.0


def _coefficient(
    design: Floats, values: Floats, weight: Floats, homes: NDArray[np.int64], *, at: int, n_events: int
) -> Estimate:
    """One coefficient of a weighted line, with each household's own spread (HC3 over households)."""
    weighted = design * weight[:, None]
    inverse = np.linalg.pinv(weighted.T @ design)
    line = inverse @ weighted.T @ values
    rest = values - design @ line
    leverage = np.einsum("ij,jk,ik->i", design, inverse, weighted)
    # The exact inflation is of a household's block; its diagonal is enough for one or two people a home.
    of_person = (weighted @ inverse.T)[:, at] * rest / np.clip(1 - leverage, 0.1, None)
    of_home = np.bincount(homes, of_person)
    n_homes = np.unique(homes).size
    freedom = n_homes - np.linalg.matrix_rank(design)
    value = float(line[at])
    if freedom < 1:
        return Estimate(value, float("nan"), float("nan"), values.size, n_events)
    margin = float(stats.t.ppf(0.975, freedom) * np.sqrt((of_home**2).sum()))
    return Estimate(value, value - margin, value + margin, values.size, n_events)


def needed_for(effect: float, *, spread: float, share: float = 0.5, power: float = 0.8) -> int:
    """How many people a lot must draw from to find an `effect` a person in 4 of 5 trials.

    `spread` is the standard deviation of the outcome, `share` the part that is drawn. A two-sided test at 5%; the
    variance of a count or a yes or no is taken as `spread` squared in both arms. Source: any textbook, for example
    Chow, Wang and Shao, Sample Size Calculations in Clinical Research (2008), section 3.2.

    >>> needed_for(0.1, spread=0.8)
    2010
    """
    if not (np.isfinite([effect, spread]).all() and effect != 0 and spread > 0 and 0 < share < 1):
        raise NoComparisonError(
            "a number needed is of an effect other than 0, a spread above 0 and a share between 0 and 1", "give those"
        )
    reach = float(stats.norm.ppf(0.975) + stats.norm.ppf(power))
    return int(np.ceil((reach * spread / effect) ** 2 / (share * (1 - share))))
