"""The fast reader of CSV says what the strict one says: every value, every row number, every fault, of any file.

Files are made and spoilt at random by a seeded draw, and blocks are cut so small that every fault meets their edges.
`AGEINGWELL_SPOILT_FILES=20000 pytest tests/property/test_fast_csv_is_exact.py` tries that many files.
"""

import os
import random
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from ageingwell.errors import SourceError
from ageingwell.reading import fast
from ageingwell.reading.encodings import text_of
from ageingwell.reading.exact import Shape, exact_frame
from ageingwell.reading.fast import text_chunks
from ageingwell.reading.options import ReaderOptions
from ageingwell.reading.streams import Part, opened
from ageingwell.reading.strict import strict_chunks
from ageingwell.reading.tabular import Chunk

N_FILES = int(os.environ.get("AGEINGWELL_SPOILT_FILES", "800"))
N_SHARES = 5

CELLS = (
    "",
    "",
    "x",
    "2026-03-01",
    "100070000000",
    "café",
    "large print",
    "–",
    "😀 a",
    " blank ",
    "#",
    "0,5",
    "a;b",
    "tab\there",
    "a|b",
    'he said "no"',
    '"',
    '""',
    "two\nlines",
    "two\r\nlines",
    "\ufeff",
    "x^",
    "\x1f",
    "\u2028",
    "\x0b",
    "null",
)
LINE_BREAKS = ("\n", "\n", "\r\n", "\r\n", "\r", "mixed")
SPOILS = (
    b'"',
    b'""',
    b",",
    b";",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\0",
    b"\xff",
    b"\xe9",
    b"\xef\xbb\xbf",
    b" ",
    b'",',
    b',"',
    b'"\n',
    b'\n"',
    b"'",
    b"\\",
)

# --- How files are made ---


def cell(draw: random.Random, separator: str, *, quoted: float) -> str:
    value = draw.choice(CELLS)
    if any(mark in value for mark in (separator, '"', "\n", "\r")) or draw.random() < quoted:
        return '"' + value.replace('"', '""') + '"'
    return value


def made(draw: random.Random) -> bytes:
    """A file as somebody may have written it."""
    separator = draw.choice(",,,;\t|")
    quoted = draw.choice((0.0, 0.0, 0.2, 1.0))
    width = draw.choice((1, 2, 3, 3, 5))
    line_break = draw.choice(LINE_BREAKS)
    lines = [separator.join(f"column {place}" for place in range(width))]
    lines += [
        separator.join(cell(draw, separator, quoted=quoted) for _ in range(width)) for _ in range(draw.randrange(30))
    ]
    breaks = [draw.choice(("\n", "\r\n")) if line_break == "mixed" else line_break for _ in lines]
    if draw.random() < 0.3:
        breaks[-1] = ""
    text = "".join(line + end for line, end in zip(lines, breaks))
    text += draw.choice(("", "", "", "\n", "\r\n\r\n", "\n\n\n", " "))
    return text.encode(draw.choice(("utf-8",) * 8 + ("utf-8-sig", "utf-16", "utf-16-le", "cp1252")), "ignore")


def spoilt(draw: random.Random, content: bytes) -> bytes:
    """The same file after something went wrong on the way."""
    for _ in range(draw.choice((0, 0, 1, 1, 1, 2, 4))):
        at = draw.randrange(len(content) + 1)
        how = draw.choice(("cut", "insert", "insert", "insert", "remove", "flip", "swap", "long", "twice"))
        if how == "cut":
            content = content[:at]
        elif how == "insert":
            content = content[:at] + draw.choice(SPOILS) + content[at:]
        elif how == "remove":
            content = content[:at] + content[at + draw.choice((1, 1, 3, 40)) :]
        elif how == "flip" and at < len(content):
            content = content[:at] + bytes([content[at] ^ (1 << draw.randrange(8))]) + content[at + 1 :]
        elif how == "swap":
            old, new = draw.sample(SPOILS, 2)
            content = content.replace(old, new, draw.choice((1, -1)))
        elif how == "long" and draw.random() < 0.1:
            content = content[:at] + b"z" * 140_000 + content[at:]
        elif how == "twice":
            content = content[:at] + content[max(0, at - 60) :]
    return content


def options(draw: random.Random) -> ReaderOptions:
    has_header = draw.random() > 0.1
    return ReaderOptions(
        encoding=draw.choice(((), (), (), ("windows-1252",), ("utf-16",))),
        separator=draw.choice((None, None, None, ",")),
        skip_lines=draw.choice((0, 0, 0, 1, 3)),
        has_header=has_header,
        names=draw.choice(((), ("a", "b"))) if not has_header else (),
    )


# --- What is said of them ---


