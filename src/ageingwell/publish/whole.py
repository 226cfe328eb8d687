"""Write a folder whole: beside its place first, put on disk, and only then given its name.

::

    models/
      .staging-ours/    a bundle being written; whatever a dead run left is removed by the next one
      .before-ours/     the bundle that stood there, for the moment between two renames
      ours/             complete from the moment it has this name

No system gives a folder another's name in one step. Between the two renames `ours` is not there, and `.before-ours` is
the whole old folder: `standing` finds it, and the next run puts it back. So whoever reads meets one folder, old or new.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ageingwell.checksums import SUMS, sums_of
from ageingwell.disk import DISK, Disk
from ageingwell.errors import LockedError, PublishError
from ageingwell.room import explained

STAGED: Final = ".staging-"
BEFORE: Final = ".before-"
_TRIES: Final = 300
_SECONDS_BETWEEN: Final = 0.1


def sealed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Give the files by name with their sums, which are written last."""
    return {**files, SUMS: sums_of(files)}


def standing(folder: Path) -> Path:
    """Where a folder's content lies now: under its name, or aside while a new one takes its place."""
    before = folder.with_name(f"{BEFORE}{folder.name}") if folder.name else folder
    return before if not os.path.lexists(folder) and before.is_dir() else folder


def write_whole(
    out: Path, files: Mapping[str, bytes], *, what: str, replaces: Callable[[str], bool], disk: Disk = DISK
) -> Path:
    """Write `files`, by name, as the folder `out`, in place of what stood there: all of it or nothing.

    `replaces` tells by its name whether a file that stands there may go; a folder that holds anything else is left
    alone. `what` is the subject of a message, such as "the bundle". Files get mode 0600 and folders 0700.

    Raises:
        PublishError: `out` is a link, holds something else, or cannot be written; what stood there still does.
        LockedError: another run was writing beside it for half a minute.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     for content in (b"old", b"new"):
    ...         out = write_whole(Path(place) / "ours", {"a.txt": content}, what="it", replaces="a.txt".__eq__)
    ...     sorted(path.name for path in Path(place).iterdir()), (out / "a.txt").read_bytes()
    (['ours'], b'new')
    """
    with explained(f"{what} cannot be written"):
        if Path(os.path.realpath(out)) == Path.cwd():
            raise PublishError(f"{what} cannot take the place of the folder you are in", "name another folder")
        make_folders(out.absolute().parent, disk=disk)
        with _alone_in(out.parent):
            staged, before = (out.with_name(f"{prefix}{out.name}") for prefix in (STAGED, BEFORE))
            _mend(out, before, disk=disk)
            _stop_on_others(out, what, replaces, disk=disk)
            try:
                _stage(staged, files, disk=disk)
                if disk.kind(out) is not None:
                    disk.rename(out, before)
                    disk.sync_folder(out.parent)
                disk.rename(staged, out)
                disk.sync_folder(out.parent)
            finally:
                # What cannot be put right now, the next run puts right; until then `standing` finds the old folder.
                with suppress(OSError):
                    _mend(out, before, disk=disk)
                    disk.remove(staged)
    return out


def make_folders(folder: Path, *, disk: Disk = DISK) -> None:
    """Make a folder and those above it that are not there yet, for their owner alone."""
    if disk.kind(folder) is None:
        make_folders(folder.absolute().parent, disk=disk)
        with suppress(FileExistsError):
            disk.make_folder(folder)
        disk.sync_folder(folder.parent)


def _mend(out: Path, before: Path, *, disk: Disk) -> None:
    """Put back what a dead run had moved aside; take it away where the new folder has its name."""
    if disk.kind(before) is None:
        return
    if disk.kind(out) is None:
        disk.rename(before, out)
    else:
        disk.remove(before)
    disk.sync_folder(out.parent)


def _stop_on_others(out: Path, what: str, replaces: Callable[[str], bool], *, disk: Disk) -> None:
    match disk.kind(out):
        case None:
            return
        case "folder":
            others = [name for name in disk.names(out) if disk.kind(out / name) != "file" or not replaces(name)]
            if not others:
                return
            found = f"{what} cannot be written: the folder holds other files, {others[0]} for one"
        case "link":
            found = f"{what} cannot be written: its folder is a link"
        case _:
            found = f"{what} cannot be written: its folder's name belongs to something that is no folder"
    raise PublishError(found, "name a new folder")


def _stage(staged: Path, files: Mapping[str, bytes], *, disk: Disk) -> None:
    disk.remove(staged)
    disk.make_folder(staged)
    disk.set_mode(staged, 0o700)
    for name, content in files.items():
        disk.write(staged / name, content)
        disk.sync_file(staged / name)
    disk.sync_folder(staged)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Let one run at a time write beside others' folders. Where a folder cannot be locked, go on without."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for tried in range(_TRIES + 1):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if tried == _TRIES:
                    raise LockedError(
                        "another run is writing to the same place", "wait until it has ended, then run again"
                    ) from None
                time.sleep(_SECONDS_BETWEEN)
            # Some network shares lock no folder.
            except OSError:
                break
        yield
    finally:
        os.close(descriptor)
