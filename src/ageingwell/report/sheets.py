"""The sheets of a workbook: one table each, named, nothing merged, nothing that runs, set up to print on A4."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Any, Final

import polars as pl
import xlsxwriter

from ageingwell.decisions.days import day_of
from ageingwell.report.cells import flat, harmless, harmless_all, shown_key
from ageingwell.report.choices import Asked
from ageingwell.report.words import MARKING
from ageingwell.views.columns import CODE, HOME_CODE, Column

A4: Final = 9
LONGEST_TEXT: Final = 200
_LINE_POINTS: Final = 13.0
_LETTERS_A_UNIT: Final = 1.2  # letters of our font to a unit of column width, on the safe side
_TALLEST_POINTS: Final = 400.0  # Excel takes 409
_KEY_WIDTH: Final = 12  # a key of 32 letters breaks over three lines
_KEYS: Final = ("row_key", "household_key")
_OF_THEIR_REGISTER: Final = "own_register_"
_FIRST: Final = ("place", "needs", "action", "urgency", "act_by", "plan_review")
_NOTES: Final = ("to_mend", "said")  # in a file to mend, and in one for the chair
# What is printed is narrow, so that it fits one sheet across; what is behind it is wide, so that rows stay low.
_WIDTHS: Final = {"place": 11, "needs": 18, "action": 27, "urgency": 9, "act_by": 12, "part": 14, "lead_agency": 14,
                  "facts": 60, "found_by": 14, "chance": 15, "raises": 56, "lowers": 40, "communication_need": 15,
                  "known_to": 24, "earlier": 50, "offers": 60, "what_to_say": 48, "person_told": 10,
                  "new_since_last": 9, "status": 10}  # fmt: skip
_OPTIONS: Final = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


class Book:
    """A workbook in memory whose bytes depend on what is written and on nothing else."""

    def __init__(self, title: str, *, as_of: date) -> None:
        self._bytes = BytesIO()
        self._book = xlsxwriter.Workbook(self._bytes, _OPTIONS)
        self._book.set_properties(
            {"title": title, "created": datetime(as_of.year, as_of.month, as_of.day), "author": "ageingwell"}
        )
        font = {"font_name": "Arial", "font_size": 10, "valign": "top", "text_wrap": True}
        line = {"bottom": 1, "bottom_color": "#b0bec5"}
        answer = {"bg_color": "#fff8e1", "border": 1, "border_color": "#c9b458"}
        self._plain = self._book.add_format(font)
        self._text = self._book.add_format(font | line)
        self._key = self._book.add_format(font | line | {"font_name": "Courier New", "font_size": 8})
        self._mend = self._book.add_format(font | line | {"bold": True, "font_color": "#9c1c1c"})
        self._answer = self._book.add_format(font | answer)
        self._day = self._book.add_format(font | answer | {"num_format": "d mmmm yyyy", "align": "left"})
        self._head = self._book.add_format(font | {"bold": True, "bg_color": "#1d4e5f", "font_color": "#ffffff"})
        self._ask = self._book.add_format(font | {"bold": True, "bg_color": "#5d4a00", "font_color": "#ffffff"})
        self._bold = self._book.add_format(font | {"bold": True})
        self._title = self._book.add_format(font | {"bold": True, "font_size": 16, "text_wrap": False})

    def lines(self, name: str, lines: Sequence[tuple[str, str]], *, heading: str) -> None:
        """Add a sheet of two columns, a word and its text, under a heading."""
        sheet = self._sheet(name)
        sheet.fit_to_pages(1, 0)
        sheet.set_column(0, 0, 26)
        sheet.set_column(1, 1, 74)
        title, *written = harmless_all([heading, *(words for line in lines for words in line)])
        sheet.write_string(0, 0, title, self._title)
        sheet.set_row(0, 2 * _LINE_POINTS)
        for at, (_, text) in enumerate(lines, start=1):
            sheet.write_string(at, 0, written[2 * at - 2], self._bold)
            sheet.write_string(at, 1, written[2 * at - 1], self._plain)
            sheet.set_row(at, _LINE_POINTS * _lines(text, 74) + 4)

    def table(
        self,
        name: str,
        frame: pl.DataFrame,
        columns: Sequence[Column],
        *,
        asked: Sequence[Asked] = (),
        choices: Mapping[str, str] | None = None,
        answers: pl.DataFrame | None = None,
    ) -> None:
        """Add a sheet that holds one named table: the cells of a view, then the columns to fill in.

        `answers` holds what was answered already, one text column for each of `asked`; without it they are empty.
        """
        sheet = self._sheet(name, landscape=True)
        n_rows = max(frame.height, 0 if answers is None else answers.height)
        laid = lay_out(columns, asks=bool(asked))
        frame = with_codes(frame)
        first_after = len(laid.before) + len(asked)
        self._write_shown(sheet, frame, laid, gap=len(asked))
        self._write_asked(sheet, asked, answers, first=len(laid.before), n_rows=n_rows)
        self._set_up(sheet, laid, [question.width for question in asked], n_rows=n_rows)
        if n_rows:
            heads = [(column.title, self._head) for column in laid.before]
            heads += [(question.title, self._ask) for question in asked]
            heads += [(column.title, self._head) for column in laid.after]
            table = {
                "name": name.replace(" ", ""),
                "style": "Table Style Light 1",
                "banded_rows": False,
                "columns": [{"header": title, "header_format": head} for title, head in heads],
            }
            sheet.add_table(0, 0, n_rows, len(heads) - 1, table)
            for at, question in enumerate(asked, start=len(laid.before)):
                sheet.data_validation(1, at, n_rows, at, _rule(question, choices or {}))
        for at in range(first_after + len(laid.after) - laid.n_hidden, first_after + len(laid.after)):
            sheet.set_column(at, at, _KEY_WIDTH, None, {"hidden": True})

    def close(self) -> bytes:
        """Give the bytes of the whole workbook."""
        self._book.close()
        return self._bytes.getvalue()

    def _write_shown(self, sheet: Any, frame: pl.DataFrame, laid: "Layout", *, gap: int) -> None:
        columns = laid.columns
        places = [at if at < len(laid.before) else at + gap for at in range(len(columns))]
        styles = [self._style(column) for column in columns]
        for at, column in zip(places, columns, strict=True):
            sheet.write_string(0, at, column.title, self._head)
        visible = len(columns) - laid.n_hidden
        for row_at, row in enumerate(flat(frame.select(column.name for column in columns)).iter_rows(), start=1):
            # No spreadsheet is sure to fit the height to wrapped text when it opens a file.
            sheet.set_row(row_at, _height(row[:visible], columns[:visible]))
            for at, cell, style in zip(places, row, styles, strict=True):
                sheet.write_string(row_at, at, cell, style)

    def _style(self, column: Column) -> Any:
        if column.name in (*_KEYS, CODE.name, HOME_CODE.name):
            return self._key
        return self._mend if column.name == "to_mend" else self._text

    def _write_asked(
        self, sheet: Any, asked: Sequence[Asked], answers: pl.DataFrame | None, *, first: int, n_rows: int
    ) -> None:
        for at, question in enumerate(asked):
            sheet.write_string(0, first + at, question.title, self._ask)
            given = [None] * n_rows if answers is None else answers[question.name].to_list()
            for row_at, text in enumerate(given, start=1):
                self._write_answer(sheet, row_at, first + at, text, question)

    def _write_answer(self, sheet: Any, row: int, column: int, text: str | None, question: Asked) -> None:
        style = self._day if question.is_day else self._answer
        day = day_of(text) if text and question.is_day else None
        if day is not None:
            sheet.write_datetime(row, column, datetime(day.year, day.month, day.day), style)
        elif text:
            sheet.write_string(row, column, harmless(text), style)
        else:
            sheet.write_blank(row, column, None, style)

    def _set_up(self, sheet: Any, laid: "Layout", asked: list[int], *, n_rows: int) -> None:
        """Widths, what stays in sight, and paper: who, need, next step and answers on one sheet across."""
        before, after = [_width(column) for column in laid.before], [_width(column) for column in laid.after]
        for at, width in enumerate([*before, *asked, *after]):
            sheet.set_column(at, at, width)
        sheet.freeze_panes(1, max(laid.n_frozen, 1))
        sheet.repeat_rows(0)
        sheet.fit_to_pages(1, 0)
        if asked and after:
            # What is behind a need stands to the right on the screen, and on each person's page.
            sheet.print_area(0, 0, n_rows, len(before) + len(asked) - 1)

    def _sheet(self, name: str, *, landscape: bool = False) -> Any:
        sheet = self._book.add_worksheet(name)
        sheet.set_paper(A4)
        sheet.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.6)
        sheet.set_header(f"&L{MARKING}&R&A")
        sheet.set_footer("&RPage &P of &N")
        if landscape:
            sheet.set_landscape()
        return sheet


@dataclass(frozen=True)
class Layout:
    """The columns of a sheet: those before the answers, those after, and how many at the end are hidden.

    `n_frozen` columns stay in sight when a reader moves to the right.
    """

    before: tuple[Column, ...]
    after: tuple[Column, ...]
    n_hidden: int = 0
    n_frozen: int = 1

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column to read, from the left."""
        return (*self.before, *self.after)


