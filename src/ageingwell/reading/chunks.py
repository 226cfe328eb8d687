"""One file of any form in chunks of rows: as sent, nothing interpreted, every fault of the file named."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ageingwell.errors import SourceError
from ageingwell.reading.documents import json_chunks
from ageingwell.reading.encodings import text_of
from ageingwell.reading.fast import text_chunks
from ageingwell.reading.flat import flat_chunks
from ageingwell.reading.forms import form_of
from ageingwell.reading.guarded import parquet_chunks, workbook_chunks
from ageingwell.reading.limits import USUAL, Limits, regular_size
from ageingwell.reading.options import AS_IT_IS, ReaderOptions
from ageingwell.reading.parts import parts_of
from ageingwell.reading.tabular import Chunk

__all__ = ["CHUNK_ROWS", "Chunk", "FileRead", "file_chunks", "parts_of"]

CHUNK_ROWS: Final = 200_000


@dataclass(frozen=True)
class FileRead:
    """What was read: file name, SHA-256 of its bytes as they lie on the disk, rows."""

    file: str
    sha256: str
    n_rows: int


def file_chunks(
    path: Path,
    read: list[FileRead],
    *,
    options: ReaderOptions = AS_IT_IS,
    wanted: Callable[[str], bool] | None = None,
    rows_at_once: int = CHUNK_ROWS,
    flat: bool = False,
) -> Iterator[Chunk]:
    """Yield the rows of one file in chunks, at least one; `read` receives an entry when it has been read whole.

    Text, workbooks and JSON give columns of text, Parquet its own types. Only columns whose heading is `wanted` are in
    the rows where the format allows it; `sent` names them all. The tables in a zip file are read in the order of their
    names, and rows are numbered anew in each. JSON gives each object as text in a column `document`, with its
    `resourceType` beside it; with `flat` it gives one column a key. Raises `SourceError` for every fault of a file, by
    file and row or line.
    """
    before = _stamp(path, options.limits)
    digest = _sha256(path)
    n_rows = 0
    for chunk in _chunks(path, options, wanted or _everything, rows_at_once, flat=flat):
        n_rows += chunk.rows.height
        yield chunk
    if _stamp(path, options.limits) != before:
        raise SourceError(
            f"{path.name}: the file changed while it was read", "wait until it is written, then run again"
        )
    read.append(FileRead(path.name, digest, n_rows))


def _everything(_: str) -> bool:
    return True


def _chunks(
    path: Path, options: ReaderOptions, wanted: Callable[[str], bool], n: int, *, flat: bool
) -> Iterator[Chunk]:
    if form_of(path) == "parquet":
        yield from parquet_chunks(path, wanted=wanted, rows_at_once=n, limits=options.limits)
        return
    for part in parts_of(path, options):
        if part.form == "workbook":
            yield from workbook_chunks(path, part, options=options, rows_at_once=n)
            continue
        text = text_of(part, declared=options.encoding)
        if part.form == "text":
            yield from text_chunks(text, options=options, wanted=wanted, rows_at_once=n)
        elif flat:
            yield from flat_chunks(text, wanted=wanted, rows_at_once=n, limits=options.limits)
        else:
            yield from json_chunks(text, rows_at_once=n, limits=options.limits)


def _stamp(path: Path, limits: Limits = USUAL) -> tuple[int, int]:
    regular_size(path, limits)
    facts = fault = None
    try:
        facts = path.stat()
    except OSError as error:
        fault = error.strerror
    if facts is None:
        raise _unreadable(path, fault)
    return facts.st_size, facts.st_mtime_ns


def _sha256(path: Path) -> str:
    digest = fault = None
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        fault = error.strerror
    if digest is None:
        raise _unreadable(path, fault)
    return digest


def _unreadable(path: Path, fault: str | None) -> SourceError:
    return SourceError(f"{path.name}: cannot be read ({fault})", "check that it exists and may be read")
