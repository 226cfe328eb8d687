"""What the ledger already says: unchanged, a correction, or a clash for the chair. The last one never simply wins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from ageingwell.decisions.choices import A_NO, CONTACT_NOW, SAID_NO
from ageingwell.decisions.entry import Entry, over, without_decision
from ageingwell.decisions.judging import CHAIR, Judged


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
    came of a contact, whether the person was told) nobody disputes: that is left as its entry, to be kept. So is that
    they are said to have said no, which holds a visit until the chair says.

    A visit that was agreed and open when the list was made is not undone by an agency: what speaks against it is a
    clash too, with the entry that agreed it.
    """
    before, visits, open_noes = standing(ledger), _agreed_by(ledger), _open_noes(ledger)
    files = [[_without_what_stands(row, visits) for row in rows] for rows in files]
    said: dict[tuple[date, str], dict[str, list[Entry]]] = {}
    agreed: set[tuple[date, str]] = set()
    for row, entry in _accepted(files):
        said.setdefault(entry.subject, {}).setdefault(entry.recipient, []).append(entry)
        agreed |= {entry.subject} if row.is_agreed else set()
    clashes = [
        clash
        for subject, theirs in sorted(said.items())
        if (clash := _clash(subject, theirs, _against(subject, agreed, visits) | before, open_noes)) is not None
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
        now[_whose(entry)] = over(entry, now.get(_whose(entry)))
    return now


def _whose(entry: Entry) -> tuple[date, str, str]:
    """What an entry is the newest of: its recipient's word on a person, or apart from it on their plan."""
    return (*entry.subject, entry.recipient if entry.plan is None else f"{entry.recipient}, plan")


def _accepted(files: Sequence[Sequence[Judged]]) -> list[tuple[Judged, Entry]]:
    return [(row, row.entry) for rows in files for row in rows if row.verdict == "accepted" and row.entry is not None]


def _agreed_by(ledger: Sequence[Entry]) -> dict[str, Entry]:
    """The entry that agreed on a visit to each person, where the decision that holds is to contact them now."""
    order = {id(entry): (entry.night, entry.recipient == CHAIR, at) for at, entry in enumerate(ledger)}
    newest: dict[str, Entry] = {}
    for entry in sorted((one for one in ledger if one.decision is not None), key=lambda one: order[id(one)]):
        newest[entry.person_id] = entry
    return {person: entry for person, entry in newest.items() if entry.decision == CONTACT_NOW}


def _against(
    subject: tuple[date, str], agreed: set[tuple[date, str]], visits: Mapping[str, Entry]
) -> dict[tuple[date, str, str], Entry]:
    """What stands of an earlier list against what is said now: the visit agreed there, as its recipient's word."""
    entry = visits.get(subject[1]) if subject in agreed else None
    return {} if entry is None or entry.night >= subject[0] else {(*subject, entry.recipient): entry}


def _open_noes(ledger: Sequence[Entry]) -> set[tuple[date, str, str]]:
    """Who said of whom, on which list, that they asked not to be contacted, while the chair has said nothing since."""
    noes: set[tuple[date, str, str]] = set()
    for entry in ledger:
        if entry.person_said in A_NO:
            noes.add((*entry.subject, entry.recipient))
        if entry.recipient == CHAIR and entry.decision is not None:
            noes = {one for one in noes if one[1] != entry.person_id}
    return noes


def _without_what_stands(row: Judged, visits: Mapping[str, Entry]) -> Judged:
    """A row that agrees again, without a day, on a visit that is agreed already: the first decision and its day
    stand."""
    if row.entry is None or row.verdict != "accepted" or not row.is_agreed:
        return row
    visit = visits.get(row.entry.person_id)
    if visit is None or visit.night >= row.entry.night or row.entry.by_when or row.entry.answer != visit.answer:
        return row
    rest = without_decision(row.entry)
    return replace(row, entry=rest) if rest.says_something else replace(row, verdict="unchanged")


def _clash(
    subject: tuple[date, str],
    theirs: dict[str, list[Entry]],
    before: dict[tuple[date, str, str], Entry],
    open_noes: set[tuple[date, str, str]],
) -> Clash | None:
    """What recipients disagree about, by what they say now, those who sent nothing this time included."""
    told = {whose[2]: [entry] for whose, entry in before.items() if whose[:2] == subject and _word(entry)}
    new = {
        name: [*(told.get(name, []) if all(entry.answer is None for entry in entries) else []), *entries]
        for name, entries in theirs.items()
        if any(_is_new(entry, told.get(name), (*subject, name) in open_noes) for entry in entries)
    }
    if not new or (set(new) == {CHAIR} and len({_word(entry) for entry in new[CHAIR]}) == 1):
        return None
    both = told | new
    everything = [entry for name in sorted(both) for entry in both[name] if _word(entry) is not None]
    if any(entry.answer is not None for entry in told.get(CHAIR, [])) and CHAIR not in new:
        # The group has spoken: only its word counts against those who say something new.
        everything = [entry for entry in everything if entry.recipient == CHAIR or entry.recipient in new]
    if len({_word(entry) for entry in everything}) < 2:
        return None
    in_order = sorted(dict.fromkeys(everything), key=lambda entry: (entry.recipient, str(entry)))
    return Clash(*subject, household_id=everything[0].household_id, said=tuple(in_order))


def _is_new(entry: Entry, told: list[Entry] | None, still_open: bool) -> bool:
    """Whether an entry says otherwise than its recipient did, or again what the chair has not settled yet."""
    if entry.answer is not None:
        return told is None or entry.answer != told[-1].answer
    return _word(entry) is not None and (still_open or told is None or _word(entry) != _word(told[-1]))


def _word(entry: Entry) -> tuple[str, str | None] | None:
    """What an entry says on the question whether to make contact: its decision, or else that the person said no."""
    if entry.answer is None and entry.person_said in A_NO:
        return (SAID_NO, None)
    return entry.answer


def _settled(row: Judged, known: dict[tuple[date, str, str], Entry], torn: set[tuple[date, str]]) -> Judged:
    if row.verdict != "accepted" or row.entry is None:
        return row
    whose = _whose(row.entry)
    now = over(row.entry, known.get(whose))
    if now == known.get(whose):
        return replace(row, verdict="unchanged")
    if row.entry.subject in torn and row.entry.plan is None:
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
