"""Later records of a made-up county in which visits did something, or nothing: a truth to find again.

A county's records are known up to its own last day. `sent_on` gives what agencies had sent by an earlier night, so that
nights can be made as they would have been. `visited` then changes what came after: of the people offered a visit some
take it up, and from that day on each of their emergency admissions happens with a given chance only. Events come at
random, so leaving out a share of them is just what a lower rate would have made (thinning of a Poisson process).
Nothing else is changed: who was at a peak comes down by themselves, as in life.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from ageingwell.contracts.registry import TABLES
from ageingwell.disk import DISK
from ageingwell.errors import ConfigError
from ageingwell.sources.read import MARK_OF_MADE_UP_DATA
from ageingwell.synthetic.mark import read_mark
from ageingwell.timeline import ENDINGS, AsOf, known

# Days from the list to the visit, at least and at most.
FIRST_DAY, LAST_DAY = 3, 28
_LAG_DAYS: Final = 30
ADMISSION: Final = "emergency_admission"


@dataclass(frozen=True)
class Visits:
    """What visits do in a made-up county: `take_up` is the share of offers that are taken up, `effect` what happens to
    the rate of emergency admissions of those visited, on the log scale: 0 is nothing, -0.4 about a third fewer.
    """

    take_up: float = 0.6
    effect: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.take_up <= 1:
            raise ConfigError("take_up must be a share between 0 and 1", "correct it")
        if not -3 <= self.effect <= 0.7:
            raise ConfigError("effect must be between -3 and 0.7", "correct it")


def sent_on(county: Path, day: date, to: Path) -> Path:
    """Write to the folder `to` what of a made-up county's tables was known on a day, as an extract of that day."""
    read_mark(county)
    DISK.make_folders(to)
    DISK.write(to / MARK_OF_MADE_UP_DATA, DISK.read(county / MARK_OF_MADE_UP_DATA))
    for name in TABLES:
        path = county / f"{name}.parquet"
        if not path.is_file():
            continue
        rows = pl.scan_parquet(path)
        if name == "permissions":
            told = rows.with_columns(checked_on=pl.lit(day - timedelta(days=1)))
        else:
            told = known(rows, AsOf(day), endings=ENDINGS.get(name, ()), lag_days=_LAG_DAYS)
        DISK.sink_frame(to / path.name, told, compression="zstd")
    return to


def visited(county: Path, offered: pl.DataFrame, to: Path, *, visits: Visits) -> float:
    """Write to the folder `to` the county's tables as they are when people offered a visit got one.

    `offered` has person_id and offered_on. A contact is written for each offer: completed, or declined. Of who took it
    up, emergency admissions that start after the visit are kept with the chance e to the `effect`; with an effect above
    0 some happen twice. Gives how many admissions the visits changed, a person offered: the truth, over all later time.
    """
    read_mark(county)
    DISK.make_folders(to)
    generator = np.random.default_rng(visits.seed)
    people = offered.sort("offered_on", "person_id").unique("person_id", keep="first", maintain_order=True)
    days = generator.integers(FIRST_DAY, LAST_DAY + 1, people.height)
    took = generator.random(people.height) < visits.take_up
    visits_made = people.with_columns(_days=pl.Series(days), took=pl.Series(took))
    visits_made = visits_made.with_columns(contacted_on=pl.col("offered_on") + pl.duration(days="_days"))
    n_changed = 0
    for path in sorted(county.iterdir()):
        if path.is_dir():
            continue
        if path.name == "hospital_events.parquet":
            rows, n_changed = _changed(pl.read_parquet(path), visits_made, visits.effect, generator)
            DISK.write_frame(to / path.name, rows)
        elif path.name == "contacts.parquet":
            rows = _with_contacts(pl.read_parquet(path), visits_made)
            DISK.write_frame(to / path.name, rows)
        else:
            DISK.write(to / path.name, DISK.read(path))
    return n_changed / max(1, people.height)


def _changed(
    rows: pl.DataFrame, visits_made: pl.DataFrame, effect: float, generator: np.random.Generator
) -> tuple[pl.DataFrame, int]:
    """The hospital's rows, stays left out or doubled a day on, and how many stays more there are."""
    took = visits_made.filter("took").select("person_id", _from="contacted_on")
    is_after = (pl.col("kind") == ADMISSION) & (pl.col("started_on") > pl.col("_from"))
    joined = rows.join(took, on="person_id", how="left", maintain_order="left").with_columns(
        _hit=is_after.fill_null(value=False)
    )
    key = ["person_id", "started_on"]
    stays = joined.filter("_hit").select(key).unique().sort(key)
    chance = float(np.exp(effect))
    drawn = generator.random(stays.height)
    if chance <= 1:
        gone = stays.filter(pl.Series(drawn >= chance))
        kept = joined.join(gone.with_columns(_gone=pl.lit(value=True)), on=key, how="left", maintain_order="left")
        left = kept.filter(~(pl.col("_hit") & pl.col("_gone").fill_null(value=False)))
        return left.select(rows.columns), -gone.height
    twice = stays.filter(pl.Series(drawn < chance - 1))
    more = joined.filter("_hit").join(twice, on=key, how="semi").unique(key, keep="first", maintain_order=True)
    moved = more.with_columns(pl.col("started_on") + pl.duration(days=1), ended_on=None).with_columns(
        pl.max_horizontal("recorded_on", "started_on").alias("recorded_on")
    )
    return pl.concat([rows, moved.select(rows.columns).cast(rows.schema)]), twice.height


def _with_contacts(rows: pl.DataFrame, visits_made: pl.DataFrame) -> pl.DataFrame:
    more = visits_made.select(
        "person_id",
        household_id=pl.lit(None, dtype=pl.String),
        agency=pl.lit("voluntary"),
        contacted_on="contacted_on",
        outcome=pl.when("took").then(pl.lit("completed")).otherwise(pl.lit("declined_help")),
        recorded_on="contacted_on",
    )
    return pl.concat([rows, more.select(rows.columns).cast(rows.schema)])
