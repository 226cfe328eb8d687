"""How close a person's page is set, so that it fits on one sheet of A4."""

from math import ceil
from typing import Final

from ageingwell.report.person import Person

# Lines of text a sheet takes at each size of letters, measured on printed pages; the closest takes what there is.
SIZES: Final = (("roomy", 35), ("plain", 45), ("close", 50), ("tight", 55))
CLOSEST: Final = "closest"
# Letters a line takes in each column of the printed page at the middle size.
_NEED, _FACTS, _STEP, _OFFER, _WHOLE = 20, 55, 40, 52, 130
PRINTED_OFFERS: Final = 2  # further ones stand on the screen alone
_TOLD: Final = ("name", "what", "where", "near", "when", "cost", "checked_on", "note")
_LABELS: Final = 45  # what stands before each of a visitor's notes
_CHECKED: Final = "; checked "
_ALWAYS: Final = 24  # headings, the lead, and the room for the decision
_FACT: Final = 1.25  # a row of a table is higher than a line
_FIGURE: Final = 8  # the figure with its bars, and the headings of the facts linked with it


def setting_of(person: Person) -> str:
    """Choose the widest setting that holds everything the page says.

    >>> from ageingwell.report.person import Lead
    >>> bare = {"chance": None, "raises": [], "lowers": [], "needs": [], "unknown": [], "in_touch": [], "rest": 0}
    >>> lead = Lead(agency="Housing", why="it leads here", is_chosen=False)
    >>> told = {"lead": lead, "action": "", "notes": [], "offers": [], "last_time": [], "plan": []}
    >>> door = {"other_facts": [], "part": "", "communication": "", "told": "", "say": ""}
    >>> setting_of(Person(**bare, **told, **door, not_in_touch=[], outcomes=[]))
    'roomy'
    """
    lines = _lines(person)
    return next((name for name, most in SIZES if lines <= most), CLOSEST)


def _lines(person: Person) -> float:
    facts = _FACT * (len(person["raises"]) + len(person["lowers"])) + (_FIGURE if person["chance"] else 0)
    needs = sum(
        max(_of(need["need"], _NEED) + 1, _of("; ".join(need["facts"]), _FACTS), _of(need["action"], _STEP))
        for need in person["needs"]
    )
    unknown = sum(_of(sentence, _WHOLE) for sentence in person["unknown"])
    in_touch = ceil(len(person["in_touch"]) / 3) + 1
    lead = _of(person["lead"]["why"], _WHOLE) + _of(person["action"], _WHOLE) + len(person["notes"])
    door = _of(person["part"] + person["communication"] + person["told"] + person["say"], _WHOLE - _LABELS)
    offers = sum(
        _of(", ".join(str(offer[name]) for name in _TOLD if offer.get(name)) + _CHECKED, _OFFER)
        for offer in person["offers"][:PRINTED_OFFERS]
    )
    before = sum(_of(sentence, _WHOLE) for sentence in (*person["last_time"], *person["plan"]))
    before += 2 * (bool(person["last_time"]) + bool(person["plan"]))
    return (
        before
        + _ALWAYS
        + facts
        + needs
        + unknown
        + in_touch
        + lead
        + door
        + ceil(offers / 2)
        + len(person["other_facts"])
        + bool(person["rest"])
    )


def _of(text: str, letters: int) -> int:
    return ceil(len(text) / letters)
