"""An agency's raw tables, read in chunks, every value as text; faults of a file named by file and line, never value.

CSV goes through Python's own reader: it alone tells which row has a field too many or too few and where a quote was
never closed. Faster readers fill or shift such rows without a word, and a shifted row is another person's row.

The first error is let go before ours is raised: a decoder's error holds the bytes it failed on.
"""

import csv
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TextIO, TypeVar

import polars as pl

from ageingwell.errors import SourceError

SUFFIXES: Final = (".csv", ".parquet")
# The two files that mark a folder and hold no records.
SYNTHETIC_MARK: Final = "synthetic.json"
_MARKS: Final = (SYNTHETIC_MARK, "pseudonymised.json")

T = TypeVar("T")


@dataclass(frozen=True)
class RawChunk:
    """Consecutive rows of one file: `rows` with text columns and `row_numbers` (1-based, header excluded) beside them.

    `misshapen` are the numbers of rows with a wrong number of fields; they are not among `rows`. `columns` names all
    columns that were sent, also those whose kind (lists, bytes) cannot be read as text.
    """

    file: str
    rows: pl.DataFrame
    row_numbers: pl.Series
    misshapen: tuple[int, ...]
    columns: tuple[str, ...]


def raw_tables(raw: Path, *, known: Collection[str], beside: Path | None = None) -> dict[str, tuple[Path, ...]]:
    """Find the files of each table in a folder (`<table>.csv`, `<table>.parquet` or a folder `<table>/`), or one file.

    `beside` is a file that may lie among them and is none, such as the look-up of postcodes. Raises `SourceError` for
    a file that is no known table: a table with a misspelt name must not vanish.
    """
    if not raw.exists():
        raise SourceError(f"{raw} does not exist", "name the folder with the raw tables")
    found: dict[str, tuple[Path, ...]] = {}
    for path in sorted(raw.iterdir()) if raw.is_dir() and raw.stem not in known else [raw]:
        if path.name in _MARKS or path.name.startswith(".") or (beside is not None and path.samefile(beside)):
            continue
        if path.stem not in known or (path.is_file() and path.suffix not in SUFFIXES):
            raise SourceError(f"{path.name} is no table of the contracts", f"the tables are {', '.join(sorted(known))}")
        if path.stem in found:
            raise SourceError(f"{path.stem}: more than one candidate", "leave the right one in the folder")
        found[path.stem] = _parts(path)
    if not found:
        raise SourceError(f"{raw} holds no table", f"the tables are {', '.join(sorted(known))}")
    return found


def folded(heading: str) -> str:
    """Write a heading as our columns are named: small letters, and `_` for whatever else stands between.

    >>> folded(" NHS Number "), folded("Died_On")
    ('nhs_number', 'died_on')
    """
    return re.sub(r"[^a-z0-9]+", "_", heading.lower()).strip("_")


def raw_chunks(path: Path, *, rows_at_once: int) -> Iterator[RawChunk]:
    """Yield the rows of one CSV or Parquet file; at least one chunk, so that an empty table stays a table."""
    return (_parquet_chunks if path.suffix == ".parquet" else _csv_chunks)(path, rows_at_once)


def whole(path: Path) -> pl.DataFrame:
    """Read one CSV or Parquet file at once, as text, and refuse it if a row is misshapen."""
    chunks = list(raw_chunks(path, rows_at_once=100_000))
    if wrong := [number for chunk in chunks for number in chunk.misshapen]:
        raise SourceError(
            f"{path.name}: {len(wrong)} rows have a wrong number of fields, first row {wrong[0]}", "mend them"
        )
    return pl.concat(chunk.rows for chunk in chunks)


def _parts(path: Path) -> tuple[Path, ...]:
    if path.is_file():
        return (path,)
    parts = tuple(sorted(part for part in path.iterdir() if part.suffix in SUFFIXES))
    if not parts or len({part.suffix for part in parts}) > 1:
        raise SourceError(f"{path.name}/ does not hold CSV files alone or Parquet files alone", "send one kind")
    return parts


def _attempt(act: Callable[[], T], *faults: type[Exception]) -> T | None:
    try:
        return act()
    except faults:
        return None


