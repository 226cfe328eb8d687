"""The room in which files are written: whole or not at all, for their owner alone, with a sentence where it fails.

* `staged_folder`, `staged_file`: what is written appears under its name at the end, complete, or not at all.
* `scratch`: a private folder for what a run puts aside, gone afterwards; the next run removes what a killed one left.
* `explained`: what the operating system refuses, in words: which kind of place, the reason, what to do.

Nothing is written through a link: a link may lead to a file that is not ours.
"""

import errno
import glob
import os
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

from ageingwell.disk import DISK, Disk, number_of
from ageingwell.ending import unbroken
from ageingwell.errors import AgeingWellError, PublishError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_LINKED = {errno.ELOOP, errno.EMLINK}
_FAILED_WRITE = _FULL | {errno.EIO, errno.EROFS}
_PARTIAL: Final = ".partial"
# The words for a place that nights are written to; other places have no night to fall back on.
NIGHTS: Final = "the output folder"
STAYS: Final = "; until then the last complete night stays current"
# The scratch folders and staged ones of this very process: in a container every run has the same process number.
_LIVE: set[Path] = set()


@contextmanager
def explained(found: str, *, place: str = NIGHTS) -> Iterator[None]:
    """Turn an operating system's error into a PublishError that begins with `found`.

    >>> with explained("the night's folder cannot be written"):
    ...     raise OSError(errno.ENOSPC, "No space left on device", "list.parquet")
    Traceback (most recent call last):
    ageingwell.errors.PublishError: the night's folder cannot be written: No space left on device (ENOSPC). What to do:
    free space on the output folder's disk and run again; until then the last complete night stays current.
    """
    try:
        yield
    except OSError as error:
        number = error.errno
    else:
        return
    raise publish_error(found, number, place=place) from None


def publish_error(found: str, number: int | None, *, place: str = NIGHTS) -> PublishError:
    """Say what an error number means for a place that is written to, and what mends it."""
    reason = "unknown fault" if number is None else f"{os.strerror(number)} ({errno.errorcode.get(number, number)})"
    return PublishError(f"{found}: {reason}", f"{_remedy(number, place)} and run again{STAYS * (place == NIGHTS)}")


def _remedy(number: int | None, place: str) -> str:
    if number in _FULL:
        return f"free space on {place}'s disk"
    if number in _FORBIDDEN:
        return f"let this account write to {place}, or choose another one,"
    if number in _LINKED:
        return f"take the link out of {place}, for nothing is written through a link,"
    return f"check {place} and its disk"


def failed_write(error: BaseException, folder: Path | None = None) -> int | None:
    """Return the error number when a disk could not take, or `folder` did not allow, what was written; else None.

    >>> failed_write(ValueError("parquet: underlying IO error: No space left on device (os error 28)"), Path("staged"))
    28
    >>> failed_write(PermissionError(errno.EACCES, "Permission denied", "staged/list.parquet"), Path("staged"))
    13
    >>> failed_write(PermissionError(errno.EACCES, "Permission denied", "extracts/gp.csv"), Path("staged")) is None
    True
    """
    number = number_of(error)
    if number in _FAILED_WRITE:
        return number
    path = error.filename if isinstance(error, OSError) else None
    is_ours = folder is not None and isinstance(path, str) and Path(path).is_relative_to(folder)
    return number if is_ours else None


@contextmanager
def told_if_unwritable(folder: Path, found: str, *, place: str) -> Iterator[None]:
    """Turn any error that says `folder` could not be written into a PublishError; every other goes on as it is."""
    # The first error is let go before ours is raised: it may hold a value of a row.
    number = None
    try:
        yield
    except AgeingWellError:
        raise
    except Exception as error:
        number = failed_write(error, folder)
        if number is None:
            raise
    else:
        return
    raise publish_error(found, number, place=place) from None


@contextmanager
def _without_values(found: str) -> Iterator[None]:
    """Turn an error of Polars, whose text may hold a value of a row, into a PublishError without it."""
    try:
        yield
    # A panic of Polars is no `Exception`.
    except BaseException as error:
        kind = type(error)
        if not kind.__module__.startswith("polars") and kind.__name__ != "PanicException":
            raise
    else:
        return
    raise PublishError(f"{found} ({kind.__name__})", "check the disk and the folder's rights") from None


def temporary_folder() -> Path:
    """The folder for what is put aside: the one that TMPDIR names, else the system's own.

    Raises `PublishError` where the named one is not there. Another is never taken in its stead: records would lie where
    nobody expects them.
    """
    named = next((folder for name in ("TMPDIR", "TEMP", "TMP") if (folder := os.environ.get(name))), None)
    if tempfile.tempdir is None and named is not None:
        if not Path(named).is_dir():
            raise PublishError("the temporary folder (TMPDIR) is not there", "make it, or set TMPDIR to another one")
        return Path(named)
    with explained("there is no temporary folder", place="the temporary folder"):
        return Path(tempfile.gettempdir())


