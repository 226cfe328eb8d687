"""Finding every file that names somebody, whatever it is: text, Parquet, workbook, database, archive."""

import gzip
import io
import sqlite3
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.disk import DISK, Disk
from ageingwell.pseudonyms import Key, row_key, row_key_by
from ageingwell.register import RECIPIENTS

_ZIP, _GZIP, _PARQUET, _SQLITE = b"PK\x03\x04", b"\x1f\x8b", b"PAR1", b"SQLite format 3\0"
_DEEPEST: Final = 4  # archives in archives
_LARGEST: Final = 1 << 30  # bytes of one unpacked file
_FAULTS: Final = (
    OSError,
    ValueError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    sqlite3.Error,
    pl.exceptions.PolarsError,
)


class CannotTellError(Exception):
    """A file cannot be looked into: damaged, locked, nested too deep, or larger than is read."""


class Named:
    """What names some people in the files of the nights: their pseudonyms, and the keys of their rows."""

    def __init__(self, words: Collection[str]) -> None:
        self.words = tuple(sorted(set(words)))
        self._bytes = tuple(word.encode() for word in self.words)
        self._shortest = min(map(len, self._bytes), default=0)

    def found_in(self, content: bytes, *, depth: int = 0) -> bool:
        """Whether any of the words stands in some bytes, or in what they unpack to.

        Raises `CannotTellError` where none was found, and not everything could be unpacked.
        """
        if not self.words:
            return False
        # UTF-16 is what a spreadsheet saves as "Unicode text".
        parts = (content, content.replace(b"\0", b"")) if b"\0" in content else (content,)
        if any(word in part for part in parts if len(part) >= self._shortest for word in self._bytes):
            return True
        if depth > _DEEPEST:
            raise CannotTellError
        unclear = False
        try:
            for part in _unpacked(content):
                try:
                    if self.found_in(part, depth=depth + 1):
                        return True
                except CannotTellError:
                    unclear = True
        # A file that is damaged inside makes the Parquet reader panic, which is no `Exception`.
        except (*_FAULTS, pl.exceptions.PanicException):
            unclear = True
        if unclear:
            raise CannotTellError
        return False


@dataclass(frozen=True)
class Looked:
    """What a search found: the files that name somebody, and those that cannot be looked into."""

    naming: tuple[Path, ...] = ()
    unclear: tuple[Path, ...] = ()


def keys_of(people: Iterable[str], *, nights: Iterable[date], keys: Iterable[Key]) -> set[str]:
    """The row keys of some people or homes on every recipient's list of some nights, under some list keys."""
    who = pl.DataFrame({"id": sorted(set(people))}, schema={"id": pl.String})
    # Lists of earlier versions were keyed with the key of all lists itself.
    every = [
        keyed(pl.col("id"), recipient=recipient, as_of=night, key=key).alias(f"{at}:{by}:{recipient}:{night}")
        for at, key in enumerate(keys)
        for night in sorted(set(nights))
        for recipient in RECIPIENTS
        for by, keyed in enumerate((row_key, row_key_by))
    ]
    if who.is_empty() or not every:
        return set()
    return {key for column in who.select(every) for key in column}


def files_below(folder: Path, *, disk: Disk = DISK) -> Iterator[Path]:
    """Every file below a folder, links neither followed nor given, in order."""
    if disk.kind(folder) != "folder":
        return
    for name in disk.names(folder):
        match disk.kind(folder / name):
            case "folder":
                yield from files_below(folder / name, disk=disk)
            case "file":
                yield folder / name
            case _:
                continue


def look_in(named: Named, paths: Iterable[Path], *, disk: Disk = DISK) -> Looked:
    """Which of some files name somebody, in their content or in their own name."""
    naming, unclear = [], []
    for path in paths:
        try:
            if named.found_in(path.name.encode(errors="replace")) or named.found_in(disk.read(path)):
                naming.append(path)
        except CannotTellError:
            unclear.append(path)
    return Looked(tuple(naming), tuple(unclear))


def _unpacked(content: bytes) -> Iterator[bytes]:
    if content.startswith(_PARQUET):
        yield from _of_parquet(content)
    elif content.startswith(_ZIP):
        yield from _of_zip(content)
    elif content.startswith(_GZIP):
        with gzip.open(io.BytesIO(content)) as file:
            yield _no_more(file.read(_LARGEST + 1))
    elif content.startswith(_SQLITE):
        yield from _of_sqlite(content)


def _of_parquet(content: bytes) -> Iterator[bytes]:
    frame, short = pl.read_parquet(io.BytesIO(content)), []
    for name, kind in frame.schema.items():
        texts = frame[name]
        while texts.dtype == pl.List:
            texts = texts.explode()
        if texts.dtype in (pl.String, pl.Categorical, pl.Enum):
            short += texts.cast(pl.String).drop_nulls().unique().to_list()
        elif texts.dtype == pl.Binary:
            yield b"\n".join(texts.drop_nulls().to_list())
        elif kind.is_nested():
            yield str(texts.to_list()).encode()
    # The texts of all columns together: every part is searched for every word.
    yield "\n".join(short).encode()


def _of_zip(content: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for part in archive.infolist():
            yield part.filename.encode()
            with archive.open(part) as file:
                yield _no_more(file.read(_LARGEST + 1))


def _of_sqlite(content: bytes) -> Iterator[bytes]:
    # The text of a row longer than a page is spread over pages: what is looked for may lie across two of them.
    # Bytes 18 and 19 say that a file has a journal beside it (2), which one in memory cannot have (1).
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(content[:18] + b"\1\1" + content[20:])
        for line in database.iterdump():
            yield line.encode(errors="replace")


def _no_more(content: bytes) -> bytes:
    if len(content) > _LARGEST:
        raise ValueError("unpacks to more than is read")
    return content
