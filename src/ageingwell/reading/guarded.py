"""Parquet files and workbooks, read by a process of their own: what ends the reader of a file does not end the run.

The libraries that decode them can panic, abort or fill the memory, by a damaged file or by one that was made to. So a
small process decodes them first, within the memory and the time that the limits allow. Of a workbook it hands the rows
back. A Parquet file it decodes as a proof, and we decode it again: decoding is many times faster than handing over
(0.04 s beside 0.35 s for 2.7 million prescriptions, `docs/decisions/0050`), and does the same twice.

The process is started when the first such file is read, and serves all that follow; after a fault it is ended.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn, cast

import polars as pl

from ageingwell.errors import ConfigError, EngineError, LimitError, SourceError
from ageingwell.reading import columnar
from ageingwell.reading.columnar import ParquetFacts, Proven
from ageingwell.reading.limits import USUAL, Limits, memory_for, regular_size
from ageingwell.reading.options import AS_IT_IS, ReaderOptions
from ageingwell.reading.streams import Part
from ageingwell.reading.tabular import Chunk
from ageingwell.reading.worker import ANSWER, CHUNK, END, HEAD, ROWS

_SECONDS_TO_END: Final = 2.0
_LOOK_EVERY: Final = 0.01
# The process holds some 60 MB before it reads, and libraries keep some of what they took for the next file.
_AT_REST: Final = 256_000_000
_PAGE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def parquet_facts(path: Path, limits: Limits = USUAL) -> ParquetFacts:
    """The columns and rows of a Parquet file, and the texts it carries."""
    regular_size(path, limits)
    told = _answer("facts", path, limits)
    return ParquetFacts(tuple(told["names"]), told["n_rows"], told["metadata"])


def parquet_chunks(
    path: Path, *, wanted: Callable[[str], bool], rows_at_once: int, limits: Limits = USUAL
) -> Iterator[Chunk]:
    """Yield the rows of a Parquet file in chunks; columns that are not wanted are not decoded."""
    facts = parquet_facts(path, limits)
    # The first column where none is wanted, so that its rows are still counted.
    columns = [name for name in facts.names if wanted(name)] or list(facts.names[:1])
    yield from _parquet_chunks(path, facts, columns, rows_at_once, limits)


def parquet_head(path: Path, *, n_rows: int, limits: Limits = USUAL) -> tuple[tuple[str, ...], pl.DataFrame]:
    """The names of the columns of a Parquet file, and its first rows."""
    facts = parquet_facts(path, limits)
    few = replace(facts, n_rows=min(facts.n_rows, n_rows))
    chunks = list(_parquet_chunks(path, few, list(facts.names), n_rows, limits))
    return facts.names, chunks[0].rows.head(n_rows)


def _parquet_chunks(
    path: Path, facts: ParquetFacts, columns: list[str], rows_at_once: int, limits: Limits
) -> Iterator[Chunk]:
    before = path.stat().st_mtime_ns
    asked = {"names": facts.names, "n_rows": facts.n_rows, "columns": columns, "rows_at_once": rows_at_once}
    told = _answer("prove", path, limits, **asked)
    if path.stat().st_mtime_ns != before:
        raise SourceError(
            f"{path.name}: the file changed while it was read", "wait until it is written, then run again"
        )
    known = Proven(tuple(told["odd"]), told["is_heavy"])
    yield from columnar.parquet_chunks(path, facts, known, columns=columns, rows_at_once=rows_at_once)


def workbook_chunks(path: Path, part: Part, *, options: ReaderOptions, rows_at_once: int) -> Iterator[Chunk]:
    """Yield the rows of one sheet of a workbook, which `part` names, in chunks of text columns."""
    told = {"part": part.name, "options": _told(options), "rows_at_once": rows_at_once}
    yield from _chunks("workbook", path, options.limits, **told)


def sheets(
    path: Path, part: Part, *, options: ReaderOptions = AS_IT_IS, most_rows: int
) -> list[tuple[str, list[list[str]]]]:
    """The name and the first rows of text of each sheet of a workbook."""
    told = {"part": part.name, "options": _told(options), "most_rows": most_rows}
    return [(name, rows) for name, rows in _answer("sheets", path, options.limits, **told)]


def _told(options: ReaderOptions) -> dict[str, Any]:
    return {name: value for name, value in vars(options).items() if name != "limits"}


class _Reader:
    """One process that reads, and the pipe to it."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        # The folder that this package lies in, wherever the run was started from.
        where = str(Path(__file__).parents[2])
        start = f"import sys; sys.path.insert(0, {where!r}); from ageingwell.reading import worker; worker.main()"
        try:
            self.process = subprocess.Popen(  # noqa: S603 - nothing in it comes from outside
                [sys.executable, "-c", start],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # What a library prints of a damaged file may hold values of it.
                stderr=subprocess.DEVNULL,
            )
        except OSError as fault:
            raise EngineError(
                f"the process that reads files from outside cannot be started ({fault.strerror})",
                "let this account start processes, or free memory, and run again",
            ) from None
        self.questions, self.answers = cast("BinaryIO", self.process.stdin), cast("BinaryIO", self.process.stdout)

    def ask(self, do: str, path: Path, limits: Limits, told: dict[str, Any]) -> None:
        request = {"do": do, "path": os.fsencode(path.absolute()).hex(), "limits": limits.model_dump(), **told}
        with suppress(BrokenPipeError):
            self.questions.write(json.dumps(request).encode() + b"\n")
            self.questions.flush()

    def frame(self) -> tuple[bytes, bytes] | None:
        """The next frame of the answer; None where the process ended."""
        head = self.answers.read(HEAD.size)
        if len(head) < HEAD.size:
            return None
        kind, length = HEAD.unpack(head)
        content = self.answers.read(length)
        return (kind, content) if len(content) == length else None

    def resident(self) -> int:
        """The bytes of memory that the process holds; 0 where the system does not say."""
        with suppress(OSError, ValueError, IndexError):
            pages = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1]
            return int(pages) * _PAGE
        return 0

    def end(self) -> int:
        """End the process; its exit code."""
        if self.pid != os.getpid():
            return 0
        for pipe in (self.questions, self.answers):
            with suppress(OSError):
                pipe.close()
        try:
            return self.process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class _Watch(threading.Thread):
    """Looks after one answer: ends the process when it holds too much memory, or lets us wait too long.

    What a library asks for is no measure, for it touches little of it; what it holds is. `over` names the limit.
    """

    def __init__(self, reader: _Reader, limits: Limits, most_bytes: float) -> None:
        super().__init__(daemon=True, name="ageingwell watch")
        self._reader, self._limits, self._most = reader, limits, most_bytes
        self._done = threading.Event()
        self.waiting_since: float | None = None
        self.over: str | None = None

    def run(self) -> None:
        # What the process held before is no part of this file.
        most = self._most + min(self._reader.resident(), _AT_REST)
        while not self._done.wait(_LOOK_EVERY):
            since = self.waiting_since
            if self._reader.resident() > most:
                self.over = "memory_mb"
            elif since is not None and time.monotonic() - since > self._limits.seconds:
                self.over = "seconds"
            if self.over is not None:
                self._reader.process.kill()
                return

    def stop(self) -> None:
        self._done.set()
        self.join()


