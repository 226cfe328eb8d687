"""The secret key of the pseudonyms: where it may come from, and which keys are too weak to use.

All protection lies in this key: there are fewer than 300 million NHS numbers in use, so whoever has the key can
pseudonymise them all and look anyone up, and without a key a laptop reverses a plain hash in seconds.
"""

import base64
import binascii
import hashlib
import hmac
import os
import stat
import string
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NoReturn, final

from ageingwell.errors import KeyFileError

# The digits 0 to f of a digest. No digits: a spreadsheet can't turn it into a number, and no chance NHS number hides
# in it. No vowels: no words.
ALPHABET: Final = "bcdfghjklmnpqrst"
LETTERS: Final = str.maketrans("0123456789abcdef", ALPHABET)

SHORTEST_BYTES: Final = 32
_LONGEST_FILE_BYTES: Final = 4096
_FINGERPRINT_LETTERS: Final = 12
# 32 random bytes hold 30 different ones on average; fewer than 20 comes up less than once in 100 million keys.
_FEWEST_DIFFERENT: Final = 20
# 32 random bytes are 37 % printable; more than 90 % means text, in whatever encoding.
_MOST_PRINTABLE_SHARE: Final = 0.9
# Every other byte of UTF-16 text is nought; in random bytes a quarter of noughts does not happen.
_MOST_NOUGHTS_SHARE: Final = 0.25

_BLOCK_BYTES: Final = 64
_MAKE_ONE = "make a key with Key.generate, or with `openssl rand -hex 32`"


@final
class Key:
    """A secret key of at least 32 random bytes, which shows only its fingerprint.

    Read it from a file (`Key.read`) or an open file descriptor (`Key.read_fd`). It cannot be printed, pickled or
    copied, so a query plan that uses it cannot be written down either. Raises `KeyFileError` for a weak key.

    >>> Key.made_up(1)
    Key(fingerprint='tslbhgfbpgfp', made up)
    """

    __slots__ = ("_fingerprint", "_inner", "_is_made_up", "_outer")

    def __init__(self, secret: bytes) -> None:
        _refuse_weak(secret, name="the key")
        self._prepare(secret, is_made_up=False)

    @classmethod
    def read(cls, path: Path) -> "Key":
        """Read a key from a file that only its owner can read (mode 0600 or 0400), not through a symbolic link.

        The file holds the bytes themselves, or one line of hexadecimal or base64 text, which is decoded.
        """
        name = f"key file {path}"
        descriptor = _open_private(path, name=name)
        try:
            return cls._from_file(_read_few(descriptor, name=name), name=name)
        finally:
            os.close(descriptor)

    @classmethod
    def read_fd(cls, descriptor: int) -> "Key":
        """Read a key from an open file descriptor (a pipe from a secret store, say), up to its end."""
        name = f"key on file descriptor {descriptor}"
        return cls._from_file(_read_few(descriptor, name=name), name=name)

    @classmethod
    def generate(cls, path: Path) -> "Key":
        """Make a new random key in a new file of mode 0600, as 64 hexadecimal digits. An existing file is refused."""
        secret = os.urandom(SHORTEST_BYTES)
        while _weakness(secret):
            secret = os.urandom(SHORTEST_BYTES)
        _write_new(path, secret.hex().encode() + b"\n")
        return cls(secret)

    @classmethod
    def made_up(cls, seed: int) -> "Key":
        """Give a key that everybody can compute, for made-up people only; it protects nobody.

        The same seed gives the same key everywhere, so the made-up county is the same everywhere.
        """
        key = object.__new__(cls)
        public = f"ageingwell: a public key, for made-up people only: {seed}"
        key._prepare(hashlib.sha256(public.encode()).digest(), is_made_up=True)
        return key

    @property
    def fingerprint(self) -> str:
        """Twelve letters that tell keys apart and tell nothing about the key."""
        return self._fingerprint

    @property
    def is_made_up(self) -> bool:
        """Whether everybody can compute this key."""
        return self._is_made_up

    def digest(self, message: bytes) -> bytes:
        """Give HMAC-SHA256 of a message, 32 bytes."""
        inner, outer = self.started(message)
        outer.update(inner.digest())
        return bytes(outer.digest())

    def started(self, beginning: bytes = b"") -> tuple[Any, Any]:
        """Give the two hash states of HMAC with the beginning of a message taken in, to be copied for each ending."""
        inner = self._inner.copy()
        inner.update(beginning)
        return inner, self._outer.copy()

    def __repr__(self) -> str:
        return f"Key(fingerprint='{self._fingerprint}'{', made up' if self._is_made_up else ''})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and hmac.compare_digest(self.digest(b"equal"), other.digest(b"equal"))

    def __hash__(self) -> int:
        return hash(self._fingerprint)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Key is never pickled, copied or sent: read it again where it is needed")

    @classmethod
    def _from_file(cls, content: bytes, *, name: str) -> "Key":
        secret = _decoded(content, name=name)
        _refuse_weak(secret, name=name)
        key = object.__new__(cls)
        key._prepare(secret, is_made_up=False)
        return key

    def _prepare(self, secret: bytes, *, is_made_up: bool) -> None:
        # RFC 2104, with the two padded blocks hashed once and for all: three times as fast as `hmac` on short
        # messages, and the key's bytes need not be kept.
        block = (secret if len(secret) <= _BLOCK_BYTES else hashlib.sha256(secret).digest()).ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self._is_made_up = is_made_up
        self._fingerprint = self.digest(b"fingerprint:").hex().translate(LETTERS)[:_FINGERPRINT_LETTERS]


