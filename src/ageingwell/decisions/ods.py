"""Reading .ods: values as they were last worked out, and what stands behind them (OpenDocument 1.3, part 3)."""

import re
from dataclasses import dataclass, field
from typing import Final

from ageingwell.decisions.packages import DamagedError, Element, Package, TooLargeError
from ageingwell.decisions.sheets import MOST_CELLS, Area, Place, Sheet, number_text, tidy

_LAST_ROW: Final = 1_048_576
_LAST_COLUMN: Final = 16_384
_CELLS: Final = ("table-cell", "covered-table-cell")
# What hangs on a cell and is no part of its text.
_BESIDE: Final = ("annotation", "shapes", "frame", "custom-shape", "rect", "text-box")
_MIDNIGHT: Final = re.compile(r"T00:00(:00([.,]0+)?)?$")


def read_ods(package: Package) -> list[Sheet]:
    """Every sheet, in order. Raises `DamagedError` or `TooLargeError`."""
    if "content.xml" not in package:
        raise DamagedError
    tables: list[_Table] = []
    n_cells = 0
    for element in package.elements("content.xml", whole=("table-row", "shapes"), begun=("table",)):
        if element.name == "table":
            tables.append(_Table(element.attributes.get("name", "")))
        elif tables and element.name == "shapes":
            tables[-1].n_text_boxes += _n_boxes(element)
        elif tables:
            before = tables[-1].size
            tables[-1].add(element)
            n_cells += tables[-1].size - before
            if n_cells > MOST_CELLS:
                raise TooLargeError
    return [table.sheet() for table in tables]


def is_locked(package: Package) -> bool:
    """Whether the file is locked with a password."""
    return any(True for _ in package.elements("META-INF/manifest.xml", whole=("encryption-data",)))


@dataclass
class _Table:
    """A sheet while its rows are read."""

    name: str
    row: int = 1
    cells: dict[Place, str] = field(default_factory=dict)
    without_value: set[Place] = field(default_factory=set)
    merged: list[Area] = field(default_factory=list)
    n_comments: int = 0
    n_text_boxes: int = 0

    @property
    def size(self) -> int:
        return len(self.cells) + len(self.without_value) + len(self.merged)

    def add(self, row: Element) -> None:
        """Add a row as often as it is repeated; blank ones are passed over at once."""
        again = _times(row, "number-rows-repeated", _LAST_ROW)
        column, told = 1, list[tuple[int, int, Element]]()
        for cell in row.children:
            if cell.name not in _CELLS:
                continue
            times = _times(cell, "number-columns-repeated", _LAST_COLUMN)
            told.append((column, times, cell))
            column += times
        filled = [one for one in told if _holds_something(one[2])]
        if sum(times for _, times, _ in filled) * again > MOST_CELLS:
            raise TooLargeError
        for number in range(self.row, self.row + (again if filled else 0)):
            for first, times, cell in filled:
                for at in range(first, first + times):
                    self._put((number, at), cell)
        self.row += again

    def _put(self, place: Place, cell: Element) -> None:
        text = _value(cell)
        if text:
            self.cells[place] = text
        elif "formula" in cell.attributes and "value-type" not in cell.attributes:
            self.without_value.add(place)
        down = _times(cell, "number-rows-spanned", _LAST_ROW)
        across = _times(cell, "number-columns-spanned", _LAST_COLUMN)
        if down > 1 or across > 1:
            self.merged.append(Area(place[0], place[0] + down - 1, place[1], place[1] + across - 1))
        self.n_comments += sum(1 for _ in cell.within("annotation"))
        self.n_text_boxes += _n_boxes(cell)

    def sheet(self) -> Sheet:
        return Sheet(
            self.name,
            self.cells,
            tuple(self.merged),
            frozenset(self.without_value),
            n_comments=self.n_comments,
            n_text_boxes=self.n_text_boxes,
        )


def _times(element: Element, name: str, most: int) -> int:
    text = element.attributes.get(name, "1")
    return max(1, min(int(text), most)) if text.isdigit() and len(text) < 10 else 1


def _holds_something(cell: Element) -> bool:
    spans = ("number-rows-spanned", "number-columns-spanned", "formula", "value-type")
    return bool(cell.children) or any(name in cell.attributes for name in spans)


def _n_boxes(element: Element) -> int:
    boxes = [one for name in ("text-box", "custom-shape", "rect") for one in element.within(name)]
    return sum(any(tidy(_text(line)) for line in box.within("p")) for box in boxes)


def _value(cell: Element) -> str:
    told = cell.attributes
    match told.get("value-type"):
        case "float" | "percentage" | "currency":
            return number_text(told.get("value", ""))
        case "date":
            return tidy(_MIDNIGHT.sub("", told.get("date-value", "")).replace("T", " "))
        case "boolean":
            return {"true": "yes", "false": "no"}.get(told.get("boolean-value", ""), "")
        case "time":
            return tidy(told.get("time-value", ""))
    if "string-value" in told:
        return tidy(told["string-value"])
    return tidy("\n".join(_text(line) for line in cell.children if line.name == "p"))


def _text(element: Element) -> str:
    """The words of a paragraph with those of its parts, runs of spaces and breaks as one space."""
    if element.name in ("s", "tab", "line-break"):
        return " "
    inner = (("" if one.name in _BESIDE else _text(one)) + one.tail for one in element.children)
    return element.text + "".join(inner)