@contextmanager
def gone_afterwards(make: Callable[[], Path], found: str, *, place: str = NIGHTS, disk: Disk = DISK) -> Iterator[Path]:
    """Make a folder, give it, and remove it at the end: also where a signal ends the run while it is being made."""
    made: Path | None = None
    try:
        with explained(found, place=place), unbroken():
            made = make()
            _LIVE.add(made)
        yield made
    finally:
        if made is not None:
            # What cannot be removed now, the next run removes.
            with unbroken(), suppress(OSError):
                disk.remove(made)
            _LIVE.discard(made)


@contextmanager
def scratch(name: str = "ageingwell", *, within: Path | None = None, disk: Disk = DISK) -> Iterator[Path]:
    """Give a private, empty folder for what a run puts aside; it is gone afterwards.

    It lies in the temporary folder, or in the folder `within`. What an earlier run of this account on this machine left
    under the same `name`, because it was killed, is removed. A disk that is full is one PublishError.

    >>> with scratch() as folder:
    ...     folder.is_dir(), oct(folder.stat().st_mode & 0o777)
    (True, '0o700')
    >>> folder.exists()
    False
    """
    above = temporary_folder() if within is None else within
    place, found = ("the temporary folder (TMPDIR)" if within is None else "that folder"), "what the run puts aside"
    found = f"{found} cannot be written"
    with explained(found, place=place):
        _remove_abandoned(above / name, disk=disk)
    with (
        _staging(above, above / name, found, place=place, disk=disk) as folder,
        told_if_unwritable(folder, found, place=place),
    ):
        yield folder


@contextmanager
def staged_folder(out: Path, *, ours: Callable[[str], bool] | None = None, disk: Disk = DISK) -> Iterator[Path]:
    """Give an empty folder to fill; at the end it becomes `out` in one step, on an error nothing of it is left.

    A folder that is there already and not empty is refused. With `ours`, which tells by a name whether a file in it is
    one of those written, these are replaced; whatever else lies in the folder stays as it was.

    Raises `PublishError` where `out` is a link, is there already, or cannot be written.
    """
    stop_on_link(out)
    sweep(out, disk=disk)
    out, found = Path.cwd() / out, f"{out} cannot be written"
    with explained(found, place="that folder"):
        is_there = disk.kind(out) is not None
        if is_there and not out.is_dir():
            raise PublishError(f"{out} is there already and is not a folder", "name a new folder")
        if is_there and ours is None and disk.names(out):
            raise PublishError(f"{out} is there already and not empty", "name a new folder")
        above = out if is_there and _has_to_stay(out) else out.parent
        disk.make_folders(above)
    with _staging(above, out, found, place="that folder", disk=disk) as staging:
        with _without_values(found), told_if_unwritable(staging, found, place="that folder"):
            yield staging
        with explained(found, place="that folder"):
            if above == out:
                settle(staging, disk=disk)
                _move_into(staging, out, ours, disk=disk)
            else:
                if is_there and ours is not None:
                    _carry_over(out, staging, ours, disk=disk)
                settle(staging, disk=disk)
                _put_in_place(staging, out, disk=disk)
            disk.sync_folder(above)
        # After a swap, what is removed now is the folder as it was before.


def _has_to_stay(folder: Path) -> bool:
    """Whether a folder is one that cannot be changed for another: a mount, the working folder, or one above it."""
    is_above = Path.cwd().is_relative_to(folder)
    return os.path.ismount(folder) or is_above or not os.access(folder.parent, os.W_OK | os.X_OK)


def _carry_over(old: Path, new: Path, ours: Callable[[str], bool], *, disk: Disk) -> None:
    """Copy what others put into the old folder into the new one, links as links."""
    for name in disk.names(old):
        if not ours(name):
            _copied(old / name, new / name, disk=disk)


def _copied(old: Path, new: Path, *, disk: Disk) -> None:
    kind, there = disk.kind(old), disk.kind(new)
    if there is not None and (kind, there) != ("folder", "folder"):
        raise PublishError(f"{old} is there already", "move it away, or name a new folder")
    match kind:
        case "folder":
            if there is None:
                disk.make_folder(new)
            for name in disk.names(old):
                _copied(old / name, new / name, disk=disk)
        case "file":
            disk.copy(old, new)
        case "link":
            disk.make_link(new, disk.read_link(old))
        case _:
            raise PublishError(f"{old} is neither a file nor a folder", "move it away, or name a new folder")


def _put_in_place(staging: Path, out: Path, *, disk: Disk) -> None:
    if disk.kind(out) is None or not disk.names(out):
        disk.rename(staging, out)
        return
    try:
        disk.swap(staging, out)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        # In two steps, where the system has no single one. Between them the old folder has another name.
        aside = staging.with_name(f"{staging.name.removesuffix(_PARTIAL)}.before")
        with unbroken():
            disk.rename(out, aside)
            try:
                disk.rename(staging, out)
            except OSError:
                disk.rename(aside, out)
                raise
            disk.remove(aside)


