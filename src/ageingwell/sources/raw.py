"""Raw rows of a table in chunks, out of its files or its database: as sent, nothing interpreted."""

import hashlib
from collections.abc import Iterator
from io import BytesIO

import polars as pl

from ageingwell.reading.chunks import CHUNK_ROWS, Chunk, FileRead, file_chunks
from ageingwell.reading.options import AS_IT_IS, ReaderOptions
from ageingwell.sources.databases import database_frames
from ageingwell.sources.headings import folded_heading
from ageingwell.sources.locate import Location

__all__ = ["CHUNK_ROWS", "Chunk", "FileRead", "raw_chunks"]


def raw_chunks(
    location: Location, read: list[FileRead], *, wanted: frozenset[str], options: ReaderOptions = AS_IT_IS
) -> Iterator[Chunk]:
    """Yield the rows of a table in chunks; `read` receives one entry a file when it has been read whole.

    `wanted` are the folded headings of the columns we keep; the others are not decoded where the format allows it.
    """
    if location.uri is not None:
        yield from _database_chunks(location, read)
        return
    for path in location.files:
        yield from file_chunks(
            path,
            read,
            options=options,
            wanted=lambda heading: folded_heading(heading) in wanted,
            rows_at_once=CHUNK_ROWS,
            flat=True,
        )


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
