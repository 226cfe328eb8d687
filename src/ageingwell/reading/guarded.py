"""Parquet files and workbooks, read by a process of their own: what ends the reader of a file does not end the run.

The libraries that decode them can panic, abort or fill the memory, by a damaged file or by one that was made to. So a
small process decodes them, within the memory and the time that its limits allow, and hands the rows back. It is
started when the first such file is read, and serves all that follow; after a fault it is ended, and another is started.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn, cast

import polars as pl

from ageingwell.errors import ConfigError, EngineError, LimitError, SourceError
from ageingwell.reading.columnar import ParquetFacts
from ageingwell.reading.limits import USUAL, Limits, beyond, regular_size
from ageingwell.reading.options import AS_IT_IS, ReaderOptions
from ageingwell.reading.streams import Part
from ageingwell.reading.tabular import Chunk
from ageingwell.reading.worker import ANSWER, CHUNK, END, HEAD, ROWS

_SECONDS_TO_END: Final = 2.0


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
    asked = {"names": facts.names, "n_rows": facts.n_rows, "columns": columns, "rows_at_once": rows_at_once}
    yield from _chunks("parquet", path, limits, **asked)


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
        self.timed_out = False

    def ask(self, do: str, path: Path, limits: Limits, told: dict[str, Any]) -> None:
        request = {"do": do, "path": os.fsencode(path.absolute()).hex(), "limits": limits.model_dump(), **told}
        with suppress(BrokenPipeError):
            self.questions.write(json.dumps(request).encode() + b"\n")
            self.questions.flush()

    def frame(self, seconds: float) -> tuple[bytes, bytes] | None:
        """The next frame of the answer; None where the process ended, or was ended because its time was up."""
        watch = threading.Timer(seconds, self._time_is_up)
        watch.daemon = True
        watch.start()
        try:
            head = self.answers.read(HEAD.size)
            if len(head) < HEAD.size:
                return None
            kind, length = HEAD.unpack(head)
            content = self.answers.read(length)
            return (kind, content) if len(content) == length else None
        finally:
            watch.cancel()

    def _time_is_up(self) -> None:
        self.timed_out = True
        self.process.kill()

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
    try:
        reader.ask(do, path, limits, told)
        while True:
            frame = reader.frame(limits.seconds)
            if frame is None:
                _stop_on_end(reader, path, limits)
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
        if is_done:
            _free.append(reader)
        else:
            reader.process.kill()
            reader.end()


def _stop_on_end(reader: _Reader, path: Path, limits: Limits) -> NoReturn:
    if reader.timed_out:
        raise beyond(path.name, "its next rows took longer", "seconds", limits)
    code = reader.end()
    how = f"exit code {code}"
    with suppress(ValueError):
        how = signal.Signals(-code).name if code < 0 else how
    raise LimitError(
        f"{path.name}: ended the process that read it ({how}): it needs more memory than a file of its size may take, "
        "or was made to do so",
        "look at the file, or save it as CSV; if it is right, raise `memory_mb` under [limits] in agencies.toml",
    )


def _stop_on_fault(path: Path, limits: Limits, kind: str, found: str, remedy: str | None) -> NoReturn:
    if kind == "memory":
        raise beyond(path.name, "takes more memory", "memory_mb", limits)
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
