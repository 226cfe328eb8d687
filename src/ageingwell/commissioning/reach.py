"""What one more worker, or one more service, would reach and cost."""

from dataclasses import dataclass

import polars as pl

from ageingwell.commissioning.community import HOMES, NEEDS, PEOPLE, WORKER, Community
from ageingwell.commissioning.costing import Cost, cost_of_offer, cost_of_worker
from ageingwell.commissioning.shown import Shown
from ageingwell.register import LEAD_AGENCIES


@dataclass(frozen=True, slots=True)
class Worker:
    """One more worker of an agency: homes and people that a week would reach beyond this one, as shown, and a year's
    cost. `homes` is 0 where nobody is waiting."""

    agency: str
    homes: str
    people: str
    a_year: Cost


@dataclass(frozen=True, slots=True)
class Gap:
    """A need that no service near a place meets, or only full ones: the people who have it, and what offers cost."""

    place: str
    need: str
    people: str
    is_full: bool
    cost: Cost


def one_more_worker(shown: Shown, community: Community) -> list[Worker]:
    """One more worker of each agency, as the allocation solved again with their places says; empty where it does not.

    Most homes first, as they are shown.
    """
    # A count of nobody is not among the numbers of a page.
    counted = community.counted
    solved = set() if counted is None else set(counted.filter(pl.col("of") == WORKER)["one"])
    told = [
        Worker(
            agency,
            shown[WORKER, agency, HOMES],
            shown[WORKER, agency, PEOPLE],
            cost_of_worker(agency, community.costs),
        )
        for agency in LEAD_AGENCIES
        if agency in solved
    ]
    return sorted(told, key=lambda one: -(shown.number(WORKER, one.agency, HOMES) or 0))


def gaps(shown: Shown, reach: pl.DataFrame, community: Community) -> list[Gap]:
    """Every need without a service near a place, and every one whose services are all full; most people first.

    `reach` is as `services_in_reach` gives it. A need that nobody is shown to have is no gap.
    """
    found = []
    for row in reach.sort("place", "need").iter_rows(named=True):
        people = shown[NEEDS, row["place"], row["need"]]
        if people == "0" or row["n_with_room"]:
            continue
        found.append(
            Gap(row["place"], row["need"], people, row["n_services"] > 0, _offers(row["need"], people, community))
        )
    return sorted(found, key=lambda gap: -_size(shown, gap))


def priorities(shown: Shown, reach: pl.DataFrame, community: Community, *, most: int = 5) -> list[str]:
    """The needs whose services are the first to think about: the most people in places without one, or all full."""
    counted: dict[str, int] = {}
    for gap in gaps(shown, reach, community):
        counted[gap.need] = counted.get(gap.need, 0) + _size(shown, gap)
    return sorted(counted, key=lambda need: (-counted[need], need))[:most]


def _size(shown: Shown, gap: Gap) -> int:
    return shown.number(NEEDS, gap.place, gap.need) or 0


def _offers(need: str, people: str, community: Community) -> Cost:
    """What it would cost if everybody took the offer up; not told where the people are hidden."""
    n = people.replace(",", "")
    return cost_of_offer(need, community.costs).times(int(n)) if n.isdigit() else Cost(None, why_not="too few to say")
