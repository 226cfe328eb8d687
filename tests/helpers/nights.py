"""A small night to publish, disks that fail or die at a chosen moment, and a look at what lies in an output folder."""

import os
from collections.abc import Mapping
from pathlib import Path

from ageingwell.disk import DISK, Disk
from ageingwell.publish.lock import publishing_lock
from ageingwell.publish.staging import Published, publish_folder, staged, write_bytes

Files = Mapping[str, bytes]


def night(word: str) -> Files:
    """Make a night's files, all different from those of another word."""
    return {
        "agencies/fire.csv": f"{word},lift chair\n".encode(),
        "list.parquet": f"PAR1 {word} {word}".encode(),
        "manifest.json": f'{{"night": "{word}"}}'.encode(),
        "run.json": f'{{"started": "{word}"}}'.encode(),
    }


def write(folder: Path, files: Files, *, disk: Disk = DISK) -> None:
    for path, content in files.items():
        if disk.kind((folder / path).parent) is None:
            disk.make_folder((folder / path).parent)
        write_bytes(folder / path, content, disk=disk)


def run(out: Path, name: str, files: Files, *, disk: Disk = DISK) -> Published:
    """Do what a nightly run does with its output folder."""
    with publishing_lock(out, holder="process 1", disk=disk), staged(out, name=name, disk=disk) as folder:
        write(folder, files, disk=disk)
        return publish_folder(folder, out, name=name, disk=disk)


def files_of(folder: Path | None) -> Files | None:
    """Read a whole folder: relative path to bytes."""
    if folder is None:
        return None
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def nights_in(out: Path) -> dict[str, Files | None]:
    """Read every published night: folder name to files."""
    return {path.name: files_of(path) for path in sorted(out.glob("2*")) if path.is_dir()}


def leftovers(out: Path) -> list[str]:
    return [path.name for path in out.glob(".staging-*")]


class Recorder(Disk):
    """Writes down every moment of every operation."""

    def __init__(self) -> None:
        self.moments: list[tuple[str, str, tuple[Path, ...]]] = []

    def watch(self, moment: str, operation: str, *paths: Path) -> None:
        self.moments.append((moment, operation, paths))


class Dead(BaseException):
    """The machine has stopped; nothing in the run may go on."""


class DyingDisk(Disk):
    """Dies at moment `at` (from 0), and takes no operation after it, not even of tidying up."""

    def __init__(self, at: int) -> None:
        self.left = at

    def watch(self, moment: str, operation: str, *paths: Path) -> None:
        self.left -= 1
        if self.left < 0:
            raise Dead


class ExitingDisk(DyingDisk):
    """Ends the whole process at moment `at`, with no `finally` block run."""

    def watch(self, moment: str, operation: str, *paths: Path) -> None:
        self.left -= 1
        if self.left < 0:
            os._exit(9)


class FailingDisk(Disk):
    """Reports an operating system's error at moment `at`; with `for_good`, at every write from then on."""

    WRITES = frozenset({"make_folder", "write", "sign_lock", "make_link", "rename", "replace", "open_lock"})

    def __init__(self, at: int, number: int, *, for_good: bool = False) -> None:
        self.left, self.number, self.for_good = at, number, for_good
        self.operation: str | None = None

    def watch(self, moment: str, operation: str, *paths: Path) -> None:
        self.left -= 1
        if self.left == -1 or (self.left < -1 and self.for_good and operation in self.WRITES):
            self.operation = self.operation or operation
            raise OSError(self.number, os.strerror(self.number), str(paths[0]))
