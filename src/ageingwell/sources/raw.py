"""Raw rows of a file or a database in chunks: as sent, nothing interpreted, every fault of the file named.

CSV goes through Python's own reader, row by row: it alone tells exactly which row has a field too many, where a quote
was never closed and where the bytes are not UTF-8. Faster readers fill, shift or cut such rows without a word.
"""

import csv
import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import SEEK_END, BytesIO
from itertools import islice
from pathlib import Path

import polars as pl

from ageingwell.errors import SourceError
from ageingwell.sources.databases import database_frames
from ageingwell.sources.headings import folded_heading
from ageingwell.sources.locate import Location

CHUNK_ROWS = 200_000


@dataclass(frozen=True)
class Chunk:
    """Some consecutive rows.

    `first_row` is the 1-based number of the first, `sent` names every column of the file, `ragged` are the numbers of
    the rows with a wrong number of fields: they keep their place as rows of missing values.
    """

    file: str
    first_row: int
    rows: pl.DataFrame
    sent: tuple[str, ...]
    ragged: tuple[int, ...] = ()


@dataclass(frozen=True)
class FileRead:
    """What was read: file name, SHA-256 of its bytes, rows."""

    file: str
    sha256: str
    n_rows: int


def raw_chunks(location: Location, read: list[FileRead], *, wanted: frozenset[str]) -> Iterator[Chunk]:
    """Yield the rows of a table in chunks; `read` receives one entry a file when it has been read whole.

    `wanted` are the folded headings of the columns we keep; the others are not decoded where the format allows it.
    """
    if location.uri is not None:
        yield from _database_chunks(location, read)
        return
    for path in location.files:
        yield from _file_chunks(path, read, wanted)


def _file_chunks(path: Path, read: list[FileRead], wanted: frozenset[str]) -> Iterator[Chunk]:
    before = _stamp(path)
    digest = _sha256(path)
    rows = 0
    for chunk in _parquet_chunks(path, wanted) if path.suffix == ".parquet" else _csv_chunks(path):
        rows += chunk.rows.height
        yield chunk
    if _stamp(path) != before:
        raise SourceError(
            f"{path.name}: the file changed while it was read", "wait until it is written, then run again"
        )
    read.append(FileRead(path.name, digest, rows))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        facts = path.stat()
    except OSError as fault:
        raise _unreadable(path, fault) from None
    return facts.st_size, facts.st_mtime_ns


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as fault:
        raise _unreadable(path, fault) from None


def _unreadable(path: Path, fault: OSError) -> SourceError:
    return SourceError(f"{path.name}: cannot be read ({fault.strerror})", "check that it exists and may be read")


def _parquet_chunks(path: Path, wanted: frozenset[str]) -> Iterator[Chunk]:
    damaged = SourceError(f"{path.name}: not a whole Parquet file", "send it again; it may have been cut off")
    try:
        scan = _in_microseconds(path)
        names = scan.collect_schema().names()
        total = scan.select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError):
        raise damaged from None
    scan = scan.select(name for name in names if folded_heading(name) in wanted)
    for start in range(0, max(total, 1), CHUNK_ROWS):
        try:
            yield Chunk(path.name, start + 1, scan.slice(start, CHUNK_ROWS).collect(), sent=tuple(names))
        except pl.exceptions.PolarsError:
            raise damaged from None


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


def _csv_chunks(path: Path) -> Iterator[Chunk]:
    separator, names = _header(path)
    n_rows = 0
    blank: list[list[str]] = []
    last = names
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        _next_rows(reader, 1, path, separator)
        while sent := _next_rows(reader, CHUNK_ROWS, path, separator):
            rows = blank + sent
            # Empty lines at the end of a file say nothing; between rows they stand for rows that were lost.
            blank = [rows.pop() for _ in range(_n_blank_at_end(rows))]
            if rows:
                last = rows[-1]
                yield _chunk(path.name, n_rows + 1, names, rows)
                n_rows += len(rows)
    if len(last) < len(names) and not _ends_with_line_break(path):
        raise SourceError(f"{path.name}, row {n_rows}: the file ends within a row", "send it again; it was cut off")
    if n_rows == 0:
        yield _chunk(path.name, 1, names, [])


def _next_rows(reader: Iterator[list[str]], n: int, path: Path, separator: str) -> list[list[str]]:
    try:
        return list(islice(reader, n))
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except csv.Error as fault:
        raise SourceError(
            f"{path.name}: the row that starts in line {_line_of_broken_row(path, separator)} is not CSV ({fault})",
            "look there for a quotation mark that is never closed, or send the file again",
        ) from None


def _line_of_broken_row(path: Path, separator: str) -> int:
    """Where the row that is not CSV starts: the reader itself only knows where it gave up."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        starts_in = 1
        with suppress(csv.Error, UnicodeDecodeError):
            for _ in reader:
                starts_in = reader.line_num + 1
    return starts_in


def _n_blank_at_end(rows: list[list[str]]) -> int:
    return next((n for n, fields in enumerate(reversed(rows)) if fields), len(rows))


def _ends_with_line_break(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, SEEK_END)
        return file.read() in (b"\n", b"\r")


def _chunk(file: str, first_row: int, names: list[str], rows: list[list[str]]) -> Chunk:
    ragged = tuple(position for position, fields in enumerate(rows) if len(fields) != len(names))
    whole = [fields if len(fields) == len(names) else [""] * len(names) for fields in rows] if ragged else rows
    columns = zip(*whole) if whole else [()] * len(names)
    frame = pl.DataFrame([pl.Series(name, values, dtype=pl.String) for name, values in zip(names, columns)])
    return Chunk(file, first_row, frame, tuple(names), tuple(first_row + position for position in ragged))


def _header(path: Path) -> tuple[str, list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            line = file.readline()
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    if "\0" in line:
        raise _not_utf8(path)
    if not line.strip():
        raise SourceError(f"{path.name}: the file is empty", "send it again, with its header line")
    separator = max(",;\t", key=line.count)
    if separator == "\t" and line.count("\t"):
        raise SourceError(f"{path.name}: the columns are separated by tabs", "separate them by commas or semicolons")
    names = [name.strip() for name in _next_rows(csv.reader([line], delimiter=separator), 1, path, separator)[0]]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise SourceError(f"{path.name}: two columns have the same name", "give each column a name of its own")
    return separator, names


def _not_utf8(path: Path) -> SourceError:
    return SourceError(
        f"{path.name}, line {_line_of_other_text(path)}: not UTF-8 text (perhaps Windows-1252 or UTF-16)",
        "save it as UTF-8 and send it again",
    )


def _line_of_other_text(path: Path) -> int:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 1


def _database_chunks(location: Location, read: list[FileRead]) -> Iterator[Chunk]:
    name = f"{location.table} (database)"
    digest = hashlib.sha256()
    n_rows = 0
    for rows in database_frames(name, location.uri or "", location.query or "", rows_at_once=CHUNK_ROWS):
        yield Chunk(name, n_rows + 1, rows, sent=tuple(rows.columns))
        digest.update(_bytes_of(rows))
        n_rows += rows.height
    read.append(FileRead(name, digest.hexdigest(), n_rows))


def _bytes_of(rows: pl.DataFrame) -> bytes:
    """The rows as bytes that do not depend on the version of Polars, as its row hashes do."""
    buffer = BytesIO()
    rows.write_ipc(buffer, compression="uncompressed")
    return buffer.getvalue()
