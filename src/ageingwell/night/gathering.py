"""What lies in the shards' folders, put together: never more of it in memory than is asked for."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pandera.polars as pa
import polars as pl
from polars.io.plugins import register_io_source

from ageingwell.contracts.made import validated
from ageingwell.disk import DISK
from ageingwell.kept.frames import ROWS_OF_A_GROUP
from ageingwell.night.first_pass import kept
from ageingwell.night.tonight import Part

# Rows put in order at once, with what begins with the same two characters as few as can be.
TOGETHER: Final = 200_000


def gathered(parts: Sequence[Part], name: str) -> pl.DataFrame:
    """A frame of every shard, one after another."""
    return pl.concat([kept(part, name) for part in parts])


def rows_of(parts: Sequence[Part], name: str, people: pl.Series) -> pl.DataFrame:
    """The rows of some people (person_id) in a frame of the shards."""
    asked = people.unique().to_frame("person_id").lazy()
    return _of_all(parts, name).join(asked, on="person_id", how="semi").collect()


def in_order_of_people(
    parts: Sequence[Part],
    name: str,
    *,
    contract: type[pa.DataFrameModel],
    to: Path,
    first: pl.DataFrame | None = None,
    together: int = TOGETHER,
) -> pl.LazyFrame:
    """A frame of every shard in one file, a row a person by person_id, checked against its contract.

    The people of a few first letters are put in order at a time, so memory does not grow with the people. `first` are
    rows without a person, which come before all others.
    """
    everybody = _of_all(parts, name)
    schema = everybody.collect_schema()

    def source(
        columns: list[str] | None, _predicate: pl.Expr | None, _n_rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        for rows in _ordered(everybody, first, together):
            checked = validated(contract, rows)
            yield checked if columns is None else checked.select(columns)

    DISK.make_folders(to.parent)
    rows = register_io_source(source, schema=schema, is_pure=True)
    DISK.sink_frame(to, rows, compression="lz4", row_group_size=ROWS_OF_A_GROUP, maintain_order=True)
    return pl.scan_parquet(to, glob=False)


def _of_all(parts: Sequence[Part], name: str) -> pl.LazyFrame:
    return pl.concat([pl.scan_parquet(part.shard.folder / f"{name}.parquet", glob=False) for part in parts])


def _ordered(everybody: pl.LazyFrame, first: pl.DataFrame | None, together: int) -> Iterator[pl.DataFrame]:
    if first is not None:
        yield first
    letter = pl.col("person_id").str.slice(0, 2)
    counts = everybody.group_by(letter=letter).agg(n=pl.len()).collect(engine="streaming").sort("letter")
    for letters in _few_at_a_time(counts, together):
        rows = everybody.filter(letter.is_in(letters)).collect()
        yield rows.sort("person_id")


def _few_at_a_time(counts: pl.DataFrame, together: int) -> Iterator[list[str]]:
    letters: list[str] = []
    n = 0
    for letter, people in counts.iter_rows():
        if letters and n + people > together:
            yield letters
            letters, n = [], 0
        letters.append(letter)
        n += people
    yield letters
