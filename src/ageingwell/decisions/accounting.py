"""What became of everything in a file that came back: every row in one class, and what was not read, told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ageingwell.decisions.judging import Judged
from ageingwell.decisions.own_columns import missing_answers, own_words
from ageingwell.decisions.reading import NAMED, NAMED_MEANS, Filled
from ageingwell.decisions.sent import SentList
from ageingwell.decisions.tables import ADDED_ANSWERS, ANSWERS, BESIDE, KEY, PLAN_ANSWERS, FilledRow, Where, key_of

CLASSES = ("accepted", "unchanged", "clash", "rejected", "repeated", "not_answered", "not_on_list", "of_homes")


@dataclass(frozen=True)
class OwnColumn:
    """A column that was not sent: its sheet and heading, how many rows have words in it, how many are to mend."""

    sheet: str
    heading: str
    n_rows: int
    n_to_mend: int


@dataclass(frozen=True)
class Account:
    """What was in a file. `rows` counts every row that holds anything, by class (`CLASSES`); no value of a row.

    `missing` are the columns to fill in that did not come back and `not_shown` those to read, both by name.
    `words` counts cells that were not sent and are not read, by sheet.
    """

    rows: Mapping[str, int]
    missing: tuple[str, ...]
    missing_of_added: tuple[str, ...]
    not_shown: tuple[str, ...]
    own_columns: tuple[OwnColumn, ...]
    lacks_added: bool
    words: Mapping[str, int]
    n_above: int
    n_homes_changed: int
    n_covered: int
    n_comments: int
    n_text_boxes: int
    n_identities: int = 0

    @property
    def n_rows(self) -> int:
        """How many rows hold anything."""
        return sum(self.rows.values())

    @property
    def n_answered(self) -> int:
        """How many rows hold an answer, be it taken or not."""
        return sum(self.rows[name] for name in CLASSES[:5])


def account_of(filled: Filled, sent: SentList, judged: Sequence[Judged]) -> Account:
    """Account for a file whose rows were judged and settled."""
    verdicts = {row.row.where: row.verdict for row in judged}
    rows = dict.fromkeys(CLASSES, 0)
    for row in filled.rows:
        rows[_class_of(row, verdicts, sent)] += 1
    for row in filled.added:
        rows[verdicts.get(row.where, "not_answered")] += 1
    for row in filled.plans:
        if row.where in verdicts or any(row[name] for name in PLAN_ANSWERS):
            rows[verdicts.get(row.where, "not_answered")] += 1
    rows["of_homes"] = len(filled.homes)
    is_part = any(name in filled.headings for name in BESIDE[:2])  # of a list: a file to mend, or for the chair
    sent_file = sent.as_sent
    return Account(
        rows=rows,
        # Plans may come back alone, as a CSV holds one sheet.
        missing=missing_answers(filled.headings, ANSWERS) if filled.headings else (),
        missing_of_added=() if filled.added_headings is None else missing_answers(filled.added_headings, ADDED_ANSWERS),
        not_shown=()
        if is_part or not filled.headings
        else tuple(name for name in sent.columns if name not in filled.headings),
        own_columns=_own_columns(filled, sent, verdicts),
        lacks_added=filled.is_workbook and filled.added_headings is None and _had_added(sent_file),
        words={} if is_part or sent_file is None else _words(filled, sent_file),
        n_above=filled.n_above,
        n_homes_changed=_homes_changed(filled.homes, () if sent_file is None else sent_file.homes),
        n_covered=filled.n_covered,
        n_comments=filled.n_comments,
        n_text_boxes=filled.n_text_boxes,
        n_identities=filled.n_identities,
    )


def _class_of(row: FilledRow, verdicts: Mapping[Where, str], sent: SentList) -> str:
    if row.where in verdicts:
        return verdicts[row.where]
    if any(row[name] for name in ANSWERS):
        return "repeated"  # the same key and the same answers stand in a row above
    return "not_answered" if key_of(row[KEY]) in sent.cells else "not_on_list"


def _own_columns(filled: Filled, sent: SentList, verdicts: Mapping[Where, str]) -> tuple[OwnColumn, ...]:
    found: dict[tuple[str, str], list[bool]] = {}
    for row, _, words in own_words(filled, sent):
        for heading in words:
            found.setdefault((row.sheet, heading), []).append(verdicts.get(row.where) == "rejected")
    for row in filled.plans:
        for heading in row.other:
            found.setdefault((row.sheet, heading), []).append(verdicts.get(row.where) == "rejected")
    return tuple(OwnColumn(*where, len(rows), sum(rows)) for where, rows in found.items())


def _had_added(sent: Filled | None) -> bool:
    return sent is not None and sent.added_headings is not None


def _words(filled: Filled, sent: Filled) -> dict[str, int]:
    """How many cells outside the tables hold what was not sent, by sheet; a sheet may be renamed."""
    known = {text for texts in sent.words.values() for text in texts} | {NAMED, NAMED_MEANS}
    counts = {sheet: sum(text not in known for text in texts) for sheet, texts in filled.words.items()}
    return {sheet: n for sheet, n in counts.items() if n}


def _homes_changed(homes: Sequence[FilledRow], sent: Sequence[FilledRow]) -> int:
    """How many rows of the sheet that asks nothing hold what was not sent; a column taken out changes nothing."""
    before = {key_of(row[KEY]): set(row.cells.items()) | set(row.other.items()) for row in sent}
    now = [(key_of(row[KEY]), set(row.cells.items()) | set(row.other.items())) for row in homes]
    return sum(not held <= before.get(key, set()) for key, held in now)