def _open_private(path: Path, *, name: str) -> int:
    # O_NOFOLLOW: a link may be turned to another file between our look and our read. O_NONBLOCK: opening a named pipe
    # would wait for ever. Both are missing on Windows, where access lists take the place of the mode.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    if path.is_symlink():
        raise KeyFileError(f"{name} is a symbolic link", "name the file itself, or hand over an open file descriptor")
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise KeyFileError(f"{name} cannot be opened ({error.strerror})", f"check the path, or {_MAKE_ONE}") from None
    try:
        _refuse_shared(os.fstat(descriptor), name=name)
    except KeyFileError:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_shared(status: os.stat_result, *, name: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileError(f"{name} is not a regular file", "name a file, or hand over an open file descriptor")
    if os.name != "posix":
        return
    if status.st_mode & 0o077:
        mode = f"{stat.S_IMODE(status.st_mode):04o}"
        raise KeyFileError(f"{name} can be read or changed by others (mode {mode})", "chmod 600 it")
    if status.st_uid not in (os.geteuid(), 0) and os.geteuid() != 0:
        raise KeyFileError(f"{name} belongs to another account", "chown it to the account that runs this")


def _read_few(descriptor: int, *, name: str) -> bytes:
    content = b""
    try:
        while len(content) <= _LONGEST_FILE_BYTES and (part := os.read(descriptor, _LONGEST_FILE_BYTES + 1)):
            content += part
    except OSError as error:
        raise KeyFileError(f"{name} cannot be read ({error.strerror})", "check the file or descriptor") from None
    if len(content) > _LONGEST_FILE_BYTES:
        raise KeyFileError(f"{name} is longer than {_LONGEST_FILE_BYTES} bytes", f"is it a key? If not, {_MAKE_ONE}")
    return content


def _write_new(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except FileExistsError:
        raise KeyFileError(
            f"key file {path} is there already", "name a new file; a lost key cannot be had back"
        ) from None
    except OSError as error:
        raise KeyFileError(f"key file {path} cannot be made ({error.strerror})", "choose another folder") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise KeyFileError(f"key file {path} cannot be written ({error.strerror})", "choose another folder") from None


def _decoded(content: bytes, *, name: str) -> bytes:
    """Give the key's bytes: as they are, or decoded from one line of hexadecimal or base64 text."""
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return content
    if not text.isprintable() or not text:
        return content
    secret = _from_hex(text) or _from_base64(text)
    if secret is None:
        raise KeyFileError(f"{name} holds text that is neither hexadecimal nor base64, such as a passphrase", _MAKE_ONE)
    return secret


def _from_hex(text: str) -> bytes | None:
    try:
        return binascii.unhexlify(text)
    except (binascii.Error, ValueError):
        return None


def _from_base64(text: str) -> bytes | None:
    # Letters of both cases and something else: a passphrase without spaces is base64 too. Of random 32-byte keys one
    # in 7,700 has no digit or sign; making another costs nothing.
    kinds = (string.ascii_uppercase, string.ascii_lowercase, string.digits + "+/-_")
    if not text.isascii() or not all(set(text) & set(kind) for kind in kinds):
        return None
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    try:
        return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None


def _refuse_weak(secret: bytes, *, name: str) -> None:
    if weakness := _weakness(secret):
        raise KeyFileError(f"{name} {weakness}", _MAKE_ONE)


def _weakness(secret: bytes) -> str | None:
    if len(secret) < SHORTEST_BYTES:
        return f"is {len(secret)} bytes long, and at least {SHORTEST_BYTES} are needed"
    if secret.count(0) > _MOST_NOUGHTS_SHARE * len(secret):
        return "is mostly nought bytes"
    printable = set(string.printable.encode())
    if sum(byte in printable for byte in secret) > _MOST_PRINTABLE_SHARE * len(secret):
        return "is text, such as a passphrase"
    # Steps between neighbours show counting and repetition: 00 01 02 … has 32 different bytes and one step.
    steps = {(after - before) % 256 for before, after in pairwise(secret)}
    if min(len(set(secret)), len(steps)) < _FEWEST_DIFFERENT:
        return "repeats itself or counts, so it is not random"
    return None
