"""The strict reader of text: slow, exact, the reference for the fast one and what it falls back on.

Python's own CSV reader, row by row: it alone tells exactly which row has a field too many, where a quote was never
closed and where the bytes are not UTF-8. Faster readers fill, shift or cut such rows without a word.

The first error is always let go before ours is raised: a decoder's error holds the bytes it failed on.
"""

import csv
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Final, TextIO

from ageingwell.errors import SourceError
from ageingwell.reading.encodings import Text
from ageingwell.reading.limits import MB, beyond
from ageingwell.reading.options import ReaderOptions
from ageingwell.reading.streams import BLOCK
from ageingwell.reading.tabular import Chunk, chunk_of, named, without_blank_end

SEPARATORS: Final = ",;\t|"
# A heading may hold line breaks; one that goes on and on is a quotation mark that was never closed.
MOST_HEADER_LINES: Final = 10


@dataclass(frozen=True)
class Header:
    """What parts the columns, their names, and how many lines stand above the first row."""

    separator: str
    names: list[str]
    n_lines: int


def strict_chunks(text: Text, *, options: ReaderOptions, rows_at_once: int) -> Iterator[Chunk]:
    """Yield the rows of a text in chunks; raises `SourceError` for every fault of the text as a whole."""
    header = read_header(text, options)
    n_rows = 0
    last = header.names
    with text.lines() as file:
        rows = _rows_below(file, header)
        for batch in without_blank_end(_batches(rows, rows_at_once, text, header)):
            last = batch[-1]
            yield chunk_of(text.name, n_rows + 1, header.names, batch)
            n_rows += len(batch)
    stop_on_cut_row(text, header, last, n_rows)
    if n_rows == 0:
        yield chunk_of(text.name, 1, header.names, [])


def stop_on_cut_row(text: Text, header: Header, last: list[str], n_rows: int) -> None:
    """Stop where the last row has too few fields and no line break behind it."""
    if len(last) < len(header.names) and not _ends_with_line_break(text):
        raise SourceError(f"{text.name}, row {n_rows}: the file ends within a row", "send it again; it was cut off")


def read_header(text: Text, options: ReaderOptions) -> Header:
    """Read the header of a text, or of one without header its first row."""
    _stop_on_long_line(text, options)
    line = _header_line(text, options)
    if "\0" in line:
        raise not_utf8(text)
    if not line.strip():
        raise SourceError(f"{text.name}: the file is empty", "send it again, with its header line")
    separator = options.separator or max(SEPARATORS, key=line.count)
    first, n_lines = _first_row(text, options, separator)
    if len(first) > options.limits.columns:
        raise beyond(text.name, f"has {len(first):,} columns", "columns", options.limits)
    if not options.has_header:
        return Header(separator, _names_without_header(text, options, first), options.skip_lines)
    names = named(first)
    if len(set(names)) < len(names):
        raise SourceError(f"{text.name}: two columns have the same name", "give each column a name of its own")
    return Header(separator, names, options.skip_lines + n_lines)


def _stop_on_long_line(text: Text, options: ReaderOptions) -> None:
    """Stop where the first lines do not end: a file without a line break would be read whole to find one."""
    most, left = options.limits.row_mb * MB, options.skip_lines + 1
    at = 0
    with text.open() as stream:
        while left and (block := stream.read(BLOCK)):
            breaks = block.count(b"\n") or block.count(b"\r")
            left, at = max(0, left - breaks), 0 if breaks else at + len(block)
            if at > most:
                raise beyond(text.name, "a row, or a line that never ends, takes more MB", "row_mb", options.limits)


def _header_line(text: Text, options: ReaderOptions) -> str:
    line = None
    with text.lines() as file, suppress(UnicodeDecodeError):
        _skip(file, options.skip_lines)
        line = file.readline()
    if line is None:
        raise not_utf8(text)
    return line


def _first_row(text: Text, options: ReaderOptions, separator: str) -> tuple[list[str], int]:
    with text.lines() as file:
        _skip(file, options.skip_lines)
        reader = csv.reader(islice(file, MOST_HEADER_LINES), delimiter=separator, strict=True)
        found = fault = None
        try:
            found = next(reader, [])
        except UnicodeDecodeError:
            fault = "letters"
        except csv.Error as error:
            fault = str(error)
    if fault == "letters":
        raise not_utf8(text)
    if found is None:
        raise _not_csv(text, options.skip_lines + 1, fault)
    return found, reader.line_num


def _names_without_header(text: Text, options: ReaderOptions, first: list[str]) -> list[str]:
    names = [*options.names] or [f"column_{position}" for position in range(1, len(first) + 1)]
    if len(first) == len(names) + 1 and not first[-1]:
        # Every line of such a file ends with a separator, as those of the national opt-out service do.
        names.append(f"column_{len(first)}")
    if len(first) != len(names):
        raise SourceError(
            f"{text.name}: the first row has {len(first)} fields, and {len(names)} names were given",
            "name each column of the file",
        )
    return names


def _skip(file: TextIO, n_lines: int) -> None:
    for _ in range(n_lines):
        file.readline()


def _rows_below(file: TextIO, header: Header) -> Iterator[list[str]]:
    _skip(file, header.n_lines)
    return csv.reader(file, delimiter=header.separator, strict=True)


def _batches(rows: Iterator[list[str]], n: int, text: Text, header: Header) -> Iterator[list[list[str]]]:
    while batch := next_rows(rows, n, text, header):
        yield batch


def next_rows(rows: Iterable[list[str]], n: int, text: Text, header: Header) -> list[list[str]]:
    """Read the next `n` rows; what is not CSV, or not UTF-8, is a `SourceError` with its line in the file."""
    found = fault = None
    try:
        found = list(islice(rows, n))
    except UnicodeDecodeError:
        fault = "letters"
    except csv.Error as error:
        fault = str(error)
    if fault == "letters":
        raise not_utf8(text)
    if found is None:
        raise _not_csv(text, _line_of_broken_row(text, header), fault)
    return found


def _not_csv(text: Text, line: int, fault: str | None) -> SourceError:
    return SourceError(
        f"{text.name}: the row that starts in line {line} is not CSV ({fault})",
        "look there for a quotation mark that is never closed, or send the file again",
    )


def _line_of_broken_row(text: Text, header: Header) -> int:
    """Where the row that is not CSV starts: the reader itself only knows where it gave up."""
    with text.lines() as file:
        _skip(file, header.n_lines)
        reader = csv.reader(file, delimiter=header.separator, strict=True)
        starts_in = 1
        with suppress(csv.Error, UnicodeDecodeError):
            for _ in reader:
                starts_in = reader.line_num + 1
    return header.n_lines + starts_in


def _ends_with_line_break(text: Text) -> bool:
    last = b""
    with text.open() as file:
        while block := file.read(1 << 20):
            last = block[-1:]
    return last in (b"\n", b"\r")


def not_utf8(text: Text) -> SourceError:
    """The error that names the line that is not UTF-8."""
    return SourceError(
        f"{text.name}, line {_line_of_other_text(text)}: not UTF-8 text (perhaps Windows-1252 or UTF-16)",
        'declare its encoding (encoding = "windows-1252" under reader), or save it as UTF-8 and send it again',
    )


def _line_of_other_text(text: Text) -> int:
    with text.open() as file:
        for number, line in enumerate(file, start=1):
            with suppress(UnicodeDecodeError):
                line.decode("utf-8")
                continue
            return number
    return 1
