"""Random schedules of opt-outs, deaths, moves, forgetting, failures, late files and re-runs: the real withdrawals.

A schedule has its own folder of nights and records of a dozen people. After each run it is asked of every file of
every current night: is anybody in it who may not be, by what the records said when the run read them?
"""

import random
import shutil
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from ageingwell.config.load import Config
from ageingwell.config.withdrawing import WithdrawalSettings
from ageingwell.contracts.services import schema_of
from ageingwell.decisions.entry import Entry
from ageingwell.decisions.ledger import append
from ageingwell.errors import SourceError
from ageingwell.keeping.forgetting import forget
from ageingwell.keeping.purging import purge
from ageingwell.kept.frames import CONTRACTS, NightFrames, save_as_found
from ageingwell.night.taking_off import people_named, without_withdrawn
from ageingwell.night.withdraw import find_withdrawn, withdraw_from_current
from ageingwell.publish import current, publish_folder, publishing_lock, put_aside, staged, write_bytes
from ageingwell.publish.mark import mark_of
from helpers.kept_nights import AT, KEY, files_of_night, frames_of, home, named_in, who, world

PEOPLE = range(12)
FIRST = date(2026, 11, 1)
OPT_OUTS = ("objection", "restriction", "type_1")
TABLES = ("permissions", "gp_patients", "contacts")


@dataclass
class Place:
    """One place's records and nights, and what is known of its people."""

    folder: Path
    config: Config
    tables: dict[str, pl.DataFrame]
    rng: random.Random
    day: date = FIRST
    gone: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)  # those gone whom a run has been able to read of
    late: list[dict] = field(default_factory=list)
    forgotten: set[int] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    bad: list[str] = field(default_factory=list)
    n_runs: int = 0

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    # What happens

    def opt_out(self) -> None:
        one = self.rng.choice(PEOPLE)
        row = {"person_id": who(one), "kind": self.rng.choice(OPT_OUTS), "checked_on": self.day}
        if self.rng.random() < 0.25:
            self.late.append(row)  # it is sent with a later file
            return
        if self.rng.random() < 0.2:
            row = {"household_id": home(one), "kind": "objection", "checked_on": self.day}
        self.tables["permissions"] = _with(self.tables["permissions"], row)
        self.gone.add(one)

    def late_file(self) -> None:
        for row in self.late:
            self.tables["permissions"] = _with(self.tables["permissions"], row)
            self.gone.add(next(one for one in PEOPLE if who(one) == row["person_id"]))
        self.late.clear()

    def death(self) -> None:
        one, told_by = self.rng.choice(PEOPLE), self.rng.choice(("register", "contact", "list"))
        if told_by == "register":
            self.tables["gp_patients"] = _newer(self.tables["gp_patients"], one, self.day, died_on=self.day)
        elif told_by == "contact":
            row = {"person_id": who(one), "agency": "fire", "contacted_on": self.day, "outcome": "deceased",
                   "recorded_on": self.day}  # fmt: skip
            self.tables["contacts"] = _with(self.tables["contacts"], row)
        else:
            entry = Entry(self.day, "fire", "listed", who(one), None, outcome="deceased", contacted_on=self.day,
                          agency="fire")  # fmt: skip
            at = AT.replace(year=self.day.year, month=self.day.month, day=self.day.day)
            self.out.mkdir(exist_ok=True)
            append(self.out / "decisions.sqlite", [entry], role="chair", recorded_at=at, file_sha256="0" * 64)
            if one in self.forgotten:
                return
        self.gone.add(one)

    def leaving(self) -> None:
        one = self.rng.choice(PEOPLE)
        left = {"left_on": self.day - timedelta(days=1), "left_recorded_on": self.day - timedelta(days=1)}
        self.tables["gp_patients"] = _newer(self.tables["gp_patients"], one, self.day, **left)
        self.gone.add(one)

    def forgetting(self) -> None:
        if current(self.out) is None:
            return
        one = self.rng.choice(PEOPLE)
        forget([who(one)], out=self.out, config=self.config, surroundings=world())
        self.forgotten.add(one)
        self._ask(all_files=True)

    def failure(self) -> None:
        self.broken.add(self.rng.choice(TABLES))

    def mended(self) -> None:
        self.broken.clear()

    def night_passes(self) -> None:
        self.day += timedelta(days=1)

    def purging(self) -> None:
        if self.out.is_dir():
            purge(self.out, config=self.config, surroundings=world())
            self._ask()

    def withdrawing(self) -> None:
        """What a night does first, and all that is done where scoring stops."""
        self._write()
        self.n_runs += 1
        # Where a table that may tell of a death cannot be read, it says so once people are off.
        unheard = suppress(SourceError) if self.broken & {"care_events", "contacts"} else nullcontext()
        with publishing_lock(self.out, holder="process 1"), put_aside(self.out) as scratch, unheard:
            withdraw_from_current(
                self.data, out=self.out, settings=self._settings(), workspace=scratch, on=self.day, key=KEY,
                accept_change=True,
            )  # fmt: skip
        self._ran()

    def scoring(self) -> None:
        """A night that would list everybody: what it does first and last takes off who may not be on it."""
        self.withdrawing()
        if self.broken & {"permissions", "gp_patients"}:
            return
        frames = frames_of(PEOPLE, {})
        empty = {name: pl.DataFrame(schema=schema_of(model)) for name, model in CONTRACTS.items()}
        made = {"listed" if name == "list" else name: frame for name, frame in frames.items()}
        night = NightFrames(**(empty | made))
        with publishing_lock(self.out, holder="process 1"), put_aside(self.out) as scratch:
            gone = find_withdrawn(
                self.data, out=self.out, settings=self._settings(), workspace=scratch, on=self.day,
                listed=people_named(night),
            )  # fmt: skip
            kept = without_withdrawn(night, gone)
            with staged(self.out, name=str(self.day)) as folder:
                save_as_found(kept, folder, found=tuple(made))
                for name, content in files_of_night([]).items():
                    if name.endswith(".json"):
                        write_bytes(folder / name, content)
                publish_folder(folder, self.out, name=str(self.day))
        self._ran()

    # What has to hold

    def _ran(self) -> None:
        # What one table tells of somebody is heeded also where another cannot be read; here all of it is asked for
        # only once everything could be.
        if not self.broken:
            self.seen = set(self.gone)
        self._ask()

    def _ask(self, *, all_files: bool = False) -> None:
        folder = current(self.out)
        if folder is None:
            return
        unread = self.broken & {"permissions", "gp_patients"}
        if unread and mark_of(self.out) is None and self.n_runs and not all_files:
            self.bad.append(f"{sorted(unread)} could not be read and the list is not marked")
        wrong = named_in(folder, self.forgotten | self.seen, [])
        self.bad += [f"on {self.day} somebody who may not be is in {name}" for name in wrong]
        if all_files:
            self.bad += [f"somebody forgotten is in {name}" for name in named_in(self.out, self.forgotten, [])]

    def _settings(self) -> WithdrawalSettings:
        return WithdrawalSettings.of(self.config)

    def _write(self) -> None:
        self.data.mkdir(exist_ok=True)
        for name, frame in self.tables.items():
            path = self.data / f"{name}.parquet"
            if name in self.broken:
                path.write_bytes(b"PAR1 garbage")
            else:
                frame.write_parquet(path)


