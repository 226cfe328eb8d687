"""Files that appear whole or not at all, and that only their owner can read."""

import glob
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from ageingwell.errors import PublishError


@contextmanager
def staged_folder(out: Path) -> Iterator[Path]:
    """Give an empty folder beside `out` to fill; at the end it becomes `out`, on an error nothing is left of it.

    Raises `PublishError` if `out` is there already and not empty, or cannot be written.
    """
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise PublishError(f"{out} is there already and not empty", "name a new folder")
    with _explained(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(out)
        # mkdtemp makes the folder with mode 0700, so nobody else can look in while it is filled.
        staging = Path(tempfile.mkdtemp(prefix=f"{_prefix(out)}{os.getpid()}.", suffix=".partial", dir=out.parent))
        try:
            yield staging
            for path in sorted(staging.rglob("*")):
                _make_lasting(path)
            _sync(staging)
            staging.rename(out)
            _sync(out.parent)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise


@contextmanager
def private_scratch(name: str) -> Iterator[Path]:
    """Give an empty folder for records that still name people; it is gone afterwards.

    What an earlier run of this user under the same `name` left, because it was killed, is removed.
    """
    place = Path(tempfile.gettempdir()) / name
    _remove_abandoned(place)
    with tempfile.TemporaryDirectory(prefix=f"{_prefix(place)}{os.getpid()}.", suffix=".partial") as scratch:
        yield Path(scratch)


def _prefix(out: Path) -> str:
    host = "".join(sign for sign in socket.gethostname() if sign.isalnum() or sign == "-")
    return f".{out.name}.{host}-"


def _remove_abandoned(out: Path) -> None:
    """Remove what a run on this machine that was killed left half done: it may still name people."""
    if os.name != "posix":
        # There is no asking after a process there without the right to end it.
        return
    for path in out.parent.glob(f"{glob.escape(_prefix(out))}*.partial"):
        process = path.name.removeprefix(_prefix(out)).split(".")[0]
        is_ours = not path.is_symlink() and path.stat().st_uid == os.getuid()
        if is_ours and process.isdecimal() and not _is_running(int(process)):
            shutil.rmtree(path)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def staged_file(out: Path) -> Iterator[Path]:
    """Give a path to write to; at the end the file becomes `out`, on an error nothing is left of it."""
    if out.exists() or out.is_symlink():
        raise PublishError(f"{out} is there already", "name a new file")
    with _explained(out):
        staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".partial", dir=out.parent))
        try:
            yield staging / out.name
            _make_lasting(staging / out.name)
            (staging / out.name).rename(out)
            _sync(out.parent)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _make_lasting(path: Path) -> None:
    path.chmod(0o700 if path.is_dir() else 0o600)
    _sync(path)


def _sync(path: Path) -> None:
    # Windows opens no folder and syncs no file that is open for reading only.
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(out: Path) -> Iterator[None]:
    # The first error is let go before ours is raised: it may hold a value of a row.
    reason = None
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
    if reason is not None:
        raise PublishError(f"{out} cannot be written ({reason})", "check the disk and the folder's rights")
