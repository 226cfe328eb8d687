"""What costs seconds to make and is only read: made once for all the processes that run the tests."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.counties import OF_A_RUN, hashes_of

KEPT = "AGEINGWELL_SHARED_FOLDERS"


class Shared:
    """Folders that the first process to need them makes, while others wait; `changed` names those written to since."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        base = factory.getbasetemp()
        # Each process of pytest-xdist has a folder of its own in the one of the run.
        self.root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
        # `python -m tools.guards` starts the tests many times, and what they only read is made once.
        if KEPT in os.environ:
            self.root = Path(os.environ[KEPT])
        self.root.mkdir(parents=True, exist_ok=True)
        self.seen: dict[Path, dict[str, str]] = {}

    def folder(self, name: str, make: Callable[[Path], object]) -> Path:
        """The folder of this name, filled by `make`; copy what a test is to change."""
        folder, done = self.root / name, self.root / f"{name}.done"
        with _alone(self.root / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        self.seen.setdefault(folder, _read(folder))
        return folder

    def changed(self) -> list[str]:
        """The folders that a test has written to, or taken from, since this process first saw them."""
        return [folder.name for folder, hashes in self.seen.items() if _read(folder) != hashes]


def _read(folder: Path) -> dict[str, str]:
    # Whoever reads a night may hold its lock, and signs it.
    return hashes_of(folder, but=(".lock", *OF_A_RUN[1:]))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock that the operating system lets go of when its holder ends."""
    with path.open("w") as file:
        if os.name == "nt":
            import msvcrt

            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                    break
                except OSError:
                    time.sleep(0.1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
