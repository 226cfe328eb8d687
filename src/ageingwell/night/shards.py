"""Records split into shards: whole homes with everybody who lives there, and all that is recorded of them.

A person belongs to the shard of the home that the newest known row of the register names for them; who has none, and
whoever is not on the register, to the shard of their own pseudonym. What is worked out of a person needs their own
records, those of their home and those of the people there; nothing else but two things, which come as guests: a person
whom the register ever had at a home of the shard (somebody moved out, somebody died there), and a row of social care
that names a carer of the shard. Guests are read and never counted.
"""

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.config.score import ScoreSettings
from ageingwell.disk import DISK
from ageingwell.errors import SourceError
from ageingwell.room import scratch
from ageingwell.sources.read import Records
from ageingwell.spine import Tables
from ageingwell.timeline import AsOf

REGISTER: Final = "gp_patients"
IS_GUEST: Final = "_is_guest"
_SHARD: Final = "_shard"
_PERSON: Final = "_person"  # a whole number in place of a pseudonym: a fifth of its memory
OPT_OUTS: Final = "permissions"  # heeded for all records at once, and in no shard


# What the program itself, its libraries and the group's own part of a night take.
_GIB_OF_ITS_OWN: Final = 1.0
# Rows of all tables together that a GiB holds while a shard is worked. Measured: 12 million (a million people, shards
# of 22 million rows); a third is kept in hand for records that say more.
ROWS_A_GIB: Final = 8_000_000


def shards_needed(records: Records, settings: ScoreSettings) -> int:
    """Into how many shards the settings split these records: the fewest that fit into the memory they allow.

    On Spark at least two, for a single shard is not written where other machines can read it.
    """
    if settings.shards is not None:
        return settings.shards
    engine = settings.engine
    at_once = engine.processes if engine.name == "local" else 1
    room = max(settings.memory_gib - _GIB_OF_ITS_OWN, settings.memory_gib / 4) / at_once
    rows = sum(table.n_good for name, table in records.tables.items() if name != OPT_OUTS)
    return max(math.ceil(rows / (room * ROWS_A_GIB)), 1 if engine.name == "local" else 2)


@contextmanager
def folder_of_shards(settings: ScoreSettings, scratch: Path) -> Iterator[Path]:
    """The folder that shards lie in: in `scratch`, or, on Spark, a private one in the folder that all machines share.

    It is gone when the night is worked out. Raises `SourceError` where the shared folder cannot be written.
    """
    shared = settings.engine.spark.shared_folder
    if settings.engine.name == "local" or shared is None:
        yield scratch / "shards"
        return
    with shared_scratch("ageingwell-shards", shared) as place:
        yield place


@contextmanager
def shared_scratch(name: str, shared: str | None) -> Iterator[Path]:
    """A private folder in the folder that Spark's machines share; `SourceError` where that cannot be written."""
    if shared is None or not os.access(shared, os.W_OK | os.X_OK):
        raise SourceError(
            "spark.shared_folder: the folder is not there, or may not be written", "make it on every machine"
        )
    with scratch(name, within=Path(shared)) as place:
        yield place


@dataclass(frozen=True)
class Shard:
    """One shard: its rows by table, with `_is_guest` where a table can have guests, and a folder for its results."""

    number: int
    rows: Mapping[str, pl.LazyFrame]
    folder: Path

    def everything(self) -> dict[str, pl.LazyFrame]:
        """Every row, guests among them."""
        return {name: rows.drop(IS_GUEST, strict=False) for name, rows in self.rows.items()}

    def own(self) -> dict[str, pl.LazyFrame]:
        """The rows that this shard and no other counts."""
        return {name: _without_guests(rows) for name, rows in self.rows.items()}

    def tables_with_guests(self) -> tuple[str, ...]:
        """The tables of which `everything` has more than `own`."""
        return tuple(
            name
            for name, rows in self.rows.items()
            if IS_GUEST in rows.collect_schema().names() and rows.select(pl.col(IS_GUEST).any()).collect().item()
        )


def around(rows: Tables, people: pl.DataFrame) -> dict[str, pl.LazyFrame]:
    """Of a shard's rows, all that is needed of some people (person_id, household_id): a smaller shard, so to say.

    Everything of those people, of their homes, and of everybody whom the register ever had there.
    """
    named = people.select("person_id").unique()
    homes = people.select("household_id").drop_nulls().unique()
    ever = rows[REGISTER].join(homes.lazy(), on="household_id", how="semi").select("person_id")
    members = pl.concat([named.lazy(), ever]).unique().collect()["person_id"].implode()
    return {name: _about(table, members, homes["household_id"].implode(), name) for name, table in rows.items()}


def _about(rows: pl.LazyFrame, members: pl.Series, homes: pl.Series, name: str) -> pl.LazyFrame:
    asked = {"person_id": members, "linked_person_id": members, "household_id": homes}
    if name == REGISTER:
        # Whoever was there once comes with their whole history, and `members` are they.
        asked = {"person_id": members}
    columns = rows.collect_schema().names()
    about = [
        pl.col(column).is_in(values).fill_null(value=False) for column, values in asked.items() if column in columns
    ]
    return rows.filter(pl.any_horizontal(about))


