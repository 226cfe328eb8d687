"""What a reader has read after thirty seconds: the first 120 words of a page or a sheet, as it opens."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import openpyxl

WORDS: Final = 120  # four a second
# Not read as text: what only paper or a screen reader has, controls, drawings, and what is folded away.
UNREAD_TAGS: Final = ("head", "script", "style", "select", "button", "svg")
UNREAD_CLASSES: Final = ("skip", "unseen", "on-paper", "blank", "finder")
EMPTY: Final = ("meta", "link", "br", "hr", "img", "input", "rect", "path", "line", "circle", "use")


class _Reader(HTMLParser):
    """Collects the words from a place on: an element by its id, or the `row:n`-th row of the list."""

    def __init__(self, start: str) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._start = start
        self._reads = not start
        self._rows = 0
        self._folded = 0
        self._stack: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "data-card" in given:
            self._rows += 1
        self._reads = self._reads or self._start in (given.get("id"), f"row:{self._rows}" if self._rows else None)
        classes = (given.get("class") or "").split()
        is_folded = self._inside_details() and tag != "summary"
        hidden = tag in UNREAD_TAGS or bool(set(classes) & set(UNREAD_CLASSES)) or is_folded
        if tag not in EMPTY:
            self._stack.append(hidden)
            self._tags = [*getattr(self, "_tags", []), (tag, "open" in given)]

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY and self._stack:
            self._stack.pop()
            self._tags = self._tags[:-1]

    def handle_data(self, data: str) -> None:
        if self._reads and not any(self._stack):
            self.words += data.split()

    def _inside_details(self) -> bool:
        tags = getattr(self, "_tags", [])
        return bool(tags) and tags[-1] == ("details", False)


def words_of_page(path: Path, start: str = "") -> list[str]:
    """Every word of a page in the order it is read, from an element on (`person-3`, or `row:2` of the list)."""
    reader = _Reader(start)
    reader.feed(path.read_text(encoding="utf-8"))
    return reader.words


def words_of_sheet(path: Path, sheet: str = "List", *, row: int | None = None) -> list[str]:
    """Every word of a sheet row by row, hidden columns left out; with `row`, its headings and that row alone."""
    page = openpyxl.load_workbook(path)[sheet]
    shown = [
        column
        for column in range(1, page.max_column + 1)
        if not page.column_dimensions[openpyxl.utils.get_column_letter(column)].hidden
    ]
    rows = range(1, page.max_row + 1) if row is None else (1, row)
    cells = (page.cell(number, column).value for number in rows for column in shown)
    return [word for cell in cells if cell is not None for word in str(cell).split()]


def read_in_thirty_seconds(words: list[str]) -> str:
    """What has been read by then, in one line and in small letters."""
    return " ".join(words[:WORDS]).casefold()