_free: list[_Reader] = []


def _taken() -> _Reader:
    """A process that reads: one that is free, or a new one."""
    while _free:
        reader = _free.pop()
        # A forked child must not speak through the pipe of the process it was forked from.
        if reader.pid == os.getpid() and reader.process.poll() is None:
            return reader
    return _Reader()


@atexit.register
def _end_all() -> None:
    while _free:
        _free.pop().end()


def _frames(do: str, path: Path, limits: Limits, told: dict[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    """The frames of an answer; raises what the process says, and what its end means."""
    reader, is_done = _taken(), False
    watch = _Watch(reader, limits, memory_for(regular_size(path, limits), limits))
    try:
        watch.start()
        reader.ask(do, path, limits, told)
        while True:
            watch.waiting_since = time.monotonic()
            frame = reader.frame()
            watch.waiting_since = None
            if frame is None:
                _stop_on_end(reader, watch, path, limits)
            kind, content = frame
            if kind == END:
                is_done = True
                return
            if kind not in (ANSWER, CHUNK, ROWS):
                kind_of, found, remedy = json.loads(content)
                # What a library left behind when it panicked nobody knows.
                is_done = kind_of not in ("panic", "memory")
                _stop_on_fault(path, limits, kind_of, found, remedy)
            yield kind, content
    finally:
        watch.stop()
        if is_done and reader.resident() <= _AT_REST:
            _free.append(reader)
        else:
            reader.process.kill()
            reader.end()


def _stop_on_end(reader: _Reader, watch: _Watch, path: Path, limits: Limits) -> NoReturn:
    watch.stop()
    if watch.over == "seconds":
        raise LimitError(
            f"{path.name}: its next rows did not come within {limits.seconds:g} seconds",
            "look at the file, or save it as CSV; if it is right, raise `seconds` under [limits] in agencies.toml",
        )
    how = "took more memory than a file of its size may take"
    if watch.over is None:
        code = reader.end()
        name = f"exit code {code}"
        with suppress(ValueError):
            name = signal.Signals(-code).name if code < 0 else name
        how = f"ended the process that read it ({name}): it is damaged, or needs too much memory"
    raise LimitError(
        f"{path.name}: {how}",
        "look at the file, or save it as CSV; if it is right, raise `memory_mb` under [limits] in agencies.toml",
    )


def _stop_on_fault(path: Path, limits: Limits, kind: str, found: str, remedy: str | None) -> NoReturn:
    if kind == "memory":
        raise LimitError(
            f"{path.name}: takes more memory than a file of its size may take",
            "look at the file, or save it as CSV; if it is right, raise `memory_mb` under [limits] in agencies.toml",
        )
    if kind == "panic":
        raise SourceError(f"{path.name}: damaged, so that no reader follows it", "send it again")
    classes = {"limit": LimitError, "config": ConfigError}
    raise classes.get(kind, SourceError)(found, remedy)


def _answer(do: str, path: Path, limits: Limits, **told: Any) -> Any:
    content = b"null"
    for kind, sent in _frames(do, path, limits, told):
        content = sent if kind == ANSWER else content
    return json.loads(content)


def _chunks(do: str, path: Path, limits: Limits, **told: Any) -> Iterator[Chunk]:
    about: dict[str, Any] = {}
    for kind, content in _frames(do, path, limits, told):
        if kind == CHUNK:
            about = json.loads(content)
            continue
        rows = pl.read_ipc_stream(content)
        yield Chunk(about["file"], about["first_row"], rows, tuple(about["sent"]), tuple(about["ragged"]))
