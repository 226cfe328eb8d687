"""An agency's raw tables, read in chunks, every value as text; faults of a file named by file and line, never value."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.errors import SourceError
from ageingwell.reading.chunks import Chunk, file_chunks
from ageingwell.reading.options import AS_IT_IS, ReaderOptions

SUFFIXES: Final = (".csv", ".parquet")
# The two files that mark a folder and hold no records.
SYNTHETIC_MARK: Final = "synthetic.json"
_MARKS: Final = (SYNTHETIC_MARK, "pseudonymised.json")
# Above this a float no longer tells every whole number from its neighbour.
_LARGEST_WHOLE: Final = 2**53


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


def raw_chunks(path: Path, *, rows_at_once: int, options: ReaderOptions = AS_IT_IS) -> Iterator[RawChunk]:
    """Yield the rows of one file as text; at least one chunk, so that an empty table stays a table.

    Raises `SourceError` for a fault of the file, and for a column without a name.
    """
    for chunk in file_chunks(path, [], options=options, rows_at_once=rows_at_once, flat=True):
        if "" in chunk.sent:
            raise SourceError(f"{chunk.file}: a column without a name", "give each column its own name")
        yield _as_text(chunk)


def whole(path: Path) -> pl.DataFrame:
    """Read one file at once, as text, and refuse it if a row is misshapen."""
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


def _as_text(chunk: Chunk) -> RawChunk:
    numbers = pl.Series(range(chunk.first_row, chunk.first_row + chunk.rows.height), dtype=pl.Int64)
    rows = chunk.rows.select(
        _text(name, dtype).alias(name) for name, dtype in chunk.rows.schema.items() if not _is_opaque(dtype)
    )
    if chunk.ragged:
        is_whole = ~numbers.is_in(list(chunk.ragged))
        rows, numbers = rows.filter(is_whole), numbers.filter(is_whole)
    return RawChunk(chunk.file, rows, numbers, chunk.ragged, chunk.sent)


def _is_opaque(dtype: pl.DataType) -> bool:
    return dtype.is_nested() or dtype in (pl.Binary, pl.Object)


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column as text, as a workbook's cells are written: a day alone where the time of day is midnight."""
    column = pl.col(name)
    text = column.cast(pl.String)
    if dtype == pl.Boolean:
        return pl.when(column).then(pl.lit("yes")).when(~column).then(pl.lit("no"))
    if dtype == pl.Datetime:
        is_day = column.dt.time() == pl.time(0)
        return (
            pl.when(is_day).then(column.dt.date().cast(pl.String)).otherwise(column.dt.to_string("%Y-%m-%d %H:%M:%S"))
        )
    if dtype.is_float():
        is_whole = (column == column.round()) & (column.abs() < _LARGEST_WHOLE)
        return pl.when(is_whole).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(text)
    return text
