"""Everybody's records in parts: each person, each home and everything of theirs in one, as a night is worked out."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import polars as pl

Frames = Mapping[str, pl.DataFrame]


def in_shards(tables: Frames, n: int, *, night: date, seed: int) -> list[dict[str, pl.DataFrame]]:
    """The tables in `n` parts drawn at random; a row that names a person and a home is in both parts, once in each.

    The home of somebody's newest known row of the register decides; whoever has none is drawn alone.
    """
    part_of = _parts(tables, n, night=night, seed=seed)
    return [{name: _of_part(frame, part_of, part) for name, frame in tables.items()} for part in range(n)]


def _of_part(frame: pl.DataFrame, part_of: Mapping[str, pl.DataFrame], part: int) -> pl.DataFrame:
    # A row of the register is its person's, whatever home it names.
    keys = [key for key in part_of if key in frame.columns]
    keys = ["person_id"] if "birth_month" in frame.columns else keys
    is_here = pl.any_horizontal(
        pl.col(key).is_in(part_of[key].filter(part=part)[key].implode()).fill_null(value=False) for key in keys
    )
    return frame.filter(is_here)


def _parts(tables: Frames, n: int, *, night: date, seed: int) -> dict[str, pl.DataFrame]:
    draw = np.random.default_rng(seed)
    homes = _drawn(tables, "household_id", n, draw)
    known = tables["gp_patients"].filter(pl.col("recorded_on") < night).sort("person_id", "recorded_on")
    newest = known.unique("person_id", keep="last").select("person_id", "household_id")
    by_home = newest.join(homes, on="household_id").select("person_id", home="part")
    people = _drawn(tables, "person_id", n, draw).join(by_home, on="person_id", how="left")
    return {"household_id": homes, "person_id": people.select("person_id", part=pl.coalesce("home", "part"))}


def _drawn(tables: Frames, key: str, n: int, draw: np.random.Generator) -> pl.DataFrame:
    named = [frame.select(pl.col(key).cast(pl.String)) for frame in tables.values() if key in frame.columns]
    ids = pl.concat(named).drop_nulls().unique().sort(key)
    return ids.with_columns(part=pl.Series(draw.integers(0, n, ids.height)))
