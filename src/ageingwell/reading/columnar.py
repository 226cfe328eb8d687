"""Parquet files in chunks, typed as they are."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import polars as pl

from ageingwell.errors import SourceError
from ageingwell.reading.tabular import Chunk


def parquet_chunks(path: Path, *, wanted: Callable[[str], bool], rows_at_once: int) -> Iterator[Chunk]:
    """Yield the rows of a Parquet file in chunks; columns that are not wanted are not decoded."""
    scan = total = None
    names: list[str] = []
    with suppress(pl.exceptions.PolarsError, OSError):
        scan = _in_microseconds(path)
        names = scan.collect_schema().names()
        total = int(scan.select(pl.len()).collect().item())
    if scan is None or total is None:
        raise _damaged(path)
    # The first column where none is wanted, so that its rows are still counted.
    scan = scan.select([name for name in names if wanted(name)] or names[:1])
    for start in range(0, max(total, 1), rows_at_once):
        yield Chunk(path.name, start + 1, _collected(scan.slice(start, rows_at_once), path), sent=tuple(names))


def parquet_names(path: Path) -> list[str]:
    """The names of the columns of a Parquet file."""
    names = None
    with suppress(pl.exceptions.PolarsError, OSError):
        names = pl.scan_parquet(path, glob=False).collect_schema().names()
    if names is None:
        raise _damaged(path)
    return names


def _damaged(path: Path) -> SourceError:
    return SourceError(f"{path.name}: not a whole Parquet file", "send it again; it may have been cut off")


def _collected(part: pl.LazyFrame, path: Path) -> pl.DataFrame:
    rows = None
    with suppress(pl.exceptions.PolarsError, OSError):
        rows = part.collect()
    if rows is None:
        raise _damaged(path)
    return rows


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
