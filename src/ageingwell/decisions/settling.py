"""What the ledger already says: unchanged, a correction, or a clash for the chair. The last one never simply wins."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from ageingwell.decisions.entry import Entry, over, without_decision
from ageingwell.decisions.judging import Judged

CHAIR = "group"


@dataclass(frozen=True)
class Clash:
    """One person of one night about whom recipients disagree: what each of them says, by recipient."""

    night: date
    person_id: str
    household_id: str | None
    said: tuple[Entry, ...]


def settle(files: Sequence[Sequence[Judged]], *, ledger: Sequence[Entry]) -> tuple[list[list[Judged]], list[Clash]]:
    """Hold the accepted rows of every file against the ledger and against each other, whatever the files' order.

    A row that says what its recipient said before is `unchanged`; one that says more or else is a new entry. Where
    recipients disagree on the decision or the lead, the rows are a `clash` and no answer of theirs is kept, until the
    group's own list (the chair) says which holds: its word is never a clash. What else a row in a clash tells (what
    came of a contact, whether the person was told) nobody disputes: that is left as its entry, to be kept.
    """
    before = standing(ledger)
    said: dict[tuple[date, str], dict[str, list[Entry]]] = {}
    for entry in _accepted(files):
        said.setdefault(entry.subject, {}).setdefault(entry.recipient, []).append(entry)
    clashes = [
        clash for subject, theirs in sorted(said.items()) if (clash := _clash(subject, theirs, before)) is not None
    ]
    torn = {(clash.night, clash.person_id) for clash in clashes}
    settled, known = [], dict(before)
    for rows in files:
        settled.append([_settled(row, known, torn) for row in rows])
    return settled, clashes


def standing(ledger: Sequence[Entry]) -> dict[tuple[date, str, str], Entry]:
    """What each recipient says of each person of a night, by now: the later entry over the earlier."""
    now: dict[tuple[date, str, str], Entry] = {}
    for entry in ledger:
        whose = (*entry.subject, entry.recipient)
        now[whose] = over(entry, now.get(whose))
    return now


def _accepted(files: Sequence[Sequence[Judged]]) -> list[Entry]:
    return [row.entry for rows in files for row in rows if row.verdict == "accepted" and row.entry is not None]


def _clash(
    subject: tuple[date, str], theirs: dict[str, list[Entry]], before: dict[tuple[date, str, str], Entry]
) -> Clash | None:
    """What recipients disagree about, by what they say now, those who sent nothing this time included."""
    told = {whose[2]: [entry] for whose, entry in before.items() if whose[:2] == subject and entry.answer}
    new = {
        name: entries
        for name, entries in theirs.items()
        if any(entry.answer and entry.answer != _answer(told.get(name)) for entry in entries)
    }
    if not new or (set(new) == {CHAIR} and len({entry.answer for entry in new[CHAIR]}) == 1):
        return None
    both = told | new
    everything = [entry for name in sorted(both) for entry in both[name] if entry.answer is not None]
    if CHAIR in told and CHAIR not in new:
        # The group has spoken: only its word counts against those who say something new.
        everything = [entry for entry in everything if entry.recipient == CHAIR or entry.recipient in new]
    if len({entry.answer for entry in everything}) < 2:
        return None
    in_order = sorted(dict.fromkeys(everything), key=lambda entry: (entry.recipient, str(entry)))
    return Clash(*subject, household_id=everything[0].household_id, said=tuple(in_order))


def _answer(entries: list[Entry] | None) -> tuple[str, str | None] | None:
    return entries[-1].answer if entries else None


def _settled(row: Judged, known: dict[tuple[date, str, str], Entry], torn: set[tuple[date, str]]) -> Judged:
    if row.verdict != "accepted" or row.entry is None:
        return row
    whose = (*row.entry.subject, row.entry.recipient)
    now = over(row.entry, known.get(whose))
    if now == known.get(whose):
        return replace(row, verdict="unchanged")
    if row.entry.subject in torn:
        part = without_decision(row.entry)
        rest = over(part, known.get(whose))
        is_new = part.says_something and rest != known.get(whose)
        if is_new:
            known[whose] = rest
        notes = ("Others say otherwise: for the chair",)
        return replace(row, verdict="clash", notes=notes, entry=part if is_new else None)
    known[whose] = now
    return row


def to_keep(rows: Sequence[Judged]) -> list[Entry]:
    """The new entries of settled rows: what was accepted, and of a clash what nobody disputes."""
    return [row.entry for row in rows if row.verdict in ("accepted", "clash") and row.entry is not None]