def _move_into(staging: Path, out: Path, ours: Callable[[str], bool] | None, *, disk: Disk) -> None:
    """Put the new files into a folder that has to stay, one by one."""
    made = disk.names(staging)
    old = [name for name in disk.names(out) if ours is not None and ours(name)]
    if taken := [name for name in made if name not in old and disk.kind(out / name) is not None]:
        raise PublishError(f"{out / taken[0]} is there already", "move it away, or name a new folder")
    for name in old:
        if name not in made or disk.kind(out / name) != "file":
            disk.remove(out / name)
    for name in made:
        disk.replace(staging / name, out / name)


@contextmanager
def staged_file(out: Path, *, in_place: bool = False, disk: Disk = DISK) -> Iterator[Path]:
    """Give a path to write to; at the end the file becomes `out`, on an error nothing is left of it.

    A file that is there already is refused, or with `in_place` replaced in one step. Raises `PublishError`.
    """
    stop_on_link(out)
    sweep(out, disk=disk)
    out = Path.cwd() / out
    with explained(f"{out} cannot be looked at", place="that folder"):
        kind = disk.kind(out)
    if kind is not None and not (in_place and kind == "file"):
        raise PublishError(f"{out} is there already", "name a new file")
    found = f"{out} cannot be written"
    with _staging(out.parent, out, found, place="that folder", disk=disk) as staging:
        with _without_values(found), told_if_unwritable(staging, found, place="that folder"):
            yield staging / out.name
        with explained(found, place="that folder"):
            settle(staging, disk=disk)
            disk.replace(staging / out.name, out)
            disk.sync_folder(out.parent)


def write_file(out: Path, content: bytes, *, in_place: bool = True, disk: Disk = DISK) -> None:
    """Write one file whole or not at all, on disk when this returns, readable by its owner alone.

    >>> with scratch() as folder:
    ...     write_file(folder / "page.html", b"<p>Nobody.</p>")
    ...     (folder / "page.html").read_bytes(), [path.name for path in folder.iterdir()]
    (b'<p>Nobody.</p>', ['page.html'])
    """
    with staged_file(out, in_place=in_place, disk=disk) as path:
        disk.write(path, content)


def settle(folder: Path, *, disk: Disk = DISK) -> None:
    """Close a folder to others and put it on disk: what is in it first, its list of names last."""
    disk.set_mode(folder, 0o700)
    for path in (folder / name for name in disk.names(folder)):
        match disk.kind(path):
            case "folder":
                settle(path, disk=disk)
            case "file":
                disk.set_mode(path, 0o600)
                disk.sync_file(path)
            case "link":
                continue
            case _:
                raise PublishError("the staged folder holds a device", "write files and folders only")
    disk.sync_folder(folder)


def stop_on_link(path: Path, *, what: str = "") -> None:
    """Stop where a path to write to is a link, or a file with a second name: what it leads to is not ours to change."""
    try:
        found = path.lstat()
    except OSError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise PublishError(f"{what or path} is a link", "name the file or folder that it leads to")
    if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
        raise PublishError(f"{what or path} has a second name (a hard link)", "name a new file")


def _staging(above: Path, out: Path, found: str, *, place: str, disk: Disk) -> AbstractContextManager[Path]:
    """A folder in `above` for what becomes `out`, gone afterwards."""
    make = partial(disk.make_scratch, above, prefix=_prefix(out), suffix=_PARTIAL)
    return gone_afterwards(make, found, place=place, disk=disk)


def _prefix(out: Path) -> str:
    """Who stages: the machine and the process, so that a later run can tell whether it still lives."""
    host = "".join(sign for sign in socket.gethostname() if sign.isalnum() or sign == "-")
    return f".{out.name}.{host}-{os.getpid()}."


def sweep(out: Path, *, disk: Disk = DISK) -> None:
    """Remove what a run on this machine that was killed left half done beside `out`, or in it."""
    out = Path.cwd() / out
    with explained(f"what an earlier run left next to {out.name} cannot be removed", place="that folder"):
        _remove_abandoned(out, disk=disk)
        if out.is_dir():
            _remove_abandoned(out / out.name, disk=disk)


def _remove_abandoned(out: Path, *, disk: Disk) -> None:
    """Remove what a run on this machine that was killed left half done: it may still name people."""
    if os.name != "posix":
        # There is no asking after a process there without the right to end it.
        return
    before = _prefix(out).removesuffix(f"{os.getpid()}.")
    for path in out.parent.glob(f"{glob.escape(before)}*{_PARTIAL}"):
        process = path.name.removeprefix(before).split(".")[0]
        try:
            is_ours = not path.is_symlink() and path.stat().st_uid == os.getuid()
        except FileNotFoundError:  # another run that ended meanwhile
            continue
        if is_ours and process.isdecimal() and path not in _LIVE and not _is_running(int(process)):
            disk.remove(path)


def _is_running(process: int) -> bool:
    # What this very process has not staged, an earlier one of the same number did.
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
