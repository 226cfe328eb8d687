"""The lot at the margin of a week: who took part, who won, and how long those who lost are left in peace.

A place that nobody can call more deserved is given by lot, so that winners and losers differ by chance alone and what
a visit does can be measured (`evaluation.effect.effect_by_lot`). That needs a record of every draw, and losers who are
not drawn again the next week.
"""

import hashlib
from datetime import date, timedelta
from typing import Final

import polars as pl

# One row a person of a door that took part; the columns of the contract `Lot`.
LOT: Final = pl.Schema(
    {
        "person_id": pl.String,
        "household_id": pl.String,
        "door_id": pl.String,
        "lead_agency": pl.String,
        "team": pl.Int64,
        "drawn_on": pl.Date,
        "week": pl.String,
        "number": pl.Float64,
        "chance": pl.Float64,
        "is_won": pl.Boolean,
        "left_out_until": pl.Date,
    }
)
NO_LOT: Final = pl.DataFrame(schema=LOT)


def week_of(day: date) -> str:
    """The week of a night, by ISO 8601: a draw is of one week, whichever of its nights holds it.

    >>> week_of(date(2026, 11, 29)), week_of(date(2027, 1, 1))
    ('2026-W48', '2026-W53')
    """
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def lot_number(door_id: str, *, week: str, seed: int) -> float:
    """The number a door draws in a week, from 0 to 1: the same whoever else takes part, and anew every week.

    The first 52 bits of SHA-256 of seed, week and door, so that anybody with the files of a night can draw again.

    >>> round(lot_number("b" * 32, week="2026-W48", seed=1), 6)
    0.410013
    """
    digest = hashlib.sha256(f"{seed}|{week}|{door_id}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 12) / float(1 << 52)


def with_numbers(doors: pl.DataFrame, *, week: str, seed: int) -> pl.DataFrame:
    """The doors with the `number` each of them draws."""
    numbers = [lot_number(door, week=week, seed=seed) for door in doors["door_id"]]
    return doors.with_columns(number=pl.Series(numbers, dtype=pl.Float64))


def lot_of(draw: pl.DataFrame, *, on: date, left_out_days: int, week: str) -> pl.DataFrame:
    """The lot of one night, a row a person (`LOT`), from the doors that took part.

    `draw` has door_id, household_id, person_ids, lead_agency, team, number and is_won.
    """
    people = draw.explode("person_ids", empty_as_null=True).rename({"person_ids": "person_id"})
    until = pl.when(~pl.col("is_won")).then(pl.lit(on + timedelta(days=left_out_days)))
    return (
        people.with_columns(
            drawn_on=pl.lit(on), week=pl.lit(week), chance=pl.lit(0.5), left_out_until=until.cast(pl.Date)
        )
        .select(LOT.names())
        .cast(LOT)
        .sort("drawn_on", "lead_agency", "number", "person_id")
    )


def left_out(lots: pl.DataFrame, *, on: date) -> pl.DataFrame:
    """Who lost a lot and is left in peace on a night: person_id and the first day they can be visited again.

    >>> lost = {"person_id": ["p1", "p2"], "left_out_until": [date(2027, 1, 1), None]}
    >>> left_out(pl.DataFrame(lost), on=date(2026, 12, 31))["person_id"].to_list()
    ['p1']
    """
    waiting = lots.filter(pl.col("left_out_until") > on)
    return waiting.group_by("person_id").agg(re_enters_on=pl.col("left_out_until").max()).sort("person_id")


def without_losers(doors: pl.DataFrame, losers: pl.Series) -> pl.DataFrame:
    """The doors without those at which somebody lost a lot; an urgent need and what a meeting agreed come first.

    `doors` has person_ids, is_urgent and is_frozen, `losers` are people (person_id).
    """
    if losers.is_empty():
        return doors
    has_loser = pl.col("person_ids").list.set_intersection(losers.to_list()).list.len() > 0
    return doors.filter(~has_loser | pl.col("is_urgent") | pl.col("is_frozen"))
