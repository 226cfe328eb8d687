"""The sheets of a workbook: one table each, named, nothing merged, nothing that runs, set up to print on A4."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from io import BytesIO
from typing import Any, Final

import polars as pl
import xlsxwriter

from ageingwell.decisions.days import day_of
from ageingwell.report.cells import flat, harmless, harmless_all
from ageingwell.report.choices import Asked
from ageingwell.report.words import MARKING
from ageingwell.views.columns import Column

A4: Final = 9
LONGEST_TEXT: Final = 200
# Printed at 70 of 100, so that letters stay 7 points high: A4 landscape is then this many letters wide.
_SCALE: Final = 70
_PAGE_LETTERS: Final = 150
_LINE_POINTS: Final = 13.0
_LETTERS_A_UNIT: Final = 1.2  # letters of our font to a unit of column width, on the safe side
_TALLEST_POINTS: Final = 400.0  # Excel takes 409
_KEY_WIDTH: Final = 12  # a key of 32 letters breaks over three lines
_FEW: Final = 2
_KEYS: Final = ("row_key", "household_key")
# Narrower than on a sheet of its own: text wraps, so that a page holds what belongs together.
_WIDTHS: Final = {"place": 13, "part": 12, "lead_agency": 13, "needs": 22, "facts": 30, "action": 34, "found_by": 12,
                  "chance": 15, "raises": 30, "lowers": 26, "communication_need": 15, "known_to": 17,
                  "what_to_say": 34, "person_told": 10, "new_since_last": 9, "status": 10}  # fmt: skip
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
        self._write_shown(sheet, frame, columns)
        self._write_asked(sheet, asked, answers, first=len(columns), n_rows=n_rows)
        self._set_up(sheet, [_width(column) for column in columns], [question.width for question in asked])
        if n_rows:
            heads = [(column.title, self._head) for column in columns]
            heads += [(question.title, self._ask) for question in asked]
            table = {
                "name": name.replace(" ", ""),
                "style": "Table Style Light 1",
                "banded_rows": False,
                "columns": [{"header": title, "header_format": head} for title, head in heads],
            }
            sheet.add_table(0, 0, n_rows, len(heads) - 1, table)
            for at, question in enumerate(asked, start=len(columns)):
                sheet.data_validation(1, at, n_rows, at, _rule(question, choices or {}))

    def close(self) -> bytes:
        """Give the bytes of the whole workbook."""
        self._book.close()
        return self._bytes.getvalue()

    def _write_shown(self, sheet: Any, frame: pl.DataFrame, columns: Sequence[Column]) -> None:
        styles = [self._style(column) for column in columns]
        for at, column in enumerate(columns):
            sheet.write_string(0, at, column.title, self._head)
        for row_at, row in enumerate(flat(frame).iter_rows(), start=1):
            # No spreadsheet is sure to fit the height to wrapped text when it opens a file.
            sheet.set_row(row_at, _height(row, columns))
            for at, (cell, style) in enumerate(zip(row, styles, strict=True)):
                sheet.write_string(row_at, at, cell, style)

    def _style(self, column: Column) -> Any:
        if column.name in _KEYS:
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

    def _set_up(self, sheet: Any, shown: list[int], asked: list[int]) -> None:
        """Widths, what stays in sight, and pages: what is shown on one page across, what is asked on the next."""
        for at, width in enumerate([*shown, *asked]):
            sheet.set_column(at, at, width)
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        # A note and the answers beside it belong together, however wide.
        if len(shown) <= _FEW or sum(shown) + sum(asked) <= _PAGE_LETTERS:
            sheet.fit_to_pages(1, 0)
            return
        sheet.repeat_columns(0)
        sheet.print_across()
        sheet.set_print_scale(_SCALE)
        sheet.set_v_pagebreaks(_page_breaks(shown, asked))

    def _sheet(self, name: str, *, landscape: bool = False) -> Any:
        sheet = self._book.add_worksheet(name)
        sheet.set_paper(A4)
        sheet.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.6)
        sheet.set_header(f"&L{MARKING}&R&A")
        sheet.set_footer("&RPage &P of &N")
        if landscape:
            sheet.set_landscape()
        return sheet


def _width(column: Column) -> int:
    return _KEY_WIDTH if column.name in _KEYS else _WIDTHS.get(column.name, column.width)


def _page_breaks(shown: Sequence[int], asked: Sequence[int]) -> list[int]:
    """Before which columns a printed page begins: the first column stands on every page, what is asked on its own.

    >>> _page_breaks([13, 100, 80, 50], [20, 20])
    [2, 4]
    """
    breaks, used = [], 0
    for at, width in enumerate(shown):
        if used + width > _PAGE_LETTERS:
            breaks.append(at)
            used = shown[0]
        used += width
    return [*breaks, len(shown)] if asked else breaks


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
