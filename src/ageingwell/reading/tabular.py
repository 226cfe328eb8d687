"""Rows of fields into chunks of text columns: ragged rows keep their place, empty rows at the end say nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Chunk:
    """Some consecutive rows.

    `first_row` is the 1-based number of the first, `sent` names every column of the file, `ragged` are the numbers of
    the rows with a wrong number of fields: they keep their place as rows of missing values.
    """

    file: str
    first_row: int
    rows: pl.DataFrame
    sent: tuple[str, ...]
    ragged: tuple[int, ...] = ()


def chunk_of(file: str, first_row: int, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Chunk:
    """A chunk of text columns; a row of more or fewer fields than there are names is ragged."""
    ragged = tuple(position for position, fields in enumerate(rows) if len(fields) != len(names))
    whole = [fields if len(fields) == len(names) else [""] * len(names) for fields in rows] if ragged else rows
    columns: Iterable[Sequence[str]] = zip(*whole) if whole else [()] * len(names)
    # By name: in a list of columns one without a name would be given another.
    frame = pl.DataFrame({name: pl.Series(values, dtype=pl.String) for name, values in zip(names, columns)})
    return Chunk(file, first_row, frame, tuple(names), tuple(first_row + position for position in ragged))


def named(headings: Sequence[str]) -> list[str]:
    """Headings without blanks around them; those without a name behind the last one are called `column_<n>`.

    Spreadsheets leave such columns where cells were once touched.

    >>> named(["uprn ", "", "tenure", "", ""])
    ['uprn', '', 'tenure', 'column_4', 'column_5']
    """
    names = [heading.strip() for heading in headings]
    last = max((position for position, name in enumerate(names) if name), default=-1)
    return [name if position <= last else f"column_{position + 1}" for position, name in enumerate(names)]


def without_blank_end(batches: Iterable[list[list[str]]]) -> Iterator[list[list[str]]]:
    """The same rows without the empty ones at the end; between rows they stand for rows that were lost."""
    blank: list[list[str]] = []
    for batch in batches:
        rows = blank + batch
        blank = [rows.pop() for _ in range(_n_blank_at_end(rows))]
        if rows:
            yield rows


def _n_blank_at_end(rows: list[list[str]]) -> int:
    return next((n for n, fields in enumerate(reversed(rows)) if fields), len(rows))
