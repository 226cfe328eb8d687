"""The choices the group has, each with its label in the ledger and its words on a list. None is made for it."""

import re
from collections.abc import Mapping
from typing import Final

from ageingwell.register import AGENCY_WORDS, LEAD_AGENCIES

# The headings of the columns that the group fills in, by name.
TITLES: Final[Mapping[str, str]] = {
    "decision": "Decision",
    "led_by": "Led by",
    "reason": "Reason",
    "by_when": "By when",
    "told": "Have they been told?",
    "outcome": "What happened",
    "contacted_on": "Contacted on",
    "person_said": "What did the person say?",
    "question": "What to find out",
    "person": "Person",
    "added_for": "Reason for adding",
    "note": "In a few words",
}

# Headings that lists had before: a list that was sent then is still read.
FORMER_TITLES: Final[Mapping[str, str]] = {"Told by now": "told", "What came of it": "outcome"}

CONTACT_NOW: Final = "contact_now"
SAID_NO: Final = "said_no"

DECISIONS: Final[Mapping[str, str]] = {
    CONTACT_NOW: "Contact now",
    "already_supported": "Already supported",
    "need_to_know_more": "Need to know more",
    "not_right": "Not right for this person",
    "said_no": "Person has said no",
    "let_go": "No visit any more",
}
LEADS: Final[Mapping[str, str]] = {agency: AGENCY_WORDS[agency] for agency in LEAD_AGENCIES}
REASONS: Final[Mapping[str, str]] = {
    "need_agreed": "Need agreed",
    "in_hand": "Known to us and in hand",
    "out_of_date": "Record out of date",
    "not_this_person": "Not this person",
    "better_placed": "Someone else is better placed",
    "own_wish": "Person's own wish",
    "see_minutes": "Something else, see minutes",
}
# What the person said when somebody was in touch, or before: choices alone, none of their own words.
PERSON_SAID: Final[Mapping[str, str]] = {
    "wants_help": "Wants help",
    "wants_to_think": "Wants to think about it",
    "not_now": "Not now",
    "has_enough_help": "Has enough help",
    "wants_somebody_else": "Wants someone else to call",
    "no_contact": "Asked not to be contacted",
    "could_not_say": "Could not say",
}
# Words of the person that hold a visit, as the decision `said_no` does, until the chair says.
A_NO: Final = ("no_contact",)
# What the group wants to know before it decides.
QUESTIONS: Final[Mapping[str, str]] = {
    "who_is_in_touch": "Who is in touch already",
    "record_right": "Is the record right",
    "lives_there": "Who lives there now",
    "what_they_want": "What the person wants",
    "safe_to_visit": "Is it safe to visit",
    "something_else": "Something else, see minutes",
}
# Why somebody is added whom the records did not bring up.
ADDED_FOR: Final[Mapping[str, str]] = {
    "worried_at_the_desk": "Reception or front desk is worried",
    "worried_at_the_door": "A visitor to the home is worried",
    "neighbour_or_family": "A neighbour or the family asked",
    "asked_themselves": "They asked themselves",
    "lately_alone": "Has recently started living alone",
    "something_else": "Something else, see minutes",
}
TOLD: Final[Mapping[str, str]] = {"yes": "Yes", "not_yet": "Not yet"}
# The outcomes of a contact, as the `contacts` table takes them back.
OUTCOMES: Final[Mapping[str, str]] = {
    "accepted": "Accepted",
    "completed": "Completed",
    "declined_help": "Declined help",
    "refused": "Refused",
    "referred_on": "Referred on",
    "no_access": "No access",
    "deferred": "Deferred",
    "in_hospital": "In hospital",
    "wrong_address": "Wrong address",
    "deceased": "Deceased",
    "moved": "Moved",
}
# After these a visit that was agreed is still to be made.
STILL_TO_DO: Final = ("no_access", "deferred", "in_hospital")


def label_of(text: str, choices: Mapping[str, str]) -> str | None:
    """Find a choice by its words or its label, however it is written; `None` where it is not one.

    >>> label_of(" contact NOW ", DECISIONS), label_of("Person’s own wish", REASONS), label_of("maybe", DECISIONS)
    ('contact_now', 'own_wish', None)
    """
    written = folded(text)
    if choices is TOLD and written == "y":
        return "yes"
    return next((label for label, words in choices.items() if written in (label, folded(words))), None)


def folded(text: str) -> str:
    """Write a text in lower case, every run of other than letters and digits as `_`, the ends trimmed.

    >>> folded(" Led  by: ")
    'led_by'
    """
    return re.sub(r"[\W_]+", "_", text.casefold()).strip("_")
