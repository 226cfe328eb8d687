"""Words under headings that nobody sent: a column of one's own, or an answer that lost its heading."""

from collections.abc import Mapping, Sequence
from typing import Final

from ageingwell.decisions.choices import (
    ADDED_FOR,
    DECISIONS,
    OUTCOMES,
    PERSON_SAID,
    REASONS,
    TITLES,
    label_of,
)
from ageingwell.decisions.reading import Filled
from ageingwell.decisions.sent import SentList
from ageingwell.decisions.tables import ADDED_ANSWERS, ANSWERS, BESIDE, KEY, FilledRow, Where, key_of

# Choices that nobody writes by chance; "Yes" and the name of an agency are words of many a note.
_TELLING: Final[Mapping[str, Mapping[str, str]]] = {
    "decision": DECISIONS,
    "reason": REASONS,
    "outcome": OUTCOMES,
    "person_said": PERSON_SAID,
    "added_for": ADDED_FOR,
}


def missing_answers(headings: Mapping[str, str], asked: Sequence[str]) -> tuple[str, ...]:
    """Which of the columns to fill in did not come back.

    >>> missing_answers({"decision": "Decision"}, ("decision", "outcome"))
    ('outcome',)
    """
    return tuple(name for name in asked if name not in headings)


def own_words(filled: Filled, sent: SentList) -> list[tuple[FilledRow, bool, dict[str, str]]]:
    """The rows that hold something under headings this list was not sent with: row, whether added, words by heading."""
    sent_words = {} if sent.as_sent is None else {key_of(row[KEY]): row.other for row in sent.as_sent.rows}
    known = {*sent.columns, *ANSWERS, *BESIDE, KEY}
    found = []
    for row in filled.rows:
        named = {filled.headings.get(name, name): text for name, text in row.cells.items() if name not in known}
        before = sent_words.get(key_of(row[KEY]), {})
        words = named | {heading: text for heading, text in row.other.items() if before.get(heading) != text}
        found.append((row, False, words))
    found += [(row, True, dict(row.other)) for row in filled.added]
    return [one for one in found if one[2]]


def notes_of_own_columns(filled: Filled, sent: SentList) -> dict[Where, list[str]]:
    """What to mend of each row of which an answer may stand under a heading nobody sent."""
    gone = {
        False: missing_answers(filled.headings, ANSWERS),
        True: missing_answers(filled.added_headings or {}, ADDED_ANSWERS),
    }
    asked = {False: ANSWERS, True: ADDED_ANSWERS}
    told = {
        row.where: answers_elsewhere(row, words, missing=gone[is_added], asked=asked[is_added])
        for row, is_added, words in own_words(filled, sent)
    }
    return {where: notes for where, notes in told.items() if notes}


def answers_elsewhere(
    row: FilledRow, words: Mapping[str, str], *, missing: Sequence[str], asked: Sequence[str]
) -> list[str]:
    """What to mend where words under a heading we did not send may be an answer: none is taken by guess.

    They may be where a column to fill in is gone, and where they are one of our choices while the column for it is
    blank.

    >>> row = FilledRow("List", 2, {"decision": "Contact now"})
    >>> answers_elsewhere(row, {"Notes": "Key at no. 4"}, missing=(), asked=("decision", "outcome"))
    []
    >>> answers_elsewhere(row, {"Notes": "Deceased"}, missing=(), asked=("decision", "outcome"))
    ['`Notes`: is not one of our columns, and has an answer in it; write it under `What happened`']
    """
    if missing:
        gone = " and ".join(f"`{TITLES[name]}`" for name in missing)
        return [
            f"`{heading}`: is not one of our columns, and {gone} did not come back; write what it says where it belongs"
            for heading in words
        ]
    return [
        f"`{heading}`: is not one of our columns, and has an answer in it; write it under `{TITLES[name]}`"
        for heading, text in words.items()
        for name, choices in _TELLING.items()
        if name in asked and not row[name] and label_of(text, choices) is not None
    ]
