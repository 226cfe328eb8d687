"""Judging the rows of a list that came back: what each one says, or what is to be mended before it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from ageingwell.decisions.changed import edited_columns, stands_beside_another
from ageingwell.decisions.choices import (
    A_NO,
    ADDED_FOR,
    CONTACT_NOW,
    DECISIONS,
    LEADS,
    OUTCOMES,
    PERSON_SAID,
    QUESTIONS,
    REASONS,
    TITLES,
    TOLD,
    label_of,
)
from ageingwell.decisions.days import day_of
from ageingwell.decisions.entry import Entry
from ageingwell.decisions.identifying import could_name_somebody
from ageingwell.decisions.own_columns import notes_of_own_columns
from ageingwell.decisions.plan import LONGEST_WORDS
from ageingwell.decisions.reading import Filled
from ageingwell.decisions.sent import SentList, Subject
from ageingwell.decisions.tables import ADDED_ANSWERS, ANSWERS, KEY, PERSON, FilledRow, Where, is_key, key_of

CHAIR: Final = "group"  # its word holds over the agencies'
LONGEST_NOTE: Final = LONGEST_WORDS
_FURTHEST: Final = timedelta(days=731)
CONTACT_DAYS_BEFORE: Final = 42  # the shipped value of `contact_days_before`


@dataclass(frozen=True)
class Judged:
    """A row, what came of it, what a reader is told, and which read-only cells were found changed.

    `verdict`: accepted, unchanged, clash, or rejected. `entry` is what the row says, where it says something.
    `is_agreed`: a visit to the person was agreed and open when the list was made. `is_plan`: a row of the sheet of
    plans.
    """

    row: FilledRow
    verdict: str
    notes: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    entry: Entry | None = None
    is_added: bool = False
    is_withdrawn: bool = False
    is_agreed: bool = False
    is_plan: bool = False


@dataclass(frozen=True)
class _Days:
    """The day of recording, and how many days before the list's night a contact may lie."""

    on: date
    contact_before: int


def judge(filled: Filled, sent: SentList, *, on: date, contact_days_before: int = CONTACT_DAYS_BEFORE) -> list[Judged]:
    """Judge every row that answers something; a row nobody wrote in says nothing and is left out.

    `on` is the day of recording: no contact lies after it, and none more than `contact_days_before` days before the
    night of the list. Of rows that say the same of the same person the first is judged.
    """
    days = _Days(on, contact_days_before)
    elsewhere = notes_of_own_columns(filled, sent)
    answered = [row for row in filled.rows if _answers_something(row, ANSWERS, elsewhere)]
    said: dict[str, set[tuple[str, ...]]] = {}
    for row in answered:
        said.setdefault(key_of(row[KEY]), set()).add(_said(row))
    judged: list[Judged] = []
    recorded: set[str] = set()
    for row in answered:
        key = key_of(row[KEY])
        one = _judged(row, sent, days, _unclear(row, filled.headings, elsewhere))
        if key and len(said[key]) > 1:
            one = _rejected(row, ["Row key: is in two rows that differ"], one.edited, withdrawn=one.is_withdrawn)
        if one.verdict == "rejected" or key not in recorded:
            judged.append(one)
            recorded.add(key)
    added = [row for row in filled.added if _answers_something(row, ADDED_ANSWERS, elsewhere)]
    heads = filled.added_headings or {}
    return judged + [_judged_added(row, sent, days, _unclear(row, heads, elsewhere)) for row in added]


def _answers_something(row: FilledRow, names: Sequence[str], elsewhere: Mapping[Where, list[str]]) -> bool:
    return any(row[name] or name in row.in_doubt for name in names) or row.where in elsewhere


def _unclear(row: FilledRow, headings: Mapping[str, str], elsewhere: Mapping[Where, list[str]]) -> list[str]:
    """What of a row shows but cannot be taken: cells in doubt, and answers under headings nobody sent."""
    in_doubt = [f"{TITLES.get(name, headings[name])}: {reason}" for name, reason in row.in_doubt.items()]
    return [*in_doubt, *elsewhere.get(row.where, [])]


