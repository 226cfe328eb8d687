"""What is not known of a person: tables that did not come or are late, agencies without a record, questions not asked.

Where nothing is on record, nothing is known: it says neither yes nor no.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from ageingwell.views.words import agency_words, label_words

NOTHING_KNOWN: Final = "Where nothing is on record, nothing is known."
# The services a person may be known to, in the order in which a page names them.
SERVICES: Final = ("gp", "hospital", "social_care", "housing", "fire", "voluntary")
# Whose records would tell: a service of which none of these tables came may be in touch without our knowing.
TABLES_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "gp": ("gp_events",),
    "hospital": ("hospital_events",),
    "social_care": ("care_events",),
    "housing": ("housing_events",),
    "fire": ("fire_visits", "fire_incidents"),
    "voluntary": ("contacts",),
}
# What is asked of a home or at a visit, as the end of a sentence that begins with “It is not known”.
ASKED: Final[Mapping[str, str]] = {
    "is_alarm_missing": "whether a smoke alarm works",
    "someone_smokes": "whether anybody smokes in the home",
    "clutter_rating": "how much clutter there is",
    "mobility_level": "how everyone in the home moves about",
    "care_support_level": "whether care and support in the home are enough",
    "has_oxygen": "whether oxygen is used in the home",
    "has_emollient_or_airflow": "whether emollient cream or an airflow mattress is used",
    "has_memory_concern": "whether anybody's memory gives cause for concern",
    "has_sensory_impairment": "whether anybody in the home sees or hears poorly",
    "has_alcohol_concern": "whether alcohol gives cause for concern",
    "has_cooking_concern": "whether cooking gives cause for concern",
    "has_heater_or_blanket": "whether a portable heater or electric blanket is used",
    "has_telecare": "whether the home has telecare",
    "visit_says_alone": "whether they were seen to live alone",
    "days_since_gp_contact": "when they were last in contact with the GP practice",
    "epc_rank": "how hard the home is to keep warm (energy rating)",
    "is_off_gas": "how the home is heated",
    "has_stairs": "whether the home has stairs",
    "is_step_free": "whether the home can be entered without a step",
    "is_flat_above_ground": "on which floor the home is",
    "n_occupants": "how many people live in the home",
}


def unknown_of(
    *,
    facts: Mapping[str, Any],
    unknown: Collection[str],
    has_home: bool,
    not_in_touch: Sequence[str],
) -> list[str]:
    """The sentences of one person: `unknown` are the features without a value, `not_in_touch` services by name.

    >>> unknown_of(facts={"missing": ["hospital_events"]}, unknown=["has_oxygen", "is_step_free"], has_home=True,
    ...     not_in_touch=["fire"])[1:]
    ['It is not known whether oxygen is used in the home, and whether the home can be entered without a step.',
     'Fire and rescue: no record in three years.', 'Where nothing is on record, nothing is known.']
    """
    missing, late = list(facts.get("missing", [])), list(facts.get("late", []))
    said = [
        f"No {label_words(table).lower()} were sent: what they would tell is not known tonight." for table in missing
    ]
    said += [f"The records from {label_words(table).lower()} are late and may be out of date." for table in late]
    if not has_home:
        said.append("No home is linked to this person: what housing and the fire service know of it is not known here.")
    asked = [words for name, words in ASKED.items() if name in set(unknown)]
    if asked and has_home:
        said.append(f"It is not known {_listed(asked)}.")
    if not_in_touch:
        said.append(f"{', '.join(agency_words(name) for name in not_in_touch)}: no record in three years.")
    return [*said, NOTHING_KNOWN] if said else []


def without_record(in_touch: Collection[str], *, missing: Collection[str]) -> list[str]:
    """The services with no record of a person, of those whose records came.

    >>> without_record(["gp", "social_care"], missing=["contacts", "hospital_events"])
    ['housing', 'fire']
    """
    came = [name for name in SERVICES if set(TABLES_OF[name]) - set(missing)]
    return [name for name in came if name not in in_touch]


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])}, and {words[-1]}"
