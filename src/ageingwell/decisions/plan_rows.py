"""Judging the rows of the sheet of plans: one row a person, said whole; a row that is as it was sent says nothing."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from ageingwell.decisions.choices import folded, label_of
from ageingwell.decisions.days import day_of
from ageingwell.decisions.entry import Entry
from ageingwell.decisions.identifying import could_name_somebody
from ageingwell.decisions.judging import CHAIR, Judged
from ageingwell.decisions.plan import LONGEST_WORDS, MOST_STEPS, Plan, Step
from ageingwell.decisions.plan_choices import (
    AGREED,
    ENDED_FOR,
    HELPED,
    MATTERS,
    OWN,
    PLAN_STATE,
    PLAN_TITLES,
    WHO,
)
from ageingwell.decisions.reading import Filled
from ageingwell.decisions.sent import SentList
from ageingwell.decisions.tables import DAYS, KEY, PLAN_ANSWERS, FilledRow, key_of

_FURTHEST: Final = timedelta(days=731)
_WHOLE: Final = ("matters", "step_1", "plan_agreed", "review_on")  # what a plan that goes on needs
_ENDS: Final = ("plan_state", "ended_for")


def judge_plans(filled: Filled, sent: SentList, *, notes: bool) -> list[Judged]:
    """Judge every row of plans that is not as it was sent. `notes`: whether own words may be kept.

    A column that did not come back is as it was sent. An emptied row ends no plan: that needs its reason.
    """
    plans = () if sent.as_sent is None else sent.as_sent.plans
    before = {key_of(row[KEY]): row for row in plans}
    told = [_Told(row, before.get(key_of(row[KEY])), filled.plan_headings) for row in filled.plans]
    changed = [one for one in told if one.is_changed]
    rows = [one.key for one in changed]
    return [_judged(one, sent, notes=notes, is_twice=rows.count(one.key) > 1) for one in changed]


class _Told:
    """One row as it came back beside the row as it was sent."""

    def __init__(self, row: FilledRow, sent: FilledRow | None, headings: Mapping[str, str]) -> None:
        self.row, self.key = row, key_of(row[KEY])
        self.sent = {name: sent[name] if sent is not None else "" for name in PLAN_ANSWERS}
        self.cells = {name: row[name] if name in headings else self.sent[name] for name in PLAN_ANSWERS}

    @property
    def is_changed(self) -> bool:
        in_doubt = any(name in self.row.in_doubt for name in PLAN_ANSWERS)
        return in_doubt or any(_plain(name, self.cells[name]) != _plain(name, self.sent[name]) for name in PLAN_ANSWERS)

    @property
    def had_plan(self) -> bool:
        return any(self.sent[name] for name in _WHOLE)

    @property
    def is_emptied(self) -> bool:
        return not any(self.cells.values())

    @property
    def of_plan(self) -> Mapping[str, str]:
        """The cells of a plan that ends: what was emptied stands as it was sent."""
        return {name: self.cells[name] or (self.sent[name] if name not in _ENDS else "") for name in PLAN_ANSWERS}


def _plain(name: str, text: str) -> str:
    """A cell as it counts: a day is the same however a program writes it."""
    day = day_of(text) if name in DAYS else None
    return folded(text) if day is None else str(day)


def _judged(told: _Told, sent: SentList, *, notes: bool, is_twice: bool) -> Judged:
    who = sent.known.get(told.key) or sent.people.get(told.key)
    if told.key in sent.withdrawn:
        found = ["Row key: this person was taken off the list since; nothing is kept"]
        return Judged(told.row, "rejected", tuple(found), is_withdrawn=True, is_plan=True)
    found = [f"{PLAN_TITLES[name]}: {why}" for name, why in told.row.in_doubt.items() if name in PLAN_TITLES]
    if sent.recipient != CHAIR:
        found.append("Plans: are taken from the group's own list alone")
    if not told.key:
        found.append("Row key: missing; copy it from the list")
    elif who is None:
        found.append("Row key: not among the people of that night")
    elif is_twice:
        found.append("Row key: is in two rows that differ")
    plan = None if found else _plan(told, sent, found, notes=notes)
    if found or plan is None or who is None:
        return Judged(told.row, "rejected", tuple(found), is_plan=True)
    entry = Entry(sent.night, sent.recipient, "listed", who.person_id, who.household_id, plan=plan)
    return Judged(told.row, "accepted", entry=entry, is_plan=True)


def _plan(told: _Told, sent: SentList, found: list[str], *, notes: bool) -> Plan:
    state = _choice(told.cells, "plan_state", PLAN_STATE, found)
    is_over = state == "ended"
    cells = told.of_plan if is_over else told.cells
    ended_for = _choice(cells, "ended_for", ENDED_FOR, found)
    found += _lacking(told, cells, is_over=is_over)
    steps = [step for n in range(1, MOST_STEPS + 1) if (step := _step(n, cells, sent, found, notes=notes)) is not None]
    note = _own_words("plan_note", cells["plan_note"], found, notes=notes)
    return Plan(
        matters=_choice(cells, "matters", MATTERS, found) or "",
        also_matters=_choice(cells, "also_matters", MATTERS, found),
        steps=tuple(steps),
        agreed=_choice(cells, "plan_agreed", AGREED, found),
        review_on=_day("review_on", cells, sent.night, found),
        helped=_choice(cells, "helped", HELPED, found),
        ended_for=ended_for if is_over else None,
        note=note,
    )


def _lacking(told: _Told, cells: Mapping[str, str], *, is_over: bool) -> list[str]:
    """What a plan lacks: one that goes on its parts, one that ends its reason."""
    if is_over:
        lacks = [] if told.had_plan or cells["matters"] else ["Does the plan go on?: there is no plan that could end"]
        return lacks + ([] if cells["ended_for"] else ["Why it ended: needed to end a plan"])
    if told.had_plan and told.is_emptied:
        return ["Does the plan go on?: to end a plan, write that it has ended and why; the plan stays as it was"]
    notes = [f"{PLAN_TITLES[name]}: needed for a plan" for name in _WHOLE if not cells[name]]
    if cells["ended_for"]:
        notes.append("Does the plan go on?: write that it has ended where there is a reason why")
    return notes


def _step(n: int, cells: Mapping[str, str], sent: SentList, found: list[str], *, notes: bool) -> Step | None:
    name = f"step_{n}"
    text, who = cells[name], _choice(cells, f"{name}_who", WHO, found)
    by_when = _day(f"{name}_by_when", cells, sent.night, found)
    if not text:
        if cells[f"{name}_who"] or cells[f"{name}_by_when"]:
            found.append(f"{PLAN_TITLES[name]}: needed where someone takes it or a day is named")
        return None
    if not cells[f"{name}_who"]:
        found.append(f"{PLAN_TITLES[f'{name}_who']}: needed for a step")
    label = label_of(text, sent.steps)
    if label is not None:
        return Step(label, who or "", by_when)
    if not notes:
        found.append(f"{PLAN_TITLES[name]}: not one of the choices; own words are not kept here")
        return None
    return Step(OWN, who or "", by_when, _own_words(name, text, found, notes=notes))


def _own_words(name: str, text: str, found: list[str], *, notes: bool) -> str | None:
    if not text:
        return None
    if not notes:
        found.append(f"{PLAN_TITLES[name]}: own words are not kept here")
    elif len(text) > LONGEST_WORDS:
        found.append(f"{PLAN_TITLES[name]}: longer than {LONGEST_WORDS} letters")
    elif could_name_somebody(text):
        found.append(f"{PLAN_TITLES[name]}: holds a number, postcode or e-mail address that could name someone")
    return text


def _choice(cells: Mapping[str, str], name: str, choices: Mapping[str, str], found: list[str]) -> str | None:
    if not cells[name]:
        return None
    label = label_of(cells[name], choices)
    if label is None:
        found.append(f"{PLAN_TITLES[name]}: not one of the choices")
    return label


def _day(name: str, cells: Mapping[str, str], night: date, found: list[str]) -> date | None:
    if not cells[name]:
        return None
    day = day_of(cells[name])
    if day is None:
        found.append(f"{PLAN_TITLES[name]}: not a day; write it as 6 August 2026")
    elif day > night + _FURTHEST:
        found.append(f"{PLAN_TITLES[name]}: is more than two years after the night of the list")
    return day
