"""The one door to the disk: every operation on files and folders that we write, one method each.

No other module opens a file for writing, makes, renames or removes anything: a test reads the source and says so. So
each file is readable by its owner alone whatever the umask, nothing is written through a link, and a test can stop or
fail any operation. What is written whole or not at all is built from these in `ageingwell.room`.
"""

import ctypes
import errno
import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import polars as pl

# Some network shares cannot be asked to put a folder's names on disk; their server sees to it.
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
_BINARY = getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
# A named pipe would make opening wait for ever.
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_CHUNK = 1 << 20
# linux/fs.h: swap two names in one step.
_SWAP_NAMES = 2
# Polars and XlsxWriter raise errors of their own, with the operating system's number in the text alone; DuckDB with the
# system's words.
_TOLD_IN_WORDS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
_NUMBER_IN_TEXT = re.compile(r"\(os error ([0-9]+)\)|\[Errno ([0-9]+)\]")

Moment = Literal["before", "halfway", "after"]


class Disk:
    """The file system, an operation a method; `watch` sees each one go by.

    A test overrides `watch` to record the operations, to fail one (`raise OSError`) or to end the run at one.
    """

    def watch(self, moment: Moment, operation: str, *paths: Path) -> None:
        """Do nothing; an error raised by an overriding method counts as the operation's own."""

    @contextmanager
    def watched(self, operation: str, *paths: Path) -> Iterator[None]:
        """Let `watch` see the operation in the block before and after."""
        self.watch("before", operation, *paths)
        yield
        self.watch("after", operation, *paths)

    def names(self, folder: Path) -> list[str]:
        """Return the names in a folder, sorted."""
        with self.watched("names", folder):
            return sorted(path.name for path in folder.iterdir())

    def kind(self, path: Path) -> Literal["folder", "file", "link", "other"] | None:
        """Return what stands at `path` itself, links not followed; None where nothing does."""
        with self.watched("kind", path):
            try:
                mode = path.lstat().st_mode
            except FileNotFoundError:
                return None
            known = {stat.S_IFDIR: "folder", stat.S_IFREG: "file", stat.S_IFLNK: "link"}
            return known.get(stat.S_IFMT(mode), "other")  # type: ignore[return-value]

    def read(self, path: Path) -> bytes:
        """Return the bytes of a small file; `OSError` for a link, and for what is no file: a device never ends."""
        with self.watched("read", path), _to_read(path) as file:
            return file.read()

    def read_link(self, link: Path) -> str:
        """Return the text of a symbolic link."""
        with self.watched("read_link", link):
            return str(link.readlink())

    def is_same(self, one: Path, other: Path) -> bool:
        """Tell whether two files hold the same bytes."""
        with self.watched("is_same", one, other), one.open("rb") as left, other.open("rb") as right:
            if os.fstat(left.fileno()).st_size != os.fstat(right.fileno()).st_size:
                return False
            return all(chunk == right.read(_CHUNK) for chunk in iter(lambda: left.read(_CHUNK), b""))

    def make_folder(self, folder: Path) -> None:
        """Make one folder, for its owner alone; its parent must be there."""
        with self.watched("make_folder", folder):
            folder.mkdir(mode=0o700)

    def make_folders(self, folder: Path) -> None:
        """Make a folder and those above it that are missing, all for their owner alone; one that is there stays."""
        if folder.is_dir():
            return
        if folder.parent != folder:
            self.make_folders(folder.parent)
        try:
            self.make_folder(folder)
        except FileExistsError:
            if not folder.is_dir():  # else another process was quicker
                raise

    def make_scratch(self, place: Path, *, prefix: str, suffix: str = "") -> Path:
        """Make a new, empty folder of a name that nobody can guess, for its owner alone."""
        self.watch("before", "make_scratch", place)
        made = Path(tempfile.mkdtemp(prefix=prefix, suffix=suffix, dir=place))
        self.watch("after", "make_scratch", made)
        return made

    def set_mode(self, path: Path, mode: int) -> None:
        """Set permissions, whatever the umask was when the path was made."""
        with self.watched("set_mode", path):
            path.chmod(mode)

    def write(self, path: Path, content: bytes) -> None:
        """Write a whole file, readable by its owner alone.

        A file or link that stands there goes first: nothing is written through it, be it a symbolic or a hard link.
        """
        with self.watched("write", path), self._new(path, in_place=True) as file:
            self._put(file, content, path, "write")

    def write_new(self, path: Path, content: bytes) -> None:
        """Write a whole file; `FileExistsError` where anything stands there, be it a link that leads nowhere."""
        # Asked first, so that a device of that name is not even opened; opening refuses what comes meanwhile.
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        with self.watched("write_new", path), self._new(path) as file:
            try:
                self._put(file, content, path, "write_new")
                file.flush()
            except OSError:
                path.unlink()
                raise

    def append(self, path: Path, content: bytes) -> None:
        """Write to the end of a file that we made, or a new one."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NO_LINK | _NO_WAIT | _BINARY
        with self.watched("append", path), os.fdopen(os.open(path, flags, 0o600), "ab") as file:
            _stop_unless_one_file(file.fileno(), path)
            self._put(file, content, path, "append")

    def write_from(self, path: Path, content: IO[bytes]) -> None:
        """Write all that a stream gives to a new file, a piece at a time."""
        with self.watched("write_from", path), self._new(path) as file:
            self.watch("halfway", "write_from", path)
            while piece := content.read(_CHUNK):
                file.write(piece)

    def copy(self, old: Path, new: Path) -> None:
        """Copy the bytes of a file to a new one, for its owner alone."""
        with _to_read(old) as content:
            self.write_from(new, content)

    def write_frame(self, path: Path, frame: "pl.DataFrame", **options: Any) -> None:
        """Write a frame as Parquet; `options` are those of `write_parquet`."""
        with self._handed_over("write_frame", path):
            frame.write_parquet(path, **options)

    def sink_frame(self, path: Path, frame: "pl.LazyFrame", **options: Any) -> None:
        """Work out a frame and write it as Parquet, without holding all of it; `options` are of `sink_parquet`."""
        with self._handed_over("sink_frame", path):
            frame.sink_parquet(path, **options)

    def sink_parts(self, folder: Path, frame: "pl.LazyFrame", *, key: str, **options: Any) -> None:
        """Work out a frame and write it as Parquet files, a folder `<key>=<value>` for each value of a column."""
        import polars as pl

        with self.watched("sink_parts", folder):
            self.make_folders(folder)
            with _numbered(folder):
                target = pl.PartitionBy(folder, key=key, include_key=False)
                frame.sink_parquet(target, mkdir=True, **options)
            for path in folder.rglob("*"):
                path.chmod(0o700 if path.is_dir() else 0o600)

    @contextmanager
    def new_file(self, path: Path) -> Iterator[IO[bytes]]:
        """Give a new file to write to piece by piece, in place of one that stands there."""
        with self.watched("new_file", path), self._new(path, in_place=True) as file:
            self.watch("halfway", "new_file", path)
            yield file

    @contextmanager
    def handed_over(self, path: Path) -> Iterator[Path]:
        """Give a library that opens files itself the path of a new, empty file, for its owner alone."""
        with self._handed_over("handed_over", path):
            yield path

    @contextmanager
    def _handed_over(self, operation: str, path: Path) -> Iterator[None]:
        with self.watched(operation, path), _numbered(path):
            self._new(path, in_place=True).close()
            self.watch("halfway", operation, path)
            yield

    def _new(self, path: Path, *, in_place: bool = False) -> IO[bytes]:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _BINARY
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileExistsError:
            if not in_place or stat.S_ISDIR(path.lstat().st_mode):
                raise
            path.unlink()
            descriptor = os.open(path, flags, 0o600)
        return os.fdopen(descriptor, "wb")

    def _put(self, file: IO[bytes], content: bytes, path: Path, operation: str) -> None:
        half = len(content) // 2
        file.write(content[:half])
        file.flush()
        self.watch("halfway", operation, path)
        file.write(content[half:])

    def open_ours(self, path: Path, *, operation: str = "open_ours", append: bool = False) -> int:
        """Open a file that we keep (a lock, a log, the ledger) to read and write, made where it is missing.

        Gives its descriptor. It is never a link: `OSError` (ELOOP for a symbolic one, EMLINK for a file with a second
        name, EINVAL for what is no file, such as a pipe).
        """
        flags = os.O_RDWR | os.O_CREAT | _NO_LINK | _NO_WAIT | _BINARY | (os.O_APPEND if append else 0)
        with self.watched(operation, path):
            descriptor = os.open(path, flags, 0o600)
            try:
                _stop_unless_one_file(descriptor, path)
                if sys.platform != "win32":
                    os.fchmod(descriptor, 0o600)
            except OSError:
                os.close(descriptor)
                raise
            return descriptor

    def open_to_read(self, path: Path) -> int:
        """Open a file that we keep to read alone, never through a link; its descriptor."""
        with self.watched("open_to_read", path):
            return os.open(path, os.O_RDONLY | _NO_LINK | _NO_WAIT | _BINARY)

    def append_open(self, path: Path, descriptor: int, content: bytes) -> None:
        """Add to the end of a file opened with `open_ours`."""
        with self.watched("append", path):
            half = len(content) // 2
            _write_all(descriptor, content[:half])
            self.watch("halfway", "append", path)
            _write_all(descriptor, content[half:])

    def cut(self, path: Path, descriptor: int, length: int) -> None:
        """Take away what stands behind the first `length` bytes of an open file."""
        with self.watched("cut", path):
            os.ftruncate(descriptor, length)
            os.fsync(descriptor)

    def sync_open(self, path: Path, descriptor: int) -> None:
        """Return when an open file's bytes are on the disk."""
        with self.watched("sync_open", path):
            os.fsync(descriptor)

    def sync_file(self, path: Path) -> None:
        """Return when a file's bytes are on the disk."""
        # Windows flushes only what is open for writing.
        with self.watched("sync_file", path), path.open("r+b") as file:
            os.fsync(file.fileno())

    def sync_folder(self, folder: Path) -> None:
        """Return when a folder's names are on the disk (Windows offers no way to ask)."""
        with self.watched("sync_folder", folder):
            if sys.platform == "win32":
                return
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            except OSError as error:
                if error.errno not in _NO_FOLDER_SYNC:
                    raise
            finally:
                os.close(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        """Give a folder its name; nothing may stand there."""
        with self.watched("rename", old, new):
            old.rename(new)

    def make_link(self, link: Path, target: str) -> None:
        """Make a symbolic link to a folder that stands beside it."""
        with self.watched("make_link", link):
            link.symlink_to(target, target_is_directory=True)

    def replace(self, old: Path, new: Path) -> None:
        """Put a file or link in another's place, in one step."""
        with self.watched("replace", old, new):
            old.replace(new)

    def swap(self, one: Path, other: Path) -> None:
        """Let two folders change their names in one step; `OSError` (ENOTSUP) where the system cannot."""
        with self.watched("swap", one, other):
            _swap_names(one, other)

    def remove_file(self, path: Path) -> None:
        """Remove a file or a link."""
        with self.watched("remove_file", path):
            path.unlink()

    def remove_folder(self, folder: Path) -> None:
        """Remove an empty folder."""
        with self.watched("remove_folder", folder):
            folder.rmdir()

    def remove(self, path: Path) -> None:
        """Remove whatever stands at `path`, a folder with all in it; links are removed, never followed."""
        kind = self.kind(path)
        if kind == "folder":
            self.set_mode(path, 0o700)
            for name in self.names(path):
                self.remove(path / name)
            self.remove_folder(path)
        elif kind is not None:
            self.remove_file(path)


def _write_all(descriptor: int, content: bytes) -> None:
    written = 0
    while written < len(content):
        written += os.write(descriptor, content[written:])


DISK = Disk()


def number_of(error: BaseException) -> int | None:
    """The operating system's number of an error, be it in the text alone.

    >>> number_of(ValueError("parquet: underlying IO error: No space left on device (os error 28)"))
    28
    """
    number = error.errno if isinstance(error, OSError) else None
    if number is None and (named := _NUMBER_IN_TEXT.search(str(error))):
        number = int(named[1] or named[2])
    if number is None:
        number = next((known for known in _TOLD_IN_WORDS if os.strerror(known) in str(error)), None)
    return number


@contextmanager
def _numbered(path: Path) -> Iterator[None]:
    """Give what a library says of the operating system as the system's own error, without a value of any row."""
    try:
        yield
    except OSError as error:
        number = number_of(error)
        if number is None:
            raise
    except Exception as error:
        number = number_of(error)
        if number is None:
            raise
    else:
        return
    raise OSError(number, os.strerror(number), str(path))


@contextmanager
def _to_read(path: Path) -> Iterator[IO[bytes]]:
    with os.fdopen(os.open(path, os.O_RDONLY | _NO_LINK | _NO_WAIT | _BINARY), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is not a file on a disk", str(path))
        yield file


def _stop_unless_one_file(descriptor: int, path: Path) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a file on a disk", str(path))
    # A hard link: whatever else has this name would be emptied with it.
    if status.st_nlink > 1:
        raise OSError(errno.EMLINK, "the file has a second name", str(path))


def _swap_names(one: Path, other: Path) -> None:
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if sys.platform == "linux" else None
    if swap is None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), str(one))
    here = -100  # AT_FDCWD: paths are taken from the working folder
    if swap(here, os.fsencode(one), here, os.fsencode(other), _SWAP_NAMES) != 0:
        number = ctypes.get_errno()
        # A share or a file system that cannot: EINVAL.
        number = errno.ENOTSUP if number in (errno.EINVAL, errno.ENOSYS) else number
        raise OSError(number, os.strerror(number), str(one))
