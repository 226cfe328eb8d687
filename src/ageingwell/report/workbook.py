"""Workbooks for Excel: cover, how to use, the list, the choices. No macro, formula, link or merged cell."""

from collections.abc import Sequence
from datetime import date, datetime
from io import BytesIO
from typing import Any, Final

import polars as pl
import xlsxwriter

from ageingwell.report.cells import day_words, flat, harmless
from ageingwell.report.choices import ASKED, Asked
from ageingwell.report.words import MARKING, SHEET_NAMES
from ageingwell.views.columns import AgencyView, Column
from ageingwell.views.words import agency_words

A4: Final = 9
_OPTIONS: Final = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
HOW_TO_USE: Final = (
    "This list is a starting point. The group decides who is contacted, and nothing is decided by a computer alone.",
    "On the sheet List, fill in the columns on the right: decision, who leads, reason. No choice is made for you.",
    "Sort and filter as you like, and add columns if you need them. Leave the row key as it is.",
    "Anyone you are worried about who is not here? Bring them to the meeting; they need no row.",
    "Worries about safety go by your own safeguarding route, never into this file.",
    "Keep this file where your own rules allow personal records, and delete it when the next list comes.",
)


class Book:
    """A workbook in memory whose bytes depend on what is written and on nothing else."""

    def __init__(self, title: str, *, as_of: date) -> None:
        self._bytes = BytesIO()
        self._book = xlsxwriter.Workbook(self._bytes, _OPTIONS)
        self._book.set_properties(
            {"title": title, "created": datetime(as_of.year, as_of.month, as_of.day), "author": "ageingwell"}
        )
        font = {"font_name": "Arial", "font_size": 11, "valign": "top", "text_wrap": True}
        self._text = self._book.add_format(font)
        self._head = self._book.add_format(font | {"bold": True, "bg_color": "#1d4e5f", "font_color": "#ffffff"})
        self._title = self._book.add_format(font | {"bold": True, "font_size": 16})
        self._day = self._book.add_format(font | {"num_format": "d mmmm yyyy"})

    def lines(self, name: str, lines: Sequence[tuple[str, str]], *, heading: str) -> None:
        """Add a sheet of two columns, a word and its text, under a heading."""
        sheet = self._sheet(name, landscape=False)
        sheet.set_column(0, 0, 26)
        sheet.set_column(1, 1, 70)
        sheet.write_string(0, 0, harmless(heading), self._title)
        for at, (word, text) in enumerate(lines, start=1):
            sheet.write_string(at, 0, harmless(word), self._text)
            sheet.write_string(at, 1, harmless(text), self._text)

    def table(
        self,
        name: str,
        frame: pl.DataFrame,
        columns: Sequence[Column],
        *,
        asked: Sequence[Asked] = (),
        choices: dict[str, str] | None = None,
    ) -> None:
        """Add a sheet that holds one named table: the cells of a view, then the columns to fill in."""
        sheet = self._sheet(name, landscape=True)
        widths = [column.width for column in columns] + [column.width for column in asked]
        heads = [column.name for column in columns] + [column.name for column in asked]
        for at, (head, width) in enumerate(zip(heads, widths, strict=True)):
            sheet.set_column(at, at, width)
            sheet.write_string(0, at, head, self._head)
        for row_at, row in enumerate(flat(frame).iter_rows(), start=1):
            for at, cell in enumerate(row):
                sheet.write_string(row_at, at, cell, self._text)
            for at in range(len(columns), len(heads)):
                sheet.write_blank(row_at, at, None, self._day if asked[at - len(columns)].is_day else self._text)
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        if frame.height:
            table = {"name": name.replace(" ", ""), "style": "Table Style Light 1"}
            table["columns"] = [{"header": head, "header_format": self._head} for head in heads]  # type: ignore[assignment]
            sheet.add_table(0, 0, frame.height, len(heads) - 1, table)
            for at, question in enumerate(asked, start=len(columns)):
                sheet.data_validation(1, at, frame.height, at, _rule(question, choices or {}))

    def close(self) -> bytes:
        """Give the bytes of the whole workbook."""
        self._book.close()
        return self._bytes.getvalue()

    def _sheet(self, name: str, *, landscape: bool) -> Any:
        sheet = self._book.add_worksheet(name)
        sheet.set_paper(A4)
        sheet.fit_to_pages(1, 0)
        sheet.set_header(f"&L{MARKING}&R&A")
        sheet.set_footer("&RPage &P of &N")
        sheet.hide_gridlines(0)
        if landscape:
            sheet.set_landscape()
        return sheet


