"""What each fact adds for each of many people: worked out when asked for, a chunk of people at a time.

Nothing is kept but the features: explaining again costs less than room for a number a person and feature.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl

from ageingwell.errors import FrameError
from ageingwell.model.fitted import Explanation

# With 150 features, 20 MB of contributions at a time.
PEOPLE_IN_A_CHUNK = 16_384


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

    def means_by(self, labels: pl.Series) -> pl.DataFrame:
        """The mean contribution of each feature among people of a label: label, n and a column a feature, by label.

        `labels` has a label a row of `features`, in their order; people without a label are left out.

        >>> from ageingwell.model.contributions import Contributions
        >>> class Twice:
        ...     features = ("age",)
        ...     def explain(self, features, *, threads):
        ...         return Explanation(self.features, np.zeros(features.height), 2 * features.select("age").to_numpy())
        >>> people = pl.DataFrame({"person_id": ["p1", "p2", "p3"], "age": [70.0, 80.0, 90.0]})
        >>> Contributions(Twice(), people).means_by(pl.Series("sex", ["f", "m", "f"])).rows()
        [('f', 2, 160.0), ('m', 1, 160.0)]
        """
        if len(labels) != self.features.height:
            raise FrameError(f"{len(labels):,} labels were given for {self.features.height:,} people")
        # From 1 in their order; 0 for people without one.
        place = labels.rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
        distinct = labels.drop_nulls().unique().sort().alias("label")
        sums = np.zeros((len(self.model.features), len(distinct) + 1))
        for first, explained in self._chunks():
            ours = place[first : first + len(explained.base)]
            for number, total in enumerate(sums):
                total += np.bincount(ours, weights=explained.contributions[:, number], minlength=len(total))
        n = np.bincount(place, minlength=len(distinct) + 1)[1:]
        means = zip(self.model.features, sums[:, 1:] / n)
        return pl.DataFrame([distinct, pl.Series("n", n, dtype=pl.Int64), *(pl.Series(*mean) for mean in means)])

    def _chunks(self) -> Iterator[tuple[int, Explanation]]:
        """The explanation of some people after the other, with the place of the first."""
        for first in range(0, self.features.height, PEOPLE_IN_A_CHUNK):
            yield first, self.model.explain(self.features.slice(first, PEOPLE_IN_A_CHUNK), threads=self.threads)
