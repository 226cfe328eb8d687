"""A list written again as it came, with more columns before those to fill in: the agency's own workbook."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from ageingwell.pseudonyms.identities import OWN_REGISTER
from ageingwell.report.cells import csv_safe, flat
from ageingwell.report.choices import ADDED, ASKED
from ageingwell.report.sheets import Book
from ageingwell.report.words import SHEET_NAMES
from ageingwell.report.workbook import add_sheet, choices_sheet, how_to_use_sheet, ranges
from ageingwell.views.columns import Column

NHS_NUMBER: Final = Column(
    "own_nhs_number",
    f"{OWN_REGISTER}NHS number",
    "For someone you put forward; ageingwell add turns it into their key",
    18,
)
_ROOM: Final = 12  # rows to add someone


@dataclass(frozen=True)
class Copied:
    """One table of the copy: its columns to read, one row of texts for each of its rows, and the answers of each.

    `answers` is `None` where nothing is asked.
    """

    columns: tuple[Column, ...]
    frame: pl.DataFrame
    answers: pl.DataFrame | None = None


def copied_workbook(
    title: str,
    *,
    as_of: date,
    cover: Sequence[tuple[str, str]],
    listed: Copied,
    sheet: str,
    homes: Copied | None = None,
    added: pl.DataFrame | None = None,
    with_numbers: bool = False,
) -> bytes:
    """Write a list again: Cover, How to use, the list, Homes where there are any, Add someone, and Choices.

    `added` holds what stands on the sheet Add someone (the columns of `ADDED`); with `with_numbers` that sheet has a
    first column for NHS numbers, and room. A list that asks nothing has neither that sheet nor choices.
    """
    book = Book(title, as_of=as_of)
    book.lines("Cover", cover, heading=title)
    if listed.answers is None:
        book.table(sheet, listed.frame, listed.columns)
        return book.close()
    # What was not sent is not explained either: whoever records the file is told of every word that was not sent.
    sent = dict.fromkeys((*listed.columns, *(homes.columns if homes else ())))
    how_to_use_sheet(book, tuple(column for column in sent if not column.name.startswith("own_")))
    book.table(sheet, listed.frame, listed.columns, asked=ASKED, choices=ranges(), answers=listed.answers)
    if homes is not None and homes.frame.height:
        book.table(SHEET_NAMES["homes"], homes.frame, homes.columns)
    rows = pl.DataFrame(schema=_ADDED) if added is None else added.select(list(_ADDED))
    if with_numbers or not rows.height:
        empty = pl.DataFrame({name: [None] * max(_ROOM - rows.height, 0) for name in _ADDED}, schema=_ADDED)
        rows = pl.concat([rows, empty])
    numbers = pl.DataFrame({NHS_NUMBER.name: [""] * rows.height}, schema={NHS_NUMBER.name: pl.String})
    add_sheet(book, rows, beside=(NHS_NUMBER,) if with_numbers else (), shown=numbers)
    choices_sheet(book)
    return book.close()


def copied_csv(listed: Copied, *, which: Sequence[tuple[str, str]], notices: str | None) -> bytes:
    """Write the list alone as CSV, in the layout of the CSV that was sent.

    `which` are the columns that say which list it is, behind those to read; the register's stand before the answers.
    """
    shown = flat(listed.frame).select(
        pl.col(column.name).alias(column.title if column.title.startswith(OWN_REGISTER) else column.name)
        for column in listed.columns
    )
    own = [name for name in shown.columns if name.startswith(OWN_REGISTER)]
    told = [pl.lit(text).alias(name) for name, text in which]
    rows = shown.select(*(name for name in shown.columns if name not in own), *told, *own)
    if listed.answers is not None:
        texts = [csv_safe(pl.col(question.name).fill_null("")) for question in ASKED]
        rows = pl.concat([rows, listed.answers.select(texts)], how="horizontal")
    if notices is not None:
        rows = rows.with_columns(pl.lit(notices).alias("notices"))
    return rows.write_csv(quote_style="always", line_terminator="\r\n", include_bom=True).encode()


_ADDED: Final = {question.name: pl.String() for question in ADDED}
