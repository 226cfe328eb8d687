"""What each fact adds for each of many people: worked out when asked for, a chunk of people at a time.

Nothing is kept but the features: explaining again costs less than room for a number a person and feature.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ageingwell.errors import FrameError
from ageingwell.model.fitted import Explanation

Floats = NDArray[np.float64]
# With 150 features, 20 MB of contributions at a time. No more: 2**14 summands below 2**39 are added exactly as floats.
PEOPLE_IN_A_CHUNK = 16_384
# Sums count whole numbers of 2**-32 of a log-odds (2e-10): each person's contribution is rounded to them, then added.
UNITS_IN_ONE = 2**32
# So much may a contribution be, and so many people may be of a label, for sums that fit into 64 bits.
MOST_LOG_ODDS = 2**7
MOST_PEOPLE = 2**24 - 1


class Explains(Protocol):
    """A model that can say what each feature adds."""

    @property
    def features(self) -> tuple[str, ...]:
        """The features' names, in the order of the contributions."""

    def explain(self, features: pl.DataFrame, *, threads: int) -> Explanation:
        """What each feature adds for each row."""


@dataclass(frozen=True)
class Contributions:
    """The exact contributions of everybody in `features` (a row a person, with person_id) to one model's log-odds.

    The answers are the same, bit for bit, whatever else is asked and in whatever order.
    """

    model: Explains
    features: pl.DataFrame
    threads: int = 1

    def of(self, person_ids: pl.Series) -> Explanation:
        """The contributions of these people, in their order; `FrameError` for people who have no features."""
        asked = pl.DataFrame({"person_id": person_ids})
        chosen = asked.join(self.features, on="person_id", how="inner", maintain_order="left")
        if chosen.height != asked.height:
            raise FrameError(f"{asked.height - chosen.height:,} people were asked for who have no features")
        return self.model.explain(chosen, threads=self.threads)

    def sums_by(self, labels: pl.Series) -> pl.DataFrame:
        """The sum of each feature's contributions among people of a label, in whole numbers of 2**-32 of a log-odds.

        `labels` has a label a row of `features`, in their order; people without a label are left out. The columns are
        label, n and an Int64 a feature, by label. Each person's contribution is rounded before it is added, so that
        the sums of any parts of the people add up to the sums of all, to the last bit (`merge_sums`). Raises
        `FrameError` where a contribution is not a number or is too large to be added up so.

        >>> from ageingwell.model.contributions import Contributions
        >>> class Twice:
        ...     features = ("age",)
        ...     def explain(self, features, *, threads):
        ...         return Explanation(self.features, np.zeros(features.height), 2 * features.select("age").to_numpy())
        >>> people = pl.DataFrame({"person_id": ["p1", "p2", "p3"], "age": [0.5, 0.25, 1.5]})
        >>> sums = Contributions(Twice(), people).sums_by(pl.Series("sex", ["f", "m", "f"]))
        >>> sums.with_columns(pl.col("age") / UNITS_IN_ONE).rows()
        [('f', 2, 4.0), ('m', 1, 0.5)]
        """
        if len(labels) != self.features.height:
            raise FrameError(f"{len(labels):,} labels were given for {self.features.height:,} people")
        # From 1 in their order; 0 for people without one.
        place = labels.rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
        distinct = labels.drop_nulls().unique().sort().alias("label")
        sums = np.zeros((len(self.model.features), len(distinct) + 1), np.int64)
        for first, explained in self._chunks():
            ours = place[first : first + len(explained.base)]
            for number, total in enumerate(sums):
                units = _units(explained.contributions[:, number], self.model.features[number])
                total += np.bincount(ours, weights=units, minlength=len(total)).astype(np.int64)
        n = np.bincount(place, minlength=len(distinct) + 1)[1:]
        _stop_on_too_many(int(n.max(initial=0)))
        of_features = zip(self.model.features, sums[:, 1:])
        return pl.DataFrame([distinct, pl.Series("n", n, dtype=pl.Int64), *(pl.Series(*some) for some in of_features)])

    def means_by(self, labels: pl.Series) -> pl.DataFrame:
        """The mean contribution of each feature among people of a label: label, n and a column a feature, by label.

        See `sums_by`, of which these are the means.
        """
        return means_of(self.sums_by(labels))

    def _chunks(self) -> Iterator[tuple[int, Explanation]]:
        """The explanation of some people after the other, with the place of the first."""
        for first in range(0, self.features.height, PEOPLE_IN_A_CHUNK):
            yield first, self.model.explain(self.features.slice(first, PEOPLE_IN_A_CHUNK), threads=self.threads)


def merge_sums(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The sums of all people from the sums that `sums_by` gave for parts of them, by label.

    `FrameError` without parts, or for more people of one label than sums have room for.

    >>> first, second = (pl.DataFrame({"label": ["f"], "n": [n], "age": [age]}) for n, age in ((1, 7), (2, -9)))
    >>> merge_sums([first, second]).rows()
    [('f', 3, -2)]
    """
    if not parts:
        raise FrameError("there are no sums to add up", "give the sums of one part at least")
    merged = pl.concat(parts).group_by("label").agg(pl.all().sum()).sort("label")
    _stop_on_too_many(int(merged.select(pl.col("n").max().fill_null(0)).item()))
    return merged


def means_of(sums: pl.DataFrame) -> pl.DataFrame:
    """The mean contributions on the log-odds from their sums: label, n and a column a feature.

    >>> means_of(pl.DataFrame({"label": ["f"], "n": [2], "age": [2**32]})).rows()
    [('f', 2, 0.5)]
    """
    return sums.select("label", "n", pl.exclude("label", "n") / UNITS_IN_ONE / pl.col("n"))


def _units(contributions: Floats, feature: str) -> Floats:
    """Contributions as whole numbers of units, still floats; the nearest, and of two as near the even one."""
    if not (np.abs(contributions) < MOST_LOG_ODDS).all():
        raise FrameError(
            f"{feature} adds {MOST_LOG_ODDS} or more to someone's log-odds, or is not a number",
            "look at the values of this column, and train the model again",
        )
    return np.asarray(np.rint(contributions * UNITS_IN_ONE))


def _stop_on_too_many(people: int) -> None:
    if people > MOST_PEOPLE:
        raise FrameError(
            f"{people:,} people have one label; sums hold {MOST_PEOPLE:,}", "divide the people into more groups"
        )
