"""A block of CSV read fast where it is proven to come out as the strict reader has it; None wherever there is doubt.

The proof: valid UTF-8 without NUL; every quotation mark opens a cell behind a separator or a line break, closes one in
front of them, or stands doubled within one; separators and line breaks outside quotes come in exactly the order of
whole rows. That says how long each cell is, and every cell that comes back is held against it. The facts of Python's
CSV reader relied on are those of its state machine (CPython, Modules/_csv.c, parse_process_char).
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

_NEWLINE, _QUOTE = 10, 34


@dataclass(frozen=True)
class Shape:
    """What the columns of a file are: what parts them, how many there are, and the places of those that are kept."""

    separator: str
    width: int
    kept: Sequence[int]


def exact_frame(block: bytes, shape: Shape) -> pl.DataFrame | None:
    """The kept columns of whole lines of CSV, named by their places; None where the strict reader has to decide.

    >>> exact_frame(b'a,"b, c"\\n,""\\n', Shape(",", 2, [0, 1])).rows()
    [('a', 'b, c'), ('', '')]
    >>> exact_frame(b"a,b\\nc\\n", Shape(",", 2, [0, 1])) is None
    True
    """
    had_returns = b"\r" in block
    if had_returns:
        if block.count(b"\r") != block.count(b"\r\n"):
            return None
        block = block.replace(b"\r\n", b"\n")
    if b"\0" in block or not _is_utf8(block):
        return None
    block = block if block.endswith(b"\n") else block + b"\n"
    lengths = _lengths(block, shape, allow_breaks_in_cells=not had_returns)
    return None if lengths is None else _parsed(block, shape, lengths)


def _is_utf8(block: bytes) -> bool:
    if block.isascii():
        return True
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _lengths(block: bytes, shape: Shape, *, allow_breaks_in_cells: bool) -> npt.NDArray[np.int64] | None:
    """How many bytes each cell holds, a row a row; None where the block is not plainly rows of the given width."""
    letters = np.frombuffer(block, dtype=np.uint8)
    is_end = letters == ord(shape.separator)
    is_end |= letters == _NEWLINE
    quotes = np.flatnonzero(letters == _QUOTE) if b'"' in block else None
    if quotes is not None:
        if not _are_well_placed(quotes, letters, shape):
            return None
        outside = ~np.bitwise_xor.accumulate((letters == _QUOTE).view(np.uint8)).view(np.bool_)
        if not allow_breaks_in_cells and np.any((letters == _NEWLINE) & ~outside):
            return None
        is_end &= outside
    ends = np.flatnonzero(is_end)
    if len(ends) % shape.width:
        return None
    kinds = letters[ends].reshape(-1, shape.width)
    if not (np.all(kinds[:, -1] == _NEWLINE) and np.all(kinds[:, :-1] == ord(shape.separator))):
        return None
    starts = np.empty_like(ends)
    starts[0], starts[1:] = 0, ends[:-1] + 1
    lengths = ends - starts
    # The strict reader refuses a longer cell, and takes a line without any letter for no row.
    if lengths.max() > csv.field_size_limit() or (shape.width == 1 and lengths.min() == 0):
        return None
    return (lengths if quotes is None else lengths - _n_marks(letters, starts, quotes)).reshape(-1, shape.width)


def _are_well_placed(quotes: npt.NDArray[np.int64], letters: npt.NDArray[np.uint8], shape: Shape) -> bool:
    if len(quotes) % 2:
        return False
    before = letters[quotes[0::2] - 1]
    if quotes[0] == 0:
        before[0] = _NEWLINE
    behind = letters[quotes[1::2] + 1]
    # A mark that closes and one that opens side by side are a doubled one within a cell.
    places = (_NEWLINE, ord(shape.separator), _QUOTE)
    return bool(np.isin(before, places).all() and np.isin(behind, places).all())


def _n_marks(
    letters: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], quotes: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """How many bytes of each cell are marks and no text: the two around it, and one of each doubled one."""
    around: npt.NDArray[np.int64] = 2 * (letters[starts] == _QUOTE).astype(np.int64)
    doubled = quotes[2::2][np.diff(quotes)[1::2] == 1]
    if len(doubled):
        np.add.at(around, np.searchsorted(starts, doubled, side="right") - 1, 1)
    return around


def _parsed(block: bytes, shape: Shape, lengths: npt.NDArray[np.int64]) -> pl.DataFrame | None:
    names = [str(place) for place in range(shape.width)]
    # Our own header line keeps the reader from taking the first bytes for a mark of encoding or of packing.
    header = shape.separator.join(names).encode() + b"\n"
    try:
        frame = pl.read_csv(
            header + block,
            columns=[names[place] for place in shape.kept],
            separator=shape.separator,
            quote_char='"' if b'"' in block else None,
            infer_schema=False,
            empty_string_is_null=False,
        )
    except pl.exceptions.PolarsError:
        return None
    if frame.height != len(lengths):
        return None
    found = frame.select(pl.all().str.len_bytes())
    right = all(np.array_equal(found[names[place]].to_numpy(), lengths[:, place]) for place in shape.kept)
    return frame if right else None
