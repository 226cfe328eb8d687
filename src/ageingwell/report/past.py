"""What happened to one person in three years: a line of marks from left to right, and the table that says the same."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, TypedDict

from ageingwell.register import AGENCIES
from ageingwell.report.cells import day_words
from ageingwell.views.words import agency_words

DAYS: Final = 3 * 365
# Marks nearer to each other than this, in hundredths of the line, would lie on one another: the next goes a step up.
NEAR: Final = 2.4
LEVELS: Final = 3
# One letter on the line for each agency; the legend and the table name it in full.
LETTERS: Final[Mapping[str, str]] = {
    "gp": "G",
    "hospital": "H",
    "social_care": "S",
    "housing": "L",  # of landlord: H is taken
    "fire": "F",
    "voluntary": "V",
}


class Mark(TypedDict):
    """One thing that happened: how far along the line in hundredths, the step above it, letter, and agency."""

    at: float
    level: int
    letter: str
    agency: str


class PastLine(TypedDict):
    """A row of the table twin."""

    day: str
    what: str
    agency: str


class Past(TypedDict):
    """The line and its table.

    `marks` and `years` (where each year begins) are drawn, `lines` are the table's, the newest first, and `said` is
    one sentence for whoever sees neither.
    """

    marks: list[Mark]
    years: list[dict[str, Any]]
    legend: list[dict[str, str]]
    lines: list[PastLine]
    said: str


def past_of(events: Sequence[Mapping[str, Any]], *, as_of: date) -> Past:
    """Set out rows of `past_events` of one person, as far as the reader may read them.

    Parameters
    ----------
    events
        Rows with happened_on, agency, text; in any order. Nothing of `as_of` or later is among them.
    as_of
        The night: the right end of the line.

    Examples
    --------
    >>> row = {"happened_on": date(2026, 5, 24), "agency": "hospital", "text": "Unplanned hospital stay"}
    >>> told = past_of([row], as_of=date(2026, 11, 22))
    >>> told["said"]
    '1 thing on record in three years. The newest: Unplanned hospital stay, 24 May 2026 (Hospital).'
    >>> told["marks"]
    [{'at': 82.4, 'level': 0, 'letter': 'H', 'agency': 'hospital'}]
    """
    ordered = sorted(events, key=lambda row: (row["happened_on"], row["agency"], row["text"]))
    lines = [
        PastLine(day=day_words(row["happened_on"]), what=row["text"], agency=agency_words(row["agency"]))
        for row in reversed(ordered)
    ]
    shown = {row["agency"] for row in ordered}
    return Past(
        marks=_marks(ordered, as_of),
        years=_years(as_of),
        legend=[{"letter": LETTERS[one], "agency": agency_words(one)} for one in AGENCIES if one in shown],
        lines=lines,
        said=_said(lines),
    )


def _said(lines: Sequence[PastLine]) -> str:
    if not lines:
        return "Nothing on record in three years."
    newest = lines[0]
    things = f"{len(lines)} thing{'s' if len(lines) > 1 else ''}"
    return f"{things} on record in three years. The newest: {newest['what']}, {newest['day']} ({newest['agency']})."


def _marks(ordered: Sequence[Mapping[str, Any]], as_of: date) -> list[Mark]:
    last_at = [-NEAR] * LEVELS
    marks = []
    for row in ordered:
        at = _along(row["happened_on"], as_of)
        free = [level for level in range(LEVELS) if at - last_at[level] >= NEAR]
        # More in a few days than there are steps: they share the lowest, and the table has each.
        level = free[0] if free else 0
        last_at[level] = at
        marks.append(Mark(at=at, level=level, letter=LETTERS[row["agency"]], agency=row["agency"]))
    return marks


def _along(day: date, as_of: date) -> float:
    """How far along the line a day lies, in hundredths; the ends leave room for half a mark."""
    share = 1 - (as_of - day) / timedelta(days=DAYS)
    return round(1.5 + 97 * min(max(share, 0.0), 1.0), 1)


def _years(as_of: date) -> list[dict[str, Any]]:
    firsts = [date(year, 1, 1) for year in range(as_of.year - 3, as_of.year + 1)]
    start = as_of - timedelta(days=DAYS)
    return [{"at": _along(first, as_of), "year": str(first.year)} for first in firsts if start <= first < as_of]
