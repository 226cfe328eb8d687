"""The tables of the page for commissioners that count money: visits, workers, services, plans, outcomes, sources."""

from collections.abc import Iterator, Mapping, Sequence
from math import inf

import polars as pl

from ageingwell.commissioning.community import NEEDS, PLANNED, VISITED, WORK, Community
from ageingwell.commissioning.costing import (
    Cost,
    Prevented,
    cost_of_outcomes,
    cost_of_plans,
    cost_of_visit,
    pounds,
    whole,
)
from ageingwell.commissioning.reach import Gap, Worker
from ageingwell.commissioning.shown import Shown
from ageingwell.config.costs import CostsSettings, Figure
from ageingwell.config.effects import EVENTS
from ageingwell.config.outreach import Intervention
from ageingwell.governance.crosses import TOTAL
from ageingwell.governance.disclosure import SUPPRESS_BELOW
from ageingwell.register import LEAD_AGENCIES
from ageingwell.report.commissioning_table import Table, need_words, table
from ageingwell.views.words import agency_words, capital, label_words

WEEKS_A_YEAR = 52


def one_more_visit(community: Community) -> Table:
    """What one more visit per week would reach, by agency: the allocation is solved again with it."""
    rows = [list(row) for row in _one_more_rows(community)]
    return table(
        "What one more visit per week would reach",
        (
            "Agency",
            "Homes per week",
            "Used this week",
            "One more per week would reach",
            "Chance in the next homes in line",
        ),
        rows,
        note="The chance is an average over at least 8 homes, so it does not show any single home.",
    )


def _one_more_rows(community: Community) -> Iterator[tuple[str, ...]]:
    waiting = dict(community.just_missed.group_by("lead_agency").agg(pl.col("risk_reached")).iter_rows())
    for agency, places, used, extra in community.marginal.select(
        "lead_agency", "places", "used", "extra_doors"
    ).iter_rows():
        more = f"one more home per week, about {WEEKS_A_YEAR} per year" if extra else "nobody: no home is waiting"
        yield agency_words(agency), str(places), str(used), more, _chance_in_line(waiting.get(agency, []))


def _chance_in_line(risks: Sequence[float]) -> str:
    if len(risks) < SUPPRESS_BELOW:
        return "too few homes to say"
    average = sum(sorted(risks)) / len(risks)
    return f"about {int(100 * average + 0.5)} in 100" if average > 0 else "no estimate"


def workers(found: Sequence[Worker], costs: CostsSettings) -> Table:
    """One more worker of each agency: what a week would reach, and what a year costs."""
    rows = [
        [
            agency_words(one.agency),
            "nobody: no home is waiting" if one.homes == "0" else one.homes,
            one.people,
            one.a_year.words,
        ]
        for one in found
    ]
    note = (
        f"A worker visits {costs.visits_a_worker} homes per week, {costs.weeks_a_year} weeks a year. The list was "
        "worked out again with these visits. Homes that would be visited anyway are not counted."
    )
    heads = ("Agency", "More homes in a week", "More people in a week", "Cost for a year")
    return table("What one more worker would reach and cost", heads, rows, note=note)


def services(found: Sequence[Gap]) -> Table:
    """One more service: the people it would be for, and what it would cost if everyone took it up."""
    rows = [
        [
            f"{need_words(gap.need)}, {gap.place}",
            "all full" if gap.is_full else "none nearby",
            gap.people,
            gap.cost.words,
        ]
        for gap in found[:10]
    ]
    note = "These are the ten gaps with the most people. The cost is for all of them; fewer will take it up."
    heads = ("Service for", "Now", "People it would be for", "Cost if everyone took it up")
    return table("What one more service would be for and cost", heads, rows, note=note if rows else "")


def costs(community: Community, numbers: pl.DataFrame) -> Table:
    """What a visit and a completed plan cost, by agency."""
    plans, shown = cost_of_plans(numbers, community.costs), Shown.of(numbers)
    rows = [
        [
            agency_words(agency),
            cost_of_visit(agency, community.costs).words,
            shown[WORK, agency, VISITED],
            shown[WORK, agency, PLANNED],
            plans[agency].words,
        ]
        for agency in LEAD_AGENCIES
    ]
    note = (
        "Visits and plans are those of the group's records of decisions. A plan is completed when what mattered to the "
        "person is met. The cost of a plan is of the visits alone. It leaves out the services in the plan."
    )
    heads = ("Agency", "One visit", "People visited", "People with a plan", "One completed plan")
    return table("What a visit and a completed plan cost", heads, rows, note=note)


def outcomes(community: Community) -> Table:
    """What it costs to prevent one event, where the effect of visits was measured."""
    everyone = "everyone offered a visit"
    rows = [
        [
            f"{capital(EVENTS[one.outcome])}, {everyone if one.agency is None else agency_words(one.agency)}",
            _effect_words(one),
            one.cost.words,
            _event_words(one.outcome, community.costs),
        ]
        for one in cost_of_outcomes(community.effects, community.costs)
    ]
    note = (
        "For everyone offered a visit, the cost of a visit is the highest of all agencies. Each offer counts as one "
        "visit. So preventing an event costs this much at most. What an event costs is not money that a budget gets "
        "back."
    )
    heads = ("Outcome", "Change for each 100 people offered a visit", "Cost to prevent one", "What one costs")
    return table("What it costs to prevent one event", heads, rows, note=note)


def _effect_words(one: Prevented) -> str:
    if one.value is None or one.low is None or one.high is None:
        return "not known"
    value, low, high = (f"{100 * end:+.1f}" for end in (one.value, one.low, one.high))
    return f"{value} ({low} to {high})"


def _event_words(outcome: str, costs: CostsSettings) -> str:
    figure = costs.outcomes.get(outcome)
    return "not known: fill in costs.toml" if figure is None or figure.gbp is None else _figure_words(figure)


def figures(costs: CostsSettings) -> Table:
    """Every cost of the settings, with what it covers and leaves out, its source, year and price base."""
    named = [(f"{agency_words(agency)}: a visit", figure) for agency, figure in costs.visits.items()]
    named += [(f"{need_words(need)}: the whole offer", figure) for need, figure in costs.completed.items()]
    named += [(label_words(outcome), figure) for outcome, figure in costs.outcomes.items()]
    rows = [
        [
            name,
            _figure_words(figure),
            figure.covers or "nobody has filled it in",
            figure.leaves_out or "not said",
            f"{figure.source} ({figure.price_base})" if figure.source else "none yet",
        ]
        for name, figure in named
    ]
    note = "No figure is brought up to today's prices. Your own figures go into costs.toml, with their source."
    heads = ("Cost of", "Pounds", "What it counts", "What it leaves out", "Source and prices")
    return table("Where the costs come from", heads, rows, note=note)


def _figure_words(figure: Figure) -> str:
    if figure.gbp is None:
        return "not known: fill in costs.toml"
    per = {"hour": " an hour", "bed_day": " a day"}.get(figure.per, "")
    return f"{Cost(figure.gbp, *figure.ends).words}{per}"


def evidence(shown: Shown, interventions: Mapping[str, Intervention]) -> Table:
    """What is known of the offer for each need found, and where it is published."""
    rows = [
        [need_words(need), then.evidence, then.source]
        for need, then in interventions.items()
        if shown[NEEDS, TOTAL, need] != "0"
    ]
    return table("What is known about the offers", ("Need", "Evidence", "Source"), rows)


def _pounds_a_home(one: Worker) -> float:
    n = whole(one.homes)
    return inf if one.a_year.gbp is None or not n else one.a_year.gbp / n


def worker_words(found: Sequence[Worker]) -> str:
    """The worker who would reach the most homes for a pound, and what a year of them costs, in a few words.

    >>> one = Worker("fire", "10", "15", Cost(23_100, 23_100, 23_100))
    >>> worker_words([one])
    'Fire and rescue: about 10 more homes in a week, £23,100 a year'
    """
    reached = [one for one in found if one.homes != "0"]
    if not found:
        return "not worked out"
    if not reached:
        return "nobody new would be reached: no home is waiting"
    best = min(reached, key=_pounds_a_home)
    cost = "cost not filled in" if best.a_year.gbp is None else f"{pounds(best.a_year.gbp)} a year"
    return f"{agency_words(best.agency)}: about {best.homes} more homes in a week, {cost}"
