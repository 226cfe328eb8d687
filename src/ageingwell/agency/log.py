"""The agency's own log of who was looked up, when and why: a line is on the disk before anything is looked up.

Lines are JSON, and each holds the digest of the line before it, so that a line that was changed or taken out is seen.
No line holds a name, a number or a key of anybody.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ageingwell.disk import DISK, Disk
from ageingwell.errors import LedgerError, LockedError, PublishError
from ageingwell.publish.lock import release_lock, take_lock

LOG: Final = "reidentify-log.jsonl"
BEGINNING: Final = "0" * 64


def log_use(path: Path, told: Mapping[str, Any], *, at: datetime, by: str, disk: Disk = DISK) -> None:
    """Add a line to the log, and return when it is on the disk.

    Raises `PublishError` where it cannot be written, `LedgerError` where the log was changed or cut, `LockedError`
    while another run writes to it. Then nothing may be done.
    """
    try:
        with disk.watched("log_use", path):
            _append(path, {"at": at.isoformat(timespec="seconds"), "by": by, **told}, disk=disk)
        disk.sync_folder(path.parent)
    except OSError as error:
        raise PublishError(
            f"the log {path.name} cannot be written ({error.strerror or type(error).__name__}), and nobody is looked "
            "up without it",
            "free the disk, or name another place for the log with --log",
        ) from None


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a log, once its chain has been followed; `LedgerError` where it was changed or cut."""
    return [json.loads(line) for line in _checked(path.read_bytes(), path)]


def _append(path: Path, told: Mapping[str, Any], *, disk: Disk) -> None:
    descriptor = disk.open_ours(path, operation="open_log", append=True)
    try:
        if not take_lock(descriptor):
            raise LockedError(
                f"another run is writing to the log {path.name}", "wait until it has ended, and try again"
            )
        try:
            before = _whole(descriptor)
            lines = _checked(before, path)
            line = json.dumps({**told, "previous": _digest(lines[-1]) if lines else BEGINNING}, ensure_ascii=False)
            try:
                _write(descriptor, line.encode() + b"\n")
                os.fsync(descriptor)
            except OSError:
                # Half a line would stop every later run.
                os.ftruncate(descriptor, len(before))
                raise
        finally:
            release_lock(descriptor)
    finally:
        os.close(descriptor)


def _write(descriptor: int, content: bytes) -> None:
    written = 0
    while written < len(content):
        written += os.write(descriptor, content[written:])


def _whole(descriptor: int) -> bytes:
    content = b""
    os.lseek(descriptor, 0, os.SEEK_SET)
    while part := os.read(descriptor, 1 << 16):
        content += part
    return content


def _checked(content: bytes, path: Path) -> list[bytes]:
    lines, previous = content.split(b"\n"), BEGINNING
    if lines.pop():
        raise _changed(path, len(lines) + 1)
    for number, line in enumerate(lines, start=1):
        if _previous(line) != previous:
            raise _changed(path, number)
        previous = _digest(line)
    return lines


def _previous(line: bytes) -> object:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return told.get("previous") if isinstance(told, dict) else None


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _changed(path: Path, number: int) -> LedgerError:
    return LedgerError(
        f"the log {path.name} was changed or cut: it no longer matches from line {number} on, so nobody is looked up",
        "keep it, show it to the person responsible for it, and name a new log with --log",
    )
