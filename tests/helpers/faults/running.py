"""Run a real command on damaged records, as far as the case needs, and see what came of it."""

import os
import re
import shutil
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from ageingwell.cli import cli
from ageingwell.config.withdrawing import TABLES_OF_WITHDRAWALS
from ageingwell.contracts.registry import TABLES
from ageingwell.errors import AgeingWellError
from ageingwell.kept.frames import NightFrames
from ageingwell.night import outreach, revising, withdraw
from ageingwell.night import score as night
from ageingwell.night.local import no_directory
from ageingwell.night.taking_off import Withdrawn
from ageingwell.publish import current
from ageingwell.sources import measures
from ageingwell.sources.checked import CheckedTable, Records
from helpers.faults.records import County, Rows, as_csv
from helpers.once import Once, digests

NEXT = date(2026, 11, 22) + timedelta(days=7)
MARK = "DO_NOT_USE.txt"
OF_OTHERS = {f"{name}.csv" for name in TABLES if name not in TABLES_OF_WITHDRAWALS}
HALF = re.compile(r"\.staging|\.part$|\.partial|\.tmp")


class ReadThroughError(AgeingWellError):
    """Nothing stopped the night up to here: what follows is of no interest to the case, and costs seconds."""

    exit_code = 100


@dataclass
class Watch:
    """How far a night goes, and what it had read by then; `meanwhile` happens between its withdrawals and reading."""

    through: str = "read"
    records: Records | None = None
    meanwhile: Callable[[], None] | None = None


@dataclass(frozen=True)
class Ran:
    """What came of a command: 0 also where a night was left at the point that the case asked for."""

    code: int
    output: str
    records: Records | None
    traceback: str = ""


@contextmanager
def watched(workspace: Path) -> Iterator[Watch]:
    """Nights that can be left early, and that read a file, settings or a night that nobody changed once."""
    watch, once = Watch(), Once(workspace)
    work_out, read_agencies = night.work_out, night.read_agencies

    def worked_out(records: Records, **others: Any) -> Any:
        watch.records = records
        if watch.through == "read":
            raise ReadThroughError("read to the end")
        return work_out(records, **others)

    def let_through(*arguments: Any, **others: Any) -> Any:
        if watch.through == "permitted":
            raise ReadThroughError("permitted")
        return split(*arguments, **others)

    def published(*arguments: Any, **others: Any) -> Any:
        raise ReadThroughError("worked out to the end")

    def read_all(*arguments: Any, **others: Any) -> Any:
        if watch.meanwhile is not None:
            watch.meanwhile()
        return read_agencies(*arguments, **others)

    def local_directory(*arguments: Any, **others: Any) -> Any:
        return no_directory() if watch.through == "read" else directory(*arguments, **others)

    def settings_once(config: Any) -> Any:
        # Settings that nobody damaged are what they were before.
        files = digests(Path(config).parent.iterdir())
        if files is None:
            return config_given(config)
        if files not in settings:
            settings[files] = config_given(config)
        return settings[files]

    def found_once(data: Path, *, out: Path, settings: Any, workspace: Path, **others: Any) -> Withdrawn:
        files = digests([*_of_withdrawals(data), *_beside_nights(out)])
        listed = tuple(others["listed"]["person_id"].sort())
        key = (
            files,
            repr(replace(settings, whole=None, audit_file=None, digest=None)),
            listed,
            others["on"],
            others["purpose"],
            others["judged"],
        )
        if files is None or key not in withdrawn:
            found = find_withdrawn(data, out=out, settings=settings, workspace=workspace, **others)
            if files is None:
                return found
            withdrawn[key] = found
        return withdrawn[key]

    def taken_off_once(frames: NightFrames, gone: Withdrawn) -> NightFrames:
        # Both are kept, so that nothing else has their ids.
        key = (id(frames), id(gone))
        if not any(gone is one for one in withdrawn.values()):
            return without_withdrawn(frames, gone)
        if key not in taken_off:
            taken_off[key] = (frames, without_withdrawn(frames, gone))
        return taken_off[key][1]

    def measured_once(table: CheckedTable, on: date) -> Any:
        # As long as a table is kept, no other one has its id.
        key = (id(table), on)
        if not any(table is one for one in once.tables.values()):
            return of_table(table, on)
        if key not in measured:
            measured[key] = list(of_table(table, on))
        return measured[key]

    def no_pages(*_: Any, **__: Any) -> tuple[None, str]:
        return None, "they take seconds, and no case here is about them"

    split = outreach.split_into_shards
    directory, config_given = night.read_local_directory, night.config_given
    find_withdrawn, without_withdrawn = withdraw.find_withdrawn, withdraw.without_withdrawn
    of_table = measures._of_table
    settings: dict[Any, Any] = {}
    withdrawn: dict[Any, Withdrawn] = {}
    taken_off: dict[Any, tuple[NightFrames, NightFrames]] = {}
    measured: dict[Any, Any] = {}
    with once.patched(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(night, "work_out", worked_out)
        patch.setattr(night, "read_agencies", read_all)
        patch.setattr(night, "publish_night", published)
        patch.setattr(outreach, "split_into_shards", let_through)
        patch.setattr(withdraw, "find_withdrawn", found_once)
        patch.setattr(withdraw, "without_withdrawn", taken_off_once)
        patch.setattr(measures, "_of_table", measured_once)
        patch.setattr(night, "read_local_directory", local_directory)
        patch.setattr(night, "config_given", settings_once)
        patch.setattr(revising, "_pages_or_why", no_pages)
        yield watch


def _of_withdrawals(data: Path) -> list[Path]:
    """The tables that tell who is to come off, and whatever is no table."""
    return [path for path in data.iterdir() if path.name not in OF_OTHERS] if data.is_dir() else [data]


def _beside_nights(out: Path) -> list[Path]:
    return [path for path in out.iterdir() if path.is_file() and not path.name.startswith((".", "audit", MARK))]


@dataclass
class Here:
    """A folder with records, settings and a published night, for one run."""

    at: Path
    county: County
    as_of: date = NEXT
    options: list[str] = field(default_factory=list)
    command: str = "score"
    also: str | None = None

    @property
    def data(self) -> Path:
        """The folder with the tables."""
        return self.at / "county"

    @property
    def out(self) -> Path:
        """The folder with the nights."""
        return self.at / "out"

    @property
    def settings(self) -> Path:
        """The folder with the settings."""
        return self.at / "settings"

    def put(self, files: Mapping[str, bytes | None]) -> None:
        """Write files of the data folder."""
        for name, content in files.items():
            # What lies there is shared with every other case.
            (self.data / name).unlink(missing_ok=True)
            if content is not None:
                (self.data / name).write_bytes(content)


def lay_out(at: Path, base: Path, county: County) -> Here:
    """A folder of one's own; tables and pages are linked, for a case replaces files and never writes into them."""
    for folder, _, files in os.walk(base):
        to = at / Path(folder).relative_to(base)
        to.mkdir(parents=True, mode=0o700)
        for name in files:
            # Of all that is written to, or that may have no second name, a copy of its own.
            put = os.link if to.name in ("county", "agencies") or name.endswith(".html") else shutil.copyfile
            put(Path(folder) / name, to / name)
    (at / "out" / ".lock").unlink(missing_ok=True)
    (at / "out" / "current").symlink_to("2026-11-22")
    return Here(at, county)


def write_county(folder: Path, tables: Mapping[str, Rows], mark: bytes) -> None:
    """Write the tables of a county, whole."""
    folder.mkdir()
    (folder / "synthetic.json").write_bytes(mark)
    for name, rows in tables.items():
        (folder / f"{name}.csv").write_bytes(as_csv(rows))


def run(here: Here, watch: Watch) -> Ran:
    """Run the command of a case in this process; a night left early counts as one that goes on."""
    watch.records = None
    paths = ["--data", here.data, "--out", here.out, "--config", here.settings / "score.toml"]
    given = [here.command, "--as-of", str(here.as_of), *map(str, paths), *here.options]
    ran = CliRunner().invoke(cli, given)
    fault = "" if ran.exception is None or isinstance(ran.exception, SystemExit) else _trace(ran.exception)
    return Ran(0 if ran.exit_code == 100 else ran.exit_code, ran.output, watch.records, fault)


def _trace(fault: BaseException) -> str:
    return "".join(traceback.format_exception(fault))


def still_listed(here: Here) -> list[str]:
    """Of those who are to come off, the ones whom the current night names anywhere."""
    folder = current(here.out)
    assert folder is not None
    gone = {here.county.objected: "who objected", here.county.died: "who died"}
    gone |= {} if here.also is None else {here.also: "who is to come off too"}
    named: set[str] = set()
    for name in ("list", "people", "scores", "needs", "reasons"):
        if (folder / f"{name}.parquet").exists():
            named |= set(pl.read_parquet(folder / f"{name}.parquet", columns=["person_id"])["person_id"])
    return [said for person, said in gone.items() if person in named]


def left_over(here: Here) -> list[str]:
    """What half a run left in the output folder."""
    return sorted(path.name for path in here.out.rglob("*") if HALF.search(path.name))
