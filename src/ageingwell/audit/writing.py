"""Adding a line to a log, whole or not at all and on the disk for good, and verifying a log as it lies there."""

import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from ageingwell.audit.chain import Head, Verified, digest, follow, line_of
from ageingwell.disk import DISK, Disk
from ageingwell.errors import AgeingWellError, AuditError, LockedError
from ageingwell.publish.lock import release_lock, take_lock

_LONGEST_BYTES: Final = 1 << 30
_WAIT_SECONDS: Final = 20.0
_KEEP_IT: Final = "keep the file, show it to the person responsible for it, and put a copy back or name a new log"

# What a new line says, given the lines before it.
Telling = Callable[[Sequence[bytes]], Mapping[str, Any]]


def head_file(log: Path) -> Path:
    """Where a log's last line is kept in mind.

    >>> head_file(Path("outreach/audit.jsonl")).name
    'audit.jsonl.head'
    """
    return log.with_name(f"{log.name}.head")


def add_line(log: Path, telling: Telling, *, disk: Disk = DISK) -> Head:
    """Add one line to a log, made where it is not there, and return it once it is on the disk.

    What a run that died left of an unfinished line is taken away first. The log is readable by its owner alone, and is
    never reached through a link. One run writes at a time; another waits up to 20 seconds.

    Raises `AuditError` where a line was changed or is missing, or the log cannot be written: then nothing may be done.
    Raises `LockedError` where another run holds the log.
    """
    with _explained(log):
        disk.make_folders(log.parent)
        with _held(log, disk=disk) as descriptor:
            content = _whole(descriptor, log, disk=disk)
            found = _checked(content, log, disk=disk)
            _stop_if_bad(found, log)
            kept = sum(len(line) + 1 for line in found.lines)
            if found.is_unfinished:
                disk.cut(log, descriptor, kept)
            line = line_of(dict(telling(found.lines)), found.head)
            try:
                disk.append_open(log, descriptor, line + b"\n")
                disk.sync_open(log, descriptor)
            except OSError:
                with suppress(OSError):
                    disk.cut(log, descriptor, kept)
                raise
            # The head must never reach the disk before the line, nor before the name of a new log.
            disk.sync_folder(log.parent)
            head = Head(len(found.lines) + 1, digest(line))
            _remember(log, head, disk=disk)
            return head


def verify(log: Path, *, heads: Sequence[Head] = (), disk: Disk = DISK) -> Verified:
    """Follow a log's chain from its first line to its last, with the heads that others keep of it (published nights).

    A log that is not there has no lines; with a head of it somewhere, they are missing. Raises `AuditError` where it
    cannot be read.
    """
    with _explained(log):
        if disk.kind(log) is None:
            content = b""
        else:
            descriptor = disk.open_to_read(log)
            try:
                _stop_unless_file(descriptor, log)
                content = _whole(descriptor, log, disk=disk)
            finally:
                os.close(descriptor)
        return _checked(content, log, heads, disk=disk)


def read_lines(log: Path, *, heads: Sequence[Head] = (), disk: Disk = DISK) -> list[dict[str, Any]]:
    """The lines of a log as plain data, once its chain has been followed; `AuditError` names the first bad one."""
    found = verify(log, heads=heads, disk=disk)
    _stop_if_bad(found, log)
    return found.said


def _checked(content: bytes, log: Path, heads: Sequence[Head] = (), *, disk: Disk) -> Verified:
    place = head_file(log)
    kind = disk.kind(place)
    if kind not in (None, "file"):
        return Verified((), 1, "its head file is not a file")
    if kind is None:
        # The logs of agencies from before there were head files have none until their next line.
        return follow(content, heads, needs_head=content.startswith(b'{"n": 1,'))
    known = Head.read(disk.read(place)[:200].decode("ascii", errors="replace"))
    if known is None:
        return Verified((), 1, "its head file cannot be read")
    return follow(content, [known, *heads])


def _stop_if_bad(found: Verified, log: Path) -> None:
    if found.first_bad is not None:
        raise AuditError(
            f"the audit log {log.name} was changed or cut: its line {found.first_bad} is the first bad one "
            f"({found.why})",
            _KEEP_IT,
        )


def _remember(log: Path, head: Head, *, disk: Disk) -> None:
    place = head_file(log)
    spare = place.with_name(f".staging-{place.name}")
    disk.remove(spare)
    disk.write(spare, head.written.encode())
    disk.sync_file(spare)
    disk.replace(spare, place)
    disk.sync_folder(log.parent)


@contextmanager
def _held(log: Path, *, disk: Disk) -> Iterator[int]:
    """The open log, locked for this run."""
    if disk.kind(log) not in (None, "file"):
        raise AuditError(f"the audit log {log.name} is a link or not a file", "name the file itself")
    descriptor = disk.open_ours(log, operation="open_log", append=True)
    try:
        _stop_unless_file(descriptor, log)
        end = time.monotonic() + _WAIT_SECONDS
        while not take_lock(descriptor):
            if time.monotonic() > end:
                raise LockedError(f"another run is writing to the audit log {log.name}", "wait until it has ended")
            time.sleep(0.01)
        try:
            yield descriptor
        finally:
            with suppress(OSError):
                release_lock(descriptor)
    finally:
        os.close(descriptor)


def _stop_unless_file(descriptor: int, log: Path) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_size > _LONGEST_BYTES:
        raise AuditError(f"the audit log {log.name} is not a file, or is too large", "name another place for the log")


def _whole(descriptor: int, log: Path, *, disk: Disk) -> bytes:
    with disk.watched("read", log):
        os.lseek(descriptor, 0, os.SEEK_SET)
        return b"".join(iter(lambda: os.read(descriptor, 1 << 20), b""))


@contextmanager
def _explained(log: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        if isinstance(error, AgeingWellError):
            raise
        # A name with a NUL is a `ValueError` of Python's own.
        reason = error.strerror if isinstance(error, OSError) else "no file may have that name"
        name = "".join(filter(str.isprintable, log.name))
        raise AuditError(
            f"the audit log {name} cannot be read or written ({reason or type(error).__name__}), and "
            "nothing is done without it",
            "free the disk, let this account write there, or name another place for the log",
        ) from None
