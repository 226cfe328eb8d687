"""What each fact adds to each row's risk, exactly, and every form in which a person may want to see it.

`log-odds = base + sum of contributions`, row by row. Contributions say what a risk goes with, and nothing of causes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from ageingwell.errors import FrameError
from ageingwell.given import library
from ageingwell.in_hundred import average_slope, whole
from ageingwell.lookup.margin import summed
from ageingwell.model import drawing, phrases
from ageingwell.model.columns import Column, decoded
from ageingwell.shown import Screen, Shown

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """What was explained: the matrix (n, p) of `to_matrix` and its columns."""

    codes: Floats
    columns: tuple[Column, ...]


@dataclass(frozen=True, repr=False)
class Explanation(Shown):
    """Exact contributions on the calibrated log-odds: `base` (n,), `contributions` (n, p) in order of `features`.

    `explained[0]` is the explanation of the first row, `explained[:10]` of the first ten; `len(explained)` is n.
    `explained_rows` holds what was explained, where the estimator gave it.
    """

    features: tuple[str, ...]
    base: Floats
    contributions: Floats
    explained_rows: Rows | None = field(default=None, compare=False)

    @property
    def log_odds(self) -> Floats:
        """The calibrated log-odds of each row: base plus contributions, feature by feature.

        `numpy.sum` takes another order for one row than for many, and would give one person other bits alone.
        """
        return summed(self.base, self.contributions)

    @property
    def risk(self) -> Floats:
        """The risk of each row, in [0, 1]."""
        return np.asarray(expit(self.log_odds))

    @property
    def values(self) -> pl.DataFrame | None:
        """What was explained, a column a feature: numbers, and categories as text; missing is null.

        A level that was not seen in training is `other`. None where only contributions are known.
        """
        rows = self.explained_rows
        return (
            None
            if rows is None
            else pl.DataFrame([decoded(rows.codes[:, place], column) for place, column in enumerate(rows.columns)])
        )

    def __len__(self) -> int:
        return len(self.base)

    def __getitem__(self, rows: int | np.integer[Any] | slice | Sequence[int] | NDArray[Any]) -> "Explanation":
        """The explanation of one row (still with n = 1), of a slice, or of the rows a list or mask names."""
        chosen: Any = rows
        if isinstance(rows, int | np.integer):
            place = int(rows)
            if not -len(self) <= place < len(self):
                raise IndexError(f"row {place:,} was asked for, and {len(self):,} rows are explained")
            chosen = [place]
        known = self.explained_rows
        return Explanation(
            self.features,
            self.base[chosen],
            self.contributions[chosen],
            None if known is None else Rows(known.codes[chosen], known.columns),
        )

    def to_polars(self) -> pl.DataFrame:
        """One line a row and feature: row, feature, contribution.

        >>> Explanation(("age", "falls"), np.array([-2.0]), np.array([[0.5, 0.25]])).to_polars().rows()
        [(0, 'age', 0.5), (0, 'falls', 0.25)]
        """
        n, p = self.contributions.shape
        return pl.DataFrame(
            {
                "row": np.repeat(np.arange(n), p),
                "feature": pl.Series(self.features * n, dtype=pl.String),
                "contribution": self.contributions.reshape(-1),
            }
        )

    def to_pandas(self) -> Any:
        """The same table as a pandas frame; `MissingExtraError` without pandas (extra `notebook`)."""
        pandas = library("pandas", extra="notebook", wanted_for="a pandas frame")
        return pandas.DataFrame(self.to_polars().to_dict(as_series=False))

    def to_shap(self) -> Any:
        """The same as a `shap.Explanation`, for any plot that shap draws; `MissingExtraError` without shap."""
        return drawing.as_shap(self)

    def plot_waterfall(self, row: int = 0, *, most: int = 10) -> Any:
        """Draw how one row comes from the base to its log-odds, the `most` strongest features; gives the axes."""
        return drawing.waterfall(self[row], most=most)

    def plot_beeswarm(self, *, most: int = 10, seed: int = 1) -> Any:
        """Draw a dot a row and feature, the `most` strongest features; gives the axes.

        Colours go from low values to high ones; categories, which have no order, are grey. `seed` spreads the dots.
        """
        return drawing.beeswarm(self, most=most, seed=seed)

    def in_100(self, *, beside: "Explanation | None" = None) -> pl.DataFrame:
        """What each fact adds to the risk in 100: row, feature, contribution, adds_in_100.

        Starts from the base, or from the average of the rows `beside`, such as people of the same age. Of each row,
        the start in 100 and all of `adds_in_100` together are the risk in 100, exactly: every fact gets the same
        factor, the average slope of the logistic function between the two.

        >>> one = Explanation(("age", "falls"), np.array([0.0]), np.array([[1.0, -0.5]]))
        >>> one.in_100()["adds_in_100"].round(1).to_list(), round(100 * float(one.risk[0]) - 50, 1)
        ([24.5, -12.2], 12.2)
        """
        start, means = self._start(beside)
        effects = (self.contributions - means) * 100 * average_slope(start, self.risk)[:, None]
        return self.to_polars().with_columns(adds_in_100=pl.Series(effects.reshape(-1)))

    def in_words(
        self,
        sentences: Mapping[str, phrases.Phrase] | pl.DataFrame | Any,
        row: int = 0,
        *,
        outcome: str = "have the outcome",
        beside: "Explanation | None" = None,
        who: str | None = None,
        most: int = 5,
    ) -> str:
        """Say one row's risk in words and in whole numbers of 100 that add up.

        `sentences` is a phrase table: for each feature a sentence, in which `{value}` stands for the value, or a
        mapping from each value to a sentence; or a frame with the columns `feature` and `sentence`. What has none is
        told by its name. `outcome` follows on "about 31 of 100 people with this record", such as "are
        admitted to hospital within a year". `beside` are rows to compare with, and `who` says in words who they are.
        The `most` strongest facts are told, and the rest as one number.

        Raises `FrameError` for a phrase table that names what is no feature, and for an explanation without values.

        >>> import numpy as np
        >>> rows = Rows(np.array([[84.0, 2.0]]), (Column("age"), Column("falls")))
        >>> one = Explanation(("age", "falls"), np.array([-2.0]), np.array([[0.9, 0.4]]), rows)
        >>> print(one.in_words({"age": "aged {value}", "falls": "{value} falls"}, outcome="are admitted"))
        Of 100 people with a record like this, about 33 are admitted.
        For a person with average facts, it is about 12.
        <BLANKLINE>
        Goes with a higher chance (out of 100):
           +15  aged 84
            +6  2 falls
        <BLANKLINE>
        The sum: 12 + 21 = 33.
        These facts go with the chance. They are not causes.
        """
        one, values = self[row], self[row].values
        if values is None:
            raise FrameError("this explanation holds contributions alone", "take it from `RiskModel.explain`")
        start, _ = self._start(beside)
        told = phrases.said(sentences, values, features=self.features)
        effects = one.in_100(beside=beside)["adds_in_100"].to_list()
        return phrases.in_words(
            told,
            effects,
            start=float(start[0] if len(start) == 1 else start[row]),
            end=float(one.risk[0]),
            outcome=outcome,
            who=who or ("a person with average facts" if beside is None else "the people compared with"),
            most=most,
        )

    def _start(self, beside: "Explanation | None") -> tuple[Floats, Floats]:
        """The risk that is started from, (n,) or (1,), and the contributions that count as none, (p,)."""
        if beside is None:
            return np.asarray(expit(self.base)), np.zeros(len(self.features))
        if not len(beside):
            raise FrameError("there are no rows to compare with", "give one at least")
        if beside.features != self.features or (len(self) and beside.base[0] != self.base[0]):
            raise FrameError("the rows compared with are explained by another model", "explain both with one model")
        means = beside.contributions.mean(axis=0)
        return np.asarray(expit(beside.base[:1] + means.sum())), means

    def _screen(self) -> Screen:
        n = len(self)
        facts: dict[str, object] = {"rows": n, "features": len(self.features)}
        if n:
            facts["base, in 100"] = whole(float(expit(self.base[0])))
            facts["risk, in 100" if n == 1 else "mean risk, in 100"] = whole(float(self.risk.mean()))
        size = np.abs(self.contributions).mean(axis=0) if n else np.zeros(len(self.features))
        order = np.argsort(-size, kind="stable")
        column = self.contributions[0] if n == 1 else size
        rows = [
            (self.features[place], f"{column[place]:+.3f}" if n == 1 else f"{column[place]:.3f}") for place in order
        ]
        return Screen(
            "Explanation: base + contributions = log-odds of the risk",
            facts,
            ("feature", "contribution" if n == 1 else "mean size of its contribution"),
            rows if n else (),
            "to_polars(), to_pandas(), to_shap(), in_100(), in_words(), plot_waterfall(row), plot_beeswarm()",
        )
