"""The process that reads Parquet files and workbooks for another: it may abort, panic or run out of memory alone.

It is given a request as one line of JSON, and answers with frames: a letter, the length, and bytes. The rows of a
workbook go back as Arrow through the pipe, never through a file. `guarded.py` is the other end.
"""

import json
import os
import signal
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

from ageingwell.config.limits import Limits
from ageingwell.errors import AgeingWellError, ConfigError, LimitError
from ageingwell.reading.columnar import ParquetFacts, parquet_facts, proven
from ageingwell.reading.limits import memory_for
from ageingwell.reading.options import ReaderOptions
from ageingwell.reading.parts import parts_of
from ageingwell.reading.tabular import Chunk
from ageingwell.reading.workbooks import all_sheets, workbook_chunks

HEAD: Final = struct.Struct("!cQ")
ANSWER, CHUNK, ROWS, FAULT, END = b"j", b"c", b"r", b"e", b"."
_SLACK: Final = 3
_RESERVED: Final = 2_000_000_000


def main() -> None:
    """Answer requests until there are no more."""
    # Ctrl-C goes to every process of a terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = sys.stdout.buffer
    for line in sys.stdin.buffer:
        _answer(json.loads(line), answers)
        answers.flush()


def _answer(request: dict[str, Any], answers: BinaryIO) -> None:
    path, limits = Path(os.fsdecode(bytes.fromhex(request["path"]))), Limits.model_validate(request["limits"])
    fault: tuple[str, str, str | None] | None = None
    try:
        _bound_memory(path, limits)
        for kind, content in _DO[request["do"]](path, limits, request):
            _send(answers, kind, content)
    except AgeingWellError as error:
        kind_of = "limit" if isinstance(error, LimitError) else "config" if isinstance(error, ConfigError) else "source"
        fault = (kind_of, error.found, error.remedy)
    except MemoryError:
        fault = ("memory", "", None)
    except BaseException:  # a panic of Polars or calamine is no `Exception`; its text may hold values, and stays here
        fault = ("panic", "", None)
    _send(answers, END if fault is None else FAULT, json.dumps(fault).encode())


def _send(answers: BinaryIO, kind: bytes, content: bytes) -> None:
    answers.write(HEAD.pack(kind, len(content)))
    answers.write(content)


def _bound_memory(path: Path, limits: Limits) -> None:
    """Let this process ask for no more than several times what a file of this size may take.

    `guarded.py` watches what is really taken; this is for what asks for all the memory of the machine at once. It is
    not the limit itself: libraries ask for much that they never touch, and hang where a thread cannot be started.
    """
    with suppress(ImportError, OSError, ValueError):
        import resource  # not on Windows

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
        most = _SLACK * memory_for(path.stat().st_size, limits) + _RESERVED
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = pages * resource.getpagesize() + int(most)
        resource.setrlimit(resource.RLIMIT_DATA, (soft if hard < 0 else min(soft, hard), hard))


def _facts(path: Path, limits: Limits, request: dict[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    yield ANSWER, json.dumps(asdict(parquet_facts(path, limits))).encode()


def _prove(path: Path, limits: Limits, request: dict[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    facts = ParquetFacts(tuple(request["names"]), request["n_rows"], {})
    columns, rows_at_once = request["columns"], request["rows_at_once"]
    found = proven(path, facts, columns=columns, rows_at_once=rows_at_once, limits=limits)
    yield ANSWER, json.dumps(asdict(found)).encode()


def _workbook(path: Path, limits: Limits, request: dict[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    options = _options(request)
    part = next(one for one in parts_of(path, options) if one.name == request["part"])
    for chunk in workbook_chunks(part, options=options, rows_at_once=request["rows_at_once"]):
        yield from _sent(chunk)


def _sheets(path: Path, limits: Limits, request: dict[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    options, most = _options(request), request["most_rows"]
    part = next(one for one in parts_of(path, options) if one.name == request["part"])
    found = [(name, rows[:most]) for name, rows in all_sheets(part, limits)]
    yield ANSWER, json.dumps(found).encode()


def _options(request: dict[str, Any]) -> ReaderOptions:
    sent = request["options"]
    return ReaderOptions(**{
        **sent,
        "encoding": tuple(sent["encoding"]),
        "names": tuple(sent["names"]),
        "limits": Limits.model_validate(request["limits"]),
    })  # fmt: skip


def _sent(chunk: Chunk) -> Iterator[tuple[bytes, bytes]]:
    told = {"file": chunk.file, "first_row": chunk.first_row, "sent": chunk.sent, "ragged": chunk.ragged}
    yield CHUNK, json.dumps(told).encode()
    rows = BytesIO()
    chunk.rows.write_ipc_stream(rows, compression="uncompressed")
    yield ROWS, rows.getbuffer()  # type: ignore[misc]


_DO: Final = {"facts": _facts, "prove": _prove, "workbook": _workbook, "sheets": _sheets}

if __name__ == "__main__":
    main()
