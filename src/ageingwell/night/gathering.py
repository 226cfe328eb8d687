"""What lies in the shards' folders, put together."""

from collections.abc import Sequence

import polars as pl

from ageingwell.night.register import kept
from ageingwell.night.tonight import Part


def gathered(parts: Sequence[Part], name: str) -> pl.DataFrame:
    """A frame of every shard, one after another."""
    return pl.concat([kept(part, name) for part in parts])


def rows_of(parts: Sequence[Part], name: str, people: pl.Series) -> pl.DataFrame:
    """The rows of some people (person_id) in a frame of the shards."""
    asked = people.unique().to_frame("person_id").lazy()
    files = [pl.scan_parquet(part.shard.folder / f"{name}.parquet") for part in parts]
    return pl.concat(files).join(asked, on="person_id", how="semi").collect()