def lay_out(columns: Sequence[Column], *, asks: bool) -> Layout:
    """Put the columns of a list in the order a group works in: who, need, next step; the answers; what is behind them.

    The row keys of 32 letters stand last and hidden: whoever reads the file back finds them by their heading. A sheet
    without row keys stays as it is.

    >>> from ageingwell.views.columns import ACTION, FACTS, NEEDS, PLACE, ROW_KEY
    >>> laid = lay_out((ROW_KEY, PLACE, FACTS, NEEDS, ACTION), asks=True)
    >>> [column.title for column in laid.before], [column.title for column in laid.after], laid.n_hidden
    (['Code', 'Place', 'Needs', 'Suggested next step'], ['What is on record', 'Row key'], 1)
    """
    named = {column.name: column for column in columns}
    if _KEYS[0] not in named:
        return Layout(tuple(columns), ())
    own = [name for name in named if name.startswith(_OF_THEIR_REGISTER)]
    first = [*(name for name in (*_FIRST, *_NOTES) if name in named), *own]
    rest = [name for name in named if name not in (*first, *_KEYS)]
    hidden = [named[name] for name in reversed(_KEYS) if name in named]
    codes = [HOME_CODE] if _KEYS[1] in named else []
    before, after = (CODE, *(named[name] for name in first)), (*codes, *(named[name] for name in rest))
    if not asks:
        before, after = (*before, *after), ()
    frozen = 1 + next((place for place, name in enumerate(first, start=1) if name == "needs"), 0)
    return Layout(before, (*after, *hidden), len(hidden), frozen)


