"""Whole files of every form, spoilt, through everything that reads such files.

`python -m helpers.fuzzed_files FORM SEED N FOLDER` spoils and reads `N` files of one form in this process, and prints
the number of each before it is read: who aborts or hangs has said where. What is no error of ours is told by its type.
"""

import gzip
import io
import json
import random
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import polars as pl

from ageingwell.agency.lists import read_list
from ageingwell.config.files import read_toml, shipped
from ageingwell.config.load import _read
from ageingwell.config.score import ScoreSettings
from ageingwell.errors import AgeingWellError
from ageingwell.reading.chunks import file_chunks
from ageingwell.reading.heads import heads
from ageingwell.services.directory import read_directory
from ageingwell.sources.databases import database_frames
from helpers.bombs import ods
from helpers.running import helper_run
from helpers.tables import GOOD, csv_text, good_rows

TABLE = "gp_patients"
# Every form in one process, as many files of each.
ALL = "all"
# What a spoilt number is often set to: none, the largest of its width, the sign alone.
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF)


def _table(path: Path) -> None:
    for _ in file_chunks(path, [], flat=True):
        pass
    heads(path)


def _listed(path: Path) -> None:
    _either(lambda: _table(path), lambda: read_list(path))


def _directory(path: Path) -> None:
    _either(lambda: _table(path), lambda: read_directory(path))


def _settings(path: Path) -> None:
    found: list[str] = []
    _either(lambda: read_toml(path), lambda: _read(ScoreSettings, path, found))


def _database(path: Path) -> None:
    for frame in database_frames(TABLE, f"sqlite://{path}", f"SELECT * FROM {TABLE}", rows_at_once=100):
        frame.to_dicts()


def _either(*reads: Callable[[], object]) -> None:
    """Read in each way; an error of one does not keep the other from being tried."""
    faults = []
    for read in reads:
        try:
            read()
        except AgeingWellError as fault:
            faults.append(fault)
    if faults:
        raise faults[0]


READERS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "csv": ("gp_patients.csv", _listed),
    "gz": ("gp_patients.csv.gz", _table),
    "zip": ("gp_patients.zip", _table),
    "parquet": ("gp_patients.parquet", _listed),
    "xlsx": ("gp_patients.xlsx", _listed),
    "ods": ("gp_patients.ods", _listed),
    "json": ("gp_patients.json", _directory),
    "ndjson": ("gp_patients.ndjson", _table),
    "toml": ("score.toml", _settings),
    "sqlite": ("gp_patients.sqlite", _database),
}


def sound(form: str, folder: Path) -> bytes:
    """A small file of a form in which nothing is wrong."""
    rows = good_rows(TABLE, 6)
    path = folder / f"sound-{READERS[form][0]}"
    text = csv_text(rows)
    if form in ("csv", "gz", "zip"):
        return text.encode()
    if form == "parquet":
        typed = pl.DataFrame(rows).with_columns(pl.col("recorded_on").str.to_date(), n=pl.lit(1.5), lists=[["a"]] * 6)
        typed.write_parquet(path, metadata={"ageingwell.ids": "own"})
    elif form == "xlsx":
        book = openpyxl.Workbook()
        for row in [list(rows[0]), *(list(row.values()) for row in rows)]:
            book.active.append(row)  # type: ignore[union-attr]
        book.save(path)
    elif form == "ods":
        cells = "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in GOOD[TABLE])
        ods(path, f"<table:table-row>{cells}</table:table-row>" * 4)
    elif form in ("json", "ndjson"):
        return (json.dumps(rows) if form == "json" else "\n".join(map(json.dumps, rows))).encode()
    elif form == "toml":
        return (shipped("configs") / "score.toml").read_bytes()
    else:
        path.unlink(missing_ok=True)
        with sqlite3.connect(path) as database:
            database.execute(f"CREATE TABLE {TABLE} ({', '.join(f'{name} TEXT' for name in rows[0])})")
            database.executemany(
                f"INSERT INTO {TABLE} VALUES ({', '.join('?' for _ in rows[0])})", [list(row.values()) for row in rows]
            )
        database.close()
    return path.read_bytes()


