"""Who is compared with whom: people first listed on a night beside people not listed by then; a lot as it was drawn.

Being listed is what is looked at, whether or not somebody came: whoever asks what became of those who were visited
finds that the dead were visited less. So both sides begin on the same night, and nobody has to live to be on one.
"""

import hashlib
from collections.abc import Callable
from datetime import date
from typing import Final

import polars as pl

# One row a person and side. `group` columns: who led, and the needs found on that night.
ARM: Final = pl.Schema(
    {
        "person_id": pl.String(),
        "home": pl.String(),
        "index_on": pl.Date(),
        "is_visited": pl.Boolean(),
        "risk": pl.Float64(),
        "lead_agency": pl.String(),
        "needs": pl.List(pl.String()),
        "chance": pl.Float64(),
    }
)
# Rows of people not listed that are looked at: beyond it more of them make no interval narrower.
MOST_OTHERS: Final = 200_000
RisksOn = Callable[[date], pl.DataFrame]


def listed_or_not(offered: pl.DataFrame, *, seed: int, risks_on: RisksOn) -> pl.DataFrame:
    """Everybody first listed, on that night; and others on each night on which they were not listed yet (`ARM`).

    `offered` is what `kept.offered` gives. Of more than `MOST_OTHERS` rows of people not listed so many are drawn, by
    numbers that follow from the seed, the person and the night. Who lives with somebody listed by then stands on no
    side. `risks_on` gives the estimates of a night (person_id, risk) of which the names alone are kept.
    """
    homes = offered.group_by("person_id").agg(_home=pl.col("household_id").drop_nulls().first())
    rows = offered.join(homes, on="person_id").with_columns(home=pl.coalesce("household_id", "_home", "person_id"))
    first = rows.filter("is_listed").group_by("person_id").agg(_first=pl.col("night").min())
    first_at_home = rows.filter("is_listed").group_by("home").agg(_first_at_home=pl.col("night").min())
    rows = rows.join(first, on="person_id", how="left").join(first_at_home, on="home", how="left")
    listed = rows.filter(pl.col("is_listed") & (pl.col("night") == pl.col("_first")))
    others = rows.filter(
        ~pl.col("is_listed")
        & (pl.col("_first").is_null() | (pl.col("night") < pl.col("_first")))
        & (pl.col("_first_at_home").is_null() | (pl.col("night") < pl.col("_first_at_home")))
    )
    both = pl.concat([listed, _not_too_many(others, seed=seed)]).with_columns(
        is_visited="is_listed", index_on="night", chance=pl.lit(None, pl.Float64)
    )
    return _with_risks(both.select(ARM.names()).cast(ARM), risks_on).sort("person_id", "index_on")


def as_drawn(lots: pl.DataFrame, offered: pl.DataFrame) -> pl.DataFrame:
    """Everybody who took part in a lot, on the night of their first draw, on the side that it gave them (`ARM`)."""
    first = lots.sort("drawn_on", "person_id").unique("person_id", keep="first", maintain_order=True)
    of_night = offered.select("night", "person_id", "risk", "needs")
    both = first.join(of_night, left_on=["drawn_on", "person_id"], right_on=["night", "person_id"], how="left")
    return (
        both.select(
            "person_id",
            "risk",
            "lead_agency",
            "chance",
            home="door_id",
            index_on="drawn_on",
            is_visited="is_won",
            needs=pl.col("needs").fill_null([]),
        )
        .select(ARM.names())
        .cast(ARM)
        .sort("person_id")
    )


def _not_too_many(others: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    if others.height <= MOST_OTHERS:
        return others
    share = MOST_OTHERS / others.height
    drawn = [
        _number(f"{seed}|{night}|{person}") < share for night, person in others.select("night", "person_id").iter_rows()
    ]
    return others.filter(pl.Series(drawn))


def _number(text: str) -> float:
    return (int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 12) / float(1 << 52)


def _with_risks(rows: pl.DataFrame, risks_on: RisksOn) -> pl.DataFrame:
    """The rows with the estimates of nights of which the names alone are kept, worked out again."""
    lacking = rows.filter(pl.col("risk").is_null())["index_on"].unique().sort().to_list()
    if not lacking:
        return rows
    again = [risks_on(night).select("person_id", pl.lit(night).alias("index_on"), _again="risk") for night in lacking]
    both = rows.join(pl.concat(again), on=["person_id", "index_on"], how="left", maintain_order="left")
    return both.with_columns(risk=pl.coalesce("risk", "_again")).drop("_again")
