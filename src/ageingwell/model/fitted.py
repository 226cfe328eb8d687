"""A fitted risk model: margin, trees and calibration line. It needs NumPy and LightGBM only, and explains exactly.

`log_odds = intercept + slope * (margin + trees)`. What the margin's curves add and the trees' SHAP values both add up,
and the line carries them along: `logit(risk) = base + sum of contributions`, for every row. A term by age, where there
is one, and a bend at the top multiply all contributions of a row by one factor; age takes up the rest.
"""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from threading import Lock
from typing import Any, Literal

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from ageingwell.errors import FrameError
from ageingwell.evaluation.calibration import Line
from ageingwell.lookup.answers import Answers, answers_of
from ageingwell.lookup.fallback import DoesNotFit
from ageingwell.lookup.margin import CurveMargin, Knots
from ageingwell.model.bend import STRAIGHT, Bend
from ageingwell.model.by_age import ByAge
from ageingwell.model.columns import Column, to_matrix
from ageingwell.model.explanation import Explanation as Explanation
from ageingwell.model.levels import as_numbers
from ageingwell.model.margin import Curve, Margin
from ageingwell.model.ranges import NO_RANGE, Range

Floats = NDArray[np.float64]
Gaps = Literal["stop", "fill"]


AS_IT_IS = Line(0.0, 1.0)
# The feature by which calibration differs.
AGE = "age"


@dataclass(frozen=True)
class Sampled:
    """How many rows there were to fit on and how many were fitted on, and how many of each had the outcome."""

    n: int
    n_used: int
    n_events: int
    n_events_used: int

    def in_words(self) -> str:
        """In a sentence.

        >>> Sampled(1_000_000, 200_000, 50_000, 50_000).in_words()
        'fitted on 200,000 of 1,000,000 rows, 50,000 of 50,000 with the outcome among them; rows drawn count for more'
        """
        return (
            f"fitted on {self.n_used:,} of {self.n:,} rows, {self.n_events_used:,} of {self.n_events:,} with the "
            "outcome among them; rows drawn count for more"
        )


