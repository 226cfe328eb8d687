"""Tables and nights whose files nobody changed are read once: many nights of a test are about what follows."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ageingwell.kept.reading import KeptNight, read_night
from ageingwell.night import withdraw
from ageingwell.sources import read
from ageingwell.sources.checked import CheckedTable
from ageingwell.sources.table import read_table


class Once:
    """What was read of files before; whatever is changed, damaged or no file at all is read anew."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.tables: dict[Any, CheckedTable] = {}
        self.nights: dict[Any, KeptNight] = {}

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Nights, and withdrawals from them, that read in this way."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(read, "read_table", self.table)
            patch.setattr(withdraw, "read_table", self.table)
            patch.setattr(withdraw, "read_night", self.night)
            yield

    def table(self, location: Any, settings: Any, *, workspace: Path) -> CheckedTable:
        """As `read_table`."""
        files = digests(location.files)
        key = (location.table, files, settings.model_dump_json())
        if not files:
            return read_table(location, settings, workspace=workspace)
        if key not in self.tables:
            self.tables[key] = read_table(location, settings, workspace=self.workspace / str(len(self.tables)))
        return self.tables[key]

    def night(self, folder: Path) -> KeptNight:
        """As `read_night`."""
        files = digests(one for one in folder.iterdir() if not one.is_dir())
        if files is None:
            return read_night(folder)
        if files not in self.nights:
            self.nights[files] = read_night(folder)
        return replace(self.nights[files], folder=folder)


def digests(paths: Iterable[Path]) -> tuple[tuple[str, str], ...] | None:
    """The names and digests of files; None where one is a link, no file, or cannot be read."""
    found = []
    for path in sorted(paths):
        if path.is_symlink() or not path.is_file():
            return None
        try:
            found.append((path.name, hashlib.sha256(path.read_bytes()).hexdigest()))
        except OSError:
            return None
    return tuple(found)
