"""What a feature is: data, not code; its sentence is what a care worker will read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from ageingwell.errors import ConfigError
from ageingwell.register import Recipient, Theme
from ageingwell.timeline import AsOf, Lookback

Direction = Literal["up", "down", "either"]
Shown = Literal["count", "yes_no", "days", "years", "pounds", "level", "share"]
About = Literal["home", "person"]
NOT_KNOWN = ("unknown", "not_known")  # labels by which an agency says that it does not know

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
    not mention at all: 0 where the source records events (none was recorded), `None` where absence tells nothing. A
    missing value that the rows of somebody give stays missing. `about` says of a fact that a home's records tell
    whether it belongs to the home (a smoke alarm, a hazard), and so holds for whoever lives there now, or to the people
    in it (smoking, arrears), and so counts only for those who lived there then. `direction`
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
    about: About = "person"

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

    `of_newest` says that of rows which differ in their day alone the newest before the cut-off tells the value.

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
    of_newest: bool = False

    def __call__(self, seen: Seen) -> pl.Expr:
        """The value itself."""
        return self.value(seen)

    def newest(self, seen: Seen) -> pl.Expr:
        """The newest day of the rows it rests on; missing where there are none."""
        return pl.col(self.day).filter(self.rows(seen).fill_null(value=False)).max()


def label(column: str) -> pl.Expr:
    """A label as told: missing where the agency says that it does not know.

    >>> pl.DataFrame({"carer": ["yes", "no", "unknown", None]}).select(label("carer"))["carer"].to_list()
    ['yes', 'no', None, None]
    """
    return pl.when(~pl.col(column).is_in(NOT_KNOWN)).then(column)


def n_days(condition: Value, *, day: str, days: int | None) -> Dated:
    """Count the rows that meet a condition within a look-back.

    What is known counts where it is more than nothing; where nothing is known and a row of the look-back could not be
    told, the count is missing.

    >>> from datetime import date
    >>> falls = n_days(lambda _: pl.col("is_fall"), day="day", days=365)
    >>> told = {"who": [1, 1, 2, 2, 3], "is_fall": [True, None, False, None, False], "day": [date(2026, 1, 1)] * 5}
    >>> rows = pl.DataFrame(told).group_by("who", maintain_order=True)
    >>> rows.agg(n=falls(Seen(AsOf(date(2026, 2, 1)), {})))["n"].to_list()
    [1, None, 0]
    """

    def value(seen: Seen) -> pl.Expr:
        met = _met(condition, seen, day, days)
        return unless_untold(met.sum().cast(pl.Int64), met)

    return Dated(value, _those(condition, day, days), day)


def n_distinct_days(condition: Value, *, day: str, days: int | None) -> Dated:
    """Count the days of a look-back on which a row meets a condition: a fall coded twice on one day is one fall."""

    def value(seen: Seen) -> pl.Expr:
        met = _met(condition, seen, day, days)
        return unless_untold(pl.col(day).filter(met.fill_null(value=False)).n_unique().cast(pl.Int64), met)

    return Dated(value, _those(condition, day, days), day)


def any_of(condition: Value, *, day: str, days: int | None) -> Dated:
    """1 where a row is known to meet a condition within a look-back, missing where one could not be told, else 0."""
    rows = _those(condition, day, days)
    return Dated(lambda seen: is_any(_met(condition, seen, day, days)), rows, day, of_newest=True)


def days_since_last(condition: Value, *, day: str) -> Dated:
    """Days from the last row that meets a condition to the cut-off."""

    def value(seen: Seen) -> pl.Expr:
        return seen.days_since(pl.when(condition(seen) & seen.within(day, None)).then(pl.col(day)).max())

    return Dated(value, _those(condition, day, None), day, of_newest=True)


def is_any(met: pl.Expr) -> pl.Expr:
    """Whether any row meets a condition: 1 where one is known to, missing where one could not be told, else 0.

    >>> rows = pl.DataFrame({"who": [1, 1, 2, 2, 3], "met": [True, None, False, None, False]})
    >>> rows.group_by("who", maintain_order=True).agg(met_by_any=is_any(pl.col("met")))["met_by_any"].to_list()
    [1, None, 0]
    """
    return met.any(ignore_nulls=False).cast(pl.Int64)


def unless_untold(number: pl.Expr, met: pl.Expr) -> pl.Expr:
    """A number over rows: what is known where it is more than 0; missing where it is 0 and a row could not be told."""
    return pl.when((number > 0) | ~met.is_null().any()).then(number)


def _met(condition: Value, seen: Seen, day: str, days: int | None) -> pl.Expr:
    """Whether a row of the look-back meets a condition: missing where it could not be told."""
    return condition(seen) & seen.within(day, days)


def _those(condition: Value, day: str, days: int | None) -> Value:
    return lambda seen: _met(condition, seen, day, days).fill_null(value=False)
