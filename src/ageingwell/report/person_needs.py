"""What one person needs by rule, and why the suggested lead is the suggested lead."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from ageingwell.config.outreach import OutreachSettings
from ageingwell.report.person import Lead, LinkedFact, NeedFound
from ageingwell.views.reader import Reader
from ageingwell.views.words import agency_words, label_words

URGENCY = {"urgent": 0, "soon": 1, "routine": 2}
PROPOSED = "proposed"
ROUTINE = "Routine"


def needs_of(found: pl.DataFrame, reader: Reader) -> list[NeedFound]:
    """Each need with the sentences of its criterion, its lead, next step and urgency; the most urgent first.

    `found` are the rows of the needs table that belong to one person.
    """
    return [
        NeedFound(
            need=reader.need_words(row["need"]),
            facts=reader.facts_of(row["need"], row["criterion"]),
            lead=agency_words(row["lead_agency"]),
            action=row["action"],
            urgency=label_words(row["urgency"]),
        )
        for row in _in_order(found)
    ]


def by_when_of(urgency: str, act_by: str) -> str:
    """The day to act by, with how soon that is where it is not routine: the cells of a view.

    >>> by_when_of("Urgent", "25 November 2026"), by_when_of("Routine", "21 December 2026")
    ('Urgent: by 25 November 2026', 'By 21 December 2026')
    """
    return f"By {act_by}" if urgency == ROUTINE else f"{urgency}: by {act_by}"


def lead_of(
    row: Mapping[str, Any],
    found: pl.DataFrame,
    reader: Reader,
    *,
    strongest: LinkedFact | None = None,
    chosen: str | None = None,
) -> Lead:
    """The suggested lead and the printed reason for it, by rule.

    The group's own choice comes first, in the words of `chosen`; then who can write where no home is linked; then the
    most urgent need of this person that the agency leads on; then a need at the same door; then the theme of the
    `strongest` fact that raises.
    """
    is_chosen = row["status"] != PROPOSED
    why = (chosen or "you chose this lead") if is_chosen else _why(row, found, reader, strongest)
    return Lead(agency=agency_words(row["lead_agency"]), why=why, is_chosen=is_chosen)


def _why(row: Mapping[str, Any], found: pl.DataFrame, reader: Reader, strongest: LinkedFact | None) -> str:
    if row["household_id"] is None:
        return "we do not know this person's home, so the practice writes or phones"
    ordered = _in_order(found)
    own = [need for need in ordered if need["lead_agency"] == row["lead_agency"]]
    if own:
        name = reader.need_words(own[0]["need"])
        standing = _standing(own[0]["urgency"], [need["urgency"] for need in ordered])
        return f"it leads on “{name}”, {standing}{_who_is_full(row, own[0], ordered)}"
    if row["why"] == "model" and not ordered:
        about = "not one that may be told" if strongest is None else f"about {strongest['theme'].lower()}"
        return f"no rule found a need; the fact that adds most is {about}"
    return "it is going to see someone else in this home"


def _who_is_full(row: Mapping[str, Any], own: Mapping[str, Any], ordered: list[dict[str, Any]]) -> str:
    """Who leads a more urgent need here and has no place left, if anybody does."""
    more_urgent = [need["lead_agency"] for need in ordered if URGENCY[need["urgency"]] < URGENCY[own["urgency"]]]
    full = [agency_words(agency) for agency in dict.fromkeys(more_urgent) if agency in row["partners_full"]]
    if not full:
        return ""
    return f"; {' and '.join(full)} {'has' if len(full) == 1 else 'have'} a more urgent need here and no place left"


def _standing(urgency: str, all_of_them: list[str]) -> str:
    """How a need stands among all of a person's, `all_of_them` the most urgent first."""
    if len(all_of_them) == 1:
        return "the one need found here"
    if urgency != all_of_them[0]:
        return "a need found here"
    return "the most urgent need found here" if all_of_them.count(urgency) == 1 else "as urgent as any need found here"


def notes_of(row: Mapping[str, Any], settings: OutreachSettings) -> list[str]:
    """What a visitor has to know first, as the suggested next step has it."""
    notes = (settings.staff_safety_note, settings.care_home_check_note)
    return [note for note in notes if note in (row["action"] or "")]


def _in_order(found: pl.DataFrame) -> list[dict[str, Any]]:
    """The most urgent first; a person has few, which Python sorts sooner than Polars is asked."""

    def place(need: Mapping[str, Any]) -> tuple[int, str, bool, str]:
        lead = need["lead_agency"]
        return URGENCY.get(need["urgency"], len(URGENCY)), need["need"], lead is not None, lead or ""

    return sorted(found.to_dicts(), key=place)
