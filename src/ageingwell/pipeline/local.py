"""The night's directory of local services: an optional source, read once, told of in every output."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from ageingwell.config.load import Config
from ageingwell.errors import SourceError
from ageingwell.services.directory import Directory, read_directory
from ageingwell.services.offerable import nothing_offerable, offerable
from ageingwell.sources.check import REFUSED
from ageingwell.sources.read import is_made_up


@dataclass(frozen=True)
class LocalDirectory:
    """The services that can be offered (contract: `Offerable`), what is told of them, and what was refused.

    `told` is plain data for the manifest and the pages. Its `state`: `in_time`, `late`, `damaged` (it could not be
    used, and the night goes on without), `made_up_not_used` (made-up services are never offered to real people), or
    `none` (no directory is connected).
    """

    services: pl.DataFrame
    told: Mapping[str, Any]
    refused: pl.DataFrame

    @property
    def is_missing(self) -> bool:
        """Whether a directory that is connected could not be used."""
        return str(self.told["state"]) == "damaged"


def no_directory(state: str = "none", *, why: str | None = None) -> LocalDirectory:
    """A night without local services."""
    told = {"state": state} | ({} if why is None else {"why": why})
    return LocalDirectory(nothing_offerable(), told, pl.DataFrame(schema=REFUSED))


def read_local_directory(config: Config, *, on: date, made_up: bool) -> LocalDirectory:
    """Read the directory that the settings name, as an optional source: what is wrong with it is told, not raised.

    `made_up` says whether the night's people are. Raises `SourceError` only where the settings call it required.
    """
    path, settings = config.directory, config.services
    if path is None:
        return no_directory()
    try:
        if not made_up and is_made_up(path if path.is_dir() else path.parent):
            return no_directory("made_up_not_used")
        directory = read_directory(path, max_refused_share=settings.max_refused_share)
    except SourceError as fault:
        if settings.required:
            raise
        return no_directory("damaged", why=fault.found)
    services = offerable(directory, on=on)
    told = _told(directory, services, on=on, late_after=timedelta(days=settings.late_after_days))
    return LocalDirectory(services, told, directory.refused)


def _told(directory: Directory, services: pl.DataFrame, *, on: date, late_after: timedelta) -> dict[str, Any]:
    newest = directory.newest_on
    is_late = newest is None or newest < on - late_after
    return {
        "state": "late" if is_late else "in_time",
        "newest_on": None if newest is None else newest.isoformat(),
        "n_read": directory.n_read,
        "n_refused": directory.n_refused,
        "n_organisations": directory.tables["organisations"].height,
        "n_services": services["service_id"].n_unique(),
        "files": [{"file": file.file, "sha256": file.sha256, "n_records": file.n_records} for file in directory.files],
    }


def residents_of(spine: pl.DataFrame) -> pl.DataFrame:
    """Where everybody on the spine lives and who knows them: what a page for commissioners is counted from."""
    return spine.select("person_id", "household_id", "place", "known_to").sort("person_id")
