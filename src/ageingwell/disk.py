"""Every operation on files and folders that we write, one method each, so that a test can stop or fail any of them."""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

# Some network shares cannot be asked to put a folder's names on disk; their server sees to it.
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
_BINARY = getattr(os, "O_BINARY", 0)
_CHUNK = 1 << 20

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
        """Return the bytes of a small file."""
        with self.watched("read", path):
            return path.read_bytes()

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
        """Make one folder; its parent must be there."""
        with self.watched("make_folder", folder):
            folder.mkdir(mode=0o700)

    def set_mode(self, path: Path, mode: int) -> None:
        """Set permissions, whatever the umask was when the path was made."""
        with self.watched("set_mode", path):
            path.chmod(mode)

    def write(self, path: Path, content: bytes) -> None:
        """Write a whole file, readable by its owner alone."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY
        with self.watched("write", path), os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            half = len(content) // 2
            file.write(content[:half])
            file.flush()
            self.watch("halfway", "write", path)
            file.write(content[half:])

    def open_log(self, log: Path, *, to_write: bool) -> int:
        """Open a file to add to, made where it is not there, or to read; for its owner alone, not through a link."""
        flags = (os.O_RDWR | os.O_CREAT | os.O_APPEND) if to_write else os.O_RDONLY
        # O_NONBLOCK: opening a named pipe would wait for ever.
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | _BINARY
        with self.watched("open_log", log):
            return os.open(log, flags, 0o600)

    def append(self, path: Path, descriptor: int, content: bytes) -> None:
        """Add to the end of a file opened with `open_log`."""
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
