"""What the group may fill in on a list: the columns, their headings and their choices. No choice is made for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ageingwell.decisions.choices import (
    ADDED_FOR,
    DECISIONS,
    FORMER_TITLES,
    LEADS,
    OUTCOMES,
    PERSON_SAID,
    QUESTIONS,
    REASONS,
    TITLES,
    TOLD,
    folded,
)
from ageingwell.decisions.judging import LONGEST_NOTE
from ageingwell.decisions.plan_choices import PLAN_TITLES
from ageingwell.decisions.tables import LIST_CODE, LIST_KEYS, LIST_UNTIL, PLAN_REVIEW
from ageingwell.views import columns as view_columns
from ageingwell.views.columns import Column


@dataclass(frozen=True, slots=True)
class Asked:
    """One column the group fills in: its name, heading, meaning, choices (none: a day or a short text), and width.

    `is_open`: besides the choices, a few own words are taken.
    """

    name: str
    title: str
    meaning: str
    choices: tuple[str, ...] = ()
    is_day: bool = False
    width: int = 20
    is_open: bool = False


DECISION: Final = Asked(
    "decision",
    TITLES["decision"],
    "What the group decided; needed for a row to count",
    tuple(DECISIONS.values()),
    width=17,
)
LED_BY: Final = Asked(
    "led_by", TITLES["led_by"], "Who takes it on; needed to contact now", tuple(LEADS.values()), width=15
)
REASON: Final = Asked("reason", TITLES["reason"], "Why; needed for every decision", tuple(REASONS.values()), width=19)
BY_WHEN: Final = Asked(
    "by_when", TITLES["by_when"], "The day it should be done by, or asked again", is_day=True, width=14
)
WHETHER_TOLD: Final = Asked(
    "told", TITLES["told"], "Whether the person knows that you will be in touch", tuple(TOLD.values()), width=9
)
OUTCOME: Final = Asked("outcome", TITLES["outcome"], "After the contact", tuple(OUTCOMES.values()), width=14)
CONTACTED_ON: Final = Asked("contacted_on", TITLES["contacted_on"], "The day of the contact", is_day=True, width=14)
QUESTION: Final = Asked(
    "question",
    TITLES["question"],
    "With Need to know more: what to find out before you decide",
    tuple(QUESTIONS.values()),
    width=20,
)
WHAT_THEY_SAID: Final = Asked(
    "person_said",
    TITLES["person_said"],
    "What the person said, after the contact or before. If they asked not to be contacted, the visit waits until the "
    "chair decides",
    tuple(PERSON_SAID.values()),
    width=20,
)

ASKED: Final = (
    DECISION,
    LED_BY,
    REASON,
    BY_WHEN,
    QUESTION,
    WHETHER_TOLD,
    OUTCOME,
    CONTACTED_ON,
    WHAT_THEY_SAID,
)

PERSON: Final = Asked(
    "person",
    TITLES["person"],
    "Their key of 32 letters: `ageingwell add`, at your agency, gives it for an NHS number",
    width=36,
)
ADDED_BECAUSE: Final = Asked(
    "added_for", TITLES["added_for"], "Why the group adds them", tuple(ADDED_FOR.values()), width=30
)
NOTE: Final = Asked(
    "note",
    TITLES["note"],
    f"Up to {LONGEST_NOTE} letters; no name, no number, no clinical detail",
    width=40,
)
ADDED: Final = (PERSON, ADDED_BECAUSE, LED_BY, BY_WHEN, WHETHER_TOLD, NOTE)

MEND: Final = Column(
    "to_mend", "What to correct", "Why this row was not recorded; correct it here and send this file back", 34
)
SAID: Final = Column("said", "What each said", "The answers that do not agree; the group's decision counts", 44)

REVIEW: Final = Column(PLAN_REVIEW, "Review", "When to look at the plan again", 18)


def headings() -> dict[str, str]:
    """The name of every column by its folded heading, and by its folded name: how a list that comes back is read.

    >>> headings()["led_by"], headings()["row_key"], headings()["what_happened"], headings()["what_came_of_it"]
    ('led_by', 'row_key', 'outcome', 'outcome')
    """
    shown = [value for value in vars(view_columns).values() if isinstance(value, Column)]
    shown += [*view_columns.FOR_SAFEGUARDING, MEND, SAID, REVIEW]
    every: Iterable[Column | Asked] = (*shown, *ASKED, *ADDED)
    of_plans = {folded(words): name for name, title in PLAN_TITLES.items() for words in (name, title)}
    return (
        {name: name for name in ("notices", LIST_CODE, LIST_KEYS, LIST_UNTIL)}
        | of_plans
        | {folded(words): name for words, name in FORMER_TITLES.items()}
        | {folded(words): column.name for column in every for words in (column.name, column.title)}
    )
