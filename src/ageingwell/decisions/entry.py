"""One entry of the ledger: what one recipient's list said of one person."""

from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Final

import polars as pl

from ageingwell.decisions.plan import PLAN, Plan

# The kind of an entry that says what a lot gave somebody.
LOT_KIND: Final = "lot"


@dataclass(frozen=True)
class Entry:
    """What a row of a list said, as labels and days; `kind` is `listed` or `added`, or `lot`: what a draw gave.

    `agrees_with_suggestion` is derived: contact now, led by the agency that was suggested; empty without a decision.
    `agency` made the contact that `outcome` tells of. Of a draw, `agency` is whose places were drawn, and `lot` is
    `won`, `lost`, or `none`: the night was made again, and they took part no more. `left_out_until` is the day until
    which somebody who lost is left off the list.
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
    question: str | None = None
    person_said: str | None = None
    plan: Plan | None = None
    lot: str | None = None
    left_out_until: date | None = None

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
        """Whether there is a decision, an outcome, a plan, what the person said, or word of whether they were told."""
        said = (self.decision, self.outcome, self.told, self.person_said, self.plan)
        return any(one is not None for one in said)

    def plain(self) -> dict[str, Any]:
        """The entry as JSON can hold it."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: _plain(value) for name, value in told.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Plan):
        return value.plain()
    return str(value) if isinstance(value, date) else value


_TYPES: dict[str, Any] = {
    "night": pl.Date,
    "by_when": pl.Date,
    "contacted_on": pl.Date,
    "left_out_until": pl.Date,
    "agrees_with_suggestion": pl.Boolean,
    "plan": PLAN,
}
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
    """What lists said, oldest first; what a lot gave is no answer of anybody's, and is not among it."""
    names = [field.name for field in fields(Entry)]
    rows = ledger.filter(pl.col("kind") != LOT_KIND).sort("position").select(names).iter_rows(named=True)
    return [Entry(**row | {"plan": Plan.of(row["plan"])}) for row in rows]


_OF_THE_DECISION = (
    "decision",
    "led_by",
    "suggested_lead",
    "reason",
    "by_when",
    "note",
    "agrees_with_suggestion",
    "question",
)
_OF_THE_CONTACT = ("outcome", "contacted_on", "agency")


def over(entry: Entry, earlier: Entry | None) -> Entry:
    """What a recipient now says in full: what this entry leaves empty stands as it was said before.

    A decision, its lead, reason, day and question go together, and so do an outcome and its day. A plan is said whole,
    in an entry of its own.
    """
    if earlier is None:
        return entry
    if entry.decision is None:
        entry = replace(entry, **{name: getattr(earlier, name) for name in _OF_THE_DECISION})
    if entry.outcome is None:
        entry = replace(entry, **{name: getattr(earlier, name) for name in _OF_THE_CONTACT})
    for name in ("told", "person_said"):
        if getattr(entry, name) is None:
            entry = replace(entry, **{name: getattr(earlier, name)})
    return entry


def without_decision(entry: Entry) -> Entry:
    """The rest of what a row said: what came of a contact, what the person said, and whether they were told.

    That the person has said no is kept as their word: it holds a visit until the chair says.

    >>> both = Entry(date(2026, 11, 22), "gp", "listed", "p1", None, decision="said_no", reason="own_wish", told="yes")
    >>> rest = without_decision(both)
    >>> rest.decision, rest.reason, rest.told, rest.person_said
    (None, None, 'yes', 'no_contact')
    """
    nothing: dict[str, Any] = dict.fromkeys(_OF_THE_DECISION)
    said = "no_contact" if entry.decision == "said_no" else entry.person_said
    return replace(entry, **nothing | {"person_said": said})
