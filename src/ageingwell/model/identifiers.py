"""Columns that name their rows, and columns that are a date or an order."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ageingwell.model.columns import Column

Floats = NDArray[np.float64]
# In fewer rows anything may have a value a row.
FEWEST = 50
# A category with so many values for 100 rows has one of its own for nearly each.
OF_ITS_OWN = 0.95
# Whole numbers drawn from their range would hold so many pairs of equal ones, and there is none.
PAIRS_EXPECTED = 20.0
# A column named as an identifier has at most so many rows a value; more, and it is a place or a kind.
ROWS_A_VALUE = 20
ID_WORDS = frozenset(("id", "ids", "identifier", "uprn", "nhs", "nhsnumber", "pseudonym", "uuid", "guid", "pid"))
NOT_AN_ID = frozenset(("n", "has", "is", "count", "number_of"))
DIGITS_OF_NHS = 10
YEARS = (1990, 2100)
ISO_DAY = re.compile(r"(19|20)\d\d-[01]\d(-[0-3]\d([T ].*)?)?|[0-3]?\d[./][01]?\d[./](19|20)\d\d")
# A number of one of these names with more values than the calendar's cycle counts on and on.
CYCLES = {"day": 31, "month": 12, "week": 53, "quarter": 4, "hour": 24}
WHEN = frozenset(("year", "yr", "wave", "date", "timestamp", "cutoff", "cut_off", "index_date", "calendar_year"))
BIRTH = frozenset(("birth", "born", "dob", "yob", "built", "build", "age", "since", "per", "last", "first"))


@dataclass(frozen=True)
class Identifier:
    """A column that names its rows: what was seen, and whether its values come in several rows."""

    found: str
    repeats: bool


def identifiers_among(codes: Floats, columns: Sequence[Column]) -> Iterator[Identifier]:
    """The columns of a matrix (n, p) that name or number their rows.

    >>> found = identifiers_among(np.arange(300.0)[:, None], [Column("row")])
    >>> [one.found for one in found]
    ['row is an identifier or the order of rows: 300 whole numbers, each of one row']
    """
    for place, column in enumerate(columns):
        values = _known(codes[:, place], column)
        if len(values) < FEWEST:
            continue
        distinct = np.unique(values)
        n, seen = len(values), len(distinct)
        whole = not column.is_category and bool((values == np.rint(values)).all())
        if seen == n and whole and _is_numbered(distinct):
            yield Identifier(
                f"{column.name} is an identifier or the order of rows: {n:,} whole numbers, each of one row",
                repeats=False,
            )
            continue
        has_own = column.is_category and seen >= OF_ITS_OWN * n
        is_named = (whole or column.is_category) and _is_named_so(column.name)
        if has_own or (is_named and seen >= max(FEWEST, n / ROWS_A_VALUE)) or _is_of_nhs(distinct, whole, column):
            told = f"{column.name} looks like an identifier: {seen:,} values in {n:,} rows"
            yield Identifier(told, repeats=seen < OF_ITS_OWN * n)


def dates_among(codes: Floats, columns: Sequence[Column]) -> Iterator[str]:
    """The columns of a matrix (n, p) that are a date or an order in time, with what was seen, in words.

    >>> codes = np.column_stack([np.arange(60.0) % 3 + 2021, np.arange(60.0) % 30 + 1931])
    >>> list(dates_among(codes, [Column("entered"), Column("birth_year")]))
    ['entered looks like a date: 3 calendar years']
    """
    for place, column in enumerate(columns):
        values = _known(codes[:, place], column)
        if len(values) < FEWEST or len(found := np.unique(values)) < 2 or _words(column.name) & BIRTH:
            continue
        if column.levels is not None:
            days = sum(ISO_DAY.fullmatch(level.strip()) is not None for level in column.levels)
            if days >= max(2, OF_ITS_OWN * len(column.levels)):
                yield f"{column.name} looks like a date: {days:,} different ones, written as text"
        elif bool((found == np.rint(found)).all()):
            told = _calendar(found) or _named_when(column.name, found)
            if told:
                yield f"{column.name} looks like a date: {told}"


def _known(values: Floats, column: Column) -> Floats:
    return values[values < column.n_codes - 1] if column.is_category else values[~np.isnan(values)]


def _is_numbered(distinct: Floats) -> bool:
    """Whether so many whole numbers in their range can't all differ by chance (the birthday problem)."""
    room = float(distinct[-1] - distinct[0]) + 1
    return len(distinct) ** 2 / (2 * room) >= PAIRS_EXPECTED


def _is_of_nhs(distinct: Floats, whole: bool, column: Column) -> bool:
    """Whether nearly all are numbers of ten digits whose last one checks the others, as one in eleven would by chance.

    Source: NHS Data Dictionary, NHS NUMBER (modulus 11).
    """
    if column.levels is not None:
        texts = [level.replace(" ", "") for level in column.levels]
    elif whole:
        texts = [f"{value:.0f}" for value in distinct]
    else:
        return False
    right = [text for text in texts if len(text) == DIGITS_OF_NHS and text.isdecimal() and text.isascii()]
    if len(right) < max(FEWEST, OF_ITS_OWN * len(texts)):
        return False
    digits = np.array([[int(digit) for digit in text] for text in right])
    check = (11 - digits[:, :9] @ np.arange(10, 1, -1) % 11) % 11
    return float((check == digits[:, 9]).mean()) >= OF_ITS_OWN


def _words(name: str) -> frozenset[str]:
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
    return frozenset(re.split(r"[^a-z0-9]+", parted))


def _is_named_so(name: str) -> bool:
    words = _words(name)
    return bool(words & ID_WORDS) and not words & NOT_AN_ID


def _calendar(found: Floats) -> str | None:
    """What kind of date whole numbers (m,), distinct and sorted, are by their values alone."""
    first, last = float(found[0]), float(found[-1])
    if YEARS[0] <= first and last <= YEARS[1] and len(found) <= YEARS[1] - YEARS[0]:
        return f"{len(found):,} calendar years"
    if 10_000 * YEARS[0] <= first and last <= 10_000 * YEARS[1] and all(map(_is_day, found.astype(int).tolist())):
        return f"{len(found):,} days written as numbers"
    return None


def _is_day(number: int) -> bool:
    try:
        date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError:
        return False
    return True


def _named_when(name: str, found: Floats) -> str | None:
    """Whether a number is named as a moment, and counts on where a season or a weekday would begin again."""
    plain = re.sub(r"[^a-z]+", "_", name.lower()).strip("_")
    if plain in WHEN or len(found) > CYCLES.get(plain, len(found)):
        return f"{len(found):,} different ones, by its name"
    return None
