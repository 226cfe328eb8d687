"""A sheet as a reader sees it: its cells as texts, and what shows there but cannot be read as a text."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Final, NamedTuple

from ageingwell.decisions.packages import TooLargeError

MOST_CELLS: Final = 1_000_000  # cells that hold something, of all sheets; a list of 5,000 rows has 150,000
NOT_WORKED_OUT: Final = "holds a formula without its value; write the answer itself"
UNDER_A_MERGED: Final = "hides another answer under a merged cell; split the cell and write each answer"

Place = tuple[int, int]


class Area(NamedTuple):
    """Cells merged into one: first and last row, first and last column, each from 1."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True)
class Sheet:
    """One sheet. `cells` holds what is not blank, by row and column from 1, so that a stray cell costs nothing.

    `without_value` are formulas that no program has worked out. `counts_from_1904` where day numbers begin there.
    """

    name: str
    cells: Mapping[Place, str]
    merged: tuple[Area, ...] = ()
    without_value: frozenset[Place] = frozenset()
    counts_from_1904: bool = False
    n_comments: int = 0
    n_text_boxes: int = 0

    def rows(self) -> Iterator[tuple[int, dict[int, str]]]:
        """The rows in which something stands, from the top: number, and cells by column."""
        found: dict[int, dict[int, str]] = {}
        for (row, column), text in self.cells.items():
            found.setdefault(row, {})[column] = text
        for row, column in self.without_value:
            found.setdefault(row, {}).setdefault(column, "")
        yield from sorted(found.items())


@dataclass
class Covered:
    """What merged cells mean for the cells below them: the value they show, or why it cannot be told."""

    shown: dict[Place, str] = field(default_factory=dict)
    in_doubt: dict[Place, str] = field(default_factory=dict)


def covered_cells(sheet: Sheet, *, rows: Iterable[int], columns: Iterable[int], below: int) -> Covered:
    """Give every cell of `rows` and `columns` that lies under a merged cell what that one shows.

    A merged cell that begins at or above row `below` (the headings) says nothing about the rows. Where the covered
    cell holds something else, nobody can say which was meant.
    """
    numbers, wanted, covered, n_left = sorted(rows), sorted(columns), Covered(), MOST_CELLS
    for area in sheet.merged:
        first = (area.top, area.left)
        if area.top <= below:
            continue
        shown, doubt = sheet.cells.get(first, ""), NOT_WORKED_OUT if first in sheet.without_value else ""
        across = wanted[bisect_left(wanted, area.left) : bisect_left(wanted, area.right + 1)]
        down = numbers[bisect_left(numbers, area.top) : bisect_left(numbers, area.bottom + 1)]
        n_left -= len(across) * len(down)
        if n_left < 0:
            raise TooLargeError
        for place in ((row, column) for row in down for column in across):
            if place != first:
                _cover(covered, place, shown, sheet.cells.get(place, ""), doubt)
    return covered


def _cover(covered: Covered, place: Place, shown: str, hidden: str, doubt: str) -> None:
    if doubt:
        covered.in_doubt[place] = doubt
    elif hidden and hidden != shown:
        covered.in_doubt[place] = UNDER_A_MERGED
    elif shown and not hidden:
        covered.shown[place] = shown


def tidy(text: str) -> str:
    """Spaces of all kinds as one, none at the ends, none without width.

    >>> tidy(" Contact\u00a0 now\u200b ")
    'Contact now'
    """
    return " ".join(text.replace("\u200b", "").replace("\ufeff", "").split())


def number_text(text: str) -> str:
    """A number as a reader sees it: a whole one without a point; what is no number stays as it is.

    >>> number_text("46240.0"), number_text("4.624E4"), number_text("0.5"), number_text("n/a")
    ('46240', '46240', '0.5', 'n/a')
    """
    try:
        number = float(text)
        return str(int(number)) if number.is_integer() else repr(number)
    except (ValueError, OverflowError):
        return tidy(text)


def moment_text(moment: datetime) -> str:
    """A day as 2026-08-06, with its time where it has one."""
    return moment.date().isoformat() if moment.time() == time(0) else moment.isoformat(sep=" ", timespec="seconds")


def column_letters(column: int) -> str:
    """The letters of a column, from 1.

    >>> column_letters(1), column_letters(28), column_letters(16384)
    ('A', 'AB', 'XFD')
    """
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters
