"""The made-up county: `synthesise` writes what four agencies would send about people who do not exist.

How it is made, in plain words:

1. Older people are shared out over real areas of Shropshire and South Hams, Church Stretton first (`places`).
2. Households are drawn six years back: couples, people alone, families, residents of care homes (`people`), in homes
   of the kinds and tenures the Census counted there (`dwellings`).
3. Everybody gets the days on which conditions and medicines will start (`conditions`, `medicines`).
4. The years are lived one after another: falls, admissions, home care, care homes, deaths, moves (`history`). The yearly
   rates (`hazards`) depend on what agencies can know and on a frailty that nobody measures, with thresholds and
   interactions. The true risks follow from the rates and are written apart, in `truth/`.
5. As many households are kept as give the number of older people asked for, alive and registered on `as_of` (`living`).
6. Each agency writes down what it happened to notice, some time later (`…_records`): the frail without contacts are
   noticed least, whole wards send no housing records, most questions are not asked.

The county is made in parts of about 20,000 older people, so that memory does not grow with its size. Parts draw from
their own streams of random numbers: the same plan gives the same files, byte for byte.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from ageingwell.config.files import read_codelists, shipped
from ageingwell.errors import ConfigError, PublishError
from ageingwell.synthetic import (
    care_records,
    fire_records,
    gp_records,
    hospital_records,
    housing_records,
    permission_records,
)
from ageingwell.synthetic.mark import MARK
from ageingwell.synthetic.living import Where, make_part
from ageingwell.synthetic.part import Part
from ageingwell.synthetic.places import fill_places, in_chunks
from ageingwell.synthetic.truth import true_risks

CHUNK_PEOPLE = 20_000

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class CountyPlan:
    """What county to make.

    `people` counts people aged 65 and over, alive and registered on `as_of`; the younger people they live with come on
    top. `dirty` is the share of rows of each table to spoil, with an answer file. `raw` writes the agencies' own
    extracts, with NHS numbers and names, in place of the contract tables. `rate_shift` is added to the logarithm of
    every rate: a second county where 0.2 makes events about a fifth more frequent.
    """

    people: int
    seed: int = 1
    as_of: date = date(2026, 11, 22)
    years: int = 6
    dirty: float = 0.0
    raw: bool = False
    rate_shift: float = 0.0
    dirty_permissions: bool = False

    def __post_init__(self) -> None:
        checks = {
            "people must be at least 50": self.people >= 50,
            "seed must not be negative": self.seed >= 0,
            "years must lie between 2 and 15": 2 <= self.years <= 15,
            "dirty must be a share between 0 and 0.5": 0 <= self.dirty <= 0.5,
            "rate_shift must lie between -1 and 1": -1 <= self.rate_shift <= 1,
        }
        if broken := [sentence for sentence, holds in checks.items() if not holds]:
            raise ConfigError("; ".join(broken), "correct the options")


@dataclass(frozen=True)
class CountySummary:
    """What was made: where it lies, how many people and homes it holds, and the rows of each table."""

    folder: Path
    n_people_65plus: int
    n_people: int
    n_homes: int
    rows: dict[str, int]


def synthesise(plan: CountyPlan, out: Path, *, progress: Progress | None = None) -> CountySummary:
    """Make the county of `plan` and write it into the folder `out`.

    Writes `<table>.parquet` for every contract table, `synthetic.json` to mark them as made up, and the truth in
    `truth/risk.parquet`. Raises `PublishError` when the folder cannot be written.
    """
    report = progress or (lambda stage, done: None)
    places = fill_places(plan.people)
    chunks = list(in_chunks(places, people=CHUNK_PEOPLE))
    codelists = read_codelists(shipped("configs") / "codelists")
    parts_folder = _fresh(out)
    n_people = n_homes = n_counted = 0
    rows: dict[str, int] = {}
    for number, chunk in enumerate(chunks):
        where = Where(chunk, plan.seed, number, _day(plan.as_of), plan.years, plan.rate_shift)
        part = make_part(where, n_people_before=n_people, n_homes_before=n_homes)
        for name, frame in tables_of(part, where=where, codelists=codelists).items():
            rows[name] = rows.get(name, 0) + len(frame)
            frame.write_parquet(parts_folder / f"{name}-{number:04}.parquet")
        n_people += int(part.is_known.sum())
        n_homes += int((part.is_used | part.is_unlinked).sum())
        n_counted += int((part.is_known & part.people.is_older & (part.until >= 0)).sum())
        report("people", (number + 1) / len(chunks))
    _join_parts(parts_folder, out, names=list(rows), n_chunks=len(chunks), report=report)
    mark = {"synthetic": True, "what": "people who do not exist, made by ageingwell", **asdict(plan)}
    (out / MARK).write_text(json.dumps(mark, indent=2, default=str) + "\n", encoding="utf-8")
    return CountySummary(folder=out, n_people_65plus=n_counted, n_people=n_people, n_homes=n_homes, rows=rows)


def tables_of(part: Part, *, where: Where, codelists: dict[str, tuple[str, ...]]) -> dict[str, pl.DataFrame]:
    """The contract tables of one part, and the truth about it (`truth/risk`)."""
    streams = iter(np.random.SeedSequence([where.seed, where.chunk, 7]).spawn(12))

    def rng() -> np.random.Generator:
        return np.random.default_rng(next(streams))

    shown = part.is_used
    return {
        "gp_patients": gp_records.gp_patients(part, rng=rng()),
        "gp_events": gp_records.gp_events(part, codelists=codelists, rng=rng()),
        "gp_prescriptions": gp_records.gp_prescriptions(part, rng=rng()),
        "hospital_events": hospital_records.hospital_events(part, rng=rng()),
        "care_events": care_records.care_events(part, rng=rng()),
        "homes": housing_records.homes(part, shown=shown, rng=rng()),
        "housing_events": housing_records.housing_events(part, shown=shown, rng=rng()),
        "fire_visits": fire_records.fire_visits(part, unlinked=part.is_unlinked, rng=rng()),
        "fire_incidents": fire_records.fire_incidents(part, shown=shown | part.is_unlinked, rng=rng()),
        "permissions": permission_records.permissions(part, rng=rng()),
        "contacts": permission_records.contacts(part, rng=rng()),
        "risk": true_risks(part),
    }


def _day(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _fresh(out: Path) -> Path:
    parts = out / ".parts"
    try:
        (out / "truth").mkdir(parents=True, exist_ok=True)
        if parts.exists():
            shutil.rmtree(parts)
        parts.mkdir()
    except OSError as error:
        raise PublishError(f"{out} cannot be written ({error.strerror})", "choose another folder") from None
    return parts


def _join_parts(parts: Path, out: Path, *, names: list[str], n_chunks: int, report: Progress) -> None:
    """One file a table: a single part is renamed, several are streamed behind one another."""
    for done, name in enumerate(names, start=1):
        target = out / ("truth/risk.parquet" if name == "risk" else f"{name}.parquet")
        files = [parts / f"{name}-{number:04}.parquet" for number in range(n_chunks)]
        if n_chunks == 1:
            files[0].replace(target)
        else:
            pl.scan_parquet(files).sink_parquet(target)
        report("files", done / len(names))
    shutil.rmtree(parts)
