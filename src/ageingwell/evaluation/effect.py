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

from ageingwell.errors import NoComparisonError
from ageingwell.evaluation.alike import MOST_PRIOR, Bools, log_odds, match_nearest, spread_of
from ageingwell.evaluation.checked import household_places, outcome_and, outcome_and_risk, same_people
from ageingwell.evaluation.estimate import Estimate, Floats, tidy

# Beyond this many standard deviations two sides are not alike (Austin, Statistics in Medicine 2009;28:3083).
MOST_APART: Final = 0.1
# The visited who may be left out for want of people like them, and the fewest people that the controls must amount to.
MOST_LEFT_OUT: Final = 0.2
FEWEST_CONTROLS: Final = 20.0


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
    followed: ArrayLike | None = None,
) -> Estimate:
    """What being drawn changed in `after` (n,), a person drawn, whether or not the visit took place.

    `drawn` (n,) is 0 or 1 as the lot fell, `chance` (n,) the chance of each person to be drawn, between 0 and 1, where
    it was not the same for all. `traits` (n,) as they stood before the draw make the interval narrower, never the
    figure wrong (Lin, Annals of Applied Statistics 2013;7:295). Households are drawn whole, so their people count
    together. `followed` (n,) is how long each person could be followed, 1 for the whole time, where some moved away:
    then `after` is a rate over that time. The interval is of Student's t with each household's own spread (HC3).
    `n_events` counts people drawn. Raises `NoComparisonError` with fewer than two households on a side.

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
    if followed is not None:
        values = as_rates(values, same_people(followed, values)[0], arm, weight)
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
    within: ArrayLike | None = None,
    households: ArrayLike | None = None,
    followed: ArrayLike | None = None,
) -> Effect:
    """What visits changed in `after` (n,), a person visited, against unvisited people of the same risk and past.

    `visited` (n,) is 0 or 1; `risk` (n,), `prior` (n,) a count such as emergency admissions, and `traits` (n,) are as
    they stood when people were chosen. Each visited person stands against up to `NEIGHBOURS` unvisited ones with the
    same prior count and about the same risk; a regression among those takes out what still differs. `unchanged` (n,)
    are figures that no visit can have changed, such as admissions of the year before: where the same comparison finds
    something in them, the two sides differ in what nobody wrote down. `within` (n,), such as the day on which somebody
    was chosen, lets people stand against those of the same label alone; `households` (n,) lets people of one home count
    together; `followed` (n,) is how long each could be followed, as `effect_by_lot` has it.

    The effect is *not told* (`why_not`) where too many of the visited have nobody like them, the controls amount to too
    few people, the two sides are not alike, or a figure is found changed that cannot be. Raises `NoComparisonError`
    where nobody was visited, everybody was, or no pair is alike.

    >>> found = effect_of_visits(
    ...     [2.0, 2, 1, 1] * 30, [1, 0, 1, 0] * 30, risk=[0.4, 0.4, 0.1, 0.1] * 30, prior=[3, 3, 0, 0] * 30
    ... )
    >>> round(abs(found.estimate.value), 6), found.why_not is None
    (0.0, True)
    """
    found = effects_of_visits(
        {"after": after},
        visited,
        risk=risk,
        prior=prior,
        traits=traits,
        unchanged=unchanged,
        within=within,
        households=households,
        followed=followed,
    )
    return found["after"]


def effects_of_visits(
    after: Mapping[str, ArrayLike],
    visited: ArrayLike,
    *,
    risk: ArrayLike,
    prior: ArrayLike,
    traits: Mapping[str, ArrayLike] | None = None,
    unchanged: Mapping[str, ArrayLike] | None = None,
    within: ArrayLike | None = None,
    households: ArrayLike | None = None,
    followed: ArrayLike | None = None,
) -> dict[str, Effect]:
    """As `effect_of_visits`, of several outcomes by name: the people compared are found once, and are the same for all.

    >>> found = effects_of_visits(
    ...     {"days": [2.0, 1] * 30, "stays": [1.0, 1] * 30}, [1, 0] * 30, risk=[0.4] * 60, prior=[3] * 60
    ... )
    >>> [round(one.estimate.value, 6) for one in found.values()]
    [1.0, 0.0]
    """
    outcomes = {name: outcome_and(visited, values, named="visited")[1] for name, values in after.items()}
    chosen, risks = outcome_and_risk(visited, risk)
    counts, *others = (same_people(risks, trait)[1] for trait in (prior, *(traits or {}).values()))
    matched, weight = match_nearest(visited=chosen, risk=risks, prior=counts, within=within)
    names = ("risk, log-odds", "prior count", *(traits or {}))
    told = dict(zip(names, (log_odds(risks), counts, *others), strict=True))
    homes = None if households is None else household_places(households, n=chosen.size)
    compared = Compared(matched, weight, told, homes=homes)
    checks = tidy(
        ({"name": name}, compared.gap(same_people(risks, figure)[1])) for name, figure in (unchanged or {}).items()
    )
    left_out = float(1 - matched.sum() / chosen.sum())
    hidden = max((abs(end) for row in checks.select("low", "high").drop_nulls().rows() for end in row), default=None)
    reason, balance = why_not(compared, checks, left_out), compared.balance()
    if followed is not None:
        time = same_people(followed, risks)[0]
        outcomes = {name: compared.as_rates(values, time) for name, values in outcomes.items()}
    return {
        name: Effect(compared.gap(values), balance, checks, left_out, hidden, reason)
        for name, values in outcomes.items()
    }


def as_rates(values: Floats, followed: Floats, side: Bools, weight: Floats) -> Floats:
    """What each person adds to the rate of their side, (n,): its mean is the rate, its spread the rate's (linearised).

    The rate is of events over the time followed, so somebody who moved away counts for the part that is known. Source:
    the ratio estimator, Cochran, Sampling Techniques (1977), section 2.11.

    >>> as_rates(np.array([1.0, 1, 0]), np.array([1.0, 0.5, 0.5]), np.array([True] * 3), np.ones(3)).round(2).tolist()
    [1.0, 1.75, 0.25]
    """
    told = np.array(values, dtype=float)
    for inside in (side, ~side):
        w, y, t = weight[inside], values[inside], followed[inside]
        if (w * t).sum() > 0:
            rate, mean_time = (w * y).sum() / (w * t).sum(), (w * t).sum() / w.sum()
            told[inside] = rate + (y - rate * t) / mean_time
    return told


class Compared:
    """Visited people and their controls, and the line through the controls that says what would have been."""

    def __init__(
        self,
        matched: Bools,
        weight: Floats,
        traits: Mapping[str, Floats],
        *,
        homes: NDArray[np.int64] | None = None,
    ) -> None:
        self.ours, self.theirs = matched, weight > 0
        self.weight = weight[self.theirs]
        self.traits, self.homes = traits, homes
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
        """How many people the weighted controls amount to (Kish); somebody who stands there several times is one."""
        weight = self.weight if self.homes is None else np.bincount(self.homes[self.theirs], self.weight)
        return float(weight.sum() ** 2 / (weight**2).sum())

    @property
    def freedom(self) -> float:
        """The degrees of freedom that are left for an interval."""
        return float(min(float(self.ours.sum()) - 1, self.controls - self.design.shape[1]))

    def as_rates(self, values: Floats, followed: Floats) -> Floats:
        """What each person compared adds to the rate of their side (`as_rates`); the others as they were."""
        told = np.array(values, dtype=float)
        both = self.ours | self.theirs
        weight = np.ones(values.size)
        weight[self.theirs] = self.weight
        told[both] = as_rates(values[both], followed[both], self.ours[both], weight[both])
        return told

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
        """The mean of the visited less what the controls' line says of them, with each home's own spread (HC3)."""
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
        if self.homes is not None:
            variance = max(
                variance, self._by_home(part * rest, (beyond - value) / n_ours * np.sqrt(n_ours / (n_ours - 1)))
            )
        margin = float(stats.t.ppf(0.975, self.freedom) * np.sqrt(variance))
        return Estimate(value, value - margin, value + margin, n, n_ours)

    def _by_home(self, of_theirs: Floats, of_ours: Floats) -> float:
        """The variance where people of one home, on either side, count together; one person may stand on both."""
        homes = np.zeros(0, dtype=np.int64) if self.homes is None else self.homes
        added = np.zeros(int(homes.max(initial=-1)) + 1)
        np.add.at(added, homes[self.ours], of_ours)
        np.add.at(added, homes[self.theirs], -of_theirs)
        return float((added**2).sum())

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
