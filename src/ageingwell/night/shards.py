"""Records split into shards: whole homes with everybody who lives there, and all that is recorded of them.

A person belongs to the shard of the home that the newest known row of the register names for them; who has none, and
whoever is not on the register, to the shard of their own pseudonym. What is worked out of a person needs their own
records, those of their home and those of the people there; nothing else but two things, which come as guests: a person
whom the register ever had at a home of the shard (somebody moved out, somebody died there), and a row of social care
that names a carer of the shard. Guests are read and never counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.sources.read import Records
from ageingwell.spine import Tables
from ageingwell.timeline import AsOf

REGISTER: Final = "gp_patients"
IS_GUEST: Final = "_is_guest"
_SHARD: Final = "_shard"
_OPT_OUTS: Final = "permissions"  # heeded for all records at once, and in no shard


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


def split_into_shards(records: Records, as_of: AsOf, *, n_shards: int, folder: Path) -> tuple[Shard, ...]:
    """Write the records into `n_shards` shards in `folder`, each once; with one shard nothing is written.

    How many there are decides nothing that is worked out of them. Opt-outs are in none: they hold for all records.
    """
    rows = {name: table for name, table in records.rows().items() if name != _OPT_OUTS}
    if n_shards == 1:
        whole = folder / "0"
        whole.mkdir(parents=True, exist_ok=True)
        return (Shard(0, rows, whole),)
    of_person = _shard_of_people(rows[REGISTER], as_of, n_shards)
    for name, table in rows.items():
        _write(_assigned(name, table, of_person, n_shards), folder / "rows" / name)
    return tuple(_shard(number, rows, folder) for number in range(n_shards))


def _shard(number: int, rows: Tables, folder: Path) -> Shard:
    results = folder / str(number)
    results.mkdir(parents=True, exist_ok=True)
    return Shard(number, {name: _read(folder / "rows" / name, number, table) for name, table in rows.items()}, results)


def _without_guests(rows: pl.LazyFrame) -> pl.LazyFrame:
    if IS_GUEST not in rows.collect_schema().names():
        return rows
    return rows.filter(~pl.col(IS_GUEST)).drop(IS_GUEST)


def _of(key: pl.Expr, n_shards: int) -> pl.Expr:
    return (key.hash(0) % n_shards).cast(pl.UInt16)


def _shard_of_people(patients: pl.LazyFrame, as_of: AsOf, n_shards: int) -> pl.LazyFrame:
    """The shard of everybody on the register: person_id, _shard. Their home is that of the newest row known then."""
    is_known = pl.col("recorded_on") < as_of.day
    newest = pl.col("household_id").sort_by(is_known, "recorded_on").last()
    homes = patients.group_by("person_id").agg(newest).collect(engine="streaming")
    return homes.lazy().select("person_id", _of(pl.coalesce("household_id", "person_id"), n_shards).alias(_SHARD))


def _assigned(name: str, rows: pl.LazyFrame, of_person: pl.LazyFrame, n_shards: int) -> pl.LazyFrame:
    """The rows with their shard (`_shard`), once for each shard that needs them."""
    columns = rows.collect_schema().names()
    if "person_id" not in columns:
        return rows.with_columns(_of(pl.col("household_id"), n_shards).alias(_SHARD))
    placed = rows.join(of_person, on="person_id", how="left").with_columns(
        pl.coalesce(_SHARD, _of(pl.coalesce("person_id", *_home(columns)), n_shards)).alias(_SHARD)
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
        theirs = of_person.rename({"person_id": "linked_person_id", _SHARD: "_other"})
        return _elsewhere(placed.join(theirs, on="linked_person_id"))
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
    target = pl.PartitionBy(folder, key=_SHARD, include_key=False)
    rows.sink_parquet(target, compression="lz4", statistics=False, mkdir=True, maintain_order=False)


def _read(folder: Path, number: int, like: pl.LazyFrame) -> pl.LazyFrame:
    """The rows of one shard; a frame without rows where no row went there."""
    files = sorted(folder.glob(f"{_SHARD}={number}/*.parquet"))
    if files:
        return pl.scan_parquet(files, glob=False, hive_partitioning=False)
    return like.clear()