def _parquet_chunks(path: Path, rows_at_once: int) -> Iterator[RawChunk]:
    damaged = SourceError(f"{path.name} is not a whole Parquet file", "send it again; it may have been cut off")
    scan = pl.scan_parquet(path, glob=False)
    schema = _attempt(scan.collect_schema, pl.exceptions.PolarsError, OSError)
    if schema is None:
        raise damaged
    total = int(scan.select(pl.len()).collect().item())
    text = [_as_text(name, dtype).alias(name) for name, dtype in schema.items() if not _is_opaque(dtype)]
    for start in range(0, max(total, 1), rows_at_once):
        part = scan.slice(start, rows_at_once).select(text)
        rows = _attempt(part.collect, pl.exceptions.PolarsError, OSError)
        if rows is None:
            raise damaged
        numbers = pl.Series(range(start + 1, start + 1 + rows.height), dtype=pl.Int64)
        yield RawChunk(path.name, rows, numbers, (), tuple(schema.names()))


def _is_opaque(dtype: pl.DataType) -> bool:
    return dtype.is_nested() or dtype in (pl.Binary, pl.Object)


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype == pl.Boolean:
        return pl.when(column).then(pl.lit("yes")).when(~column).then(pl.lit("no"))
    if dtype == pl.Float32:
        return _single_precision(column)
    return (column.dt.date() if dtype == pl.Datetime else column).cast(pl.String)


def _single_precision(column: pl.Expr) -> pl.Expr:
    # Above 2^24 a single holds no longer every whole number: 100070001739 comes out as 100070000000.0, which is another
    # home. An exponent says the same number, and no identifier is ever read from one.
    text = column.cast(pl.String)
    is_rounded = (column.abs() >= 2**24) & ~text.str.contains("[eE]")
    return pl.when(is_rounded).then(text + "e0").otherwise(text)


def _csv_chunks(path: Path, rows_at_once: int) -> Iterator[RawChunk]:
    separator, names = _header(path)
    with _opened(path) as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        next(reader)
        first = 1
        while True:
            rows = _attempt(lambda: list(islice(reader, rows_at_once)), csv.Error, UnicodeDecodeError, OSError)
            if rows is None:
                raise SourceError(
                    f"{path.name}, near line {reader.line_num + 1}: not UTF-8, or an unclosed quote",
                    "save it as CSV in UTF-8 and send it again",
                )
            if rows or first == 1:
                yield _csv_chunk(path.name, first, names, rows)
            if not rows:
                return
            first += len(rows)


def _csv_chunk(file: str, first: int, names: list[str], rows: list[list[str]]) -> RawChunk:
    width = len(names)
    numbers: Sequence[int] = range(first, first + len(rows))
    good: list[list[str]] = rows
    misshapen: tuple[int, ...] = ()
    if any(len(fields) != width for fields in rows):
        # A blank line is no row, but it keeps its number.
        numbers = [number for number, fields in enumerate(rows, first) if len(fields) == width]
        good = [fields for fields in rows if len(fields) == width]
        misshapen = tuple(number for number, fields in enumerate(rows, first) if len(fields) not in (0, width))
    columns = zip(*good) if good else [()] * width
    frame = pl.DataFrame([pl.Series(name, values, dtype=pl.String) for name, values in zip(names, columns)])
    return RawChunk(file, frame, pl.Series(numbers, dtype=pl.Int64), misshapen, tuple(names))


def _opened(path: Path) -> TextIO:
    try:
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise SourceError(f"{path.name} cannot be read ({error.strerror})", "check that it may be read") from None


def _header(path: Path) -> tuple[str, list[str]]:
    with _opened(path) as file:
        line = _attempt(file.readline, UnicodeDecodeError, OSError)
    if line is None:
        raise SourceError(f"{path.name} is not UTF-8 text", "save it as CSV in UTF-8 and send it again")
    if not line.strip():
        raise SourceError(f"{path.name} is empty", "send it again, with its header line")
    separator = max(",;", key=line.count)
    names = _attempt(lambda: [name.strip() for name in next(csv.reader([line], delimiter=separator))], csv.Error)
    if names is None or "" in names or len(set(names)) < len(names):
        raise SourceError(f"{path.name}: columns without a name or two of one name", "give each column its own name")
    return separator, names
