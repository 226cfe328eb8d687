"""One file `SHA256SUMS` over every file of a folder: written last, and checked before anything of it is parsed.

The file has the form that `sha256sum --check` reads, and exactly one text fits a folder: a line a file, sorted by name.
So a flipped bit in it is found as surely as one in any other file. No link is followed, and the bytes that were checked
are the bytes that are handed on: nothing is read twice.
"""

import hashlib
import os
import re
import stat
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

SUMS: Final = "SHA256SUMS"
# A signature of the sums cannot stand in the sums.
SIGNATURE: Final = "SHA256SUMS.sig"
# More than any model of ours by far: of a folder that was swapped for something huge, no more is read.
MOST_BYTES: Final = 1 << 30
MOST_FILES: Final = 10_000
MOST_DEEP: Final = 8

_LINE = re.compile(r"([0-9a-f]{64})  ([^\x00-\x1f\\\x7f]+)")
# Without O_NONBLOCK, opening a pipe that was put in a file's place waits for ever.
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


class ChangedError(Exception):
    """A file is not what its folder's sums say; `file` names it and `why` says what was found."""

    def __init__(self, file: str, why: str) -> None:
        self.file, self.why = file, why
        super().__init__(f"{file} {why}")


class UnsealedError(Exception):
    """The folder has no sums."""


def sums_of(files: Mapping[str, bytes]) -> bytes:
    """Give the sums of files by name, as `SHA256SUMS` holds them.

    >>> print(sums_of({"model.txt": b"tree", "card.md": b""}).decode(), end="")
    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  card.md
    dc9c5edb8b2d479e697b4b0b8ab874f32b325138598ce9e7b759eb8292110622  model.txt
    """
    return _text({name: hashlib.sha256(content).hexdigest() for name, content in files.items()})


def sums_of_folder(folder: Path, *, but: Collection[str] = ()) -> bytes:
    """Give the sums of every file below a folder, those named `but` apart; a link or a device is a `ChangedError`."""
    return _text({name: _digest(folder / name, name) for name in _names(folder, but={SUMS, *but})})


def checked_files(folder: Path, *, most_bytes: int = MOST_BYTES) -> dict[str, bytes]:
    """Read every file of a flat folder that has sums, and give their bytes once all of them fit.

    The sums and their signature are among them, unchecked as far as the signature goes.

    Raises:
        UnsealedError: there is no `SHA256SUMS`.
        ChangedError: a file is missing, more than the sums tell, a link, no file, or other than it was.
        OSError: the folder or a file cannot be read.
    """
    files = plain_files(folder, most_bytes=most_bytes)
    check_files(files)
    return files


def check_files(files: Mapping[str, bytes], *, but: Collection[str] = ()) -> None:
    """Check the bytes of a folder's files, those named `but` apart, against the sums among them.

    Raises as `checked_files` does.
    """
    if SUMS not in files:
        raise UnsealedError
    made = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name not in _APART}
    _compare(files[SUMS], made, but=but)


def plain_files(folder: Path, *, most_bytes: int = MOST_BYTES) -> dict[str, bytes]:
    """Read every file of a flat folder, whatever its sums say; a link, a device or a folder is a `ChangedError`."""
    files: dict[str, bytes] = {}
    for name in _names(folder, but=set(), deepest=0):
        files[name] = read_plainly(folder / name, name, most_bytes=most_bytes)
        most_bytes -= len(files[name])
    return files


def check_folder(folder: Path, *, but: Collection[str] = ()) -> None:
    """Check every file below a folder that has sums, those named `but` apart; raises as `checked_files` does."""
    names = _names(folder, but=set(but))
    if SUMS not in names:
        raise UnsealedError
    told = read_plainly(folder / SUMS, SUMS)
    _compare(told, {name: _digest(folder / name, name) for name in names if name != SUMS})