def with_codes(frame: pl.DataFrame) -> pl.DataFrame:
    """Put the short form of the row key and of the home key beside them, as the pages show them."""
    short = {_KEYS[0]: CODE, _KEYS[1]: HOME_CODE}
    made = [
        pl.Series(code.name, [shown_key(key) for key in frame[name]], dtype=pl.String)
        for name, code in short.items()
        if name in frame.columns
    ]
    return frame.with_columns(made)


def _width(column: Column) -> int:
    return _KEY_WIDTH if column.name in _KEYS else _WIDTHS.get(column.name, column.width)


def _height(row: Sequence[str], columns: Sequence[Column]) -> float:
    lines = [_lines(cell, _width(column)) for cell, column in zip(row, columns, strict=True)]
    return min(_TALLEST_POINTS, _LINE_POINTS * max(lines, default=1) + 4)


def _lines(text: str, width: int) -> int:
    """How many lines a text takes in a column: words are not broken unless longer than the column.

    >>> _lines("Make a home fire-safety visit", 15), _lines("b" * 32, 13)
    (2, 3)
    """
    room, lines, used = max(1, int(width * _LETTERS_A_UNIT)), 1, 0
    for word in text.split(" "):
        if used and used + 1 + len(word) > room:
            lines, used = lines + 1, 0
        over, rest = divmod(max(len(word) - 1, 0), room)
        lines += over
        used = rest + 1 if over else used + len(word) + (1 if used else 0)
    return lines


def _rule(question: Asked, choices: Mapping[str, str]) -> dict[str, Any]:
    """What a cell takes; anything else Excel refuses, and reading the file back refuses whatever slipped by."""
    if question.is_day:
        return {
            "validate": "date",
            "criteria": "between",
            "minimum": date(2000, 1, 1),
            "maximum": date(2199, 12, 31),
            "error_title": question.title,
            "error_message": "Write a day, such as 6 August 2026",
        }
    if not question.choices:
        return {
            "validate": "length",
            "criteria": "<=",
            "value": LONGEST_TEXT,
            "error_title": question.title,
            "error_message": f"Write at most {LONGEST_TEXT} letters",
        }
    return {
        "validate": "list",
        "source": choices[question.name],
        "error_title": question.title,
        "error_message": "Take one of the choices, or write a few words"
        if question.is_open
        else "Take one of the choices",
        "error_type": "information" if question.is_open else "stop",
    }