def _rule(question: Asked, choices: dict[str, str]) -> dict[str, Any]:
    if question.is_day:
        message = "Write a day, such as 6 August 2026"
        return {
            "validate": "date",
            "criteria": "between",
            "minimum": date(2000, 1, 1),
            "maximum": date(2199, 12, 31),
            "error_title": question.title,
            "error_message": message,
        }
    return {
        "validate": "list",
        "source": choices[question.name],
        "error_title": question.title,
        "error_message": "Take one of the choices",
    }


def agency_workbook(view: AgencyView, *, notices: Sequence[str] = (), homes: AgencyView | None = None) -> bytes:
    """Write one recipient's workbook: Cover, How to use, List, Homes where there are any, and Choices.

    `notices` are what every output has to say tonight. The same view and notices give the same bytes.
    """
    title = f"Outreach list: {agency_words(view.recipient)}"
    book = Book(title, as_of=view.as_of)
    book.lines("Cover", _cover(view, notices, homes), heading=title)
    used = dict.fromkeys((*view.columns, *(homes.columns if homes is not None else ())))
    steps = [(f"{number}", step) for number, step in enumerate(HOW_TO_USE, start=1)]
    meanings = [(column.name, column.meaning) for column in used]
    meanings += [(question.name, question.meaning) for question in ASKED]
    book.lines("How to use", [*steps, ("Column", "What it means"), *meanings], heading="How to use this list")
    book.table(SHEET_NAMES["list"], view.frame, view.columns, asked=ASKED, choices=_ranges())
    if homes is not None and homes.frame.height:
        book.table(SHEET_NAMES["homes"], homes.frame, homes.columns)
    pairs = [(question.name, choice) for question in ASKED for choice in question.choices]
    field, choice = Column("field", "Field", "", 22), Column("choice", "Choice", "", 40)
    book.table("Choices", pl.DataFrame(pairs, schema=["field", "choice"], orient="row"), (field, choice))
    return book.close()


def safeguarding_workbook(view: AgencyView, *, notices: Sequence[str] = ()) -> bytes:
    """Write the workbook of the safeguarding lead: Cover and Safeguarding, nothing to fill in."""
    title = "For the safeguarding lead alone"
    book = Book(title, as_of=view.as_of)
    meanings = [(column.name, column.meaning) for column in view.columns]
    book.lines("Cover", [*_cover(view, notices, None), *meanings], heading=title)
    book.table(SHEET_NAMES["safeguarding"], view.frame, view.columns)
    return book.close()


def _ranges() -> dict[str, str]:
    """Where the choices of each question stand on the sheet Choices, in the order it is written."""
    ranges, first = {}, 2
    for question in ASKED:
        last = first + len(question.choices) - 1
        ranges[question.name] = f"=Choices!$B${first}:$B${last}"
        first = last + 1
    return ranges


def _cover(view: AgencyView, notices: Sequence[str], homes: AgencyView | None) -> list[tuple[str, str]]:
    lines = [
        ("Marking", MARKING),
        ("For", agency_words(view.recipient)),
        ("Records up to", f"{day_words(view.as_of)} (what was recorded on that day or later is not used)"),
        ("Rows", f"{view.frame.height} on the sheet"),
    ]
    if homes is not None:
        lines.append(("Homes", f"{homes.frame.height} homes with a need, to which no person is linked"))
    lines += [("Please note", notice) for notice in notices]
    return [*lines, *(("About this list", note) for note in view.notes)]