def split_into_shards(records: Records, as_of: AsOf, *, n_shards: int, folder: Path) -> tuple[Shard, ...]:
    """Write the records into `n_shards` shards in `folder`, each once; with one shard nothing is written.

    How many there are decides nothing that is worked out of them. Opt-outs are in none: they hold for all records.
    """
    rows = {name: table for name, table in records.rows().items() if name != OPT_OUTS}
    if n_shards == 1:
        whole = folder / "0"
        DISK.make_folders(whole)
        return (Shard(0, rows, whole),)
    of_person = _shard_of_people(rows[REGISTER], as_of, n_shards)
    for name, table in rows.items():
        _write(_assigned(name, table, of_person, n_shards), folder / "rows" / name)
    return tuple(_shard(number, rows, folder) for number in range(n_shards))


def _shard(number: int, rows: Tables, folder: Path) -> Shard:
    results = folder / str(number)
    DISK.make_folders(results)
    return Shard(number, {name: _read(folder / "rows" / name, number, table) for name, table in rows.items()}, results)


def _without_guests(rows: pl.LazyFrame) -> pl.LazyFrame:
    if IS_GUEST not in rows.collect_schema().names():
        return rows
    return rows.filter(~pl.col(IS_GUEST)).drop(IS_GUEST)


def _of(key: pl.Expr, n_shards: int) -> pl.Expr:
    return (key.hash(0) % n_shards).cast(pl.UInt16)


def _shard_of_people(patients: pl.LazyFrame, as_of: AsOf, n_shards: int) -> pl.LazyFrame:
    """The shard of everybody on the register: _person, _shard. Their home is that of the newest row known then.

    Two people with one number would be taken for one, and one of them be looked for in a shard that is not theirs; with
    64 bits that is next to impossible, and looked for all the same.
    """
    is_known = pl.col("recorded_on") < as_of.day
    home = _of(pl.coalesce("household_id", "person_id"), n_shards)
    newest = home.sort_by(is_known, "recorded_on").last()
    people = patients.group_by("person_id").agg(newest.alias(_SHARD)).select(_person("person_id"), _SHARD)
    numbered = people.collect(engine="streaming")
    if numbered[_PERSON].n_unique() != numbered.height:
        raise AssertionError("two pseudonyms have the same number, so their records would be mixed up")
    return numbered.lazy()


def _person(column: str) -> pl.Expr:
    return pl.col(column).hash(0).alias(_PERSON)


def _assigned(name: str, rows: pl.LazyFrame, of_person: pl.LazyFrame, n_shards: int) -> pl.LazyFrame:
    """The rows with their shard (`_shard`), once for each shard that needs them."""
    columns = rows.collect_schema().names()
    if "person_id" not in columns:
        return rows.with_columns(_of(pl.col("household_id"), n_shards).alias(_SHARD))
    numbered = rows.with_columns(pl.when(pl.col("person_id").is_not_null()).then(_person("person_id")))
    placed = numbered.join(of_person, on=_PERSON, how="left").select(
        *columns, pl.coalesce(_SHARD, _of(pl.coalesce("person_id", *_home(columns)), n_shards)).alias(_SHARD)
    )
    guests = _guests(name, placed, of_person, n_shards)
    if guests is None:
        return placed
    own = placed.with_columns(pl.lit(value=False).alias(IS_GUEST))
    return pl.concat(
        [own, guests.with_columns(pl.lit(value=True).alias(IS_GUEST)).select(own.collect_schema().names())]
    )


def _home(columns: list[str]) -> tuple[str, ...]:
    return ("household_id",) if "household_id" in columns else ()


def _guests(name: str, placed: pl.LazyFrame, of_person: pl.LazyFrame, n_shards: int) -> pl.LazyFrame | None:
    """Rows that a further shard needs, with that shard; None of a table that can have none."""
    columns = placed.collect_schema().names()
    if name == REGISTER:
        return _with_former_homes(placed, n_shards)
    if "linked_person_id" in columns:
        named = placed.drop_nulls("linked_person_id").with_columns(_person("linked_person_id"))
        return _elsewhere(named.join(of_person.rename({_SHARD: "_other"}), on=_PERSON).drop(_PERSON))
    if "household_id" in columns:
        at_home = placed.filter(pl.col("person_id").is_not_null() & pl.col("household_id").is_not_null())
        return _elsewhere(at_home.with_columns(_other=_of(pl.col("household_id"), n_shards)))
    return None


def _with_former_homes(patients: pl.LazyFrame, n_shards: int) -> pl.LazyFrame:
    """Everybody's whole history once more, for each shard of a home that it names and they do not belong to."""
    named = patients.drop_nulls("household_id").select(
        "person_id", _SHARD, _other=_of(pl.col("household_id"), n_shards)
    )
    visits = named.filter(pl.col("_other") != pl.col(_SHARD)).select("person_id", "_other").unique()
    return patients.drop(_SHARD).join(visits, on="person_id").rename({"_other": _SHARD})


def _elsewhere(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.filter(pl.col("_other") != pl.col(_SHARD)).drop(_SHARD).rename({"_other": _SHARD})


def _write(rows: pl.LazyFrame, folder: Path) -> None:
    # Rows may come in any order: nothing worked out of them depends on it.
    DISK.sink_parts(folder, rows, key=_SHARD, compression="lz4", statistics=False, maintain_order=False)


def _read(folder: Path, number: int, like: pl.LazyFrame) -> pl.LazyFrame:
    """The rows of one shard; a frame without rows where no row went there."""
    files = sorted(folder.glob(f"{_SHARD}={number}/*.parquet"))
    if files:
        return pl.scan_parquet(files, glob=False, hive_partitioning=False)
    return like.clear()
