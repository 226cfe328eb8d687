"""Bytes of a file as a stream: faults of disk and packing become sentences, and what unpacks without end stops."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from ageingwell.errors import SourceError
from ageingwell.reading.forms import Form

BLOCK: Final = 1 << 20
# Tables of text pack some 5 to 30 times; what unpacks a thousand times over was made to fill a disk.
MOST_TIMES_UNPACKED: Final = 200
MOST_UNPACKED_BYTES: Final = 1 << 30
_FAULTS: Final = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class Part:
    """One table of bytes: a file, or a file within a zip file. `open` gives its bytes from the start, unpacked."""

    name: str
    form: Form
    open: Callable[[], BinaryIO]


class _Watched(io.RawIOBase):
    """A stream whose faults are told by the name of the file, and that stops when it unpacks without end."""

    def __init__(self, inner: BinaryIO, name: str, packed_bytes: int | None) -> None:
        self._inner, self._name, self._packed_bytes, self._read = inner, name, packed_bytes, 0

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
        stop_on_bomb(self._name, self._read, self._packed_bytes)
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
        super().close()


def stop_on_bomb(name: str, unpacked_bytes: int, packed_bytes: int | None) -> None:
    """Stop on a packed file that unpacks more than 200 times over, and to more than a gigabyte."""
    if packed_bytes is None or unpacked_bytes <= max(MOST_UNPACKED_BYTES, MOST_TIMES_UNPACKED * packed_bytes):
        return
    raise SourceError(
        f"{name}: unpacks to more than {MOST_TIMES_UNPACKED} times its size, as no table does",
        "send it unpacked, if it is right",
    )


def watched(inner: BinaryIO, name: str, *, packed_bytes: int | None = None) -> BinaryIO:
    """A stream of the same bytes that raises `SourceError` for whatever goes wrong."""
    return io.BufferedReader(_Watched(inner, name, packed_bytes), BLOCK)


def opened(path: Path) -> BinaryIO:
    """Open a file, unpacked if its name ends with .gz; a file that cannot be opened is a `SourceError`."""
    is_packed = path.name.lower().endswith(".gz")
    file = packed_bytes = fault = None
    try:
        packed_bytes = path.stat().st_size if is_packed else None
        file = gzip.GzipFile(path, mode="rb") if is_packed else path.open("rb")
    except OSError as error:
        fault = error.strerror
    if file is None:
        raise SourceError(f"{path.name}: cannot be read ({fault})", "check that it exists and may be read")
    return watched(file, path.name, packed_bytes=packed_bytes)  # type: ignore[arg-type]
