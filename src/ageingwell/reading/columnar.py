"""Parquet files in chunks, typed as they are: what the process that reads for us does (`worker.py`).

Nothing here is called by the process that holds the run: a Parquet file can panic, abort or fill the memory of whoever
decodes it (`guarded.py`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import polars as pl

from ageingwell.errors import SourceError
from ageingwell.reading.limits import KB, beyond, regular_size
from ageingwell.reading.limits import Limits as Limits
from ageingwell.reading.tabular import Chunk

T = TypeVar("T")

# Of one chunk so much is handed on at a time; a chunk that is more comes in several.
CHUNK_BYTES: Final = 128_000_000
CHUNK_CELLS: Final = 16_000_000
# Microseconds of the first and the last day that a calendar of Python knows, with two days to spare for time zones.
_FIRST_DAY, _LAST_DAY = -719_162 + 2, 2_932_896 - 2
_PER_DAY: Final = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
# What stands in place of a day that no calendar has: text that is no day, so that the contract refuses or empties it.
NO_DAY: Final = "no such day"


@dataclass(frozen=True)
class ParquetFacts:
    """What a Parquet file says of itself: its columns, its rows, and the texts it carries."""

    names: tuple[str, ...]
    n_rows: int
    metadata: dict[str, str]


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


def parquet_chunks(
    path: Path, facts: ParquetFacts, *, columns: Sequence[str], rows_at_once: int, limits: Limits
) -> Iterator[Chunk]:
    """Yield the rows of some columns of a Parquet file in chunks."""
    scan = _attempted(path, lambda: _in_microseconds(path)).select(columns)
    rows_at_once = max(1, min(rows_at_once, CHUNK_CELLS // max(1, len(columns))))
    for start in range(0, max(facts.n_rows, 1), rows_at_once):
        part = scan.slice(start, rows_at_once)
        rows = _attempted(path, lambda part=part: _tame(part.collect()))  # type: ignore[misc]
        _stop_on_long_cells(path, rows, limits)
        for piece in _pieces(rows):
            yield Chunk(path.name, start + 1, piece, sent=facts.names)
            start += piece.height


def _attempted(path: Path, act: Callable[[], T]) -> T:
    found = None
    with suppress(pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        found = act()
    if found is None:
        raise SourceError(f"{path.name}: not a whole Parquet file", "send it again; it may have been cut off")
    return found


def _pieces(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows in as many frames as their texts need."""
    weight = int(rows.estimated_size()) + sum(int(rows[name].str.len_bytes().sum() or 0) for name in _texts(rows))
    n = max(1, rows.height * CHUNK_BYTES // max(weight, 1))
    yield from rows.iter_slices(n) if rows.height > n else (rows,)


def _stop_on_long_cells(path: Path, rows: pl.DataFrame, limits: Limits) -> None:
    for name in _texts(rows):
        if (longest := int(rows[name].str.len_bytes().max() or 0)) > limits.cell_kb * KB:  # type: ignore[arg-type]
            raise beyond(path.name, f"a cell of {longest / KB:,.0f} kB", "cell_kb", limits)


def _texts(rows: pl.DataFrame) -> list[str]:
    return [name for name, dtype in rows.schema.items() if dtype == pl.String]


def _tame(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with every column as text that holds a day or a time beyond all calendars: nothing else can hold it.

    Such a day makes whatever works with it panic; as text it is no day, and is refused as any other text.
    """
    return rows.with_columns(_tamed(rows[name]) for name, dtype in rows.schema.items() if _is_of_time(dtype))


def _is_of_time(dtype: pl.DataType) -> bool:
    return dtype in (pl.Date, pl.Time, pl.Duration) or isinstance(dtype, pl.Datetime)


def _tamed(column: pl.Series) -> pl.Series:
    number = column.to_physical().cast(pl.Int64)
    if isinstance(column.dtype, pl.Duration):
        return column if (number.abs() < 2**53).all() else pl.Series(column.name, [NO_DAY] * len(column))
    per_day = _PER_DAY[column.dtype.time_unit] if isinstance(column.dtype, pl.Datetime) else 1
    low, high = _FIRST_DAY * per_day, _LAST_DAY * per_day
    if column.dtype == pl.Time:
        low, high = 0, _PER_DAY["ns"] - 1
    is_odd = ~number.is_between(low, high)
    if not is_odd.any():
        return column
    text = column.set(is_odd, None)
    form = "%Y-%m-%d %H:%M:%S" if isinstance(column.dtype, pl.Datetime) else None
    written = text.cast(pl.String) if form is None else text.dt.to_string(form)
    return written.set(is_odd, NO_DAY)


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
