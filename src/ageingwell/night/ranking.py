"""The order of everybody, worked out a few risks at a time, so that the keys of all people are never held together.

The first key is the risk as it can be told apart. Whoever has a higher one comes first, so the people of some risks
can be put in order by themselves, from the highest risk down, and numbered on from the ones before.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from ageingwell.night.first_pass import keep
from ageingwell.night.people import KEYS
from ageingwell.night.tonight import Part
from ageingwell.outreach.rank import RISK_TOLD, in_rank_order
from ageingwell.pseudonyms import Key, row_key

RANKS: Final = "ranks"
TOGETHER: Final = 500_000  # people put in order at once; one risk alone may have more
_SHARD: Final = "_shard"


def rank_everybody(parts: Sequence[Part], *, key: Key, together: int = TOGETHER) -> None:
    """Number everybody who may be offered help from 1: each shard's folder gets their ranks beside their keys.

    The last tie is broken by lot: an order of its own for each night, that the same night always draws again.
    """
    ranked: list[pl.DataFrame] = []
    done = 0
    for keys in _from_the_highest(parts, together):
        lot = row_key(pl.col("person_id"), recipient="lot", as_of=parts[0].tonight.as_of.day, key=key)
        ranked.append(in_rank_order(keys, lot=lot, first=done + 1))
        done += keys.height
    for part in parts:
        own = [frame.filter(pl.col(_SHARD) == part.shard.number).drop(_SHARD) for frame in ranked]
        keep(part, RANKS, pl.concat(own))


def _from_the_highest(parts: Sequence[Part], together: int) -> Iterator[pl.DataFrame]:
    files = [
        pl.scan_parquet(part.shard.folder / f"{KEYS}.parquet").with_columns(
            pl.lit(part.shard.number, dtype=pl.UInt16).alias(_SHARD)
        )
        for part in parts
    ]
    everybody = pl.concat(files)
    counts = everybody.group_by(RISK_TOLD).len().collect().sort(RISK_TOLD, descending=True, nulls_last=True)
    taken: list[float | None] = []
    n = 0
    for risk, people in counts.iter_rows():
        if taken and n + people > together:
            yield _of_risks(everybody, taken)
            taken, n = [], 0
        taken.append(risk)
        n += people
    yield _of_risks(everybody, taken)


def _of_risks(everybody: pl.LazyFrame, risks: list[float | None]) -> pl.DataFrame:
    known = [risk for risk in risks if risk is not None]
    is_one = pl.col(RISK_TOLD).is_in(known).fill_null(value=None in risks)
    return everybody.filter(is_one).collect()