def spoilt(content: bytes, draw: random.Random) -> bytes:
    """A file with one to eight of its places spoilt."""
    found = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        at = draw.randrange(len(found)) if found else 0
        kind = draw.randrange(8)
        if kind == 0 and found:
            found[at] ^= 1 << draw.randrange(8)
        elif kind == 1 and found:
            found[at] = draw.choice(EXTREMES)
        elif kind == 2:
            del found[at : at + draw.choice((1, 4, 100))]
        elif kind == 3:
            found[at:at] = draw.randbytes(draw.choice((1, 4, 100)))
        elif kind == 4:
            found[at : at + 4] = draw.choice((b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\xff\xff\xff\xff", b"9999"))
        elif kind == 5:
            start = draw.randrange(len(found)) if found else 0
            found[at:at] = found[start : start + draw.choice((4, 50, 500))]
        elif kind == 6:
            found[at:at] = draw.choice(
                (b'"', b"\n", b"\r", b"\0", b"[" * 200, b"{", b"\xef\xbb\xbf", b",,", b"1e999", b"<!")
            )
        else:
            del found[at:]
    return bytes(found)


def packed(form: str, content: bytes, draw: random.Random) -> bytes:
    """The spoilt file of a form: its bytes, or what is packed in it, packed again."""
    inside = draw.random() < 0.6
    if form == "gz":
        return gzip.compress(spoilt(content, draw), 1) if inside else spoilt(gzip.compress(content, 1), draw)
    if form == "zip":
        return _zipped({"a.csv": spoilt(content, draw)}) if inside else spoilt(_zipped({"a.csv": content}), draw)
    if form in ("xlsx", "ods") and inside:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        name = draw.choice(sorted(parts))
        return _zipped(parts | {name: spoilt(parts[name], draw)})
    return spoilt(content, draw)


def _zipped(parts: dict[str, bytes]) -> bytes:
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return book.getvalue()


@dataclass(frozen=True)
class Count:
    """How many files of a form were read, how many were refused, and what went wrong with which."""

    n: int
    n_refused: int
    bad: tuple[str, ...]


def fuzz(form: str, *, n: int, seed: int, folder: Path, seconds: float = 600, batch: int = 100) -> Count:
    """Spoil and read `n` files of a form, in a process a batch: one that aborts or hangs ends its batch."""
    refused, bad = 0, []
    done = 0
    while done < n:
        size = min(batch, n - done)
        try:
            ran = helper_run("fuzzed_files", form, seed + done, size, folder, timeout=seconds, check=False)
            lines, ended = ran.stdout.splitlines(), ran.returncode
        except subprocess.TimeoutExpired as fault:
            lines, ended = (fault.stdout or b"").decode().splitlines(), -99
        told = [line for line in lines if not line.isdigit()]
        bad += [f"{form} {seed + done}: {line}" for line in told if not line.startswith("refused")]
        refused += sum(int(line.split()[1]) for line in told if line.startswith("refused"))
        if ended:
            bad.append(f"{form} {seed + done}: ended with {ended} after {lines[-1:]}")
        done += size
    return Count(n, refused, tuple(bad))


def main(form: str, seed: int, n: int, folder: Path) -> None:
    """Spoil and read files of one form in this process."""
    if form == ALL:
        for each in READERS:
            main(each, seed, n, folder)
        return
    name, read = READERS[form]
    content = sound(form, folder)
    draw, refused = random.Random(f"{form} {seed}"), 0
    for number in range(n):
        print(number, flush=True)  # noqa: T201
        path = folder / f"{number % 10}-{name}"
        path.write_bytes(packed(form, content, draw))
        try:
            read(path)
        except AgeingWellError:
            refused += 1
        except BaseException as fault:
            print(f"{type(fault).__name__} in {form} file {number}", flush=True)  # noqa: T201
    print(f"refused {refused}", flush=True)  # noqa: T201


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
