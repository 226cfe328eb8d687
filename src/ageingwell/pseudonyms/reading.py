"""An agency's raw tables, read in chunks, every value as text; faults of a file named by file and line, never value."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.config.score import TableSettings
from ageingwell.errors import SourceError
from ageingwell.reading.as_text import as_text
from ageingwell.reading.chunks import Chunk, file_chunks
from ageingwell.reading.forms import is_readable, stem_of, suffix_of
from ageingwell.reading.options import AS_IT_IS, ReaderOptions

# The two files that mark a folder and hold no records.
SYNTHETIC_MARK: Final = "synthetic.json"
_MARKS: Final = (SYNTHETIC_MARK, "pseudonymised.json")


@dataclass(frozen=True)
class RawChunk:
    """Consecutive rows of one file: `rows` with text columns and `row_numbers` (1-based, header excluded) beside them.

    `misshapen` are the numbers of rows with a wrong number of fields; they are not among `rows`. `columns` names all
    columns that were sent, also those whose kind (lists, bytes) cannot be read as text. `is_made` says that a source
    profile made the rows: the settings of a table's own files do not apply.
    """

    file: str
    rows: pl.DataFrame
    row_numbers: pl.Series
    misshapen: tuple[int, ...]
    columns: tuple[str, ...]
    is_made: bool = False


def table_files(
    raw: Path, *, known: Collection[str], settings: Mapping[str, TableSettings]
) -> dict[str, tuple[Path, ...]]:
    """Find the files of each table that is named as such: `<table>.csv` and its like, a folder `<table>/`, or one file.

    `settings` may give a table another place in the folder (`location`). Raises `SourceError` where there are two
    candidates, or where a place that the settings give holds nothing.
    """
    if not raw.exists():
        raise SourceError(f"{raw} does not exist", "name the folder with the raw tables")
    found: dict[str, tuple[Path, ...]] = {}
    places = {path: name for name, path in _located(raw, settings).items()}
    is_one = not raw.is_dir() or _table_of(raw) in known
    for path in [raw] if is_one else sorted(raw.iterdir()):
        name = places.get(path) or _table_of(path)
        if path.name in _MARKS or path.name.startswith(".") or name not in known:
            continue
        if name in found:
            raise SourceError(f"{name}: more than one candidate", "leave the right one in the folder")
        found[name] = _parts(path)
    return found


def _located(raw: Path, settings: Mapping[str, TableSettings]) -> dict[str, Path]:
    given = {name: raw / table.location for name, table in settings.items() if table.location and not _is_uri(table)}
    return {name: path for name, path in given.items() if path.exists()}


def _is_uri(table: TableSettings) -> bool:
    return "://" in (table.location or "")


def _table_of(path: Path) -> str:
    """The table a file or folder is named after: `homes` of `homes.csv.gz`."""
    return path.name if path.is_dir() else stem_of(path.name)


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
            f"{path.name}: {len(wrong)} rows have a wrong number of fields, first row {wrong[0]}", "correct them"
        )
    return pl.concat(chunk.rows for chunk in chunks)


def _parts(path: Path) -> tuple[Path, ...]:
    if path.is_file():
        return (path,)
    parts = tuple(sorted(part for part in path.iterdir() if not part.name.startswith((".", "_"))))
    if not parts or len({suffix_of(part.name) for part in parts}) > 1 or not all(is_readable(part) for part in parts):
        raise SourceError(f"{path.name}/ does not hold files of one form alone", "send one kind")
    return parts


def _as_text(chunk: Chunk) -> RawChunk:
    numbers = pl.Series(range(chunk.first_row, chunk.first_row + chunk.rows.height), dtype=pl.Int64)
    rows = as_text(chunk.rows)
    if chunk.ragged:
        is_whole = ~numbers.is_in(list(chunk.ragged))
        rows, numbers = rows.filter(is_whole), numbers.filter(is_whole)
    return RawChunk(chunk.file, rows, numbers, chunk.ragged, chunk.sent)