def checked_file(folder: Path, name: str) -> bytes:
    """Read one file of a folder that has sums, and give its bytes if they fit; raises as `checked_files` does.

    `FileNotFoundError` where neither the folder nor its sums have such a file.
    """
    try:
        told = read_plainly(folder / SUMS, SUMS)
    except FileNotFoundError:
        raise UnsealedError from None
    expected = _told(told).get(name)
    for above in PurePosixPath(name).parents:
        if (folder / above).is_symlink() and above != PurePosixPath("."):
            raise ChangedError(name, "is behind a link")
    try:
        content = read_plainly(folder / name, name)
    except FileNotFoundError:
        if expected is None:
            raise
        raise ChangedError(name, "is missing") from None
    if expected is None:
        raise ChangedError(name, f"is not listed in {SUMS}")
    if hashlib.sha256(content).hexdigest() != expected:
        raise ChangedError(name, "is not the file that was saved")
    return content


def read_plainly(path: Path, name: str | None = None, *, most_bytes: int = MOST_BYTES) -> bytes:
    """Read a file that is no link, device or pipe; `ChangedError` where it is one or is larger than `most_bytes`."""
    name = path.name if name is None else name
    descriptor = _opened(path, name)
    try:
        if os.fstat(descriptor).st_size > most_bytes:
            raise ChangedError(name, "is larger than any file that was saved here")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(most_bytes + 1)[:most_bytes]
    finally:
        os.close(descriptor)


_APART: Final = frozenset({SUMS, SIGNATURE})


def _text(digests: Mapping[str, str]) -> bytes:
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def _told(sums: bytes) -> dict[str, str]:
    """What the text of the sums tells, by file; `ChangedError` for a text that no folder has."""
    lines = sums.decode("utf-8", errors="replace").split("\n")
    found = {match[2]: match[1] for line in lines if (match := _LINE.fullmatch(line))}
    if _text(found) != sums:
        raise ChangedError(SUMS, "was changed")
    return found


def _compare(sums: bytes, made: Mapping[str, str], *, but: Collection[str] = ()) -> None:
    told = _told(sums)
    for name in sorted({*told, *made} - {*but}):
        if name not in made:
            raise ChangedError(name, "is missing")
        if name not in told:
            raise ChangedError(name, f"is not listed in {SUMS}")
        if made[name] != told[name]:
            raise ChangedError(name, "is not the file that was saved")


def _names(folder: Path, *, but: Collection[str], deepest: int = MOST_DEEP) -> list[str]:
    found: list[str] = []
    for name in _below(folder, "", deepest=deepest):
        if len(found) >= MOST_FILES:
            raise ChangedError(folder.name, "holds more files than were saved here")
        found.append(name)
    return sorted(name for name in found if name not in but)


def _below(folder: Path, above: str, *, deepest: int) -> Iterator[str]:
    with os.scandir(folder) as entries:
        there = sorted(entries, key=lambda entry: entry.name)
    for entry in there:
        name = f"{above}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            if name.count("/") >= deepest:
                raise ChangedError(_shown(name), "is a folder, and no folder was saved here")
            yield from _below(folder / entry.name, f"{name}/", deepest=deepest)
        elif _LINE.fullmatch(f"{'0' * 64}  {name}"):
            yield name
        else:
            raise ChangedError(_shown(name), "has a name that no file here was saved under")


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _opened(path: Path, name: str) -> int:
    """Open a file that is no link; where the system cannot refuse links, what was opened is what stands there."""
    before = path.lstat()
    if not stat.S_ISREG(before.st_mode):
        raise ChangedError(name, "is a link, or no file")
    descriptor = os.open(path, _FLAGS)
    after = os.fstat(descriptor)
    if not stat.S_ISREG(after.st_mode) or (before.st_dev, before.st_ino) != (after.st_dev, after.st_ino):
        os.close(descriptor)
        raise ChangedError(name, "was put in another's place while it was read")
    return descriptor


def _digest(path: Path, name: str) -> str:
    descriptor = _opened(path, name)
    try:
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    finally:
        os.close(descriptor)
