"""The letters of a text file: which encoding it is in, and its text as a stream of UTF-8."""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from ageingwell.errors import ConfigError, SourceError
from ageingwell.reading.streams import BLOCK, Part

_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_LONGEST_MARK: Final = 3


@dataclass(frozen=True)
class Text:
    """A text file of known encoding. `open` gives it as UTF-8, without a byte order mark."""

    name: str
    part: Part
    encoding: str
    n_mark: int = 0

    def open(self) -> BinaryIO:
        """The text as UTF-8 from its start; bytes that are not of a UTF-8 file's encoding come out as they are."""
        stream = self.part.open()
        stream.read(self.n_mark)
        if self.encoding == "utf-8":
            return stream
        return io.BufferedReader(_Recoded(stream, self.name, self.encoding), BLOCK)

    def lines(self) -> io.TextIOWrapper:
        """The text line by line, every line break as it stands in the file."""
        return io.TextIOWrapper(self.open(), encoding="utf-8", newline="")


class _Recoded(io.RawIOBase):
    """UTF-8 of a stream in another encoding."""

    def __init__(self, inner: BinaryIO, name: str, encoding: str) -> None:
        self._inner, self._name, self._encoding = inner, name, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self._left = b""
        self._line = 1

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._left:
            sent = self._inner.read(BLOCK)
            self._left = self._recoded(sent)
            if not sent:
                break
        n = min(len(buffer), len(self._left))
        buffer[:n] = self._left[:n]
        self._left = self._left[n:]
        return n

    def _recoded(self, sent: bytes) -> bytes:
        text = None
        try:
            text = self._decoder.decode(sent, final=not sent)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(self._encoding, "ignore")
            line = self._line + before.count("\n")
        if text is None:
            raise SourceError(
                f"{self._name}, line {line}: not text in {self._encoding}", "declare its encoding, or save it as UTF-8"
            )
        self._line += text.count("\n")
        return text.encode("utf-8")

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
        super().close()


def text_of(part: Part, *, declared: tuple[str, ...] = ()) -> Text:
    """Find the encoding of a text file: by its byte order mark, else UTF-8 or the first declared one that fits.

    Nothing is ever guessed: without a mark and a declaration the text is taken for UTF-8, and the reader names the
    line that is not. Raises `SourceError` where no declared encoding fits, `ConfigError` for an unknown one.
    """
    with part.open() as stream:
        start = stream.read(_LONGEST_MARK)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return Text(part.name, part, encoding, len(mark))
    if not declared:
        return Text(part.name, part, "utf-8")
    names = dict.fromkeys(["utf-8", *(_known(name, start) for name in declared)])
    for encoding in names:
        if _fits(part, encoding):
            return Text(part.name, part, encoding)
    raise SourceError(
        f"{part.name}: not text in {' or '.join(names)}", "declare the encoding it was saved in, or save it as UTF-8"
    )


def _known(encoding: str, start: bytes) -> str:
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise ConfigError(f"encoding `{encoding}` is not known", 'write "windows-1252" or "utf-16"') from None
    if name == "utf-16":
        return "utf-16-be" if start[:1] == b"\0" else "utf-16-le"
    return "utf-8" if name == "utf-8-sig" else name


def _fits(part: Part, encoding: str) -> bool:
    """Whether the whole file is text in an encoding; a NUL is in no text, but every second byte of UTF-16."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with part.open() as stream:
        try:
            return not any("\0" in decoder.decode(block, final=not block) for block in _blocks(stream))
        except UnicodeDecodeError:
            return False


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    while block := stream.read(BLOCK):
        yield block
    yield b""
