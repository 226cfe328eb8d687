"""What is decided of a night over all records, and told to every shard before it works."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from ageingwell.bundle import Bundle
from ageingwell.config.load import Config
from ageingwell.night.deciding import Decided
from ageingwell.night.models import bundle_of
from ageingwell.night.shards import Shard
from ageingwell.outreach.flags import Markers
from ageingwell.permitted import Gate
from ageingwell.sources.read import Records
from ageingwell.spine import Tables, known_tables
from ageingwell.timeline import AsOf


@dataclass(frozen=True)
class Tonight:
    """A night as every shard sees it.

    `records` tell which columns came and whose rows were refused; their rows are the shards'. `contacting` are the
    agencies that contact homes, `guarded` and `staff_safety` the people and homes under a marker (person_id or
    household_id), `decided` what the group decided and still holds. `bundle_digest` says which model bundle it is,
    `cache` where the look-up tables of its models are kept.
    """

    as_of: AsOf
    config: Config
    records: Records
    gate: Gate
    contacting: tuple[str, ...]
    guarded: pl.DataFrame
    staff_safety: pl.DataFrame
    decided: Decided
    bundle_digest: str
    cache: Path | None

    @property
    def bundle(self) -> Bundle:
        """The model bundle."""
        return bundle_of(self.config, digest=self.bundle_digest, cache=self.cache)

    @property
    def markers(self) -> Markers:
        """The people and homes under a marker, without whoever may live there."""
        return Markers(self.guarded, self.staff_safety)

    def without_rows(self) -> "Tonight":
        """The same night for those who have the rows of a shard."""
        tables = {
            name: replace(
                table,
                rows=table.rows.clear(),
                refused=table.refused.clear(),
                refused_of=table.refused_of.clear(),
                emptied_cells=table.emptied_cells.clear(),
            )
            for name, table in self.records.tables.items()
            if name != "permissions"
        }
        return replace(self, records=replace(self.records, tables=tables))

    def sent(self, rows: Tables) -> Records:
        """The records of some rows, as sent."""
        return self.records.with_rows({name: rows[name] for name in self.records.tables})

    def known(self, permitted: Records) -> dict[str, pl.LazyFrame]:
        """The tables as they were known on the night."""
        return known_tables(permitted, self.as_of, self.config.tables)

    def known_own(self, shard: Shard, everything: Mapping[str, pl.LazyFrame]) -> dict[str, pl.LazyFrame]:
        """The tables of what this shard alone counts; those without guests are the ones of `everything` known in it."""
        guests = shard.tables_with_guests()
        own = self.gate.let_through(self.sent(shard.own()))
        counted = replace(own, tables={name: own.tables[name] for name in guests})
        return {**everything, **self.known(counted)}


@dataclass(frozen=True)
class Part:
    """One shard's share of a night: what an engine works on."""

    shard: Shard
    tonight: Tonight