STEPS = {
    Place.opt_out: 5, Place.late_file: 2, Place.death: 3, Place.leaving: 2, Place.forgetting: 1, Place.failure: 1,
    Place.mended: 2, Place.night_passes: 3, Place.purging: 1, Place.withdrawing: 4, Place.scoring: 4,
}  # fmt: skip


def run_schedule(
    seed: int, folder: Path, config: Config, tables: dict[str, pl.DataFrame], *, n_steps: int = 14
) -> Place:
    """Run one schedule in a new folder, which is gone afterwards; what went wrong is in `bad`."""
    folder.mkdir()
    place = Place(folder, config, dict(tables), random.Random(seed))
    place.scoring()
    for step in place.rng.choices(list(STEPS), weights=list(STEPS.values()), k=n_steps):
        step(place)
        if step in (Place.failure, Place.mended):
            place.withdrawing()
    place.mended()
    place.late_file()
    place.withdrawing()
    shutil.rmtree(folder)
    return place


def first_tables(county: Path) -> dict[str, pl.DataFrame]:
    """The records of the dozen people, in the columns of a made-up county's."""
    patients = pl.read_parquet(county / "gp_patients.parquet").head(1)
    quiet = {"died_on": None, "left_on": None, "left_recorded_on": None}
    rows = [
        patients.with_columns(
            person_id=pl.lit(who(one)),
            household_id=pl.lit(home(one)),
            recorded_on=pl.lit(FIRST - timedelta(days=400)),
            registered_on=pl.lit(FIRST - timedelta(days=800)),
            **{
                name: pl.lit(value, dtype=patients.schema[name])
                for name, value in quiet.items()
                if name in patients.columns
            },
        )
        for one in PEOPLE
    ]
    empty = {name: pl.read_parquet(county / f"{name}.parquet").clear() for name in ("permissions", "contacts")}
    # Somebody who lives elsewhere: an opt-out table is never empty.
    empty["permissions"] = _with(
        empty["permissions"], {"person_id": "t" * 32, "kind": "objection", "checked_on": FIRST}
    )
    return {"gp_patients": pl.concat(rows), **empty}


def _with(frame: pl.DataFrame, row: dict) -> pl.DataFrame:
    return pl.concat([frame, pl.DataFrame([{name: row.get(name) for name in frame.columns}], schema=frame.schema)])


def _newer(patients: pl.DataFrame, one: int, on: date, **changes: date) -> pl.DataFrame:
    last = patients.filter(person_id=who(one)).sort("recorded_on").to_dicts()[-1]
    n = patients.filter(person_id=who(one)).height
    return _with(patients, last | {"recorded_on": on - timedelta(days=40 - n)} | changes)
