"""How close a person's page is set, so that it fits on one sheet of A4."""

from math import ceil
from typing import Final

from ageingwell.report.person import Person

# Lines of text a sheet takes at each size of letters, measured on printed pages; the closest takes what there is.
SIZES: Final = (("roomy", 44), ("plain", 54), ("close", 63))
CLOSEST: Final = "closest"
# Letters a line takes in each column of the printed page at the middle size.
_NEED, _FACTS, _STEP, _OFFER, _WHOLE = 20, 55, 40, 52, 115
PRINTED_OFFERS: Final = 4  # further ones stand on the screen alone
_TOLD: Final = ("name", "what", "where", "near", "when", "cost", "checked_on", "note")
_ALWAYS: Final = 24  # headings, the lead, and the room for the decision
_FIGURE: Final = 8  # the figure with its bars, and the headings of the facts linked with it


def setting_of(person: Person) -> str:
    """Choose the widest setting that holds everything the page says.

    >>> from ageingwell.report.person import Lead
    >>> bare = {"chance": None, "raises": [], "lowers": [], "needs": [], "unknown": [], "in_touch": []}
    >>> told = {"lead": Lead(agency="Housing", why="it leads here"), "action": "", "notes": [], "offers": []}
    >>> setting_of(Person(**bare, **told, not_in_touch=[], outcomes=[]))
    'roomy'
    """
    lines = _lines(person)
    return next((name for name, most in SIZES if lines <= most), CLOSEST)


def _lines(person: Person) -> int:
    facts = len(person["raises"]) + len(person["lowers"]) + (_FIGURE if person["chance"] else 0)
    needs = sum(
        max(_of(need["need"], _NEED) + 1, _of("; ".join(need["facts"]), _FACTS), _of(need["action"], _STEP))
        for need in person["needs"]
    )
    unknown = sum(_of(sentence, _WHOLE) for sentence in person["unknown"])
    in_touch = ceil(len(person["in_touch"]) / 3) + 1
    lead = _of(person["lead"]["why"], _WHOLE) + _of(person["action"], _WHOLE) + len(person["notes"])
    offers = sum(
        _of("".join(str(text) for text in offer.values()), _OFFER) for offer in person["offers"][:PRINTED_OFFERS]
    )
    return _ALWAYS + facts + needs + unknown + in_touch + lead + ceil(offers / 2)


def _of(text: str, letters: int) -> int:
    return ceil(len(text) / letters)
