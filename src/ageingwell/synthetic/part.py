"""One part of the county once its years are lived, and how its records become tables."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ageingwell.synthetic.conditions import NEVER
from ageingwell.synthetic.dwellings import Dwellings
from ageingwell.synthetic.history import History
from ageingwell.synthetic.medicines import Courses
from ageingwell.synthetic.people import People

Array = np.ndarray
# A child comes home some days after its birth, so that no date in the tables is a birth date.
DAYS_TO_COME_HOME = 5


@dataclass(frozen=True)
class Part:
    """A part of the county: who lives there, what happened, and under which ids; days count from `as_of`.

    `registered` is the day a person joined the practice, `until` the day of death or leaving, `is_known` whether the
    person is in any record at all; `is_used` marks the homes they lived in and `is_unlinked` homes that only crews
    know. `start` is the first day agencies kept events.
    """

    places: pl.DataFrame
    people: People
    dwellings: Dwellings
    history: History
    onsets: Array
    courses: Courses
    as_of: int
    start: int
    registered: Array
    moved_in: Array
    is_known: Array
    is_used: Array
    is_unlinked: Array
    person_numbers: Array
    home_numbers: Array
    person_ids: pl.Series
    home_ids: pl.Series
    house_move: tuple[Array, Array]
    care_home_move: tuple[Array, Array]

    @property
    def until(self) -> Array:
        """The day a person died or left, or `NEVER`."""
        return np.asarray(np.minimum(self.history.died, self.history.left))

    def home_on(self, who: Array, day: Array) -> Array:
        """The home (row of `dwellings`) where each of `who` lived on a day."""
        home = self.history.first_home[who]
        for moved, new_home in (self.house_move, self.care_home_move):
            home = np.where(day >= moved[who], new_home[who], home)
        return np.asarray(home)

    def moved_in_on(self, who: Array, day: Array) -> Array:
        """The day each of `who` moved into the home of `home_on`."""
        since = self.moved_in[who]
        for moved, _ in (self.house_move, self.care_home_move):
            since = np.where(day >= moved[who], moved[who], since)
        # Nobody moves in before being born, though the household may have.
        return np.asarray(np.maximum(since, self.people.born[who] + DAYS_TO_COME_HOME))

    def is_recorded(self, who: Array, happened: Array, recorded: Array) -> Array:
        """Which events of people stand in an extract taken on `as_of`."""
        in_time = (happened < self.until[who] + 1) & (happened >= self.registered[who])
        return np.asarray(self.is_known[who] & in_time & (recorded < 0))

    def ids(self, who: Array) -> pl.Series:
        """The person ids of rows."""
        return self.person_ids.gather(who)

    def homes(self, home: Array) -> pl.Series:
        """The household ids of homes."""
        return self.home_ids.gather(home)

    def dates(self, day: Array) -> pl.Series:
        """Days as dates; `NEVER` and later than any record becomes null.

        Whoever calls this has already left out days after `as_of`.
        """
        days = np.asarray(day)
        series = pl.Series(np.where(days < NEVER // 2, days + self.as_of, 0).astype(np.int32)).cast(pl.Date)
        return series.zip_with(pl.Series(days < NEVER // 2), pl.Series([None], dtype=pl.Date))


def letters(values: Sequence[str | None], index: Array) -> pl.Series:
    """The text for each index into a short list of texts."""
    return pl.Series(list(values), dtype=pl.String).gather(np.asarray(index).astype(np.int64))


def sparse(text: pl.Series, is_there: Array) -> pl.Series:
    """A column of texts, null where it is not there."""
    return text.zip_with(pl.Series(is_there), pl.Series([None], dtype=pl.String))


MATCHES = ("exact", "high", "low", None)
# Of so many addresses each quality of the match is told; the last is not told.
MATCH_SHARES = (0.78, 0.1, 0.01, 0.11)


def matches(n: int, *, rng: np.random.Generator) -> pl.Series:
    """How sure the match of each of some addresses to its home was; missing where nobody tells it."""
    return letters(MATCHES, rng.choice(len(MATCHES), n, p=MATCH_SHARES))


def moves_of(history: History, *, is_care_home: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Each person's house move and move into a care home: day (`NEVER` if none) and new home."""
    n = len(history.first_home)
    found = []
    for to_care_home in (False, True):
        day, home = np.full(n, NEVER), np.zeros(n, dtype=int)
        for who, when, where in history.moves:
            kept = is_care_home[where] == to_care_home
            day[who[kept]], home[who[kept]] = when[kept], where[kept]
        found.append((day, home))
    return found[0], found[1]
