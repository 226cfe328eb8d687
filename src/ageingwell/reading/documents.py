"""JSON: each object a row, as JSON text in the column `document`, with its FHIR `resourceType` beside it.

Read object by object, so that a bundle of any size needs the memory of one. Kinds: an array of objects, an object that
holds one array, a FHIR Bundle, objects one after the other (NDJSON), one object alone.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from json.decoder import WHITESPACE, JSONDecoder  # type: ignore[attr-defined]
from typing import Any, Final, NoReturn, TextIO

import polars as pl

from ageingwell.errors import SourceError
from ageingwell.reading.encodings import Text
from ageingwell.reading.limits import (
    MB,
    USUAL,
    Limits,
    LongNumberError,
    beyond,
    json_within,
    stop_on_depth,
    whole_within,
)
from ageingwell.reading.tabular import Chunk

COLUMNS: Final = ("document", "resourceType")
_BLOCK: Final = 1 << 18


class _CutError(Exception):
    """The text is no JSON; `args` is the place alone, never the text."""


def _no_number(_: str) -> NoReturn:
    raise ValueError


@dataclass
class _Feed:
    """A text that is read as far as it is needed."""

    file: TextIO
    name: str
    limits: Limits
    text: str = ""
    at: int = 0
    is_whole: bool = False

    def __post_init__(self) -> None:
        self._decoder = JSONDecoder(parse_constant=_no_number, parse_int=whole_within(self.limits))

    def more(self) -> bool:
        """Read on; False at the end of the text."""
        sent = self.file.read(max(_BLOCK, len(self.text) - self.at))
        self.text, self.at = self.text[self.at :] + sent, 0
        self.is_whole = not sent
        return bool(sent)

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            self.at = WHITESPACE.match(self.text, self.at).end()
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""

    def take(self, wanted: str) -> None:
        """Step over one character."""
        if self.peek() != wanted:
            raise _CutError
        self.at += 1

    def value(self) -> tuple[Any, str]:
        """The next value, and its text as it stands."""
        self.peek()
        while True:
            try:
                found, end = self._decoder.raw_decode(self.text, self.at)
            except ValueError:
                end = -1
            except RecursionError:
                raise beyond(self.name, "nests lists too deep", "depth", self.limits) from None
            except LongNumberError as fault:
                raise beyond(self.name, f"holds a number of {fault.n_digits:,} digits", "digits", self.limits) from None
            # A number at the very end of what was read may go on.
            if end >= 0 and (end < len(self.text) or self.is_whole):
                text, self.at = self.text[self.at : end], end
                stop_on_depth(text, self.name, self.limits)
                return found, text
            # A bracket that was never closed is as long as the file.
            if len(self.text) - self.at > self.limits.row_mb * MB:
                raise beyond(
                    self.name, "one object, or a bracket that is never closed, takes more MB", "row_mb", self.limits
                )
            if not self.more():
                if end >= 0:
                    continue
                raise _CutError


def json_chunks(text: Text, *, rows_at_once: int, limits: Limits = USUAL) -> Iterator[Chunk]:
    """Yield the objects of a JSON text in chunks of the columns `document` and `resourceType`.

    An entry of a Bundle without a resource keeps its place as a ragged row. Raises `SourceError` for a text that is not
    whole, and for one that is none of these kinds.
    """
    objects = _objects(text, limits)
    n_rows = 0
    while found := list(islice(objects, rows_at_once)):
        ragged = tuple(n_rows + position for position, (document, _) in enumerate(found, 1) if document is None)
        yield Chunk(text.name, n_rows + 1, _frame(found), COLUMNS, ragged)
        n_rows += len(found)
    if n_rows == 0:
        yield Chunk(text.name, 1, _frame([]), COLUMNS)


def first_objects(text: Text, n: int, limits: Limits = USUAL) -> list[dict[str, Any]]:
    """The first objects of a JSON text."""
    return [
        json_within(document, text.name, limits)
        for document, _ in islice(_objects(text, limits), n)
        if document is not None
    ]


def _frame(rows: list[tuple[str | None, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")


def _objects(text: Text, limits: Limits) -> Iterator[tuple[str | None, str | None]]:
    n = 0
    fault = ""
    found: Iterator[tuple[Any, str]] = iter(())
    with text.lines() as file:
        feed = _Feed(file, text.name, limits)
        while not fault:
            row = None
            try:
                if n == 0:
                    found = _values(text, feed)
                row = next(found, None)
            except _CutError:
                fault = "not whole, or not JSON"
            except UnicodeDecodeError:
                fault = "not UTF-8 text"
            if row is None:
                break
            n += 1
            if not isinstance(row[0], dict) and row[0] is not None:
                fault = "not an object"
                break
            yield (None, None) if row[0] is None else (row[1], _kind(row[0]))
    if fault:
        where = f"{text.name}, after object {n}" if fault != "not an object" else f"{text.name}, row {n}"
        raise SourceError(f"{where}: {fault}", "send it again; it may have been cut off")


def _kind(found: dict[str, Any]) -> str | None:
    kind = found.get("resourceType")
    return kind if isinstance(kind, str) else None


def _values(text: Text, feed: _Feed) -> Iterator[tuple[Any, str]]:
    """The values of a text: of its array, or one after the other."""
    first = feed.peek()
    if first == "\ufeff":
        feed.at += 1
        first = feed.peek()
    if not first:
        raise SourceError(f"{text.name}: the file is empty", "send it again")
    if first == "[":
        yield from _array(feed)
        if feed.peek():
            raise _CutError
        return
    if first != "{":
        raise _CutError
    array, is_alone = _array_within(text, feed.limits)
    if not is_alone or array is None:
        while feed.peek():
            yield feed.value()
        return
    yield from _within(feed, array)


def _array(feed: _Feed) -> Iterator[tuple[Any, str]]:
    feed.take("[")
    if feed.peek() == "]":
        feed.take("]")
        return
    while True:
        yield feed.value()
        if feed.peek() == "]":
            feed.take("]")
            return
        feed.take(",")


def _array_within(text: Text, limits: Limits) -> tuple[str | None, bool]:
    """Which member of the first object is the array of its rows, and whether nothing follows that object."""
    arrays: list[str] = []
    kind = None
    with text.lines() as file:
        feed = _Feed(file, text.name, limits)
        for name, first in _members(feed):
            if first == "[":
                of_objects = False
                for value, _ in _array(feed):
                    of_objects = of_objects or isinstance(value, dict)
                arrays += [name] if of_objects else []
                continue
            value, _ = feed.value()
            kind = value if name == "resourceType" else kind
        is_alone = not feed.peek()
    if kind is not None:
        # A FHIR resource is a row of its own, whatever lists it holds; a Bundle holds rows.
        return ("entry" if kind == "Bundle" else None), is_alone
    if is_alone and len(arrays) > 1:
        raise SourceError(f"{text.name}: holds several lists of objects", "send each as a file of its own")
    return (arrays[0] if arrays else None), is_alone


def _members(feed: _Feed) -> Iterator[tuple[str, str]]:
    """The names of the members of an object; each value is to be read by the caller before the next."""
    feed.take("{")
    if feed.peek() == "}":
        feed.take("}")
        return
    while True:
        name, _ = feed.value()
        if not isinstance(name, str):
            raise _CutError
        feed.take(":")
        yield name, feed.peek()
        if feed.peek() == "}":
            feed.take("}")
            return
        feed.take(",")


def _within(feed: _Feed, array: str) -> Iterator[tuple[Any, str]]:
    is_bundle = False
    for name, first in _members(feed):
        if name != array or first != "[":
            value, _ = feed.value()
            is_bundle = is_bundle or (name == "resourceType" and value == "Bundle")
            continue
        for value, text in _array(feed):
            yield _resource(value, text) if array == "entry" else (value, text)


def _resource(entry: Any, text: str) -> tuple[Any, str]:
    """The resource of an entry of a Bundle; None for one that holds none, as a deletion does."""
    if not isinstance(entry, dict):
        return entry, text
    resource = entry.get("resource")
    return resource, json.dumps(resource, ensure_ascii=False)
