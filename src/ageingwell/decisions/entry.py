"""One entry of the ledger: what one recipient's list said of one person."""

from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any

import polars as pl


@dataclass(frozen=True)
class Entry:
    """What a row of a list said, as labels and days; `kind` is `listed` or `added`.

    `agrees_with_suggestion` is derived: contact now, led by the agency that was suggested; empty without a decision.
    `agency` made the contact that `outcome` tells of.
    """

    night: date
    recipient: str
    kind: str
    person_id: str
    household_id: str | None
    decision: str | None = None
    led_by: str | None = None
    suggested_lead: str | None = None
    reason: str | None = None
    by_when: date | None = None
    told: str | None = None
    outcome: str | None = None
    contacted_on: date | None = None
    agency: str | None = None
    note: str | None = None
    agrees_with_suggestion: bool | None = None

    @property
    def subject(self) -> tuple[date, str]:
        """The night and the person: what answers of several recipients may clash on."""
        return (self.night, self.person_id)

    @property
    def answer(self) -> tuple[str, str | None] | None:
        """The decision, and who leads where one is taken on; `None` where nothing was decided."""
        return None if self.decision is None else (self.decision, self.led_by)

    @property
    def says_something(self) -> bool:
        """Whether there is a decision, an outcome, or word of whether the person was told."""
        return any(said is not None for said in (self.decision, self.outcome, self.told))

    def plain(self) -> dict[str, Any]:
        """The entry as JSON can hold it."""
        return {name: str(value) if isinstance(value, date) else value for name, value in asdict(self).items()}


_TYPES = {"night": pl.Date, "by_when": pl.Date, "contacted_on": pl.Date, "agrees_with_suggestion": pl.Boolean}
ENTRIES = pl.Schema(
    {
        "position": pl.Int64,
        "recorded_at": pl.String,
        "recorded_on": pl.Date,
        "role": pl.String,
        "file_sha256": pl.String,
        **{field.name: _TYPES.get(field.name, pl.String) for field in fields(Entry)},
        "previous_hash": pl.String,
        "hash": pl.String,
    }
)


def entries_of(ledger: pl.DataFrame) -> list[Entry]:
    """The entries of a ledger frame, oldest first."""
    names = [field.name for field in fields(Entry)]
    return [Entry(**row) for row in ledger.sort("position").select(names).iter_rows(named=True)]


_OF_THE_DECISION = ("decision", "led_by", "suggested_lead", "reason", "by_when", "note", "agrees_with_suggestion")
_OF_THE_CONTACT = ("outcome", "contacted_on", "agency")


def over(entry: Entry, earlier: Entry | None) -> Entry:
    """What a recipient now says in full: what this entry leaves empty stands as it was said before.

    A decision, its lead, reason and day go together, and so do an outcome and its day.
    """
    if earlier is None:
        return entry
    if entry.decision is None:
        entry = replace(entry, **{name: getattr(earlier, name) for name in _OF_THE_DECISION})
    if entry.outcome is None:
        entry = replace(entry, **{name: getattr(earlier, name) for name in _OF_THE_CONTACT})
    return entry if entry.told is not None else replace(entry, told=earlier.told)


def without_decision(entry: Entry) -> Entry:
    """The rest of what a row said: what came of a contact, and whether the person was told.

    >>> both = Entry(date(2026, 11, 22), "gp", "listed", "p1", None, decision="said_no", reason="own_wish", told="yes")
    >>> rest = without_decision(both)
    >>> rest.decision, rest.reason, rest.told
    (None, None, 'yes')
    """
    nothing: dict[str, Any] = dict.fromkeys(_OF_THE_DECISION)
    return replace(entry, **nothing)
