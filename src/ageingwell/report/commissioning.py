"""What a community should commission, as the page for commissioners says it: text, lists and dictionaries alone.

Nobody is named and no key stands here. Every number is one of `commissioning.tallies.published`, and every share, wait
and cost is worked out from the numbers as they are shown.
"""

from datetime import date
from typing import Final

import polars as pl

from ageingwell.commissioning.community import COUNTS, Community
from ageingwell.commissioning.gaps import services_in_reach
from ageingwell.commissioning.reach import gaps, one_more_worker
from ageingwell.commissioning.shown import Shown
from ageingwell.commissioning.tallies import counts_behind, published
from ageingwell.commissioning.trends import needs_by_quarter
from ageingwell.config.services import ServicesSettings
from ageingwell.governance.night_facts import NightFacts
from ageingwell.report import commissioning_money as money
from ageingwell.report import commissioning_needs as needs
from ageingwell.report.commissioning_answers import Asked, five_answers
from ageingwell.report.commissioning_table import Table, table
from ageingwell.report.offers import miles_words
from ageingwell.report.place_map import place_map

__all__ = ["COUNTS", "Community", "commissioning", "counts_behind", "published", "services_in_reach"]

ROUNDED: Final = (
    "Numbers from 1 to 7 are not shown, or numbers that would reveal them. Others are rounded to the nearest 5."
)


def commissioning(
    community: Community,
    *,
    facts: NightFacts,
    settings: ServicesSettings,
    on: date,
    numbers: pl.DataFrame | None = None,
) -> Table:
    """Gather what the page for commissioners says of a night: text, lists and dictionaries only, every count disclosed.

    Of the facts of the night they are `capacity`, `directory` and `missing`. `numbers` are those of the page, as
    `published` gives them; without them they are worked out.
    """
    if numbers is None:
        numbers = published(community, counts_behind(community))
    shown = Shown.of(numbers)
    reach = services_in_reach(community, settings=settings, on=on)
    has_services = not community.services.is_empty()
    trend = needs_by_quarter([*community.earlier, (community.quarter, numbers)])
    asked = Asked(shown, community, reach, trend, capacity=facts.capacity, numbers=numbers)
    return {
        "answers": five_answers(asked),
        "capacity": needs.capacity(shown, community, facts),
        "by_place": needs.by_place(shown),
        "by_need": needs.by_need(shown),
        "map": place_map(shown, community),
        "gaps": needs.gaps_by_place(gaps(shown, reach, community)) if has_services else table("", (), []),
        "served": needs.served(shown, reach) if has_services else table("", (), []),
        "agency_meets": needs.met_by_agencies(settings),
        "known": needs.known(shown, missing=facts.missing),
        "joint": needs.joint(shown),
        "fair": needs.fair(shown),
        "cold": needs.cold(shown),
        "trend": needs.trend(trend),
        "one_more": money.one_more_visit(community),
        "workers": money.workers(one_more_worker(shown, community), community.costs),
        "services": money.services(gaps(shown, reach, community)) if has_services else table("", (), []),
        "costs": money.costs(community, numbers),
        "outcomes": money.outcomes(community),
        "figures": money.figures(community.costs),
        "evidence": money.evidence(shown, community.interventions),
        "directory": needs.directory(community.services),
        "directory_state": facts.directory.get("state", "none"),
        "reach": miles_words(settings.reach_miles).removeprefix("about "),
        "rounded": ROUNDED,
    }