@dataclass(frozen=True)
class FittedRisk:
    """One outcome's model: columns, margin, trees, what calibrates them, and what they were trained on.

    Calibration is a term by age on the score of margin and trees, a line over both, and a bend of its log-odds.

    `levels` turns each category into the number that the trees see; `typical` is each number's training median.
    `sampled` tells of how many rows a sample was fitted on; None where all were.
    """

    booster_: lgb.Booster
    columns: tuple[Column, ...]
    margin: Margin
    levels: tuple[tuple[float, ...] | None, ...]
    typical: tuple[float, ...]
    missing_in_training: frozenset[str]
    line: Line = AS_IT_IS
    by_age: ByAge | None = None
    bend: Bend = STRAIGHT
    spread: Range = NO_RANGE
    sampled: Sampled | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """The features' names, in the model's order."""
        return tuple(column.name for column in self.columns)

    def matrix(self, features: pl.DataFrame, *, gaps: Gaps = "stop") -> Floats:
        """The named columns as numbers, (n, p); see `to_matrix`.

        A number that is missing here and never was in training would count as 0 to LightGBM, a made-up fact: `stop`
        raises `FrameError`, `fill` takes the training median in its place.
        """
        return self.without_gaps(to_matrix(features, self.columns), gaps=gaps)

    def without_gaps(self, codes: Floats, *, gaps: Gaps) -> Floats:
        """The matrix of `to_matrix` (n, p), numbers that are missing as never in training treated as in `matrix`."""
        found = [(place, self.columns[place].name, int(np.isnan(codes[:, place]).sum())) for place in self.gaps(codes)]
        if found and gaps == "stop":
            named = ", ".join(f"{name} ({n:,} people)" for _, name, n in found[:5])
            raise FrameError(
                f"features are missing that were never missing in training: {named}",
                "correct the source, or train a bundle on records in which they are missing",
            )
        for place, _, _ in found:
            codes[np.isnan(codes[:, place]), place] = self.typical[place]
        return codes

    def gaps(self, codes: Floats) -> list[int]:
        """The places of numbers that are missing in a matrix (n, p) and never were in training."""
        return [
            place
            for place in np.flatnonzero(np.isnan(codes).any(axis=0)).tolist()
            if not self.columns[place].is_category and self.columns[place].name not in self.missing_in_training
        ]

    def numbers(self, codes: Floats) -> Floats:
        """The matrix as the trees see it: each category's code replaced by its level's number."""
        return as_numbers(codes, self._tables)

    @cached_property
    def _tables(self) -> tuple[Floats | None, ...]:
        return tuple(None if table is None else np.array(table) for table in self.levels)

    def score(self, features: pl.DataFrame, *, threads: int = 1, gaps: Gaps = "stop") -> Floats:
        """The raw log-odds of margin and trees with the term by age, before the line that calibrates."""
        return self.score_of(self.matrix(features, gaps=gaps), threads=threads)

    def score_of(self, codes: Floats, *, threads: int = 1) -> Floats:
        """The raw log-odds of the rows of a matrix (n, p), as `score` gives them."""
        score = self.ageless_score(codes, threads=threads)
        return score if self.by_age is None else self.by_age.score(score, self.age_of(codes))

    def ageless_score(self, codes: Floats, *, threads: int = 1) -> Floats:
        """The raw log-odds of margin and trees alone, without the term by age."""
        if not len(codes):
            return np.empty(0)
        trees = self.booster_.predict(self.numbers(codes), raw_score=True, num_threads=threads)
        return np.asarray(self.margin.log_odds(codes) + trees)

    @property
    def age_feature(self) -> str:
        """The feature by which calibration differs, or may differ."""
        return AGE if self.by_age is None else self.by_age.feature

    @property
    def age_curve(self) -> Curve | None:
        """What age adds to the score; None of a model whose features hold no age as a number."""
        of_number = {c.name: curve for c, curve in zip(self.columns, self.margin.curves) if not c.is_category}
        return of_number.get(self.age_feature)

    def age_of(self, codes: Floats) -> Floats:
        """The ages of the rows of a matrix (n, p)."""
        return np.asarray(codes[:, self.features.index(self.age_feature)])

    def log_odds(self, score: Floats) -> Floats:
        """The calibrated log-odds of raw scores."""
        return self.bend.log_odds(self.line.intercept + self.line.slope * score)

    def risk(self, score: Floats) -> Floats:
        """The calibrated risk of raw scores, in [0, 1]."""
        return np.asarray(expit(self.log_odds(score)))

    def risk_range(self, score: Floats) -> tuple[Floats, Floats]:
        """The ends of the range around each risk; see `Range`."""
        return self.spread.ends(self.log_odds(score))

    def explain(self, features: pl.DataFrame, *, threads: int = 1, gaps: Gaps = "stop") -> Explanation:
        """What each feature adds for each row: its curve's height plus the trees' exact SHAP value, calibrated."""
        return self.explanation_of(self.matrix(features, gaps=gaps), threads=threads)

    def explanation_of(self, codes: Floats, *, threads: int = 1) -> Explanation:
        """What each feature adds for each row of a matrix (n, p)."""
        found = self._answers.explain(codes, threads=threads)
        return self.calibrated(found.base, found.contributions, codes)

    def calibrated(self, base: float, contributions: Floats, codes: Floats) -> Explanation:
        """Contributions (n, p) to the line's log-odds with the term by age and the bend, of the rows of a matrix."""
        if self.by_age is not None:
            place = self.features.index(self.by_age.feature)
            term = self.by_age.along(self.line)
            contributions = term.contributions(base, contributions, self.age_of(codes), place=place)
        starts = np.full(len(contributions), base)
        return Explanation(self.features, starts, self.bend.contributions(starts, contributions))

    def calibrated_log_odds(self, straight: Floats, codes: Floats) -> Floats:
        """The line's log-odds (n,) with the term by age and the bend, of the rows of a matrix."""
        if self.by_age is not None:
            straight = self.by_age.along(self.line).score(straight, self.age_of(codes))
        return self.bend.log_odds(straight)

    def log_odds_of(self, codes: Floats, *, threads: int = 1) -> Floats:
        """The calibrated log-odds of the rows of a matrix (n, p): those of `explanation_of`, to the last bit."""
        if self.bend.is_straight and self.by_age is None:
            return self._answers.log_odds(codes, threads=threads)
        return self.explanation_of(codes, threads=threads).log_odds

    @property
    def surroundings(self) -> CurveMargin:
        """The margin's curves, and the numbers that the trees see in place of categories."""
        curves = (Knots(np.array(curve.at), np.array(curve.adds), curve.missing) for curve in self.margin.curves)
        return CurveMargin(self.margin.intercept, tuple(curves), self._tables)

    @property
    def _answers(self) -> Answers | DoesNotFit:
        # From Python 3.12 on a cached property is worked out by each of several threads that ask at once.
        with _ANSWERING:
            return self._made_answers

    @cached_property
    def _made_answers(self) -> Answers | DoesNotFit:
        return answers_of(self.booster_, line=(self.line.intercept, self.line.slope), margin=self.surroundings)

    def __getstate__(self) -> dict[str, Any]:
        """The model alone: a copy, or what a pickle holds, makes tables of its own when they pay."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


# Held while a model's answers are begun, which takes milliseconds: their tables have a lock of their own.
_ANSWERING = Lock()


def over_line(model: FittedRisk, later: Line) -> FittedRisk:
    """The model with a line laid over its calibrated log-odds; the range stays where it was."""
    first = model.line
    line = Line(later.intercept + later.slope * first.intercept, later.slope * first.slope)
    return replace(model, line=line, bend=model.bend.along(later))
