"""Chunks of rows."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ageingwell.reading.heads import heads, objects, text_of
from ageingwell.reading.options import ReaderOptions


@dataclass(frozen=True)
class Chunk:
    """Rows."""

    file: str
    first_row: int
    rows: pl.DataFrame
    sent: tuple[str, ...]
    ragged: tuple[int, ...] = ()


@dataclass(frozen=True)
class FileRead:
    """A file."""

    file: str
    sha256: str
    n_rows: int


def file_chunks(
    path: Path,
    read: list[FileRead],
    *,
    options: ReaderOptions = ReaderOptions(),
    wanted: Callable[[str], bool] | None = None,
    rows_at_once: int = 200_000,
) -> Iterator[Chunk]:
    if path.suffix == ".parquet":
        frame = pl.read_parquet(path).cast(pl.String)
        names, rows = frame.columns, [list(r) for r in frame.iter_rows()]
    elif path.suffix in (".json", ".ndjson", ".jsonl"):
        names = ["resourceType", "document"]
        rows = [[o.get("resourceType", ""), json.dumps(o)] for o in objects(path)]
    elif path.suffix in (".xlsx", ".ods", ".xls"):
        head = next(h for h in heads(path, 10**9) if options.sheet in (None, h.sheet))
        rows = head.rows[options.skip_lines :]
        names, rows = rows[0], [r for r in rows[1:] if any(r)]
    else:
        text, _ = text_of(path)
        lines = text.splitlines(keepends=True)[options.skip_lines :]
        rows = list(csv.reader(io.StringIO("".join(lines)), delimiter=options.separator or ","))
        if options.has_header:
            names, rows = rows[0], rows[1:]
        else:
            names = list(options.names)
        rows = [r for r in rows if r]
    names = [n.strip() for n in names]
    rows = [(r + [""] * len(names))[: len(names)] for r in rows]
    keep = [i for i, n in enumerate(names) if n and (wanted is None or wanted(n))]
    frame = pl.DataFrame({names[i]: [r[i] for r in rows] for i in keep}, schema={names[i]: pl.String for i in keep})
    read.append(FileRead(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), len(rows)))
    yield Chunk(path.name, 1, frame, tuple(names))