def _with(unclear: Sequence[str], notes: Sequence[str]) -> list[str]:
    """Both kinds of notes; of a column that cannot be read nothing else is said."""
    columns = {note.partition(":")[0] for note in unclear}
    return [*unclear, *(note for note in notes if note.partition(":")[0] not in columns)]


def _said(row: FilledRow) -> tuple[str, ...]:
    return (key_of(row[KEY]), *(row[name].casefold() for name in ANSWERS), *sorted(row.in_doubt))


def _rejected(row: FilledRow, notes: list[str], edited: tuple[str, ...] = (), *, withdrawn: bool = False) -> Judged:
    return Judged(row, "rejected", tuple(notes), edited, is_withdrawn=withdrawn)


def _judged(row: FilledRow, sent: SentList, days: _Days, unclear: list[str]) -> Judged:
    key = key_of(row[KEY])
    edited = edited_columns(row, tuple(row.cells), sent)
    if not key:
        return _rejected(row, ["Row key: missing"])
    if key in sent.withdrawn:
        return _rejected(row, ["Row key: this person was taken off the list since; nothing is kept"], withdrawn=True)
    if key not in sent.people:
        return _rejected(row, ["Row key: not on this list, of this night"])
    if stands_beside_another(row, key, edited, sent):
        return _rejected(
            row, ["Row key: is in the row of another person; was only a part of the sheet sorted?"], edited
        )
    entry, notes = _entry(row, sent.people[key], sent, days)
    if unclear or notes:
        return _rejected(row, _with(unclear, notes), edited)
    return Judged(row, "accepted", _worth_telling(entry, days), edited, entry, is_agreed=sent.people[key].is_agreed)


def _worth_telling(entry: Entry, days: _Days) -> tuple[str, ...]:
    """What is taken and may still surprise: a visit agreed until a day that is over is overdue at once."""
    is_over = entry.by_when is not None and entry.by_when < days.on and entry.outcome is None
    return ("By when: is before the day of recording",) if is_over else ()


def _entry(row: FilledRow, who: Subject, sent: SentList, days: _Days) -> tuple[Entry, list[str]]:
    notes: list[str] = []
    decision = _choice(row, "decision", "Decision", DECISIONS, notes)
    led_by = _choice(row, "led_by", "Led by", LEADS, notes)
    reason = _choice(row, "reason", "Reason", REASONS, notes)
    outcome = _choice(row, "outcome", TITLES["outcome"], OUTCOMES, notes)
    entry = Entry(
        night=sent.night,
        recipient=sent.recipient,
        kind="listed",
        person_id=who.person_id,
        household_id=who.household_id,
        decision=decision,
        led_by=led_by,
        suggested_lead=None if decision is None else who.suggested_lead,
        reason=reason,
        by_when=_by_when(row, sent.night, notes),
        told=_choice(row, "told", TITLES["told"], TOLD, notes),
        outcome=outcome,
        contacted_on=_day(row, "contacted_on", "Contacted on", notes),
        agency=_who_made_contact(sent.recipient, led_by, who) if outcome else None,
        agrees_with_suggestion=None if decision is None else decision == CONTACT_NOW and led_by == who.suggested_lead,
        question=_choice(row, "question", TITLES["question"], QUESTIONS, notes),
        person_said=_choice(row, "person_said", TITLES["person_said"], PERSON_SAID, notes),
    )
    return entry, notes + _missing(row, entry, days)


