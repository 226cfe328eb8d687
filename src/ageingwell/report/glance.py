"""At a glance: the few sentences on top of a page, each under the question it answers."""

from collections.abc import Sequence
from typing import Final, TypedDict

import polars as pl

from ageingwell.governance.disclosure import in_words
from ageingwell.governance.night_facts import NightFacts
from ageingwell.register import tables_of
from ageingwell.report.freshness import freshness
from ageingwell.report.person import Person
from ageingwell.views.columns import AgencyView
from ageingwell.views.recipient import NO_HOME, WITHOUT_REGISTER
from ageingwell.views.words import agency_words, past_outcome

URGENT: Final = "Urgent"
LEADS: Final = "You lead"
# An outcome of several parts, in as few words as there is room for; its parts are named beside the list.
SHORT: Final = {"loss_of_independence": "lost independence or died"}
OWN_REGISTER: Final = "Your own register says: ageingwell reidentify writes your workbook with names."
NO_REGISTER: Final = (
    "You have codes and no names. The agency that leads makes contact first. It asks whether you may get in touch."
)


class Told(TypedDict):
    """One line: a question in a few words, and the answer."""

    asks: str
    says: str


def group_glance(
    group: AgencyView,
    people: Sequence[Person],
    *,
    facts: NightFacts,
    marginal: pl.DataFrame | None,
    left: str,
    decided: str,
    weaker: Sequence[str],
) -> list[Told]:
    """What the chair asks first: how many, how urgent, who waits, what was decided, whether the list can be trusted.

    Parameters
    ----------
    group, people
        The group's own view, and its pages where it may read the risk.
    marginal
        The night's frame of the visits of each agency (`places`, `used`).
    left
        How many left since the last list.
    decided, weaker
        What became of the last list in one line, and sentences of whom the estimate is weaker for.
    """
    n = group.frame.height
    said = [
        Told(asks="On the list", says=f"{_people(n)}, in {_homes(homes_of(group))}. {_new(group)}, {left} left."),
        *_urgent(people),
        Told(asks="Waiting", says=f"{_waiting(facts)} {_visits(facts, marginal)}".strip()),
        Told(asks="Decided last time", says=decided or "Nothing yet: there is no earlier list."),
        *_track_record(facts),
    ]
    return [*said, *([Told(asks="Who it misses", says=weaker[0])] if weaker else [])]


def agency_glance(view: AgencyView, *, facts: NightFacts, reads_risk: bool) -> list[Told]:
    """What an agency asks first: how much is for it, how urgent it is, how new its records are, what to trust."""
    return [
        Told(asks="For you", says=_for_you(view)),
        *_urgent_rows(view),
        Told(asks="Who they are", says=NO_REGISTER if view.recipient in WITHOUT_REGISTER else OWN_REGISTER),
        Told(asks="Up to date?", says=_own_records(view, facts)),
        Told(asks="Can you trust it?", says=_trust(facts, reads_risk=reads_risk)),
    ]


def homes_of(view: AgencyView) -> int:
    """How many homes the people of a view live in; someone whose home is not known counts as one.

    >>> from ageingwell.views.columns import HOUSEHOLD_KEY
    >>> from datetime import date
    >>> keys = pl.DataFrame({"household_key": ["a", "a", NO_HOME.capitalize(), NO_HOME.capitalize()]})
    >>> homes_of(AgencyView("group", date(2026, 11, 22), (HOUSEHOLD_KEY,), keys))
    3
    """
    homes = view.frame["household_key"]
    unknown = homes.str.to_lowercase() == NO_HOME
    return homes.filter(~unknown).n_unique() + int(unknown.sum())


def _people(n: int) -> str:
    return f"{n} {'person' if n == 1 else 'people'}"


def _homes(n: int) -> str:
    return f"{n} home{'' if n == 1 else 's'}"


def _new(view: AgencyView) -> str:
    new = view.frame.filter(pl.col("new_since_last") == "New").height
    return f"{new} new"


def _urgent(people: Sequence[Person]) -> list[Told]:
    urgent = [person for person in people if person["urgency"] == URGENT]
    if not people:
        return []
    if not urgent:
        return [Told(asks="Urgent", says="Nobody tonight.")]
    return [Told(asks="Urgent", says=f"{_people(len(urgent))}, at the top. Act by {urgent[0]['act_by']}.")]


def _urgent_rows(view: AgencyView) -> list[Told]:
    if "urgency" not in view.frame.columns:
        return []
    n = view.frame.filter(pl.col("urgency") == URGENT).height
    return [Told(asks="Urgent", says=f"{_people(n)}, at the top of the list." if n else "Nobody tonight.")]


def _waiting(facts: NightFacts) -> str:
    n = in_words(facts.week.get("n_waiting", 0))
    return f"{n} {'person has' if n == '1' else 'people have'} no visit this week."


def _visits(facts: NightFacts, marginal: pl.DataFrame | None) -> str:
    places = sum(facts.capacity.values())
    if marginal is None or not places:
        return ""
    return f"{int(marginal['used'].sum())} of {places} visits are used."


def _track_record(facts: NightFacts) -> list[Told]:
    told = facts.track_record
    if not told:
        return [Told(asks="Does it find the right people?", says="Not known yet.")]
    happened = SHORT.get(told["outcome"]) or past_outcome(told["outcome"]).removesuffix(" within a year")
    picked = "listed" if told["from"] == "archive" else "it picked in a test"
    says = (
        f"Of {told['n_listed']} people {picked}, {told['n_happened']} {happened} within a year. "
        f"Of the {told['n_listed']} oldest, {told['n_by_age']}."
    )
    return [Told(asks="Does it find the right people?", says=says)]


def _for_you(view: AgencyView) -> str:
    n = view.frame.height
    if "part" not in view.frame.columns or not n:
        return f"{_people(n)}, in {_homes(homes_of(view))}."
    led = view.frame.filter(pl.col("part") == LEADS).height
    joins = f" Please join the visit to {n - led}." if n > led else ""
    return f"{_people(n)}, in {_homes(homes_of(view))}. You lead for {led}.{joins}"


def _own_records(view: AgencyView, facts: NightFacts) -> str:
    if not tables_of(view.recipient):
        return "You send no records of your own. " + _oldest(facts)
    of_agency = {told["agency"]: told for told in freshness(facts)}
    own = of_agency.get(agency_words(view.recipient))
    if own is None:
        return "Your own records did not come tonight."
    return f"Your own records: {own['status'].lower()}. {own['told']}"


def _oldest(facts: NightFacts) -> str:
    late = [*facts.missing, *facts.late]
    return "Some records of others are missing or late." if late else "The records of the others came in time."


def _trust(facts: NightFacts, *, reads_risk: bool) -> str:
    rules = "Needs come from rules that anyone can read. Records can be wrong or old: check before you act."
    told = facts.track_record
    if not reads_risk or not told:
        return rules
    return f"{_track_record(facts)[0]['says']} {rules}"
