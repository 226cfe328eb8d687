"""What is not known of a person: tables that did not come or are late, agencies without a record, questions not asked.

Where nothing is on record, nothing is known: it says neither yes nor no.
"""

from collections.abc import Collection, Mapping
from typing import Final

from ageingwell.governance.night_facts import NightFacts
from ageingwell.register import ASKED_AGENCIES, BY_HOME, tables_telling_of
from ageingwell.views.words import label_words

NOTHING_KNOWN: Final = "If a box is empty, we do not know. It does not mean there is no problem."
# What a fire home-safety visit asks, and what is told of a home, in the order in which a page names it.
VISIT: Final[Mapping[str, str]] = {
    "is_alarm_missing": "smoke alarm",
    "has_fire_before_visit_1095d": "a fire in the year before",
    "someone_smokes": "smoking",
    "clutter_rating": "clutter",
    "mobility_level": "moving about",
    "care_support_level": "care and support",
    "has_oxygen": "oxygen",
    "has_emollient_or_airflow": "emollient cream or airflow mattress",
    "has_memory_concern": "memory",
    "has_sensory_impairment": "sight and hearing",
    "has_alcohol_concern": "alcohol",
    "has_cooking_concern": "cooking",
    "has_heater_or_blanket": "portable heater or electric blanket",
    "has_telecare": "telecare",
    "visit_says_alone": "living alone",
}
HOME: Final[Mapping[str, str]] = {
    "epc_rank": "energy rating",
    "is_off_gas": "heating",
    "has_stairs": "stairs",
    "is_step_free": "step-free entry",
    "is_flat_above_ground": "floor",
    "n_occupants": "how many live there",
    "discount_says_alone": "whether one adult lives there",
}
LAST_CONTACT: Final = "days_since_gp_contact"
ASKED: Final = (*VISIT, *HOME, LAST_CONTACT)
_FIRST: Final = 4  # topics named where nothing at all is known


def unknown_of(*, facts: NightFacts, unknown: Collection[str], has_home: bool) -> list[str]:
    """The sentences of one person: `unknown` are the features without a value.

    >>> from datetime import date
    >>> facts = NightFacts(date(2026, 11, 22), missing=["hospital_events"])
    >>> unknown_of(facts=facts, unknown=["has_oxygen", "is_step_free"], has_home=True)[1:]
    ['The fire service has not recorded: oxygen.', 'We do not know about the home: step-free entry.',
     'If a box is empty, we do not know. It does not mean there is no problem.']
    """
    said = [
        f"No records of {label_words(table).lower()} were sent. We do not know what they would say."
        for table in facts.missing
    ]
    said += [f"The records from {label_words(table).lower()} are late and may be out of date." for table in facts.late]
    if not has_home:
        said.append("We do not know this person's home, so we do not know what housing and the fire service know.")
    else:
        said += _asked("The fire service has not recorded", VISIT, unknown)
        said += _asked("We do not know about the home", HOME, unknown)
    if LAST_CONTACT in unknown:
        said.append("We do not know when they last had contact with the GP practice.")
    return [*said, NOTHING_KNOWN] if said else []


def _asked(begin: str, topics: Mapping[str, str], unknown: Collection[str]) -> list[str]:
    """What is not known of some topics, in one sentence; the first few stand for all where none is known."""
    left = [words for name, words in topics.items() if name in unknown]
    if not left:
        return []
    told = f"{', '.join(left[:_FIRST])} and everything else" if len(left) == len(topics) else ", ".join(left)
    return [f"{begin}: {told}."]


def without_record(in_touch: Collection[str], *, missing: Collection[str], has_home: bool = True) -> list[str]:
    """The services with no record of a person, of those whose records all came and could be looked in.

    >>> without_record(["gp", "social_care"], missing=["contacts", "fire_incidents"])
    ['hospital', 'housing']
    >>> without_record(["gp"], missing=[], has_home=False)
    ['hospital', 'social_care', 'voluntary']
    """
    came = [name for name in ASKED_AGENCIES if not set(tables_telling_of(name)) & set(missing)]
    told = [name for name in came if has_home or name not in BY_HOME]
    return [name for name in told if name not in in_touch]
