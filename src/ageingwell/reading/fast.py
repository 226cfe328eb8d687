"""Text in chunks at the speed of a modern reader, with what the strict reader says wherever there is doubt.

A file is cut into blocks of whole lines. A block that is proven to come out the same is read fast; any other is read
again in small blocks, and what is still in doubt goes row by row through the strict reader, which then also says where
the next row starts. A text that cannot be read at all is told by the strict reader from its start.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO, Final, NoReturn

import polars as pl

from ageingwell.errors import LimitError, SourceError
from ageingwell.reading.encodings import Text
from ageingwell.reading.exact import Shape, exact_frame
from ageingwell.reading.limits import MB, beyond
from ageingwell.reading.options import ReaderOptions
from ageingwell.reading.strict import Header, read_header, stop_on_cut_row, strict_chunks
from ageingwell.reading.tabular import Chunk, chunk_of

BLOCK_BYTES: Final = 1 << 22
# What is read again after a doubt: small enough that one odd row costs little, large enough to be worth a call.
SMALL_BYTES: Final = 1 << 16


@dataclass
class _Piece:
    """Rows of one block: the kept columns of each, and what the strict reader found odd about them."""

    rows: pl.DataFrame
    ragged: tuple[int, ...] = ()
    n_blank_at_end: int = 0
    last_width: int = -1


def text_chunks(
    text: Text, *, options: ReaderOptions, wanted: Callable[[str], bool], rows_at_once: int
) -> Iterator[Chunk]:
    """Yield the rows of a text in chunks, exactly as `strict_chunks` has them, with the wanted columns alone."""
    header = read_header(text, options)
    shape = Shape(header.separator, len(header.names), kept_places(header.names, wanted))
    names = [header.names[place] for place in shape.kept]
    gathered = _Gathered(text.name, tuple(header.names), rows_at_once)
    n_blank, last_width = 0, shape.width
    with text.open() as stream:
        for piece in _Blocks(stream, text, header, shape, options).pieces():
            rows, n_rows = piece.rows.rename(dict(zip(piece.rows.columns, names))), piece.rows.height
            n_said = n_rows - piece.n_blank_at_end
            if not n_said:
                n_blank += n_rows
                continue
            gathered.add_blank(n_blank, names)
            gathered.add(rows.head(n_said), [place for place in piece.ragged if place < n_said])
            n_blank, last_width = piece.n_blank_at_end, piece.last_width
            yield from gathered.full()
    if 0 <= last_width < shape.width:
        stop_on_cut_row(text, header, [""] * last_width, gathered.n_rows)
    yield from gathered.rest(names)


def kept_places(names: list[str], wanted: Callable[[str], bool]) -> list[int]:
    """The places of the wanted columns; the first column where none is, so that its rows are still counted."""
    return [place for place, name in enumerate(names) if wanted(name)] or [0]


@dataclass
class _Gathered:
    """Rows until there are enough for a chunk."""

    file: str
    sent: tuple[str, ...]
    rows_at_once: int
    n_rows: int = 0
    n_given: int = 0
    frames: list[pl.DataFrame] = field(default_factory=list)
    ragged: list[int] = field(default_factory=list)

    def add(self, rows: pl.DataFrame, ragged: list[int]) -> None:
        self.ragged += [self.n_rows + place + 1 for place in ragged]
        self.frames.append(rows)
        self.n_rows += rows.height

    def add_blank(self, n: int, names: list[str]) -> None:
        """Empty lines between rows: they stand for rows that were lost."""
        if n:
            self.add(pl.DataFrame({name: [""] * n for name in names}), list(range(n)))

    def full(self) -> Iterator[Chunk]:
        while self.n_rows - self.n_given >= self.rows_at_once:
            yield self._given(self.rows_at_once)

    def rest(self, names: list[str]) -> Iterator[Chunk]:
        if self.n_rows == 0:
            self.frames.append(pl.DataFrame(schema=dict.fromkeys(names, pl.String)))
        if self.n_rows == 0 or self.n_rows > self.n_given:
            yield self._given(self.n_rows - self.n_given)

    def _given(self, n: int) -> Chunk:
        rows = pl.concat(self.frames, rechunk=True)
        first, self.n_given = self.n_given + 1, self.n_given + n
        ragged = tuple(number for number in self.ragged if number <= self.n_given)
        self.ragged = self.ragged[len(ragged) :]
        self.frames = [rows[n:]] if rows.height > n else []
        return Chunk(self.file, first, rows[:n], self.sent, ragged)


@dataclass
class _Blocks:
    """A text in blocks of whole lines, from below its header to its end."""

    stream: BinaryIO
    text: Text
    header: Header
    shape: Shape
    options: ReaderOptions
    left: bytes = b""
    is_whole: bool = False

    def pieces(self) -> Iterator[_Piece]:
        self._step_over_header()
        n_small = 0
        while True:
            size = SMALL_BYTES if n_small > 0 else BLOCK_BYTES
            block = self._next_block(size)
            if not block:
                return
            frame = exact_frame(block, self.shape) if len(self.shape.separator.encode()) == 1 else None
            if frame is not None:
                n_small -= len(block)
                yield _Piece(frame)
            elif size == BLOCK_BYTES and len(block) > 2 * SMALL_BYTES:
                self.left, n_small = block + self.left, len(block)
            else:
                n_small -= len(block)
                yield self._strict(block)

    def _more(self) -> bool:
        sent = None
        try:
            sent = self.stream.read(BLOCK_BYTES)
        except LimitError:
            # The strict reader would come to the same end, and need minutes for it.
            raise
        except SourceError:
            sent = None
        if sent is None:
            # The strict reader, which reads less ahead, may find another fault before this one.
            self._stop()
        self.is_whole = self.is_whole or len(sent) < BLOCK_BYTES
        self.left += sent
        return bool(sent)

    def _step_over_header(self) -> None:
        place = 0
        for _ in range(self.header.n_lines):
            place = self._behind_line(place)
        self.left = self.left[place:]

    def _behind_line(self, start: int) -> int:
        """The place behind the line that starts at a place, read on as far as needed."""
        while True:
            found = re.compile(rb"\r\n|\r|\n").search(self.left, start)
            # A return at the very end of what was read may be the first half of a line break.
            if found and (found.end() < len(self.left) or self.is_whole):
                return found.end()
            if self.is_whole or not self._more():
                return found.end() if found else len(self.left)

    def _next_block(self, size: int) -> bytes:
        """Whole lines of about a size; everything that is left at the end of the text, nothing behind it."""
        while True:
            if len(self.left) < size and not self.is_whole:
                self._more()
                continue
            if self.is_whole and len(self.left) <= size:
                block, self.left = self.left, b""
                return block
            end = self._line_end(size)
            if end:
                block, self.left = self.left[:end], self.left[end:]
                return block
            if self.is_whole:
                block, self.left = self.left, b""
                return block
            if len(self.left) > self.options.limits.row_mb * MB + size:
                raise beyond(
                    self.text.name, "a row, or a line that never ends, takes more MB", "row_mb", self.options.limits
                )
            self._more()

    def _line_end(self, size: int) -> int:
        """The place behind the last line break within a size, or else the first behind it; 0 where there is none."""
        end = self.left.rfind(b"\n", 0, size) + 1
        if not end:
            end = self.left.find(b"\n", size) + 1
        if end:
            return self._outside_quotes(end)
        # Lines that end with a return alone; the last byte may be half of a line break.
        return self.left.rfind(b"\r", 0, len(self.left) - 1) + 1

    def _outside_quotes(self, end: int) -> int:
        """An earlier line break where this one stands in a cell, as far as an odd number of marks tells that."""
        if self.left.count(b'"', 0, end) % 2 == 0:
            return end
        last = self.left.rfind(b'"', 0, end)
        return self.left.rfind(b"\n", 0, last) + 1 or end

    def _strict(self, block: bytes) -> _Piece:
        """The rows that start in a block, by the strict reader; the last may go on behind it."""
        rows: list[list[str]] = []
        rest = None
        with suppress(csv.Error, UnicodeDecodeError, StopIteration):
            lines = _Lines(self, block)
            reader = csv.reader(lines, delimiter=self.header.separator, strict=True)
            while lines.is_within:
                rows.append(next(reader))
            rest = lines.rest()
        if rest is None:
            self._stop()
        self.left = rest + self.left
        chunk = chunk_of(self.text.name, 1, self.header.names, rows)
        n_blank = next((n for n, fields in enumerate(reversed(rows)) if fields), len(rows))
        last = next((fields for fields in reversed(rows) if fields), [])
        kept = chunk.rows.select(chunk.rows.columns[place] for place in self.shape.kept)
        return _Piece(kept, tuple(number - 1 for number in chunk.ragged), n_blank, len(last))

    def _stop(self) -> NoReturn:
        """Have the strict reader say what is wrong."""
        for _ in strict_chunks(self.text, options=self.options, rows_at_once=100_000):
            pass
        raise SourceError(f"{self.text.name}: cannot be read as CSV", "send it again")


class _Lines:
    """The lines of a block, and as many behind it as its last row needs."""

    def __init__(self, blocks: _Blocks, block: bytes) -> None:
        self._blocks = blocks
        self._lines = list(io.StringIO(block.decode("utf-8", "strict"), newline=""))
        self._n_within, self._at = len(self._lines), 0

    @property
    def is_within(self) -> bool:
        return self._at < self._n_within

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self._at == len(self._lines):
            more = self._blocks._next_block(1)
            self._lines += list(io.StringIO(more.decode("utf-8", "strict"), newline=""))
        if self._at == len(self._lines):
            raise StopIteration
        self._at += 1
        return self._lines[self._at - 1]

    def rest(self) -> bytes:
        """What was read behind the last row."""
        return "".join(self._lines[self._at :]).encode("utf-8")
