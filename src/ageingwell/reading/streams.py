"""Bytes of a file as a stream: faults of disk and packing become sentences, and what unpacks without end stops."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from ageingwell.errors import LimitError, SourceError
from ageingwell.reading.forms import Form
from ageingwell.reading.limits import MB, USUAL, Limits, regular_size

BLOCK: Final = 1 << 20
_FAULTS: Final = (OSError, ValueError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class Part:
    """One table of bytes: a file, or a file within a zip file. `open` gives its bytes from the start, unpacked."""

    name: str
    form: Form
    open: Callable[[], BinaryIO]


class _Watched(io.RawIOBase):
    """A stream whose faults are told by the name of the file, and that stops when it unpacks without end."""

    def __init__(self, inner: BinaryIO, name: str, packed: Callable[[], int] | None, limits: Limits) -> None:
        self._inner, self._name, self._packed, self._read = inner, name, packed, 0
        self._limits = limits

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        found = fault = None
        try:
            found = self._inner.read(len(buffer))
        except _FAULTS as error:
            fault = error.strerror if isinstance(error, OSError) and error.strerror else "damaged or cut off"
        if found is None:
            raise SourceError(f"{self._name}: cannot be read to its end ({fault})", "send it again")
        self._read += len(found)
        if self._packed is not None:
            stop_on_bomb(self._name, self._read, self._packed(), self._limits)
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
        super().close()


def stop_on_bomb(name: str, unpacked_bytes: int, packed_bytes: int, limits: Limits = USUAL) -> None:
    """Stop on a packed file that unpacks to more than tables do: more than a size, and more than so many times."""
    most = max(limits.unpacked_mb * MB, limits.unpacked_times * packed_bytes)
    if unpacked_bytes <= most:
        return
    raise LimitError(
        f"{name}: unpacks to more than {limits.unpacked_times:g} times its size, as no table does",
        "send it unpacked, if it is right, or raise `unpacked_times` under [limits] in agencies.toml",
    )


def watched(inner: BinaryIO, name: str, *, packed: Callable[[], int] | None = None, limits: Limits = USUAL) -> BinaryIO:
    """A stream of the same bytes that raises `SourceError` for whatever goes wrong.

    `packed` says how many packed bytes the stream was unpacked from so far.
    """
    return io.BufferedReader(_Watched(inner, name, packed, limits), BLOCK)


class _Gzip(gzip.GzipFile):
    """A gzip file that closes what it was opened from."""

    def close(self) -> None:
        inner = self.fileobj
        super().close()
        if inner is not None:
            inner.close()  # type: ignore[union-attr]


def opened(path: Path, limits: Limits = USUAL) -> BinaryIO:
    """Open a file, unpacked if its name ends with .gz; a file that cannot be opened is a `SourceError`."""
    is_packed = path.name.lower().endswith(".gz")
    regular_size(path, limits)
    file: BinaryIO | None = None
    fault = packed = None
    try:
        file = path.open("rb")
        if is_packed:
            packed = file.tell
            file = cast("BinaryIO", _Gzip(fileobj=file, mode="rb"))
    except OSError as error:
        fault = error.strerror
    if file is None:
        raise SourceError(f"{path.name}: cannot be read ({fault})", "check that it exists and may be read")
    return watched(file, path.name, packed=packed, limits=limits)
