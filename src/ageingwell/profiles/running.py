"""Run all the profiles of a folder, look-ups first, and say what each made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.config.score import SourceSettings
from ageingwell.disk import DISK
from ageingwell.errors import AgeingWellError
from ageingwell.profiles.finding import Assigned
from ageingwell.profiles.profile import LOOKUPS, Profile
from ageingwell.profiles.transform import Made, MadeTable, run_profile

AREAS = "areas"


@dataclass(frozen=True)
class Ran:
    """What the profiles of a folder made: by profile; the tables of each contract; where homes lie; who is expected."""

    made: Mapping[str, Made]

    def tables(self) -> dict[str, list[MadeTable]]:
        """The tables of the contracts, each from as many profiles as feed it."""
        found: dict[str, list[MadeTable]] = {}
        for each in self.made.values():
            for table in each.tables:
                if table.table not in LOOKUPS:
                    found.setdefault(table.table, []).append(table)
        return found

    def lookup(self, name: str) -> pl.LazyFrame | None:
        """A look-up that profiles made, such as `areas`; None where none did."""
        parts = [table.path for each in self.made.values() for table in each.tables if table.table == name]
        if not parts:
            return None
        scans = [pl.scan_parquet(path, glob=False) for path in parts]
        return pl.concat(scans, how="diagonal").with_columns(
            pl.lit(None, pl.String).alias(column) for column in LOOKUPS[name] if column not in _columns(scans)
        )


def _columns(scans: list[pl.LazyFrame]) -> set[str]:
    return {name for scan in scans for name in scan.collect_schema().names()}


def run_profiles(
    found: Assigned,
    *,
    workspace: Path,
    settings: Mapping[str, SourceSettings] | None = None,
    extracted_on: date | None = None,
    faults: list[str] | None = None,
) -> Ran:
    """Run the profile of every recognised file in the folder `workspace`.

    Those that make the look-up of areas run first, for the others may read it. The day of the extract is the file's
    own, else the settings', else `extracted_on`. A fault of one profile stops the run, unless there is a list of
    `faults` to put it in.
    """
    by_profile = found.by_profile()
    profiles = {name: files[0].profile for name, files in by_profile.items()}
    in_turn = sorted(by_profile, key=lambda name: (AREAS not in profiles[name].sql, name))
    made: dict[str, Made] = {}
    areas: list[Path] = []
    for name in in_turn:
        place = workspace / f"source-{name}"
        DISK.make_folders(place)
        day = _day(profiles[name], settings or {}) or extracted_on
        try:
            made[name] = run_profile(
                profiles[name], by_profile[name], workspace=place, extracted_on=day, areas=tuple(areas)
            )
        except AgeingWellError as fault:
            if faults is None:
                raise
            faults.append(str(fault))
            continue
        areas += [table.path for table in made[name].tables if table.table == AREAS]
    return Ran(dict(sorted(made.items())))


def _day(profile: Profile, settings: Mapping[str, SourceSettings]) -> date | None:
    return settings[profile.name].extracted_on if profile.name in settings else None
