"""The made-up county: `synthesise` writes what four agencies would send about people who do not exist.

How it is made, in plain words:

1. Older people are shared out over real areas of Shropshire and South Hams, Church Stretton first (`places`).
2. Households are drawn some nine years back: couples, people alone, families, residents of care homes (`people`), in
   homes of the kinds and tenures the Census counted there (`dwellings`).
3. Everybody gets the days on which conditions and medicines will start (`conditions`, `medicines`).
4. The years are lived one after another: falls, admissions, home care, care homes, deaths, moves (`years`). The rates
   (`hazards`) depend on what agencies can know and on a frailty that nobody measures, with thresholds and
   interactions. The true risks follow from the rates and are written apart, in `truth/`.
5. As many households are kept as give the number of older people asked for, alive and registered on the last day
   (`living`).
6. Each agency writes down what it happened to notice, some time later (`…_records`): the frail without contacts are
   noticed least, whole wards send no housing records, most questions are not asked. Some of it is sent again: a stay
   once it ends, a service in the next return, a death that was none and is taken back, a row that stands twice.

The county is made in parts of about 20,000 older people, so that memory does not grow with its size. Parts draw from
their own streams of random numbers: the same plan gives the same files, byte for byte.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from ageingwell.config.files import read_codelists, shipped
from ageingwell.contracts.registry import EVENT_KEYS, TABLES
from ageingwell.disk import DISK
from ageingwell.errors import ConfigError
from ageingwell.given import GivenDay, day_of
from ageingwell.pseudonyms.digests import keyed_letters
from ageingwell.pseudonyms.keys import Key
from ageingwell.synthetic import raw
from ageingwell.synthetic.care_records import care_events
from ageingwell.synthetic.dirty import refuses_the_row, spoil, with_empty_words, with_odd_headings
from ageingwell.synthetic.event_records import Codelists, gp_events
from ageingwell.synthetic.fire_records import fire_incidents, fire_visits
from ageingwell.synthetic.hospital_records import hospital_events
from ageingwell.synthetic.housing_records import homes, housing_events
from ageingwell.synthetic.identifiers import reserved_nhs_numbers
from ageingwell.synthetic.living import Where, make_part
from ageingwell.synthetic.medicines import dmd_to_bnf
from ageingwell.synthetic.other_words import KINDS, in_other_words
from ageingwell.synthetic.part import Part
from ageingwell.synthetic.patient_records import Versions, gp_patients, patient_versions
from ageingwell.synthetic.permission_records import contacts, permissions, with_allow_list
from ageingwell.synthetic.places import fill_places, in_chunks
from ageingwell.synthetic.prescription_records import gp_prescriptions
from ageingwell.synthetic.truth import true_risks
from ageingwell.synthetic.writing import Writer, county_folder

CHUNK_PEOPLE = 20_000
# People of any age, alive or dead, for each person aged 65+ on the last day: about 1.62.
PEOPLE_A_PERSON = 1.7
# Ids of the agencies themselves leave as keyed digests, as `pseudonymise` makes them.
LOCAL_IDS = {"care_events": "la_person_id", "housing_events": "case_id"}
# What was recorded on one day in so many stands twice in every table of events.
REPEATED_DAYS = 400
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class CountyPlan:
    """What county to make.

    `people` counts people aged 65 and over, alive and registered on `as_of`; the younger people they live with come on
    top. `dirty` is the share of rows of each table to spoil, with an answer file. `raw` writes the agencies' own
    extracts, with NHS numbers and names, in place of the contract tables. `rate_shift` is added to the logarithm of
    every rate: a second county where 0.2 makes events about a fifth more frequent. `words` are kinds of codes and
    labels that nobody recognises, put in the place of ours (`other_words.KINDS`). `allow_list` writes the national
    opt-outs as the national service returns them: the people who may be used.
    """

    people: int
    seed: int = 1
    as_of: GivenDay = date(2026, 11, 22)
    years: int = 6
    dirty: float = 0.0
    raw: bool = False
    rate_shift: float = 0.0
    dirty_permissions: bool = False
    words: tuple[str, ...] = ()
    allow_list: bool = False

    def __post_init__(self) -> None:
        checks = {
            "people must be at least 50": self.people >= 50,
            # More than England has; at some number the memory is full, and that ends the process without a word.
            "people must be at most 10,000,000": self.people <= 10_000_000,
            "seed must not be negative": self.seed >= 0,
            "years must be between 2 and 15": 2 <= self.years <= 15,
            "dirty must be a share between 0 and 0.5": 0 <= self.dirty <= 0.5,
            "rate_shift must be between -1 and 1": -1 <= self.rate_shift <= 1,
        }
        object.__setattr__(self, "as_of", day_of(self.as_of))
        for kind in self.words:
            checks[f"words: there is no `{kind}`; there are {', '.join(KINDS)}"] = kind in KINDS
        if self.raw and self.dirty:
            checks["raw and dirty cannot go together: the contracts are of pseudonymised tables"] = False
        if self.raw and self.people * PEOPLE_A_PERSON > len(reserved_nhs_numbers(self.seed)):
            most = int(len(reserved_nhs_numbers(self.seed)) / PEOPLE_A_PERSON) // 10_000 * 10_000
            checks[
                f"raw extracts need reserved NHS numbers, which suffice for about {most:,} people aged 65+; "
                "beyond that only pseudonymised tables can be made"
            ] = False
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


def synthesise(plan: CountyPlan, out: str | Path, *, progress: Progress | None = None) -> CountySummary:
    """Make the county of `plan` and write it into the folder `out`.

    Writes `<table>.parquet` for every contract table, `synthetic.json` to mark them as made up, and apart in `truth/`
    what nobody can know of real people: `risk.parquet`. A dirty county has `<table>.csv` under odd headings, and
    `truth/refused.parquet` and `truth/emptied.parquet`, which name every row that must be refused and every cell that
    must be read as empty; a raw one has the agencies' extracts as `<table>.csv` and `postcode_lookup.csv`; one whose
    medicines are sent by dm+d code alone has `dmd_to_bnf.csv`, the look-up of its made-up codes. `progress` is told the
    stage and the share done. An earlier county in `out` is replaced.

    Raises `ConfigError` for a plan that cannot be made, `PublishError` when the folder cannot be written.
    """
    out = Path(out)
    tell = progress or (lambda stage, done: None)
    chunks = list(in_chunks(fill_places(plan.people), people=CHUNK_PEOPLE))
    codelists = read_codelists(shipped("configs") / "codelists")
    n_people = n_homes = n_counted = 0
    with county_folder(out) as folder:
        writer = Writer(folder, mark=_mark(plan))
        for number, places in enumerate(chunks):
            where = Where(places, plan.seed, number, _day(day_of(plan.as_of)), plan.years, plan.rate_shift)
            part = make_part(where, n_people_before=n_people, n_homes_before=n_homes, as_raw=plan.raw)
            _write_part(part, plan, writer, codelists=codelists, chunk=number)
            n_people += int(part.is_known.sum())
            n_homes += int((part.is_used | part.is_unlinked).sum())
            n_counted += int((part.is_known & part.people.is_older & (part.until >= 0)).sum())
            tell("made-up people", (number + 1) / len(chunks))
        tell("files", 0.0)
        writer.close()
        if plan.raw:
            DISK.write(folder / "postcode_lookup.csv", raw.postcode_lookup().write_csv().encode())
        if {"dmd_only", "all_dmd_only"} & set(plan.words):
            DISK.write(folder / "dmd_to_bnf.csv", dmd_to_bnf().write_csv().encode())
    tell("files", 1.0)
    rows = {name: count for name, count in writer.rows.items() if name in TABLES}
    return CountySummary(folder=out, n_people_65plus=n_counted, n_people=n_people, n_homes=n_homes, rows=rows)


def _write_part(part: Part, plan: CountyPlan, writer: Writer, *, codelists: Codelists, chunk: int) -> None:
    streams = iter(np.random.SeedSequence([plan.seed, chunk, 7]).spawn(64))

    def rng() -> np.random.Generator:
        return np.random.default_rng(next(streams))

    versions = patient_versions(part, rng=rng())
    made = tables_of(part, versions, codelists=codelists, rng=rng)
    tables = with_repeats(in_other_words(with_allow_list(made) if plan.allow_list else made, plan.words))
    if plan.raw:
        for name, frame in raw.extracts(part, tables, versions, rng=rng()).items():
            writer.add(name, frame, as_text=True)
        return
    writer.add("truth/risk", true_risks(part))
    for name, frame in tables.items():
        ready = _with_local_ids(name, frame, seed=plan.seed).select(TABLES[name].to_schema().columns.keys())
        if not plan.dirty:
            writer.add(name, ready)
            continue
        share = plan.dirty if name != "permissions" or plan.dirty_permissions else 0.0
        spoilt, answers = spoil(name, ready, share=share, first_row=writer.rows.get(name, 0) + 1, rng=rng())
        first_row = writer.rows.get(name, 0) + 1
        written, emptied = with_empty_words(name, spoilt, share=plan.dirty, first_row=first_row, rng=rng())
        writer.add(name, with_odd_headings(written), as_text=True, quoted=False)
        refuses = refuses_the_row(name)
        writer.add("truth/refused", answers.filter(refuses))
        writer.add("truth/emptied", pl.concat([answers.filter(~refuses), emptied]).sort("row_number", "column"))


def tables_of(
    part: Part, versions: Versions, *, codelists: Codelists, rng: Callable[[], np.random.Generator]
) -> dict[str, pl.DataFrame]:
    """The contract tables of one part, each from a stream of random numbers of its own."""
    return {
        "gp_patients": gp_patients(part, versions, rng=rng()),
        "gp_events": gp_events(part, codelists=codelists, rng=rng()),
        "gp_prescriptions": gp_prescriptions(part, rng=rng()),
        "hospital_events": hospital_events(part, rng=rng()),
        "care_events": care_events(part, rng=rng()),
        "homes": homes(part, shown=part.is_used, rng=rng()),
        "housing_events": housing_events(part, shown=part.is_used, rng=rng()),
        "fire_visits": fire_visits(part, unlinked=part.is_unlinked, rng=rng()),
        "fire_incidents": fire_incidents(part, shown=part.is_used | part.is_unlinked, rng=rng()),
        "permissions": permissions(part, rng=rng()),
        "contacts": contacts(part, rng=rng()),
    }


def with_repeats(tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables with what came in on some days standing twice, as after a delivery that was sent again.

    Whichever ids people have, the same rows are repeated.
    """
    return {name: _repeated(frame) if name in EVENT_KEYS else frame for name, frame in tables.items()}


def _repeated(frame: pl.DataFrame) -> pl.DataFrame:
    is_twice = pl.col("recorded_on").to_physical() % REPEATED_DAYS == 0
    numbered = frame.with_row_index("_row")
    both = pl.concat([numbered, numbered.filter(is_twice)])
    return both.sort("_row", maintain_order=True).drop("_row")


def _with_local_ids(name: str, frame: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    if name not in LOCAL_IDS:
        return frame
    column = LOCAL_IDS[name]
    return frame.with_columns(keyed_letters(pl.col(column), label=column, key=Key.made_up(seed)).alias(column))


def _mark(plan: CountyPlan) -> str:
    content = {"synthetic": True, "what": "people who do not exist, made by ageingwell synth", **asdict(plan)}
    return json.dumps(content, indent=2, default=str) + "\n"


def _day(day: date) -> int:
    return (day - date(1970, 1, 1)).days
