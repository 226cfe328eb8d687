"""Finding the tables of a list that comes back: which sheet is which, its columns by heading, and its rows."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ageingwell.decisions.choices import ADDED_FOR, DECISIONS, OUTCOMES, REASONS, folded, label_of
from ageingwell.decisions.plan import MOST_STEPS
from ageingwell.decisions.sheets import NOT_WORKED_OUT, Covered, Sheet, column_letters, covered_cells
from ageingwell.pseudonyms.identities import is_identity

KEY: Final = "row_key"
PERSON: Final = "person"
ANSWERS: Final = (
    "decision",
    "led_by",
    "reason",
    "by_when",
    "question",
    "told",
    "outcome",
    "contacted_on",
    "person_said",
)
ADDED_ANSWERS: Final = (PERSON, "led_by", "added_for", "by_when", "told", "note")
# What the sheet of plans asks, one row a person: no heading of it stands on another sheet.
PLAN_ANSWERS: Final = (
    "matters",
    "also_matters",
    *(f"step_{n}{what}" for n in range(1, MOST_STEPS + 1) for what in ("", "_who", "_by_when")),
    "plan_agreed",
    "review_on",
    "helped",
    "plan_state",
    "ended_for",
    "plan_note",
)
PLAN_REVIEW: Final = "plan_review"  # beside the answers: when to look at the plan again
_PLACE: Final = "place"
DAYS: Final = (
    "by_when",
    "contacted_on",
    "review_on",
    *(name for name in PLAN_ANSWERS if name.startswith("step_") and name.endswith("_by_when")),
)
# What stands beside the cells of a list in a file to mend, a file for the chair, or the CSV of a list.
LIST_CODE: Final = "list_code"
LIST_KEYS: Final = "list_keys"
LIST_UNTIL: Final = "use_until"
CODE: Final = "code"
SHORT_CODES: Final = (CODE, "home_code")  # the first letters of the keys, for readers
BESIDE: Final = ("to_mend", "said", "notices", LIST_CODE, LIST_KEYS, LIST_UNTIL, *SHORT_CODES)
LIST, ADDED, HOMES, PLANS = "list", "added", "homes", "plans"
Where = tuple[str, int]

_ADDED_ALONE: Final = set(ADDED_ANSWERS) - set(ANSWERS)
_ADDED_SHEET: Final = "add_someone"
_HEADER_WITHIN: Final = 30  # rows: somebody may have written a title above the table
_FEWEST_OF_HOMES: Final = 3  # known headings
_LONGEST_HEADING: Final = 40
_KEY: Final = re.compile(r"[b-df-hj-np-t]{32}")
_DAY_NUMBER: Final = re.compile(r"[0-9]{1,6}(?:\.[0-9]+)?")
_IN_DOUBT_1904: Final = "a bare day number, in a workbook that counts days from 1904; write it as 6 August 2026"


def key_of(text: str) -> str:
    """A row key or pseudonym as it was sent, whatever a program made of its letters and spaces.

    >>> key_of("Bcdf ghjk-lmnp"), key_of("")
    ('bcdfghjklmnp', '')
    """
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def is_key(text: str) -> bool:
    """Whether a text is a key as we write them, and no name or number that somebody wrote in its place.

    >>> is_key("bcdf" * 8), is_key("Mrs Jane"), is_key("999 000 0018")
    (True, False, False)
    """
    return _KEY.fullmatch(key_of(text)) is not None


@dataclass(frozen=True)
class FilledRow:
    """One row as it came back: its sheet and number there (the header may be row 1), and its cells by column name.

    `other` holds what stands under headings we did not send, by heading; `in_doubt` the columns whose cell shows
    something that cannot be read, each with the reason.
    """

    sheet: str
    number: int
    cells: Mapping[str, str]
    other: Mapping[str, str] = field(default_factory=dict)
    in_doubt: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    @property
    def where(self) -> Where:
        """The sheet and the number of the row: what tells one row of a file from another."""
        return (self.sheet, self.number)


@dataclass(frozen=True)
class Table:
    """A sheet of ours: its kind (`LIST`, `ADDED`, `HOMES`, `PLANS`), its known columns by name with their headings, its
    rows.

    `n_above` cells stand above the headings; in `n_covered` rows an answer was taken from a merged cell.
    `n_identities` columns hold names, addresses, telephones or numbers of people: nothing of them is here.
    """

    kind: str
    sheet: str
    headings: Mapping[str, str]
    rows: tuple[FilledRow, ...]
    twice: tuple[str, ...] = ()
    n_above: int = 0
    n_covered: int = 0
    n_identities: int = 0


def find_table(sheet: Sheet, titles: Mapping[str, str]) -> Table | None:
    """The table of a sheet, below the first row that has the headings of one of ours; `None` where there is none.

    `titles` gives the name of each known column by its folded heading.
    """
    above = 0
    for number, row in sheet.rows():
        if number > _HEADER_WITHIN:
            return None
        names = {column: titles[folded(text)] for column, text in row.items() if folded(text) in titles}
        if kind := _kind(set(names.values()), folded(sheet.name)):
            return _table(sheet, number, row, _of_this_kind(names, kind), kind, above)
        above += len(row)
    return None


def _kind(names: set[str], sheet: str) -> str | None:
    """What a row of headings belongs to. A heading may be missing or written otherwise: the others tell."""
    if KEY in names and names & set(ANSWERS):
        return LIST
    if KEY in names and names & set(PLAN_ANSWERS):
        return PLANS
    if KEY in names:
        # The sheet that explains the columns has a row that begins with "Row key" as well, and no other name in it.
        return HOMES if len(names) >= _FEWEST_OF_HOMES else None
    added = names & set(ADDED_ANSWERS)
    if names & (set(ANSWERS) - set(ADDED_ANSWERS)):
        return None  # answers beside which no key stands: nobody can say whom they are about
    return ADDED if len(added) > 1 or (added and sheet == _ADDED_SHEET) else None


def _of_this_kind(names: dict[int, str], kind: str) -> dict[int, str]:
    """A heading of another sheet of ours is here one that nobody sent: "Note" is a common column of one's own."""
    if kind == ADDED:
        return {column: name for column, name in names.items() if name in (*ADDED_ANSWERS, *BESIDE)}
    if kind == PLANS:
        ours = (KEY, PLAN_REVIEW, _PLACE, *PLAN_ANSWERS, *BESIDE)
        return {column: name for column, name in names.items() if name in ours}
    others = (*_ADDED_ALONE, PLAN_REVIEW, *PLAN_ANSWERS)
    return {column: name for column, name in names.items() if name not in others}


def _table(
    sheet: Sheet, header: int, heads: Mapping[int, str], names: Mapping[int, str], kind: str, above: int
) -> Table:
    below = [(number, row) for number, row in sheet.rows() if number > header]
    answers = [column for column, name in names.items() if name not in (KEY, PERSON)]
    covered = covered_cells(sheet, rows=[number for number, _ in below], columns=answers, below=header)
    own = _own_headings(heads, names, {column for _, row in below for column in row})
    identities = {column for column in set(heads) - set(names) if is_identity(heads[column])}
    rows = tuple(_rows(sheet, below, names, own, covered, identities))
    asked = {ADDED: ADDED_ANSWERS, PLANS: PLAN_ANSWERS}.get(kind, ANSWERS)
    taken = {row for row, column in covered.shown if names[column] in asked}
    known = list(names.values())
    twice = tuple(sorted({name for name in known if known.count(name) > 1}))
    headings = {name: heads[column] for column, name in names.items()}
    return Table(kind, sheet.name, headings, rows, twice, above, len(taken), len(identities))


def _own_headings(heads: Mapping[int, str], names: Mapping[int, str], used: set[int]) -> dict[int, str]:
    """The heading of each column we did not send and that is used; its letters where it has none, or one used twice."""
    own: dict[int, str] = {}
    for column in sorted(used - set(names)):
        heading = heads.get(column, "")[:_LONGEST_HEADING]
        letters = f"column {column_letters(column)}"
        is_new = heading and heading.casefold() not in {one.casefold() for one in own.values()}
        own[column] = heading if is_new else f"{heading} ({letters})" if heading else letters
    return own


def _rows(
    sheet: Sheet,
    below: list[tuple[int, dict[int, str]]],
    names: Mapping[int, str],
    own: Mapping[int, str],
    covered: Covered,
    identities: set[int],
) -> Iterator[FilledRow]:
    # Who somebody is stays with the agency. One of our own choices under such a heading says nobody's name.
    for number, row in below:
        cells = {names[column]: text for column, text in row.items() if column in names and text}
        cells |= {name: covered.shown[number, at] for at, name in names.items() if (number, at) in covered.shown}
        other = {
            own[column]: text or "="
            for column, text in row.items()
            if column in own and (column not in identities or _is_choice(text))
        }
        in_doubt = {
            name: reason for at, name in names.items() if (reason := _doubt(sheet, (number, at), name, covered))
        }
        yield FilledRow(sheet.name, number, cells, other, in_doubt)


def _is_choice(text: str) -> bool:
    return any(label_of(text, choices) is not None for choices in (DECISIONS, REASONS, OUTCOMES, ADDED_FOR))


def _doubt(sheet: Sheet, place: tuple[int, int], name: str, covered: Covered) -> str | None:
    """Why a cell shows something that cannot be taken for an answer, if so."""
    if name not in (*ANSWERS, *ADDED_ANSWERS, *PLAN_ANSWERS, KEY):
        return None
    if place in sheet.without_value:
        return NOT_WORKED_OUT
    if sheet.counts_from_1904 and name in DAYS and _DAY_NUMBER.fullmatch(sheet.cells.get(place, "")):
        return _IN_DOUBT_1904
    return covered.in_doubt.get(place)