def _missing(row: FilledRow, entry: Entry, days: _Days) -> list[str]:
    """What a row lacks that its other answers call for."""
    notes = []
    if row["decision"] and not row["reason"]:
        notes.append("Reason: needed for every decision")
    if entry.decision == CONTACT_NOW and not row["led_by"]:
        notes.append("Led by: needed to contact now")
    if not row["decision"] and (row["led_by"] or row["reason"] or row["by_when"]):
        notes.append("Decision: needed where there is a lead, a reason or a day")
    if row["outcome"] and not row["contacted_on"]:
        notes.append("Contacted on: needed to say what happened")
    if row["contacted_on"] and not row["outcome"]:
        notes.append("What happened: needed where there was a contact")
    if row["question"] and entry.decision != "need_to_know_more":
        notes.append(f"{TITLES['question']}: only with the decision Need to know more")
    if entry.person_said in A_NO and entry.recipient == CHAIR and not row["decision"]:
        notes.append("Decision: needed where the person asked not to be contacted")
    if entry.person_said in A_NO and entry.decision == CONTACT_NOW:
        notes.append(f"{TITLES['person_said']}: they asked not to be contacted, and the decision is to contact now")
    return notes + _contact_out_of_time(entry, days)


def _contact_out_of_time(entry: Entry, days: _Days) -> list[str]:
    if entry.contacted_on is None:
        return []
    if entry.contacted_on > days.on:
        return ["Contacted on: is after the day of recording"]
    if entry.contacted_on < entry.night - timedelta(days=days.contact_before):
        return [f"Contacted on: is more than {days.contact_before} days before the night of the list"]
    return []


def _who_made_contact(recipient: str, led_by: str | None, who: Subject) -> str | None:
    return recipient if recipient in LEADS else led_by or who.suggested_lead


def _choice(row: FilledRow, name: str, title: str, choices: Mapping[str, str], notes: list[str]) -> str | None:
    if not row[name]:
        return None
    label = label_of(row[name], choices)
    if label is None:
        notes.append(f"{title}: not one of the choices")
    return label


def _day(row: FilledRow, name: str, title: str, notes: list[str]) -> date | None:
    if not row[name]:
        return None
    day = day_of(row[name])
    if day is None:
        notes.append(f"{title}: not a day; write it as 6 August 2026")
    return day


def _by_when(row: FilledRow, night: date, notes: list[str]) -> date | None:
    day = _day(row, "by_when", "By when", notes)
    if day is not None and not night <= day <= night + _FURTHEST:
        notes.append("By when: is before the night of the list, or more than two years after it")
    return day


def _judged_added(row: FilledRow, sent: SentList, days: _Days, unclear: list[str]) -> Judged:
    """A row of the sheet to add someone; whoever is to be added has to be among the people of that night."""
    notes: list[str] = []
    key = key_of(row[PERSON])
    who = sent.known.get(key)
    if not key:
        notes.append("Person: needed; `ageingwell add`, at the agency, gives the key for an NHS number")
    elif not is_key(key):
        notes.append(
            "Person: write the key of 32 letters; `ageingwell add`, at the agency, gives it for an NHS number. "
            "What was written here is not kept"
        )
    elif who is None or key in sent.withdrawn:
        notes.append("Person: not among the people whose records may be used that night")
    elif any(listed.person_id == who.person_id for listed in sent.people.values()):
        notes.append("Person: is on the list already; fill in their row there")
    led_by = _choice(row, "led_by", "Led by", LEADS, notes)
    added_for = _choice(row, "added_for", "Reason for adding", ADDED_FOR, notes)
    notes += [] if row["led_by"] else ["Led by: needed for someone added"]
    notes += [] if row["added_for"] else ["Reason for adding: needed"]
    if len(row["note"]) > LONGEST_NOTE:
        notes.append(f"In a few words: longer than {LONGEST_NOTE} letters")
    if could_name_somebody(row["note"]):
        notes.append("In a few words: holds a number, postcode or e-mail address that could name someone")
    by_when, told = _by_when(row, sent.night, notes), _choice(row, "told", TITLES["told"], TOLD, notes)
    if notes or unclear or who is None:
        return replace(_rejected(row, _with(unclear, notes)), is_added=True)
    entry = Entry(
        night=sent.night,
        recipient=sent.recipient,
        kind="added",
        person_id=who.person_id,
        household_id=who.household_id,
        decision=CONTACT_NOW,
        led_by=led_by,
        reason=added_for,
        by_when=by_when,
        told=told,
        note=row["note"] or None,
    )
    return Judged(row, "accepted", _worth_telling(entry, days), entry=entry, is_added=True)
