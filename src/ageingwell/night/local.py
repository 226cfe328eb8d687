"""The night's directory of local services: an optional source, read once, told of in every output."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from ageingwell.config.load import Config
from ageingwell.errors import SourceError
from ageingwell.governance.night_facts import DirectoryFacts
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
    told: DirectoryFacts
    refused: pl.DataFrame

    @property
    def is_missing(self) -> bool:
        """Whether a directory that is connected could not be used."""
        return self.told["state"] == "damaged"


def no_directory(state: str = "none", *, why: str | None = None) -> LocalDirectory:
    """A night without local services."""
    told = DirectoryFacts(state=state) if why is None else DirectoryFacts(state=state, why=why)
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


def _told(directory: Directory, services: pl.DataFrame, *, on: date, late_after: timedelta) -> DirectoryFacts:
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


# Who left for these does not live there any more, or is the safeguarding lead's alone.
_NOT_COUNTED = ("deceased", "moved", "safeguarding", "safeguarding_at_home")


def residents_of(spine: pl.DataFrame, left: pl.DataFrame) -> pl.DataFrame:
    """Where everybody on the spine lives and who knows them: what a page for commissioners is counted from.

    Nobody is among them who has died or moved, however late it was recorded, or is under safeguarding, as `left` says.

    >>> spine = pl.DataFrame({"person_id": ["p1", "p2"], "household_id": ["h1", "h2"], "place": ["Totnes"] * 2,
    ...                       "known_to": [["gp"], ["gp"]]})
    >>> residents_of(spine, pl.DataFrame({"person_id": ["p2"], "reason": ["deceased"]}))["person_id"].to_list()
    ['p1']
    """
    gone = left.filter(pl.col("reason").is_in(_NOT_COUNTED))
    here = spine.join(gone, on="person_id", how="anti")
    return here.select("person_id", "household_id", "place", "known_to").sort("person_id")
