"""The list on page one of the group's report: who stands in one block, what each row says, what it can be asked by."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from ageingwell.register import ASKED_AGENCIES
from ageingwell.report.filters import Question, marks_of, questions_of
from ageingwell.report.person import Person
from ageingwell.views.recipient import NO_NEED
from ageingwell.views.words import agency_words, cannot_tell, capital

SHOWN_RAISES, SHOWN_LOWERS = 3, 1  # facts on a row of the list; the person's page has five and three
KNOWN: Final = "Known to a service"
GP_ONLY: Final = "On the GP register only"
NOT_TOLD: Final = "We cannot tell"
NOBODY: Final = "Only their GP practice"
OF_EVERYBODY: Final = ("GP practices",)  # everybody here is registered: that tells nothing of being known to a service

ASKED: Final[tuple[Question, ...]] = (
    ("urgency", "How soon", "Everyone"),
    ("lead", "Suggested lead", "Every lead"),
    ("need", "Need", "Every need"),
    ("place", "Place", "Every place"),
    ("known", "Known to", "Everybody"),
    ("part", "Your part", "Every part"),
    ("new", "New or not", "Everybody"),
    ("status", "Decision", "Every state"),
)
FIRST: Final = ("Overdue", "Urgent")  # what stands on top, in a block of its own
_AGE: Final[Question] = ("age", "Age", "Every age")

# In which order the list may be put: what to sort by, and the words for it. A minus turns the order round.
ORDERS: Final = (
    {"by": "place", "text": "Place, A to Z"},
    {"by": "lead", "text": "Suggested lead, A to Z"},
    {"by": "-age", "text": "Age, oldest first"},
    {"by": "status", "text": "Decision, A to Z"},
)


def listing_of(people: Sequence[Person]) -> dict[str, Any]:
    """Set the list out: blocks of people in one interval of the order, each with its sentence and its rows.

    Homes with an overdue visit and homes with an urgent need have blocks of their own, on top. People who live together
    are shown together, in the block of the one who comes first.
    """
    answers = [_answers(person) for person in people]
    marks = marks_of(answers, asked=(*ASKED, _AGE))
    rows = [{**_row(person), "marks": mark} for person, mark in zip(people, marks, strict=True)]
    blocks = []
    for band, of_band in groupby(_with_bands(people, rows), key=lambda pair: pair[0]):
        inside = [row for _, row in of_band]
        told = _told_of_first(inside) if band in FIRST else _told(inside)
        blocks.append({"band": capital(band), "told": told, "rows": inside})
    return {
        "blocks": blocks,
        "questions": questions_of(answers, asked=ASKED),
        "orders": list(ORDERS),
        # On a first night everybody is new: then the tag says nothing of anybody.
        "all_new": all(person["is_new"] for person in people),
    }


def _with_bands(people: Sequence[Person], rows: Sequence[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    placed: list[tuple[str, dict[str, Any]]] = []
    door, band = None, ""
    for person, row in zip(people, rows, strict=True):
        if person["door"] != door:
            door, band = person["door"], _block_of(person)
        placed.append((band, row))
    return placed


def _block_of(person: Person) -> str:
    return next((block for block in FIRST if block in (base_status(person), person["urgency"])), person["band"])


def base_status(person: Person) -> str:
    """The status without the day since when it holds: what a list can be asked by."""
    return person["status"].partition(" since ")[0]


def _told_of_first(rows: Sequence[Mapping[str, Any]]) -> str:
    """What is said of a block that stands on top: how many people, and why they come first.

    >>> _told_of_first([{}])
    '1 person. See to this before anything else.'
    """
    return f"{len(rows)} {'person' if len(rows) == 1 else 'people'}. See to this before anything else."


def _answers(person: Person) -> dict[str, list[str]]:
    return {
        "urgency": [person["urgency"]],
        "lead": [person["lead"]["agency"]],
        "need": [need["need"] for need in person["needs"]] or [capital(NO_NEED)],
        "place": [person["place"]],
        "known": [KNOWN if services_of(person) else NOT_TOLD if untold_of(person) else GP_ONLY],
        "new": ["New" if person["is_new"] else "Listed before"],
        "status": [base_status(person)],
        "part": [person["part"]],
        "age": [person["age_band"]],
    }


def services_of(person: Person) -> list[str]:
    """The services in touch with somebody, besides the practice at which everybody is registered."""
    return [touch["agency"] for touch in person["in_touch"] if touch["agency"] not in OF_EVERYBODY]


def untold_of(person: Person) -> list[str]:
    """The services of which it cannot be told whether they are in touch: their records did not come, or no home is."""
    told = {*(touch["agency"] for touch in person["in_touch"]), *person["not_in_touch"], *OF_EVERYBODY}
    return [words for words in map(agency_words, ASKED_AGENCIES) if words not in told]


def _row(person: Person) -> dict[str, Any]:
    facts = [*person["raises"][:SHOWN_RAISES], *person["lowers"][:SHOWN_LOWERS]]
    lower = len(person["raises"][:SHOWN_RAISES])
    return {
        "person": person,
        "facts": [
            {"theme": fact["theme"], "fact": fact["fact"], "is_lower": number >= lower}
            for number, fact in enumerate(facts)
        ],
        "needs": [need["need"] for need in person["needs"]],
        "services": services_of(person),
        "nobody": capital(cannot_tell(untold_of(person))) if untold_of(person) else NOBODY,
    }


def _told(rows: Sequence[Mapping[str, Any]]) -> str:
    """What may be read from the order inside a block.

    >>> _told([{"person": {"chance": {"low": 20, "high": 30}}}, {"person": {"chance": {"low": 28, "high": 40}}}])
    'The order of these 2 people is not exact.'
    """
    chances = [row["person"]["chance"] for row in rows if row["person"]["chance"]]
    if len(rows) == 1:
        return "1 person."
    if not chances:
        return f"{len(rows)} people, in no order of chance."
    ends = [(chance["low"], chance["high"]) for chance in chances]
    checked = [(low, high) for low, high in ends if low is not None and high is not None]
    if not checked:
        return f"{len(rows)} people. Too few people have a chance this high to put them in order."
    if len(checked) == len(ends) and max(low for low, _ in checked) <= min(high for _, high in checked):
        return f"The order of these {len(rows)} people is not exact."
    return f"{len(rows)} people. Do not compare people inside this block: the order is not exact."
