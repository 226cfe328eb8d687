"""Parquet files in chunks, typed as they are.

A Parquet file can panic, abort or fill the memory of whoever decodes it. So a process of its own decodes it first
(`worker.py`, by `guarded.py`); what has come to its end there, within its limits, comes to the same end here.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import polars as pl

from ageingwell.errors import SourceError
from ageingwell.reading.limits import KB, Limits, beyond, regular_size
from ageingwell.reading.tabular import Chunk

T = TypeVar("T")

# Of one chunk so much is handed on at a time; a chunk that is more comes in several.
CHUNK_BYTES: Final = 128_000_000
CHUNK_CELLS: Final = 16_000_000
# The first and the last day that a calendar of Python knows, in days from 1970; both are sent for no day at all.
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
# A time zone moves a moment by less than this.
_DAYS_OF_ZONES: Final = 2
_PER_DAY: Final = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
# What stands in place of a day that no calendar has: text that is no day, so that the contract refuses or empties it.
NO_DAY: Final = "no such day"


@dataclass(frozen=True)
class ParquetFacts:
    """What a Parquet file says of itself: its columns, its rows, and the texts it carries."""

    names: tuple[str, ...]
    n_rows: int
    metadata: dict[str, str]


@dataclass(frozen=True)
class Proven:
    """What decoding a Parquet file once has shown.

    `odd` are the columns with a day beyond all calendars; `is_heavy` where a chunk has to come in several.
    """

    odd: tuple[str, ...] = ()
    is_heavy: bool = False


def parquet_facts(path: Path, limits: Limits) -> ParquetFacts:
    """Read the end of a Parquet file; raises `SourceError` where it is damaged or too much."""
    size = regular_size(path, limits)
    names = _attempted(path, lambda: _in_microseconds(path).collect_schema().names())
    n_rows = _attempted(path, lambda: int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()))
    metadata = _attempted(path, lambda: dict(pl.read_parquet_metadata(path)))
    if len(names) > limits.columns:
        raise beyond(path.name, f"has {len(names):,} columns", "columns", limits)
    if (cells := len(names) * n_rows) > limits.cells + limits.cells_per_byte * size:
        raise beyond(path.name, f"says it holds {cells:,} cells in {size:,} bytes", "cells", limits)
    return ParquetFacts(tuple(names), n_rows, metadata)


def proven(path: Path, facts: ParquetFacts, *, columns: Sequence[str], rows_at_once: int, limits: Limits) -> Proven:
    """Decode some columns of a Parquet file from its first row to its last, and say what was found.

    Raises `SourceError` where it is damaged, and for a cell that is too long.
    """
    odd: set[str] = set()
    is_heavy = False
    for rows in _decoded(path, facts, columns, rows_at_once):
        lengths = rows.select(pl.col(pl.String).str.len_bytes())
        longest = max((int(column.max() or 0) for column in lengths), default=0)  # type: ignore[arg-type]
        if longest > limits.cell_kb * KB:
            raise beyond(path.name, f"a cell of {longest / KB:,.0f} kB", "cell_kb", limits)
        odd |= {name for name, dtype in rows.schema.items() if _is_of_time(dtype) and _is_odd(rows[name]).any()}
        is_heavy = is_heavy or _weight(rows, lengths) > CHUNK_BYTES
    return Proven(tuple(sorted(odd)), is_heavy)


def parquet_chunks(
    path: Path, facts: ParquetFacts, known: Proven, *, columns: Sequence[str], rows_at_once: int
) -> Iterator[Chunk]:
    """Yield the rows of some columns of a Parquet file in chunks, as they were proven."""
    at = 1
    for rows in _decoded(path, facts, columns, rows_at_once):
        tame = rows.with_columns(_tamed(rows[name]) for name in known.odd)
        for piece in _pieces(tame) if known.is_heavy else (tame,):
            yield Chunk(path.name, at, piece, sent=facts.names)
            at += piece.height


def _decoded(path: Path, facts: ParquetFacts, columns: Sequence[str], rows_at_once: int) -> Iterator[pl.DataFrame]:
    scan = _attempted(path, lambda: _in_microseconds(path)).select(columns)
    rows_at_once = max(1, min(rows_at_once, CHUNK_CELLS // max(1, len(columns))))
    for start in range(0, max(facts.n_rows, 1), rows_at_once):
        part = scan.slice(start, rows_at_once)
        yield _attempted(path, lambda part=part: part.collect())  # type: ignore[misc]


def _attempted(path: Path, act: Callable[[], T]) -> T:
    found = None
    with suppress(pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        found = act()
    if found is None:
        raise SourceError(f"{path.name}: not a whole Parquet file", "send it again; it may have been cut off")
    return found


def _pieces(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows in as many frames as their texts need."""
    weight = _weight(rows, rows.select(pl.col(pl.String).str.len_bytes()))
    yield from rows.iter_slices(max(1, rows.height * CHUNK_BYTES // max(weight, 1)))


def _weight(rows: pl.DataFrame, lengths: pl.DataFrame) -> int:
    """The bytes of the rows were every text written out; in memory many rows may share one."""
    return int(rows.estimated_size()) + sum(int(column.cast(pl.Int64).sum()) for column in lengths)


def _is_of_time(dtype: pl.DataType) -> bool:
    return dtype in (pl.Date, pl.Time, pl.Duration) or isinstance(dtype, pl.Datetime)


def _is_odd(column: pl.Series) -> pl.Series:
    """Which cells of a column of days or times hold one beyond all calendars: whatever works with it panics."""
    number = column.to_physical().cast(pl.Int64)
    if isinstance(column.dtype, pl.Duration):
        return number.abs() >= 2**53
    if column.dtype == pl.Time:
        return ~number.is_between(0, _PER_DAY["ns"] - 1)
    per_day = _PER_DAY[column.dtype.time_unit] if isinstance(column.dtype, pl.Datetime) else 1
    zone = column.dtype.time_zone if isinstance(column.dtype, pl.Datetime) else None
    spare = 0 if zone in (None, "UTC") else _DAYS_OF_ZONES
    # The last day ends where the next would begin.
    return ~number.is_between((_FIRST_DAY + spare) * per_day, (_LAST_DAY + 1 - spare) * per_day - 1)


def _tamed(column: pl.Series) -> pl.Series:
    """A column as text, which alone can hold a day beyond all calendars: it is refused there as any other text."""
    is_odd = _is_odd(column)
    sound = column.set(is_odd, None)
    is_moment = isinstance(column.dtype, pl.Datetime)
    return (sound.dt.to_string("%Y-%m-%d %H:%M:%S") if is_moment else sound.cast(pl.String)).set(is_odd, NO_DAY)


def _in_microseconds(path: Path) -> pl.LazyFrame:
    """A Parquet file whose days in nanoseconds are read in microseconds.

    In 64 bits nanoseconds reach from 1677 to 2262: Spark's INT96 of 9999-12-31, no end, would come out as 2262.
    """
    found = pl.scan_parquet(path, glob=False).collect_schema()
    schema = {name: _microseconds(dtype) for name, dtype in found.items()}
    if schema == dict(found):
        return pl.scan_parquet(path, glob=False)
    downcast = pl.ScanCastOptions(datetime_cast="nanosecond-downcast")
    return pl.scan_parquet(path, glob=False, schema=schema, cast_options=downcast)


def _microseconds(dtype: pl.DataType) -> pl.DataType:
    is_nano = isinstance(dtype, pl.Datetime) and dtype.time_unit == "ns"
    return pl.Datetime("us", dtype.time_zone) if is_nano else dtype  # type: ignore[attr-defined]
