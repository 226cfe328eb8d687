"""What visits, completed plans and outcomes cost, in pounds with their range; unknown where a figure is a blank.

Every count in here is one as the page shows it, so a cost tells nothing that the page does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import polars as pl

from ageingwell.commissioning.community import COMPLETED, VISITED, WORK
from ageingwell.config.costs import CostsSettings
from ageingwell.config.effects import EVENTS
from ageingwell.register import LEAD_AGENCIES

# Fewer visits than this say nothing about the share of plans that are completed.
FEWEST_VISITS = 30
_Z = 1.959964  # two-sided 95%


@dataclass(frozen=True, slots=True)
class Cost:
    """Pounds with the ends of their range; `why_not` says in plain words why there is no figure."""

    gbp: float | None
    low: float = 0.0
    high: float = 0.0
    why_not: str = ""

    @property
    def words(self) -> str:
        """The cost as a reader meets it.

        >>> Cost(55, 55, 55).words, Cost(1234.5, 900, 1800).words, Cost(None, why_not="not known").words
        ('£55', '£1,235 (£900 to £1,800)', 'not known')
        """
        if self.gbp is None:
            return self.why_not
        if pounds(self.low) == pounds(self.high):
            return pounds(self.gbp)
        return f"{pounds(self.gbp)} ({pounds(self.low)} to {pounds(self.high)})"

    def times(self, number: float) -> "Cost":
        """The cost of so many."""
        return self if self.gbp is None else Cost(self.gbp * number, self.low * number, self.high * number)


def pounds(gbp: float) -> str:
    """Whole pounds, and from ten thousand on as far as such a figure can be trusted.

    >>> pounds(85.5), pounds(34_567)
    ('£86', '£34,600')
    """
    whole = int(gbp + 0.5)
    return f"£{whole:,}" if whole < 10_000 else f"£{int(whole / 100 + 0.5) * 100:,}"


NOT_FILLED = "not known: fill in costs.toml"


def cost_of_visit(agency: str, costs: CostsSettings) -> Cost:
    """What one visit by an agency costs.

    >>> cost_of_visit("voluntary", CostsSettings()).words
    'not known: fill in costs.toml'
    """
    found = costs.visit(agency)
    return Cost(None, why_not=NOT_FILLED) if found is None else Cost(*found)


def cost_of_offer(need: str, costs: CostsSettings) -> Cost:
    """What the whole offer for a need costs for each person who takes it up, beside the visit."""
    figure = costs.completed.get(need)
    if figure is None or figure.gbp is None:
        return Cost(None, why_not=NOT_FILLED)
    return Cost(figure.gbp, *figure.ends)


def cost_of_worker(agency: str, costs: CostsSettings) -> Cost:
    """What one more worker costs in a year: the visits of a year, at what a visit costs."""
    return cost_of_visit(agency, costs).times(costs.visits_a_worker * costs.weeks_a_year)


def cost_of_plans(published: pl.DataFrame, costs: CostsSettings) -> dict[str, Cost]:
    """What one completed plan costs by agency: a visit's cost over the share of people visited whose plan met what
    mattered to them.

    The range holds both: the range of the visit's cost, and the 95% interval of the share (Wilson). Visits and plans
    are the numbers as shown, so a hidden one gives no cost.
    """
    shown = {
        (agency, what): words
        for agency, what, words in published.filter(pl.col("of") == WORK).select("one", "other", "shown").iter_rows()
    }
    found: dict[str, Cost] = {}
    for agency in LEAD_AGENCIES:
        visit = cost_of_visit(agency, costs)
        n, done = (whole(shown.get((agency, what), "0")) for what in (VISITED, COMPLETED))
        if visit.gbp is None:
            found[agency] = visit
        elif n is None or done is None or n < FEWEST_VISITS or not done:
            found[agency] = Cost(None, why_not="too few plans to say")
        else:
            low, high = wilson(min(done, n), n)
            found[agency] = Cost(visit.gbp * n / min(done, n), visit.low / high, visit.high / low)
    return found


def wilson(done: int, n: int) -> tuple[float, float]:
    """The 95% interval of a share (Wilson, Journal of the American Statistical Association 1927;22:209).

    >>> [round(end, 3) for end in wilson(20, 40)]
    [0.352, 0.648]
    """
    share, square = done / n, _Z**2
    middle = share + square / (2 * n)
    half = _Z * sqrt(share * (1 - share) / n + square / (4 * n**2))
    return ((middle - half) / (1 + square / n), (middle + half) / (1 + square / n))


NOT_MEASURED = "not known yet: run `ageingwell impact` first"


@dataclass(frozen=True, slots=True)
class Prevented:
    """What visits changed in one outcome, and what it cost to prevent one event: of everybody visited, or those of an
    agency. `value` to `high` is the change for each person offered a visit, None where it may not be told."""

    outcome: str
    agency: str | None
    value: float | None
    low: float | None
    high: float | None
    cost: Cost


def cost_of_outcomes(effects: pl.DataFrame | None, costs: CostsSettings) -> list[Prevented]:
    """What it costs to prevent one event: a visit's cost over what a visit changed; nothing without `effects`.

    `effects` (`config.effects.EFFECTS`) is what `ageingwell impact` found. Of an outcome the figure by lot is taken
    where there is one, and the one that people were followed longest for. There is no cost where a figure was refused,
    and where its interval holds no change at all. A figure of everybody offered a visit is set against the dearest
    visit, and against one visit for each of them. Days at home are no event (`EVENTS`).

    >>> from ageingwell.config.effects import EFFECTS
    >>> row = ("all", "all", "lot", 365, "emergency_admissions", -0.1, -0.2, -0.05, 400, None)
    >>> told = {"covers": "a visit", "source": "our own accounts", "year": 2026, "price_base": "2025/26 prices"}
    >>> costs = CostsSettings(visits={"fire": {"gbp": 100, "low": 80, "high": 120, "per": "visit", **told}})
    >>> cost_of_outcomes(pl.DataFrame([row], schema=EFFECTS, orient="row"), costs)[0].cost
    Cost(gbp=1000.0, low=400.0, high=2400.0, why_not='')
    """
    if effects is None:
        return []
    is_asked = pl.col("by").is_in(["all", "agency"]) & pl.col("outcome").is_in(list(EVENTS))
    order = pl.col("outcome").replace_strict({event: place for place, event in enumerate(EVENTS)}, default=len(EVENTS))
    of_kind = effects.filter(is_asked).sort(
        pl.col("by") != "all", "name", order, pl.col("method") != "lot", -pl.col("days"), maintain_order=True
    )
    first = of_kind.unique(["by", "name", "outcome"], keep="first", maintain_order=True)
    return [_prevented(row, costs) for row in first.iter_rows(named=True)]


def _prevented(row: Mapping[str, Any], costs: CostsSettings) -> Prevented:
    agency = None if row["by"] == "all" else str(row["name"])
    visit = dearest_visit(costs) if agency is None else cost_of_visit(agency, costs)
    ends = (row["value"], row["low"], row["high"])
    may_be_told = not row["why_not"] and None not in ends
    value, low, high = ends if may_be_told else (None, None, None)
    return Prevented(str(row["outcome"]), agency, value, low, high, _cost_of_event(row, visit))


def dearest_visit(costs: CostsSettings) -> Cost:
    """The visit that costs most of those whose cost is known."""
    every = [cost_of_visit(agency, costs) for agency in LEAD_AGENCIES]
    priced = [cost for cost in every if cost.gbp is not None]
    return max(priced, key=lambda cost: cost.gbp or 0.0) if priced else every[0]


def _cost_of_event(row: Mapping[str, Any], visit: Cost) -> Cost:
    value, low, high = (row[name] for name in ("value", "low", "high"))
    if row["why_not"]:
        return Cost(None, why_not=f"may not be told: {row['why_not']}")
    if not (isinstance(value, float) and isinstance(low, float) and isinstance(high, float)):
        return Cost(None, why_not=NOT_MEASURED)
    if visit.gbp is None:
        return visit
    if high >= 0:
        return Cost(None, why_not="the figures do not show that visits prevent it")
    return Cost(visit.gbp / -value, visit.low / -low, visit.high / -high)


def whole(shown: str) -> int | None:
    """A number as the page shows it; None where it is hidden.

    >>> whole("1,235"), whole("not shown"), whole("1 to 7")
    (1235, None, None)
    """
    plain = shown.replace(",", "")
    return int(plain) if plain.isdigit() else None
