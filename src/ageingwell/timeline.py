"""What was known when: cut-offs, look-backs and horizons as values, and the one filter every source passes once.

A record counts from the day the agency's system knew it (`recorded_on`), not from the day it happened: a stay that
reached us late was not known on the cut-off. A fact that ends a row (a leaving, a death, the end of a service) is
known from its own recording date. Without one it is known with the row where the row was recorded on the ending or
after it, else from its date plus the table's lag; until then it is missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl


@dataclass(frozen=True, order=True)
class AsOf:
    """A cut-off: everything recorded before this day is known, nothing recorded on it or later is.

    >>> AsOf(date(2026, 11, 22)).minus(90)
    AsOf(day=datetime.date(2026, 8, 24))
    """

    day: date

    def minus(self, days: int) -> "AsOf":
        """The cut-off this many days earlier."""
        return AsOf(self.day - timedelta(days=days))

    def plus(self, days: int) -> "AsOf":
        """The cut-off this many days later."""
        return AsOf(self.day + timedelta(days=days))


@dataclass(frozen=True)
class Lookback:
    """The `days` days that end the day before the cut-off; `None` reaches back without limit."""

    days: int | None

    def holds(self, day: pl.Expr, as_of: AsOf) -> pl.Expr:
        """Whether a day lies in the look-back.

        >>> days = pl.DataFrame({"day": [date(2026, 8, 23), date(2026, 8, 24), date(2026, 11, 21), date(2026, 11, 22)]})
        >>> days.select(Lookback(90).holds(pl.col("day"), AsOf(date(2026, 11, 22))))["day"].to_list()
        [False, True, True, False]
        """
        before = day < as_of.day
        return before if self.days is None else before & (day >= as_of.day - timedelta(days=self.days))


@dataclass(frozen=True)
class Horizon:
    """The `days` days that start on the cut-off: where an outcome is looked for."""

    days: int = 365

    def holds(self, day: pl.Expr, as_of: AsOf) -> pl.Expr:
        """Whether a day lies in the horizon.

        >>> year = [date(2025, 11, 21), date(2025, 11, 22), date(2026, 11, 21), date(2026, 11, 22)]
        >>> days = pl.DataFrame({"day": year})
        >>> days.select(Horizon(365).holds(pl.col("day"), AsOf(date(2025, 11, 22))))["day"].to_list()
        [False, True, True, False]
        """
        return (day >= as_of.day) & (day < as_of.day + timedelta(days=self.days))


@dataclass(frozen=True)
class Ending:
    """A fact that ends a row: its column, the columns known only with it, and when it was recorded."""

    column: str
    recorded: str | None = None
    with_it: tuple[str, ...] = ()


# The facts of each table that are known later than the row itself.
ENDINGS: Mapping[str, tuple[Ending, ...]] = {
    "gp_patients": (
        Ending("left_on", recorded="left_recorded_on"),
        Ending("died_on", recorded="died_recorded_on"),
    ),
    "care_events": (
        Ending("ended_on", recorded="ended_recorded_on", with_it=("event_outcome",)),
        Ending("died_on"),
    ),
    "hospital_events": (Ending("ended_on"),),
}


def known(
    records: pl.LazyFrame,
    as_of: AsOf,
    *,
    endings: Sequence[Ending] = (),
    lag_days: int = 0,
    recorded_on_is_made: bool = False,
) -> pl.LazyFrame:
    """Keep the rows known on the cut-off, with the endings that were not yet known emptied.

    `recorded_on_is_made` says that the settings made the day of recording: it then tells nothing of the day on which
    an ending was recorded, and the lag decides alone.

    >>> stays = pl.LazyFrame({
    ...     "person_id": ["p1", "p2", "p3", "p4"],
    ...     "ended_on": [date(2026, 11, 10), date(2026, 11, 21), date(2026, 11, 20), None],
    ...     "recorded_on": [date(2026, 11, 1), date(2026, 11, 18), date(2026, 11, 20), date(2026, 11, 22)],
    ... })
    >>> known(stays, AsOf(date(2026, 11, 22)), endings=[Ending("ended_on")], lag_days=3).collect()
    shape: (3, 3)
    ┌───────────┬────────────┬─────────────┐
    │ person_id ┆ ended_on   ┆ recorded_on │
    │ ---       ┆ ---        ┆ ---         │
    │ str       ┆ date       ┆ date        │
    ╞═══════════╪════════════╪═════════════╡
    │ p1        ┆ 2026-11-10 ┆ 2026-11-01  │
    │ p2        ┆ null       ┆ 2026-11-18  │
    │ p3        ┆ 2026-11-20 ┆ 2026-11-20  │
    └───────────┴────────────┴─────────────┘
    """
    rows = records.filter(pl.col("recorded_on") < as_of.day)
    tells_ending = pl.lit(value=not recorded_on_is_made)
    return rows.with_columns(
        pl.when(is_known).then(pl.col(name)).alias(name)
        for ending in endings
        for name, is_known in _known_columns(ending, as_of, lag_days, tells_ending)
    )


def _known_columns(ending: Ending, as_of: AsOf, lag_days: int, tells_ending: pl.Expr) -> list[tuple[str, pl.Expr]]:
    """The columns an ending makes known, each with whether it is known."""
    recorded = () if ending.recorded is None else (ending.recorded,)
    has_ended = _ending_known(ending, as_of, lag_days, tells_ending)
    # What comes with an ending is told by the row itself where the row has no ending at all.
    of_its_own = tells_ending & pl.all_horizontal(pl.col(name).is_null() for name in (ending.column, *recorded))
    return [
        *((name, has_ended) for name in (ending.column, *recorded)),
        *((name, has_ended | of_its_own) for name in ending.with_it),
    ]


def _ending_known(ending: Ending, as_of: AsOf, lag_days: int, tells_ending: pl.Expr) -> pl.Expr:
    ended, recorded = pl.col(ending.column), pl.col("recorded_on")
    # A row recorded on the ending or after it cannot have been sent before it.
    with_row = pl.when(tells_ending & (ended <= recorded)).then(recorded)
    after_lag = ended + pl.duration(days=lag_days)
    own = [] if ending.recorded is None else [pl.col(ending.recorded)]
    return (pl.coalesce(*own, with_row, after_lag) < as_of.day).fill_null(value=False)
