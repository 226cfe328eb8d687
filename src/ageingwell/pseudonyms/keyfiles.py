"""The file a key is kept in: opened only when private, read whole, decoded from text where it is text."""

import base64
import binascii
import os
import stat
import string
from itertools import pairwise
from pathlib import Path
from typing import Final

from ageingwell.disk import DISK
from ageingwell.errors import KeyFileError
from ageingwell.pseudonyms.strength import MAKE_ONE

_LONGEST_FILE_BYTES: Final = 4096
_MOST_SMALL_PAIRS: Final = 0.58


def open_private(path: Path, *, name: str) -> int:
    """Open a regular file that only its owner can read, and give its descriptor."""
    # O_NOFOLLOW: a link may be turned to another file between our look and our read. O_NONBLOCK: opening a named pipe
    # would wait for ever. Both are missing on Windows, where access lists take the place of the mode.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        is_link = path.is_symlink()
        descriptor = -1 if is_link else os.open(path, flags)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no path of a file"
        raise KeyFileError(f"{name} cannot be opened ({reason})", f"check the path, or {MAKE_ONE}") from None
    if is_link:
        raise KeyFileError(f"{name} is a symbolic link", "name the file itself, or hand over an open file descriptor")
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


def read_few(descriptor: int, *, name: str) -> bytes:
    """Read to the end, and refuse what is too long for a key."""
    content = b""
    try:
        while len(content) <= _LONGEST_FILE_BYTES and (part := os.read(descriptor, _LONGEST_FILE_BYTES + 1)):
            content += part
    except OSError as error:
        raise KeyFileError(f"{name} cannot be read ({error.strerror})", "check the file or descriptor") from None
    if len(content) > _LONGEST_FILE_BYTES:
        raise KeyFileError(f"{name} is longer than {_LONGEST_FILE_BYTES} bytes", f"is it a key? If not, {MAKE_ONE}")
    return content


def write_new(path: Path, content: bytes) -> None:
    """Write a new file of mode 0600, whole or not at all."""
    try:
        DISK.write_new(path, content)
    except FileExistsError:
        raise KeyFileError(
            f"key file {path} is there already", "name a new file; a lost key cannot be had back"
        ) from None
    except OSError as error:
        raise _unwritten(path, error) from None
    try:
        DISK.sync_file(path)
        DISK.sync_folder(path.parent)
    except OSError as error:
        DISK.remove(path)
        raise _unwritten(path, error) from None


def _unwritten(path: Path, error: OSError) -> KeyFileError:
    return KeyFileError(f"key file {path} cannot be written ({error.strerror})", "choose another folder")


def decoded(content: bytes, *, name: str) -> bytes:
    """Give the key's bytes: as they are, or decoded from one line of hexadecimal or base64 text."""
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return content
    if not text.isprintable() or not text:
        return content
    secret = _from_hex(text) or _from_base64(text)
    if secret is None:
        raise KeyFileError(f"{name} holds text that is neither hexadecimal nor base64, such as a passphrase", MAKE_ONE)
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
    # Of neighbours in random base64 one pair in six is of two small letters; in words in CamelCase most are. A random
    # key of 32 bytes is taken for words once in a million.
    if sum(one.islower() and two.islower() for one, two in pairwise(text)) > _MOST_SMALL_PAIRS * len(text):
        return None
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    try:
        return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None
