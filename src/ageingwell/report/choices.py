"""What the group may fill in on a list, and the choices it has. No choice is made for it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Asked:
    """One column the group fills in: its name, heading, meaning, choices (none: a day or a short text), and width."""

    name: str
    title: str
    meaning: str
    choices: tuple[str, ...] = ()
    is_day: bool = False
    width: int = 20


DECISION: Final = Asked(
    "decision",
    "Decision",
    "What the group decided; needed for a row to count",
    (
        "Contact now",
        "Already supported",
        "Need to know more",
        "Not right for this person",
        "Person has said no",
    ),
)
LED_BY: Final = Asked(
    "led_by",
    "Led by",
    "Who takes it on",
    ("GP practices", "Adult social care", "Housing", "Fire and rescue", "Voluntary sector"),
)
REASON: Final = Asked(
    "reason",
    "Reason",
    "Why; needed for a yes and for a no",
    (
        "Need agreed",
        "Known to us and in hand",
        "Record out of date",
        "Not this person",
        "Someone else is better placed",
        "Person's own wish",
        "Something else, see minutes",
    ),
)
BY_WHEN: Final = Asked("by_when", "By when", "The day it should be done by", is_day=True, width=13)
# The outcomes of a contact, as the `contacts` table takes them back.
OUTCOME: Final = Asked(
    "outcome",
    "What came of it",
    "After the contact",
    (
        "Accepted",
        "Completed",
        "Declined help",
        "Refused",
        "Referred on",
        "No access",
        "Deferred",
        "In hospital",
        "Wrong address",
        "Deceased",
        "Moved",
    ),
)
CONTACTED_ON: Final = Asked("contacted_on", "Contacted on", "The day of the contact", is_day=True, width=13)

ASKED: Final = (DECISION, LED_BY, REASON, BY_WHEN, OUTCOME, CONTACTED_ON)
