"""What was known on a day, of whom: the tables, the spine and the features, put together in one place for every job."""

from dataclasses import dataclass

import polars as pl

from ageingwell.config.load import Config
from ageingwell.contracts.made import Spine, split_by_contract
from ageingwell.features.build import build_features
from ageingwell.pipeline.gate import Permitted
from ageingwell.spine import build_spine, known_tables
from ageingwell.timeline import AsOf


@dataclass(frozen=True)
class Known:
    """The tables known on a cut-off, the spine, and those held because their row is impossible (person_id, reason)."""

    tables: dict[str, pl.LazyFrame]
    spine: pl.DataFrame
    held: pl.DataFrame
    as_of: AsOf
    config: Config

    def features(self, people: pl.DataFrame | None = None) -> pl.DataFrame:
        """Every feature of these people (rows of the spine), or of everybody."""
        return build_features(
            self.tables,
            self.spine if people is None else people,
            self.as_of,
            codelists=self.config.codelists,
        )


def known_people(permitted: Permitted, as_of: AsOf, *, config: Config) -> Known:
    """Work out who is registered and what was known of them on the cut-off."""
    tables = known_tables(permitted.records, as_of, config.tables)
    built = build_spine(tables, as_of, minimum_age=config.score.minimum_age, places=config.places)
    spine, held = split_by_contract(Spine, built)
    return Known(tables, spine, held, as_of, config)
