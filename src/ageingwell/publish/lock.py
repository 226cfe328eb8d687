"""One writer at a time: a lock that the operating system lets go of when its holder dies."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ageingwell.disk import DISK, Disk
from ageingwell.errors import LockedError, PublishError
from ageingwell.publish.nights import current
from ageingwell.publish.staging import STAGING
from ageingwell.room import explained, stop_on_link

LOCK = ".lock"

_LOCKED_BYTE = 1 << 30  # far behind the holder's words: Windows lets nobody else read a locked byte
_LONGEST_HOLDER = 200


@contextmanager
def publishing_lock(out: Path, *, holder: str, disk: Disk = DISK) -> Iterator[None]:
    """Hold the output folder for one run: made when missing (mode 0700), and swept of what dead runs left.

    `holder` is what another run is told, such as `"process 4711, started 2026-11-22 18:00"`. The words stand in
    `out/.lock`, which stays when the run ends: only the operating system's lock on it counts, so it is never stale.
    Take it before the long work of a run: it also finds out early whether the folder can be written.

    Raises:
        LockedError: another run holds the folder.
        PublishError: the folder cannot be made or written, or its pointer is broken.
    """
    with explained("the output folder cannot be made ready"):
        _make_sure_of(out, disk=disk)
        descriptor = _opened(out / LOCK, disk=disk)
    try:
        with explained("the output folder cannot be made ready"):
            _take(descriptor, out / LOCK, disk=disk)
        try:
            with explained("the output folder cannot be made ready"):
                _sign(descriptor, out / LOCK, holder=holder, disk=disk)
                _sweep(out, disk=disk)
                current(out, disk=disk)
            yield
        finally:
            _let_go(descriptor)
    finally:
        os.close(descriptor)


def is_held(out: Path) -> bool:
    """Tell whether a run holds the output folder now, without waiting for it and without writing anything."""
    try:
        descriptor = os.open(out / LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        if not take_lock(descriptor):
            return True
        release_lock(descriptor)
        return False
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _make_sure_of(out: Path, *, disk: Disk) -> None:
    stop_on_link(out, what="the output folder")
    if out.is_dir():
        return
    if not out.parent.is_dir():
        raise PublishError(
            "the folder that is to hold the output folder is not there", "make it, or choose another one"
        )
    try:
        disk.make_folder(out)
        disk.set_mode(out, 0o700)
        disk.sync_folder(out.parent)
    except FileExistsError:
        if not out.is_dir():  # else another first run was quicker
            found = "the output folder's name belongs to something that is no folder"
            raise PublishError(found, "choose another one") from None


def _opened(path: Path, *, disk: Disk) -> int:
    return disk.open_ours(path, operation="open_lock")


def _take(descriptor: int, path: Path, *, disk: Disk) -> None:
    with disk.watched("take_lock", path):
        taken = take_lock(descriptor)
    if not taken:
        found = f"another run is writing to the output folder ({_holder(path, disk=disk)})"
        raise LockedError(found, "wait until it has ended, then run again")


def _sign(descriptor: int, path: Path, *, holder: str, disk: Disk) -> None:
    with disk.watched("sign_lock", path):
        _write_words(descriptor, holder.encode())


def _let_go(descriptor: int) -> None:
    # Closing the file lets go too, but not while a process that was forked meanwhile still has it open.
    with suppress(OSError):
        _write_words(descriptor, b"")
        release_lock(descriptor)


def _write_words(descriptor: int, words: bytes) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, words)


def _sweep(out: Path, *, disk: Disk) -> None:
    for name in disk.names(out):
        if name.startswith(STAGING):
            disk.remove(out / name)


def _holder(path: Path, *, disk: Disk) -> str:
    words = ""
    with suppress(OSError):
        words = disk.read(path).decode(errors="replace")[:_LONGEST_HOLDER]
    return "".join(letter for letter in words if letter.isprintable()) or "it has not said who it is yet"


if sys.platform == "win32":
    import msvcrt

    def take_lock(descriptor: int) -> bool:
        """Lock an open file for this process; whether it could be had at once."""
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def release_lock(descriptor: int) -> None:
        """Let go of the lock on an open file."""
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def take_lock(descriptor: int) -> bool:
        """Lock an open file for this process; whether it could be had at once."""
        # `flock` rather than `lockf`: it belongs to the opened file, so one process cannot take it twice either.
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release_lock(descriptor: int) -> None:
        """Let go of the lock on an open file."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)