def said(chunks: list[Chunk]) -> tuple[object, ...]:
    rows = pl.concat(chunk.rows for chunk in chunks)
    firsts = [chunk.first_row for chunk in chunks]
    heights = [chunk.rows.height for chunk in chunks]
    assert firsts == [1 + sum(heights[:place]) for place in range(len(heights))]
    ragged = tuple(number for chunk in chunks for number in chunk.ragged)
    return rows.columns, rows.rows(), ragged, {chunk.sent for chunk in chunks}


def told(read: partial[object]) -> object:
    try:
        return said(list(read()))  # type: ignore[call-overload]
    except SourceError as error:
        stopped = error
    assert stopped.__context__ is None
    return stopped.found


def strictly(part: Part, how: ReaderOptions, n: int, left_out: str | None) -> list[Chunk]:
    chunks = strict_chunks(text_of(part, declared=how.encoding), options=how, rows_at_once=n)
    return [replace(chunk, rows=without(chunk.rows, left_out)) for chunk in chunks]


def without(rows: pl.DataFrame, left_out: str | None) -> pl.DataFrame:
    # One column at least is read, so that its rows are counted.
    return rows.select([name for name in rows.columns if name != left_out] or rows.columns[:1])


def fastly(part: Part, how: ReaderOptions, n: int, left_out: str | None) -> list[Chunk]:
    text = text_of(part, declared=how.encoding)
    return list(text_chunks(text, options=how, wanted=lambda name: name != left_out, rows_at_once=n))


@pytest.mark.slow
@pytest.mark.parametrize("share", range(N_SHARES))
def test_the_fast_reader_says_of_any_file_what_the_strict_reader_says(
    share: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "homes.csv"
    n_read = n_stopped = 0
    for number in range(share, N_FILES, N_SHARES):
        draw = random.Random(number)
        path.write_bytes(spoilt(draw, made(draw)))
        how, n = options(draw), draw.choice((1, 2, 7, 1000))
        monkeypatch.setattr(fast, "BLOCK_BYTES", draw.choice((40, 100, 300, 1 << 22)))
        monkeypatch.setattr(fast, "SMALL_BYTES", draw.choice((1, 20, 60)))

        part = Part("homes.csv", "text", partial(opened, path))
        left_out = draw.choice((None, None, "column 0", "column 1"))

        expected = told(partial(strictly, part, how, n, left_out))
        assert told(partial(fastly, part, how, n, left_out)) == expected, f"file {number}: {path.read_bytes()!r}"
        n_stopped += isinstance(expected, str)
        n_read += not isinstance(expected, str)
    # Both kinds are met, or the test says nothing.
    assert min(n_read, n_stopped) > 0.1 * N_FILES / N_SHARES


@pytest.mark.parametrize(
    ("block", "rows"),
    [
        (b"a,b\nc,d\n", [("a", "b"), ("c", "d")]),
        (b"a,b\r\nc,d\r\n", [("a", "b"), ("c", "d")]),
        (b'"a","b"\n"c, d",""', [("a", "b"), ("c, d", "")]),
        (b'"a ""b""",\n"""",x\n', [('a "b"', ""), ('"', "x")]),
        (b'"two\nlines",x\n', [("two\nlines", "x")]),
        ("\ufeffé,–\n".encode(), [("\ufeffé", "–")]),
    ],
)
def test_what_is_written_well_is_read_fast(block: bytes, rows: list[tuple[str, ...]]) -> None:
    found = exact_frame(block, Shape(",", 2, [0, 1]))

    assert found is not None
    assert found.rows() == rows


@pytest.mark.parametrize(
    "block",
    [
        b"a,b\n\nc,d\n",
        b"a,b\nc\nd,e,f\n",
        b'a,b"\n',
        b'a,"b\n',
        b'a,"b"c\n',
        b'a, "b"\n',
        b"a,b\rc,d\n",
        b'"two\r\nlines",x\r\n',
        b"a,\0\n",
        b"a,\xe9\n",
        b"a," + b"z" * 131_073 + b"\n",
    ],
)
def test_what_is_in_doubt_is_left_to_the_strict_reader(block: bytes) -> None:
    assert exact_frame(block, Shape(",", 2, [0, 1])) is None


def test_one_odd_row_in_a_long_file_costs_a_few_strict_rows_and_not_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"{number},x" for number in range(20_000)]
    lines[12_345] = '12345,x"'
    path = tmp_path / "homes.csv"
    path.write_text("\n".join(["a,b", *lines, ""]))
    strict_bytes: list[int] = []
    strict = fast._Blocks._strict

    def counted(blocks: fast._Blocks, block: bytes) -> object:
        strict_bytes.append(len(block))
        return strict(blocks, block)

    monkeypatch.setattr(fast, "BLOCK_BYTES", 50_000)
    monkeypatch.setattr(fast, "SMALL_BYTES", 1_000)
    monkeypatch.setattr(fast._Blocks, "_strict", counted)

    found = fastly(Part("homes.csv", "text", partial(opened, path)), ReaderOptions(), 100_000, None)

    assert found[0].rows["b"][12_345] == 'x"'
    assert 0 < sum(strict_bytes) <= 1_000
