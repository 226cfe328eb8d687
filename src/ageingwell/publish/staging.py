"""Write a night beside the published ones, put it on disk, and let the pointer move to it in one step."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from ageingwell.disk import DISK, Disk
from ageingwell.errors import PublishError
from ageingwell.publish.nights import LINK, TEXT, checked_name, current, is_ahead, is_later, next_revision, revisions
from ageingwell.room import NIGHTS, explained, gone_afterwards, told_if_unwritable

STAGING = ".staging-"
DIFFERS_EACH_RUN = "run.json"

_NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


@dataclass(frozen=True, kw_only=True)
class Published:
    """Where a night lies: `changed` when its folder is new, `is_current` when the pointer leads to it."""

    folder: Path
    changed: bool
    is_current: bool


@contextmanager
def staged(out: Path, *, name: str, disk: Disk = DISK) -> Iterator[Path]:
    """Give a new, empty folder for the files of the night `name`, gone again at the end unless it was published.

    Hold `publishing_lock(out)` around it. Write with `write_bytes` or with any other writer; a disk that is full is
    one PublishError either way.

    >>> from tempfile import TemporaryDirectory
    >>> from ageingwell.publish.lock import publishing_lock
    >>> with TemporaryDirectory() as place:
    ...     out = Path(place) / "outreach"
    ...     with publishing_lock(out, holder="process 1"), staged(out, name="2026-11-22") as folder:
    ...         write_bytes(folder / "report.html", b"<p>Nobody to visit.</p>")
    ...         night = publish_folder(folder, out, name="2026-11-22")
    ...     current(out).name, night.changed, night.is_current
    ('2026-11-22', True, True)
    """
    folder = out / f"{STAGING}{checked_name(name)}"

    def make() -> Path:
        disk.make_folder(folder)
        return folder

    with (
        gone_afterwards(make, "the staged folder cannot be made", disk=disk),
        told_if_unwritable(folder, "a file of the staged folder cannot be written", place=NIGHTS),
    ):
        disk.set_mode(folder, 0o700)
        yield folder


@contextmanager
def put_aside(out: Path, *, disk: Disk = DISK) -> Iterator[Path]:
    """Give a private folder in `out` for what a run puts aside, gone again at the end; a dead run's, the next removes.

    Hold `publishing_lock(out)` around it. A disk that is full is one PublishError.
    """
    make = partial(disk.make_scratch, out, prefix=f"{STAGING}work-")
    with (
        gone_afterwards(make, "the run's working folder cannot be made", disk=disk) as folder,
        told_if_unwritable(folder, "what the run puts aside cannot be written", place=NIGHTS),
    ):
        yield folder


def write_bytes(path: Path, content: bytes, *, disk: Disk = DISK) -> None:
    """Write one file of a staged folder whole, readable by its owner alone."""
    with explained("a file of the staged folder cannot be written"):
        disk.write(path, content)


def publish_folder(
    staged_folder: Path, out: Path, *, name: str, today: date | None = None, disk: Disk = DISK
) -> Published:
    """Make a staged folder the night `name` of `out`, on disk for good, and move the pointer to it.

    Files get mode 0600 and folders 0700, whatever the umask. A night that is published already with the same bytes
    is left as it is; one with other bytes gets a revision. The pointer moves unless it leads to a later night; from a
    night that is further ahead of `today` than `DAYS_AHEAD` it moves all the same, for a wrong date must not keep every
    list of the weeks before it from being the current one.

    Raises:
        PublishError: the operating system refused; the night that was current still is, or this one is, complete.
    """
    checked_name(name)
    with explained("the night cannot be published"):
        before = current(out, disk=disk)
        _settle(staged_folder, disk=disk)
        last = revisions(out, name, disk=disk)[-1:]
        changed = not last or not _is_same_night(staged_folder, last[0], disk=disk)
        folder = out / str(next_revision(out, name, disk=disk)) if changed else last[0]
        if changed:
            disk.rename(staged_folder, folder)
        # The pointer must never reach the disk before the folder it leads to.
        disk.sync_folder(out)
        is_current = before is None or not is_later(before, folder) or is_ahead(before, folder, today=today)
        if is_current and before != folder:
            _point(out, folder.name, disk=disk)
    return Published(folder=folder, changed=changed, is_current=is_current)


def _settle(folder: Path, *, disk: Disk) -> None:
    """Close a folder to others and put it on disk: what is in it first, its list of names last."""
    disk.set_mode(folder, 0o700)
    for path in (folder / name for name in disk.names(folder)):
        match disk.kind(path):
            case "folder":
                _settle(path, disk=disk)
            case "file":
                disk.set_mode(path, 0o600)
                disk.sync_file(path)
            case _:
                raise PublishError("the staged folder holds a link or a device", "write files and folders only")
    disk.sync_folder(folder)


def _is_same_night(one: Path, other: Path, *, disk: Disk) -> bool:
    mine, theirs = (
        [entry for entry in _contents(night, disk=disk) if entry[0] != DIFFERS_EACH_RUN] for night in (one, other)
    )
    return mine == theirs and all(disk.is_same(one / path, other / path) for path, is_file in mine if is_file)


def _contents(folder: Path, *, disk: Disk) -> list[tuple[str, bool]]:
    """List all paths below `folder`, each with whether it is a file."""
    found = []
    for name in disk.names(folder):
        is_folder = disk.kind(folder / name) == "folder"
        found.append((name, not is_folder))
        if is_folder:
            found += [(f"{name}/{path}", is_file) for path, is_file in _contents(folder / name, disk=disk)]
    return found


def _point(out: Path, name: str, *, disk: Disk) -> None:
    spare = out / f"{STAGING}pointer"
    disk.remove(spare)
    if _is_linked(out, spare, name, disk=disk):
        disk.replace(spare, out / LINK)
    else:
        disk.write(spare, name.encode())
        disk.sync_file(spare)
        disk.replace(spare, out / TEXT)
    disk.sync_folder(out)


def _is_linked(out: Path, spare: Path, name: str, *, disk: Disk) -> bool:
    """Make the new pointer as a link; False where the folder keeps, or needs, a text file instead."""
    if sys.platform == "win32" or disk.kind(out / TEXT) is not None:
        return False
    try:
        disk.make_link(spare, name)
    except OSError as error:
        # A link that is there already must not be left behind, leading elsewhere than the text.
        if error.errno not in _NO_LINKS or disk.kind(out / LINK) is not None:
            raise
        return False
    return True
