"""What a feature is: data, not code; its sentence is what a care worker will read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from ageingwell.config.score import Recipient, Theme
from ageingwell.errors import ConfigError
from ageingwell.timeline import AsOf, Lookback

Direction = Literal["up", "down", "either"]
Shown = Literal["count", "yes_no", "days", "years", "pounds", "level", "share"]

EVERY_CARE_AGENCY: tuple[Recipient, ...] = ("group", "gp", "social_care")
EVERY_AGENCY: tuple[Recipient, ...] = ("group", "gp", "social_care", "housing", "fire", "safeguarding")


@dataclass(frozen=True)
class Seen:
    """What an expression may look at: the cut-off, and the bit of each code list."""

    as_of: AsOf
    bits: Mapping[str, int]

    def within(self, day: str, days: int | None) -> pl.Expr:
        """Whether a day lies in the look-back; a missing day does not."""
        return Lookback(days).holds(pl.col(day), self.as_of).fill_null(value=False)

    def days_since(self, day: pl.Expr) -> pl.Expr:
        """Whole days from a day to the cut-off."""
        return (pl.lit(self.as_of.day) - day).dt.total_days()

    def coded(self, name: str) -> pl.Expr:
        """Whether the entry's code is on a code list (the column `lists` holds one bit a list)."""
        if name not in self.bits:
            raise ConfigError(f"codelists: there is no list `{name}`", f"put {name}.csv into the folder of code lists")
        return (pl.col("lists") & (1 << self.bits[name])) != 0


# What makes an expression out of what it may look at.
Value = Callable[[Seen], pl.Expr]


@dataclass(frozen=True)
class Feature:
    """One thing known about a person, and all that others need to know of it.

    `value` makes the expression that is aggregated over the person's known rows of `source` (a prepared table named in
    `build`); a `Dated` one can tell its day. `without_rows` is the value for somebody whom a source that was sent does
    not mention: 0 where the source records events (none was recorded), `None` where absence tells nothing. `direction`
    is how the risk may move with the value and becomes a monotone constraint. `present` and `absent` are the reader's
    sentences; `{value}` is the number, and `present` is used from the value `present_from` on,
    and from the first of `most` on its second, one wording for all so large. A feature without
    sentences is never shown as a reason (sex is one). Something recorded about health is told as linked with a lower
    chance only where `may_protect`.
    """

    name: str
    theme: Theme
    source: str
    value: Value
    direction: Direction
    present: str | None = None
    absent: str | None = None
    one: str | None = None
    lookback_days: int | None = None
    without_rows: float | None = 0.0
    shown_as: Shown = "count"
    present_from: float = 0.5
    most: tuple[float, str] | None = None
    can_change: bool = False
    may_protect: bool = False
    readers: tuple[Recipient, ...] = EVERY_AGENCY

    @property
    def subject(self) -> str:
        """What the feature is about, whatever its look-back: of one subject a reader sees one fact.

        >>> from ageingwell.features.build import FEATURES
        >>> [feature.name for feature in FEATURES if feature.subject == "falls"]
        ['has_falls', 'n_falls_365d', 'n_falls_1095d']
        """
        return re.sub(r"^(n|has|is|days_since|days)_|_\d+d$", "", self.name)


@dataclass(frozen=True)
class Dated:
    """A value that can tell of which day it is: the rows it rests on, and the column that holds their day.

    >>> from datetime import date
    >>> falls = n_days(lambda _: pl.col("is_fall"), day="day", days=365)
    >>> rows = pl.DataFrame({"is_fall": [True, True, False], "day": [date(2026, 1, n) for n in (1, 5, 9)]})
    >>> seen = Seen(AsOf(date(2026, 2, 1)), {})
    >>> rows.select(n=falls(seen), newest=falls.newest(seen)).rows()
    [(2, datetime.date(2026, 1, 5))]
    """

    value: Value
    rows: Value
    day: str

    def __call__(self, seen: Seen) -> pl.Expr:
        """The value itself."""
        return self.value(seen)

    def newest(self, seen: Seen) -> pl.Expr:
        """The newest day of the rows it rests on; missing where there are none."""
        return pl.col(self.day).filter(self.rows(seen).fill_null(value=False)).max()


def n_days(condition: Value, *, day: str, days: int | None) -> Dated:
    """Count the rows that meet a condition within a look-back."""
    return Dated(lambda seen: _counted(condition, seen, day, days).sum(), _those(condition, day, days), day)


def n_distinct_days(condition: Value, *, day: str, days: int | None) -> Dated:
    """Count the days of a look-back on which a row meets a condition: a fall coded twice on one day is one fall."""

    def value(seen: Seen) -> pl.Expr:
        return pl.col(day).filter(_counted(condition, seen, day, days)).n_unique()

    return Dated(value, _those(condition, day, days), day)


def any_of(condition: Value, *, day: str, days: int | None) -> Dated:
    """1 where a row meets a condition within a look-back, else 0."""
    return Dated(
        lambda seen: _counted(condition, seen, day, days).any().cast(pl.Int64), _those(condition, day, days), day
    )


def days_since_last(condition: Value, *, day: str) -> Dated:
    """Days from the last row that meets a condition to the cut-off."""

    def value(seen: Seen) -> pl.Expr:
        return seen.days_since(pl.when(condition(seen) & seen.within(day, None)).then(pl.col(day)).max())

    return Dated(value, _those(condition, day, None), day)


def _counted(condition: Value, seen: Seen, day: str, days: int | None) -> pl.Expr:
    return condition(seen).fill_null(value=False) & seen.within(day, days)


def _those(condition: Value, day: str, days: int | None) -> Value:
    return lambda seen: _counted(condition, seen, day, days)
