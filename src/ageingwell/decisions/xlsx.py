"""Reading .xlsx: values as they were last worked out, and what stands behind them (ECMA-376, part 1, chapter 18)."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from ageingwell.decisions.packages import DamagedError, Element, Package, TooLargeError
from ageingwell.decisions.sheets import MOST_CELLS, Area, Place, Sheet, moment_text, number_text, tidy

# Formats of days that are built in (18.8.30), those of East Asian languages among them.
_DAY_FORMATS: Final = {14, 15, 16, 17, 22, *range(27, 37), *range(50, 59)}
_NOT_THE_FORMAT: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_CELL: Final = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_YES: Final = ("1", "true")


def read_xlsx(package: Package) -> list[Sheet]:
    """Every sheet of cells, in order. Raises `DamagedError` or `TooLargeError`."""
    book = next((target for kind, _, target in _related(package, "") if kind == "officeDocument"), "xl/workbook.xml")
    if book not in package:
        raise DamagedError
    parts = _related(package, book)
    shared = next((_shared(package, target) for kind, _, target in parts if kind == "sharedStrings"), [])
    styles = next((_day_styles(package, target) for kind, _, target in parts if kind == "styles"), frozenset[int]())
    target_of = {identity: target for kind, identity, target in parts if kind == "worksheet"}
    found, from_1904 = _sheets_of(package, book)
    reader = _Reader(package, shared, styles, from_1904)
    return [reader.sheet(name, target_of[identity]) for name, identity in found if identity in target_of]


def _sheets_of(package: Package, book: str) -> tuple[list[tuple[str, str]], bool]:
    found, from_1904 = [], False
    for element in package.elements(book, whole=("sheet", "workbookPr")):
        if element.name == "sheet":
            found.append((element.attributes.get("name", ""), element.attributes.get("id", "")))
        else:
            from_1904 = element.attributes.get("date1904", "") in _YES
    return found, from_1904


def _related(package: Package, part: str) -> list[tuple[str, str, str]]:
    """What a part points to: kind, identity, and the part."""
    folder, name = posixpath.split(part)
    told = package.elements(posixpath.join(folder, "_rels", f"{name}.rels"), whole=("Relationship",))
    return [
        (
            one.attributes.get("Type", "").rpartition("/")[2],
            one.attributes.get("Id", ""),
            posixpath.normpath(posixpath.join("/", folder, one.attributes.get("Target", ""))).lstrip("/"),
        )
        for one in told
    ]


def _shared(package: Package, part: str) -> list[str]:
    return [_rich_text(one) for one in package.elements(part, whole=("si",))]


def _rich_text(element: Element) -> str:
    """The text of a string, in runs or not; how it is pronounced (`rPh`) left out."""
    runs = [one for one in element.children if one.name in ("t", "r")]
    texts = [one if one.name == "t" else one.child("t") for one in runs]
    return _ESCAPED.sub(_letter, "".join(one.text for one in texts if one is not None))


def _letter(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def _day_styles(package: Package, part: str) -> frozenset[int]:
    """The numbers of the cell styles that show a day."""
    own: dict[int, bool] = {}
    styles: list[int] = []
    for element in package.elements(part, whole=("numFmt", "cellXfs")):
        if element.name == "numFmt":
            own[_whole(element.attributes.get("numFmtId"))] = _shows_a_day(element.attributes.get("formatCode", ""))
        else:
            styles = [_whole(one.attributes.get("numFmtId")) for one in element.children if one.name == "xf"]
    return frozenset(at for at, number in enumerate(styles) if own.get(number, number in _DAY_FORMATS))


def _shows_a_day(code: str) -> bool:
    """Whether a number format shows a day.

    >>> [_shows_a_day(code) for code in ("[$-809]d mmmm yyyy;@", "0.00", "[Red]0", "h:mm", "General", '0 "days"')]
    [True, False, False, False, False, False]
    """
    letters = _NOT_THE_FORMAT.sub("", code).casefold()
    return letters != "general" and any(letter in letters for letter in "dy")


def _whole(text: str | None) -> int:
    return int(text) if text is not None and text.isdigit() else 0


@dataclass
class _Reader:
    """Reads one sheet after another; `n_cells` counts what all of them hold."""

    package: Package
    shared: list[str]
    day_styles: frozenset[int]
    from_1904: bool
    n_cells: int = 0

    def sheet(self, name: str, part: str) -> Sheet:
        cells: dict[Place, str] = {}
        without_value: set[Place] = set()
        merged: list[Area] = []
        number = 0
        for element in self.package.elements(part, whole=("row", "mergeCell")):
            if element.name == "mergeCell":
                merged += _area(element.attributes.get("ref", ""))
                continue
            number = _whole(element.attributes.get("r")) or number + 1
            for column, cell in _columns(element):
                if text := self._text(cell):
                    cells[number, column] = text
                elif cell.child("f") is not None and not _is_worked_out(cell):
                    without_value.add((number, column))
            if self.n_cells + len(cells) + len(without_value) + len(merged) > MOST_CELLS:
                raise TooLargeError
        self.n_cells += len(cells)
        comments, boxes = self._beside(part)
        return Sheet(name, cells, tuple(merged), frozenset(without_value), self.from_1904, comments, boxes)

    def _text(self, cell: Element) -> str:
        kind, value = cell.attributes.get("t", "n"), cell.child("v")
        if kind == "inlineStr":
            inline = cell.child("is")
            return "" if inline is None else tidy(_rich_text(inline))
        text = "" if value is None else value.text
        match kind:
            case "s":
                return tidy(self.shared[int(text)]) if text.isdigit() and int(text) < len(self.shared) else ""
            case "b":
                return {"1": "yes", "0": "no"}.get(text, text)
            case "str":
                return tidy(_ESCAPED.sub(_letter, text))
            case "n" if _whole(cell.attributes.get("s")) in self.day_styles:
                return self._day(text)
            case "n":
                return number_text(text)
        return tidy(text)  # a day in ISO 8601, or the name of an error

    def _day(self, text: str) -> str:
        # Excel takes 1900 for a leap year: from 1 March 1900 its days are counted from 30 December 1899.
        first = date(1904, 1, 1) if self.from_1904 else date(1899, 12, 30)
        try:
            since = timedelta(seconds=round(float(text) * 86_400))
            return moment_text(datetime(first.year, first.month, first.day) + since)
        except (ValueError, OverflowError):
            return tidy(text)

    def _beside(self, part: str) -> tuple[int, int]:
        """How many comments hang on the cells of a sheet, and how many boxes with words lie over them."""
        told: dict[str, int] = {}
        boxes = 0
        for kind, _, target in _related(self.package, part):
            # Excel writes a thread a second time, as a comment for older versions.
            if kind in ("comments", "threadedComment"):
                found = self.package.elements(target, whole=("comment", "threadedComment"))
                told[kind] = told.get(kind, 0) + sum(1 for _ in found)
            elif kind == "drawing":
                shapes = self.package.elements(target, whole=("sp",))
                boxes += sum(any(tidy(text.text) for text in shape.within("t")) for shape in shapes)
        return max(told.values(), default=0), boxes


def _is_worked_out(cell: Element) -> bool:
    """Whether a blank formula is blank by its own result, which is a text without letters."""
    return cell.attributes.get("t") == "str" and cell.child("v") is not None


def _columns(row: Element) -> Iterator[tuple[int, Element]]:
    column = 0
    for cell in row.children:
        if cell.name != "c":
            continue
        found = _CELL.fullmatch(cell.attributes.get("r", ""))
        column = _column(found[1]) if found else column + 1
        yield column, cell


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


def _area(reference: str) -> list[Area]:
    """The cells of a reference.

    >>> _area("B2:C6"), _area("what")
    ([Area(top=2, bottom=6, left=2, right=3)], [])
    """
    ends = [_CELL.fullmatch(end) for end in reference.replace("$", "").split(":")]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return []
    first, last = ends[0], ends[1]
    return [Area(int(first[2]), int(last[2]), _column(first[1]), _column(last[1]))]
