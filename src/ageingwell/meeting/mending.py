"""What goes back to people: the rows to mend, and the answers that do not agree, each in the layout of its list."""

from collections.abc import Mapping, Sequence

import polars as pl

from ageingwell.decisions.choices import ADDED_FOR, DECISIONS, LEADS, PERSON_SAID, REASONS, label_of
from ageingwell.decisions.entry import Entry
from ageingwell.decisions.identifying import could_name_somebody
from ageingwell.decisions.judging import Judged
from ageingwell.decisions.own_columns import own_words
from ageingwell.decisions.reading import Filled
from ageingwell.decisions.sent import SentList
from ageingwell.decisions.settling import Clash
from ageingwell.decisions.tables import DAYS, KEY, PERSON, Where, is_key, key_of
from ageingwell.report.cells import harmless
from ageingwell.report.choices import ADDED, ASKED, MEND, SAID
from ageingwell.report.plan_sheet import SHOWN, PlanSheet, plan_questions
from ageingwell.report.workbook import clash_workbook, fix_workbook
from ageingwell.views import columns as view_columns
from ageingwell.views.columns import AgencyView, Column
from ageingwell.views.words import agency_words

_COLUMNS: Mapping[str, Column] = {
    value.name: value
    for value in vars(view_columns).values()
    # The short codes are drawn anew beside the keys that they are the first letters of.
    if isinstance(value, Column) and value not in (view_columns.CODE, view_columns.HOME_CODE)
}
# What the chair needs beside the answers to know whom they are about.
_OF_A_CLASH = ("row_key", "household_key", "place", "lead_agency", "needs", "action")


def draw_fix(filled: Filled, sent: SentList, rows: Sequence[Judged], *, code: str, notes: bool = False) -> bytes:
    """Draw the rejected rows of a file, as they were sent and as they were answered, with what to mend of each."""
    rejected = [row for row in rows if row.verdict == "rejected" and not row.is_withdrawn]
    listed = [row for row in rejected if not row.is_added and not row.is_plan]
    columns = [_COLUMNS[name] for name in sent.columns if name in _COLUMNS]
    # Where an agency put names beside its list, one may stand in any column of its own: none comes back.
    words = {} if filled.names_people else {row.where: found for row, _, found in own_words(filled, sent)}
    own, own_of_added = (_own_columns(part, words) for part in (listed, [row for row in rejected if row.is_added]))
    # The note says what to mend, never the value; what was written, under whatever heading, stands beside it.
    cells = [
        {**_as_sent(row, sent, columns), **words.get(row.row.where, {}), MEND.name: ". ".join(row.notes)}
        for row in listed
    ]
    answers = [{question.name: row.row[question.name] for question in ASKED} for row in listed]
    added = [
        {
            MEND.name: ". ".join(row.notes),
            **words.get(row.row.where, {}),
            **{question.name: row.row[question.name] for question in ADDED},
            PERSON: row.row[PERSON] if is_key(row.row[PERSON]) else "",
        }
        for row in rejected
        if row.is_added
    ]
    return fix_workbook(
        _view(sent, [*columns, *own, MEND], cells),
        _texts(answers, [question.name for question in ASKED]),
        code=code,
        added=_texts(added, [MEND.name, *(column.name for column in own_of_added), *(asked.name for asked in ADDED)]),
        own_of_added=own_of_added,
        plans=_plans(sent, [row for row in rejected if row.is_plan], notes=notes),
    )


def _plans(sent: SentList, rows: Sequence[Judged], *, notes: bool) -> PlanSheet | None:
    """The rows of plans to mend, as they were answered; own words stand there only where they may be kept."""
    if not rows:
        return None
    asked = plan_questions(dict(sent.steps), notes=notes)
    names = [question.name for question in asked]
    before = {} if sent.as_sent is None else {key_of(row[KEY]): row for row in sent.as_sent.plans}
    shown = []
    for row in rows:
        was = before.get(key_of(row.row[KEY]), row.row)
        cells = {column.name: was[column.name] for column in SHOWN}
        shown.append({**cells, KEY: row.row[KEY] if is_key(row.row[KEY]) else "", MEND.name: ". ".join(row.notes)})
    # Own words that could name somebody are not written again.
    answers = [{name: _written_again(name, row.row[name], sent) for name in names} for row in rows]
    return PlanSheet(_texts(shown, [*(column.name for column in SHOWN), MEND.name]), asked, _texts(answers, names))


def _written_again(name: str, text: str, sent: SentList) -> str:
    is_own = name not in DAYS and label_of(text, sent.steps) is None
    return "" if is_own and could_name_somebody(text) else text


def _own_columns(rows: Sequence[Judged], words: Mapping[Where, Mapping[str, str]]) -> list[Column]:
    """A column for each heading we did not send under which rows to mend have words; its name is the heading."""
    headings = dict.fromkeys(heading for row in rows for heading in words.get(row.row.where, {}))
    return [Column(heading, harmless(heading), "Written under a heading that was not sent", 30) for heading in headings]


def draw_clashes(clashes: Sequence[Clash], group: SentList, *, code: str) -> bytes:
    """Draw for the chair whom recipients disagree about: on the group's own list, or among those added."""
    listed_key = {who.person_id: key for key, who in group.people.items()}
    any_key = {who.person_id: key for key, who in group.known.items() if key != who.person_id}
    columns = [_COLUMNS[name] for name in _OF_A_CLASH if name in group.columns]
    listed = [
        {**{column.name: group.cells[key][column.name] for column in columns}, SAID.name: _said(clash)}
        for clash in clashes
        if (key := listed_key.get(clash.person_id)) is not None
    ]
    added = [
        {SAID.name: _said(clash), "person": any_key[clash.person_id]}
        for clash in clashes
        if clash.person_id not in listed_key and clash.person_id in any_key
    ]
    return clash_workbook(
        _view(group, [*columns, SAID], listed),
        code=code,
        added=_texts(added, [SAID.name, *(question.name for question in ADDED)]),
    )


def _as_sent(row: Judged, sent: SentList, columns: Sequence[Column]) -> dict[str, str]:
    key = key_of(row.row[KEY])
    cells = sent.cells.get(key, row.row.cells)
    return {column.name: cells.get(column.name, "") for column in columns}


def _view(sent: SentList, columns: Sequence[Column], rows: Sequence[Mapping[str, str]]) -> AgencyView:
    frame = _texts(rows, [column.name for column in columns])
    return AgencyView(sent.recipient, sent.night, tuple(columns), frame)  # type: ignore[arg-type]


def _texts(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> pl.DataFrame:
    cells = [[row.get(name) or "" for name in columns] for row in rows]
    return pl.DataFrame(cells, schema=dict.fromkeys(columns, pl.String), orient="row")


def _said(clash: Clash) -> str:
    return "; ".join(_answer(entry) for entry in clash.said)


def _answer(entry: Entry) -> str:
    """One recipient's answer in words: its choices alone, no text that somebody typed."""
    if entry.decision is None:
        return f"{agency_words(entry.recipient)}: {PERSON_SAID.get(entry.person_said or '', '')}"
    decision = DECISIONS.get(entry.decision, "")
    lead = f", led by {LEADS[entry.led_by]}" if entry.led_by else ""
    why = {**REASONS, **ADDED_FOR}.get(entry.reason or "")
    return f"{agency_words(entry.recipient)}: {decision}{lead}" + (f" ({why})" if why else "")
