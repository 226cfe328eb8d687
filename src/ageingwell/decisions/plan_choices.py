"""The choices of a plan, each with its label in the ledger and its words; and the steps that a plan may have."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from ageingwell.config.outreach import Interventions
from ageingwell.decisions.plan import MOST_STEPS
from ageingwell.register import AGENCY_WORDS, LEAD_AGENCIES

MATTERS: Final[Mapping[str, str]] = {
    "stay_at_home": "Staying in my own home",
    "safe_at_home": "Feeling safe at home",
    "warm_at_home": "A warm, dry home",
    "see_people": "Seeing people",
    "getting_about": "Getting about",
    "health": "Managing my health",
    "everyday_jobs": "Help with everyday jobs",
    "money": "Managing money",
    "caring": "The person I care for",
    "interests": "Doing things I enjoy",
    "left_alone": "Being left alone",
    "something_else": "Something else, see minutes",
}
WHO: Final[Mapping[str, str]] = {agency: AGENCY_WORDS[agency] for agency in LEAD_AGENCIES} | {
    "person": "The person",
    "family": "Family or a friend",
    "group": "The group",
}
AGREED: Final[Mapping[str, str]] = {"yes": "Yes", "partly": "In part", "no": "No", "not_asked": "Not asked yet"}
HELPED: Final[Mapping[str, str]] = {"yes": "Yes", "partly": "In part", "no": "No", "too_soon": "Too soon to say"}
PLAN_STATE: Final[Mapping[str, str]] = {"goes_on": "It goes on", "ended": "It has ended"}
ENDED_FOR: Final[Mapping[str, str]] = {
    "matters_met": "What mattered is met",
    "own_wish": "Person's own wish",
    "not_needed": "No longer needed",
    "did_not_help": "It did not help",
    "other_plan": "Another plan took its place",
    "moved_or_died": "They moved or died",
    "see_minutes": "Something else, see minutes",
}
OWN: Final = "own"

PLAN_TITLES: Final[Mapping[str, str]] = {
    "matters": "What matters to them",
    "also_matters": "What else matters",
    **{f"step_{n}": f"Step {n}" for n in range(1, MOST_STEPS + 1)},
    **{f"step_{n}_who": f"Step {n}: who" for n in range(1, MOST_STEPS + 1)},
    **{f"step_{n}_by_when": f"Step {n}: by when" for n in range(1, MOST_STEPS + 1)},
    "plan_agreed": "Did they agree?",
    "review_on": "Review on",
    "helped": "Did it help?",
    "plan_state": "Does the plan go on?",
    "ended_for": "Why it ended",
    "plan_note": "A few words on the plan",
}


def step_choices(interventions: Interventions, services: pl.DataFrame) -> dict[str, str]:
    """The steps a plan may have, by label: the next step of each need, then each service of the local directory.

    Of steps in the same words the first stands. `services` is the night's table of them.

    >>> services = pl.DataFrame({"service_id": ["s1"], "name": ["Lunch club"], "organisation": ["Age Well"]})
    >>> step_choices(Interventions(needs={}), services)
    {'service:s1': 'Lunch club (Age Well)'}
    """
    of_needs = {f"need:{need}": then.action for need, then in sorted(interventions.needs.items())}
    offered = services.select("service_id", "name", "organisation").unique().sort("name", "service_id")
    of_services = {
        f"service:{identity}": f"{name} ({organisation})" for identity, name, organisation in offered.iter_rows()
    }
    first: dict[str, str] = {}
    for label, words in (of_needs | of_services).items():
        first.setdefault(words, label)
    return {label: words for words, label in first.items()}
