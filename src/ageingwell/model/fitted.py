"""A fitted risk model: margin, trees and calibration line. It needs NumPy and LightGBM only, and explains exactly.

`log_odds = intercept + slope * (margin + trees)`. What the margin's curves add and the trees' SHAP values both add up,
and the line carries them along: `logit(risk) = base + sum of contributions`, for every row.
"""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from threading import Lock
from typing import Any, Literal

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit, logit

from ageingwell.errors import FrameError, TooFewEventsError
from ageingwell.evaluation.calibration import Line, calibration_curve
from ageingwell.evaluation.checked import household_places, weights, zero_or_one
from ageingwell.evaluation.coverage import holds
from ageingwell.lookup.answers import Answers, answers_of
from ageingwell.lookup.fallback import DoesNotFit
from ageingwell.lookup.margin import CurveMargin, Knots
from ageingwell.model.columns import Column, to_matrix
from ageingwell.model.explanation import Explanation as Explanation
from ageingwell.model.levels import as_numbers
from ageingwell.model.line import SPREAD_OF_LATER_SLOPE, shrunken_line
from ageingwell.model.margin import Margin

Floats = NDArray[np.float64]
Gaps = Literal["stop", "fill"]


@dataclass(frozen=True)
class Range:
    """How far the share of people with the outcome may lie from the risk they were given, by risk: knots on log-odds.

    It is about a hundred people of one risk, not about one of them: how far that risk itself may be wrong where it
    stands, from what was observed among held-out people of about that risk. `range_coverage` checks it.

    At each knot the risk's log-odds may be lower by `below` or higher by `above`: the ends of the 95% interval of the
    observed share among held-out people of about that risk. Between knots the two are drawn straight.
    """

    log_odds: tuple[float, ...]
    below: tuple[float, ...]
    above: tuple[float, ...]

    def ends(self, log_odds: Floats) -> tuple[Floats, Floats]:
        """The two ends, as risks, around each of the calibrated log-odds (n,).

        >>> Range((0.0,), (logit(0.5) - logit(0.4),), (0.0,)).ends(np.array([0.0]))
        (array([0.4]), array([0.5]))
        """
        below = np.interp(log_odds, self.log_odds, self.below)
        above = np.interp(log_odds, self.log_odds, self.above)
        return np.asarray(expit(log_odds - below)), np.asarray(expit(log_odds + above))


@dataclass(frozen=True)
class RangeCoverage:
    """The share of groups of people that a range held, of so many in all: `groups` a half, `halvings` times two."""

    coverage: float
    n_groups: int
    groups_a_half: int
    halvings: int


AS_IT_IS = Line(0.0, 1.0)
NO_RANGE = Range((0.0,), (0.0,), (0.0,))


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
    """One outcome's model: columns, margin, trees, the line that calibrates them, and what they were trained on.

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
        """The raw log-odds of margin and trees, before calibration."""
        return self.score_of(self.matrix(features, gaps=gaps), threads=threads)

    def score_of(self, codes: Floats, *, threads: int = 1) -> Floats:
        """The raw log-odds of the rows of a matrix (n, p)."""
        if not len(codes):
            return np.empty(0)
        trees = self.booster_.predict(self.numbers(codes), raw_score=True, num_threads=threads)
        return np.asarray(self.margin.log_odds(codes) + trees)

    def log_odds(self, score: Floats) -> Floats:
        """The calibrated log-odds of raw scores."""
        return self.line.intercept + self.line.slope * score

    def risk(self, score: Floats) -> Floats:
        """The calibrated risk of raw scores, in [0, 1]."""
        return np.asarray(expit(self.log_odds(score)))

    def risk_range(self, score: Floats) -> tuple[Floats, Floats]:
        """The ends of the range around each risk: what was observed among held-out people of about that risk."""
        return self.spread.ends(self.log_odds(score))

    def explain(self, features: pl.DataFrame, *, threads: int = 1, gaps: Gaps = "stop") -> Explanation:
        """What each feature adds for each row: its curve's height plus the trees' exact SHAP value, calibrated."""
        return self.explanation_of(self.matrix(features, gaps=gaps), threads=threads)

    def explanation_of(self, codes: Floats, *, threads: int = 1) -> Explanation:
        """What each feature adds for each row of a matrix (n, p)."""
        found = self._answers.explain(codes, threads=threads)
        return Explanation(self.features, np.full(len(codes), found.base), found.contributions)

    def log_odds_of(self, codes: Floats, *, threads: int = 1) -> Floats:
        """The calibrated log-odds of the rows of a matrix (n, p): those of `explanation_of`, to the last bit."""
        return self._answers.log_odds(codes, threads=threads)

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


def calibrate(
    model: FittedRisk, held_out: pl.DataFrame, outcome: NDArray[np.int8], *, weight: Floats | None = None
) -> FittedRisk:
    """Lay the calibration line through later people the model has not seen.

    `weight` (n,) tells how much each counts. With few of them the slope stays near that of the fit's own
    cross-validation. Raises `TooFewEventsError` without both outcomes.
    """
    if len(outcome):
        zero_or_one(outcome)
    if outcome.min(initial=1) == outcome.max(initial=0):
        raise TooFewEventsError("the people held out to calibrate have no event", "train on more people")
    odds = model.log_odds(model.score(held_out))
    w = np.ones(len(odds)) if weight is None else weights(weight, n=len(odds))
    later = shrunken_line(outcome.astype(float), odds, weight=w, spread_of_slope=SPREAD_OF_LATER_SLOPE)
    first = model.line
    return replace(model, line=Line(later.intercept + later.slope * first.intercept, later.slope * first.slope))


def with_range(model: FittedRisk, held_out: pl.DataFrame, outcome: NDArray[np.int8]) -> FittedRisk:
    """Measure, on people held out of fit and calibration, how far observed shares lie from the risks given."""
    return replace(model, spread=range_of(outcome, model.log_odds(model.score(held_out))))


def range_coverage(
    outcome: NDArray[np.int8],
    log_odds: Floats,
    *,
    households: NDArray[np.str_],
    groups: int = 20,
    halvings: int = 20,
    seed: int = 1,
) -> RangeCoverage:
    """How often a range made on one half of the households holds what is observed in the other half.

    `outcome`, calibrated `log_odds` and `households` (n,) are of people who made neither the model nor its line. The
    households are halved at random `halvings` times; each half's range is laid over `groups` groups of neighbouring
    risk of the other half. See `holds` for what counts as inside.
    """
    at = household_places(households, n=len(outcome))
    generator = np.random.default_rng(seed)
    inside: list[bool] = []
    for _ in range(halvings):
        first = (generator.random(int(at.max()) + 1) < 0.5)[at]
        for made, checked in ((first, ~first), (~first, first)):
            low, high = range_of(outcome[made], log_odds[made]).ends(log_odds[checked])
            inside += holds(outcome[checked], expit(log_odds[checked]), low, high, groups=groups).tolist()
    return RangeCoverage(round(float(np.mean(inside)), 4), len(inside), groups, halvings)


def range_of(outcome: NDArray[np.int8] | Floats, log_odds: Floats) -> Range:
    """How far observed shares lie from risks, by risk: `outcome` and calibrated `log_odds` (n,) of held-out people."""
    curve = calibration_curve(outcome, log_odds)
    tiny = 1e-4
    low, high = (logit(np.clip(end, tiny, 1 - tiny)) for end in (curve.low, curve.high))
    return Range(
        tuple(curve.log_odds.tolist()),
        tuple(np.maximum(curve.log_odds - low, 0.0).tolist()),
        tuple(np.maximum(high - curve.log_odds, 0.0).tolist()),
    )
