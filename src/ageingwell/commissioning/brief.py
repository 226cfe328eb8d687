"""What a brief for co-design says of each priority service, as plain data: need, reach, services, voices, cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from ageingwell.commissioning.community import MATTERS, NEEDS, SAID, Community
from ageingwell.commissioning.costing import Cost, cost_of_offer, cost_of_visit
from ageingwell.commissioning.reach import gaps, priorities
from ageingwell.commissioning.shown import Shown
from ageingwell.config.services import ServicesSettings
from ageingwell.decisions.choices import PERSON_SAID
from ageingwell.decisions.plan_choices import MATTERS as MATTER_WORDS
from ageingwell.governance.crosses import TOTAL
from ageingwell.register import LEAD_AGENCIES
from ageingwell.services.values import fold
from ageingwell.views.words import NEED_WORDS, agency_words

MOST_SERVICES: Final = 8  # named in one brief


@dataclass(frozen=True)
class Priority:
    """One service to think about together, by the need it is for: every count is one as the page shows it.

    `where` is each place with its people, the most first; `gap` says where no service is near, and where all are full.
    `exists` are services of the directory by name. `said` and `matters` are choices that were recorded, with how many.
    """

    need: str
    people: str
    where: tuple[tuple[str, str], ...]
    none_near: tuple[str, ...]
    all_full: tuple[str, ...]
    exists: tuple[str, ...]
    said: tuple[tuple[str, str], ...]
    matters: tuple[tuple[str, str], ...]
    lead: str
    visit: Cost
    offer: Cost
    evidence: tuple[str, str]


def briefs(
    numbers: pl.DataFrame, reach: pl.DataFrame, community: Community, settings: ServicesSettings
) -> list[Priority]:
    """The services to think about first, the most people in a gap first; where nothing is missing, the largest needs.

    `numbers` are those of the page (`governance.pages.PUBLISHED`), `reach` as `services_in_reach` gives it.
    """
    shown = Shown.of(numbers)
    most = sorted(settings.needs, key=lambda need: (-(shown.number(NEEDS, TOTAL, need) or 0), need))
    largest = [need for need in most if settings.needs[need].is_service and shown[NEEDS, TOTAL, need] != "0"]
    chosen = (priorities(shown, reach, community) if not community.services.is_empty() else []) or largest[:5]
    return [_of(need, shown, reach, community, settings) for need in chosen]


def _of(need: str, shown: Shown, reach: pl.DataFrame, community: Community, settings: ServicesSettings) -> Priority:
    there = [(place, shown[NEEDS, place, need]) for place in shown.rows(NEEDS)]
    found = [gap for gap in gaps(shown, reach, community) if gap.need == need]
    lead = community.leads.get(need, "")
    then = community.interventions.get(need)
    return Priority(
        need=need,
        people=shown[NEEDS, TOTAL, need],
        where=tuple(sorted(there, key=lambda row: (-(shown.number(NEEDS, row[0], need) or 0), row[0]))),
        none_near=tuple(gap.place for gap in found if not gap.is_full),
        all_full=tuple(gap.place for gap in found if gap.is_full),
        exists=_exists(need, community, settings),
        said=_choices(shown, SAID, need, PERSON_SAID),
        matters=_choices(shown, MATTERS, need, MATTER_WORDS),
        lead=agency_words(lead) if lead in LEAD_AGENCIES else "nobody yet",
        visit=cost_of_visit(lead, community.costs),
        offer=cost_of_offer(need, community.costs),
        evidence=("", "") if then is None else (then.evidence, then.source),
    )


def need_name(need: str) -> str:
    """A need as readers meet it."""
    return NEED_WORDS[need].name if need in NEED_WORDS else need


def _choices(shown: Shown, of: str, need: str, words: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The choices recorded for people with a need, in the order in which they are offered."""
    return tuple((said, shown[of, need, code]) for code, said in words.items() if (of, need, code) in shown.words)


def _exists(need: str, community: Community, settings: ServicesSettings) -> tuple[str, ...]:
    """Services of the directory that serve the need, by name, with whether they have room."""
    if community.services.is_empty() or need not in settings.needs:
        return ()
    terms = {fold(term) for term in settings.needs[need].terms}
    room = {"yes": "has room", "no": "full", "unknown": "room not known"}
    every = community.services.unique("service_id", keep="first", maintain_order=True).sort("name", "service_id")
    found = [row for row in every.iter_rows(named=True) if terms & set(row["terms"])]
    return tuple(f"{row['name']} ({row['organisation']}): {room[row['room']]}" for row in found[:MOST_SERVICES])
