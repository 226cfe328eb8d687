"""What could be offered locally, built from nothing but the cells of a view.

An offer is chosen by the words of a need as this reader sees them, by the place and, where the view has it, by the
age band. Two rows that look alike to a reader have the same offers, so offers tell no reader anything new.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

import polars as pl

from ageingwell.config.services import ServicesSettings
from ageingwell.report.cells import day_words
from ageingwell.services.match import ASKS, match_services
from ageingwell.services.values import fold
from ageingwell.views.columns import OFFERS, AgencyView
from ageingwell.views.words import NEED_WORDS

Offer = dict[str, Any]
Ask = tuple[str, str, str]

NO_OFFER: Final = "No service nearby in the local directory"
NO_DIRECTORY: Final = "No directory of local services is connected"
NOT_USABLE: Final = "The directory of local services could not be used tonight"
OUT_OF_DATE: Final = "details may be out of date"
ASK_FIRST: Final = "ask whether it is for them"
NO_NUMBER: Final = "no number given"
COMES_TO_THEM: Final = "comes to them"
_AGES: Final = re.compile(r"^(\d+) (?:to (\d+)|or over)$")
_OLDEST: Final = 150
_AFTER: Final = "action"


def offers_of(
    view: AgencyView,
    *,
    services: pl.DataFrame,
    positions: pl.DataFrame,
    settings: ServicesSettings,
    youngest: int = 65,
) -> list[list[Offer]]:
    """List what could be offered to each row of a view, in its order: a few services for each need shown there.

    `services` is the night's table (contract: `Offerable`), `positions` as `read_positions` gives it; everybody on the
    list has reached the age `youngest`. An offer is plain data: need, name, what, where, miles, near, cost, when,
    checked_on, is_full, is_out_of_date, note, telephone.
    """
    by_words = terms_by_words(settings)
    asked = [list(_asks(row, by_words)) for row in view.frame.iter_rows(named=True)]
    asks = list(dict.fromkeys(ask for row in asked for ask in row))
    numbered = [(number, list(by_words[ask[0]]), ask[1], *_ages(ask[2])) for number, ask in enumerate(asks)]
    found = match_services(
        pl.DataFrame(numbered, schema=ASKS, orient="row"),
        services=services,
        positions=positions,
        settings=settings,
        on=view.as_of,
        youngest=youngest,
    ).sort("ask_id", "position")
    answers: dict[Ask, list[Offer]] = {}
    for offer in found.iter_rows(named=True):
        ask = asks[offer["ask_id"]]
        answers.setdefault(ask, []).append(_told(offer, need=ask[0]))
    return [[offer for ask in row for offer in answers.get(ask, [])] for row in asked]


def with_offers(view: AgencyView, offers: Sequence[Sequence[Offer]], *, state: str) -> AgencyView:
    """Put the first service for each need into the view, as a column of its own after the next step.

    `state` is that of the directory, as the night tells it.
    """
    otherwise = {"none": NO_DIRECTORY, "damaged": NOT_USABLE, "made_up_not_used": NOT_USABLE}.get(state, NO_OFFER)
    cells = [[in_a_line(offer) for offer in _first_for_each_need(row)] or [otherwise] for row in offers]
    place = [column.name for column in view.columns].index(_AFTER) + 1
    columns = (*view.columns[:place], OFFERS, *view.columns[place:])
    frame = view.frame.with_columns(pl.Series(OFFERS.name, cells, dtype=pl.List(pl.String)))
    return replace(view, columns=columns, frame=frame.select(column.name for column in columns))


def terms_by_words(settings: ServicesSettings) -> dict[str, tuple[str, ...]]:
    """The terms that serve a need, by the words a reader sees of it.

    Needs that share functional words share their functional terms: whoever sees the words alone cannot tell from an
    offer which of the needs it is.
    """
    found: dict[str, set[str]] = {}
    for need, terms in settings.needs.items():
        words = NEED_WORDS.get(need)
        if words is not None:
            found.setdefault(words.name, set()).update(map(fold, terms.terms))
            found.setdefault(words.functional, set()).update(map(fold, terms.functional_terms))
    return {words: tuple(sorted(terms)) for words, terms in found.items()}


def _asks(row: Mapping[str, Any], by_words: Mapping[str, Sequence[str]]) -> Iterator[Ask]:
    for words in row["needs"]:
        if by_words.get(words):
            yield words, str(row["place"]), str(row.get("age_band", ""))


def _ages(band: str) -> tuple[int | None, int | None]:
    """The ages of a band; a reader who sees none has none to go by.

    >>> _ages("80 to 84"), _ages("90 or over"), _ages("")
    ((80, 84), (90, 150), (None, None))
    """
    found = _AGES.match(band)
    return (None, None) if found is None else (int(found[1]), int(found[2] or _OLDEST))


def _told(offer: Mapping[str, Any], *, need: str) -> Offer:
    checked: date | None = offer["checked_on"]
    miles = miles_words(offer["miles"]) if offer["location_id"] is not None else COMES_TO_THEM
    notes = [OUT_OF_DATE] if offer["is_out_of_date"] else []
    notes += [] if offer["is_checked"] else [f"{ASK_FIRST}{_for_whom(offer)}"]
    return {
        "need": need,
        "name": offer["name"],
        "what": f"{offer['kind'] or 'Service'}, {offer['organisation']}",
        "where": offer["where"] or COMES_TO_THEM,
        "miles": miles,
        "near": "" if miles == COMES_TO_THEM else miles,
        "cost": offer["cost"],
        "when": offer["when"],
        "checked_on": "not known" if checked is None else day_words(checked),
        "is_full": offer["room"] == "no",
        "full_on": f"full on {day_words(checked)}"
        if offer["room"] == "no" and checked
        else "full" * (offer["room"] == "no"),
        "is_out_of_date": bool(offer["is_out_of_date"]),
        "note": "; ".join(notes),
        "telephone": offer["telephone"] or NO_NUMBER,
    }


def _for_whom(offer: Mapping[str, Any]) -> str:
    low, high = offer["minimum_age"], offer["maximum_age"]
    if low is None and high is None:
        return ""
    if high is None:
        return f" (from age {low})"
    return f" (up to age {high})" if low is None else f" (ages {low} to {high})"


def miles_words(miles: float | None) -> str:
    """Say a distance as far as it can be trusted: it is measured from the middle of the place.

    >>> miles_words(0.4), miles_words(1.2), miles_words(3.6)
    ('less than a mile', 'about 1 mile', 'about 4 miles')
    """
    if miles is None:
        return "not known"
    whole = int(miles + 0.5)
    return "less than a mile" if whole < 1 else f"about {whole} mile{'s' if whole > 1 else ''}"


def in_a_line(offer: Offer) -> str:
    """Say an offer in one line of a list: the name, the telephone, when, then how far and what it costs."""
    said = [offer["when"], offer["miles"], offer["cost"], f"checked {offer['checked_on']}"]
    said += [offer["full_on"]] if offer["full_on"] else []
    said += [offer["note"]] if offer["note"] else []
    return f"{offer['name']}, {offer['telephone']} ({'; '.join(part for part in said if part)})"


def whom_to_ring(offers: Sequence[Offer], *, otherwise: str) -> str:
    """Say in one line whom to telephone: the first service that gives a number and is not known to be full.

    >>> offer = {"name": "Lunch club", "telephone": "0113 496 0236", "when": "Mondays", "is_full": False}
    >>> whom_to_ring([offer | {"telephone": NO_NUMBER}, offer], otherwise="nobody")
    'Lunch club, 0113 496 0236 (Mondays)'
    >>> whom_to_ring([], otherwise="nobody")
    'nobody'
    """
    with_number = [offer for offer in offers if offer["telephone"] != NO_NUMBER]
    chosen = next((offer for offer in with_number if not offer["is_full"]), None)
    if chosen is None:
        return otherwise
    when = f" ({chosen['when']})" if chosen["when"] else ""
    return f"{chosen['name']}, {chosen['telephone']}{when}"


def each_once(offers: Sequence[Offer]) -> list[Offer]:
    """The offers of one person, each service once: the first for each need, then the second, and so on.

    >>> offers = [("Falls", "Class"), ("Falls", "Visit"), ("Company", "Lunch"), ("Company", "Class")]
    >>> told = [{"need": need, "name": name, "what": "", "where": ""} for need, name in offers]
    >>> [offer["name"] for offer in each_once(told)]
    ['Class', 'Lunch', 'Visit']
    """
    seen: Counter[str] = Counter()
    turns = []
    for place, offer in enumerate(offers):
        turns.append((seen[offer["need"]], place))
        seen[offer["need"]] += 1
    found: dict[tuple[Any, ...], Offer] = {}
    for _, place in sorted(turns):
        offer = offers[place]
        found.setdefault((offer["name"], offer["what"], offer["where"]), offer)
    return list(found.values())


def _first_for_each_need(offers: Sequence[Offer]) -> list[Offer]:
    first: dict[str, Offer] = {}
    for offer in offers:
        first.setdefault(offer["need"], offer)
    return list({offer["name"]: offer for offer in first.values()}.values())
