"""The parts of a workbook's file (a zip of XML), read within bounds: what is past them is refused, never unpacked."""

import io
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

MOST_BYTES: Final = 100_000_000  # of all parts unpacked; a list of thousands of rows takes a few million
_MOST_ELEMENTS: Final = 300_000  # of one row; Excel's widest row is 16,384 cells
_CHUNK: Final = 1 << 16


class TooLargeError(ValueError):
    """More than any list holds."""


class DamagedError(ValueError):
    """No workbook, or one that cannot be read."""


@dataclass
class Element:
    """One XML element: its local name, attributes by local name, children, and the text in it, without theirs."""

    name: str
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list)
    text: str = ""
    tail: str = ""

    def child(self, name: str) -> "Element | None":
        """The first child of a name."""
        return next((one for one in self.children if one.name == name), None)

    def within(self, name: str) -> Iterator["Element"]:
        """Every element of a name below this one, in order."""
        for one in self.children:
            if one.name == name:
                yield one
            yield from one.within(name)


class Package:
    """A zip file in memory; parts are found whatever the case of their names."""

    def __init__(self, content: bytes) -> None:
        with _damage_told():
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        self._names = {name.casefold(): name for name in self._zip.namelist()}
        self._left = MOST_BYTES

    def __contains__(self, part: str) -> bool:
        return part.casefold() in self._names

    def elements(self, part: str, *, whole: Collection[str], begun: Collection[str] = ()) -> Iterator[Element]:
        """The elements of a part: `whole` with all that is in them, and of `begun` the start alone.

        What holds them is never kept, so that a part costs as much memory as its largest element. A part with a
        document type is refused: no workbook has one, and entities are declared there.
        """
        if part not in self:
            return
        with _damage_told(), self._zip.open(self._names[part.casefold()]) as file:
            builder = _Builder(whole, begun)
            while chunk := file.read(_CHUNK):
                self._left -= len(chunk)
                if self._left < 0:
                    raise TooLargeError
                builder.feed(chunk)
                yield from builder.taken()
            builder.feed(b"", is_last=True)
            yield from builder.taken()


@contextmanager
def _damage_told() -> Iterator[None]:
    """Every fault of a damaged or locked zip or of broken XML as one error, without a value."""
    try:
        yield
    except (TooLargeError, DamagedError):
        raise
    # ValueError: a place before the start of the file. RuntimeError: a part locked with a password;
    # NotImplementedError: a compression Python does not know.
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, OSError, RuntimeError, ValueError) as fault:
        raise DamagedError from fault


class _Builder:
    """Makes elements of what expat tells."""

    def __init__(self, whole: Collection[str], begun: Collection[str]) -> None:
        self._whole, self._begun = whole, begun
        self._open: list[Element] = []
        self._done: list[Element] = []
        self._n_elements = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def feed(self, chunk: bytes, *, is_last: bool = False) -> None:
        self._parser.Parse(chunk, is_last)

    def taken(self) -> list[Element]:
        done, self._done = self._done, []
        return done

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _local(tag)
        if not self._open and name not in self._whole:
            if name in self._begun:
                self._done.append(Element(name, _locals(attributes)))
            return
        self._n_elements += 1
        if self._n_elements > _MOST_ELEMENTS:
            raise TooLargeError
        element = Element(name, _locals(attributes))
        if self._open:
            self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, tag: str) -> None:
        if not self._open:
            return
        element = self._open.pop()
        if not self._open:
            self._done.append(element)
            self._n_elements = 0

    def _text(self, text: str) -> None:
        if not self._open:
            return
        inner = self._open[-1]
        if inner.children:
            inner.children[-1].tail += text
        else:
            inner.text += text


def _refuse(*_: object) -> None:
    raise DamagedError


def _local(tag: str) -> str:
    return tag.rpartition(" ")[2]


def _locals(attributes: dict[str, str]) -> dict[str, str]:
    return {_local(name): value for name, value in attributes.items()}
