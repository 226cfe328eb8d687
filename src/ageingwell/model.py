"""The risk model: boosted trees, calibrated on the log-odds, explained exactly.

Calibration is a straight line on the log-odds, so the exact SHAP values of the trees stay exactly additive:
`logit(risk) = base + sum of contributions`, for every person.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit, logit

from ageingwell.errors import BundleError, TooFewEventsError
from ageingwell.evaluation.calibration import Line, calibration_curve, calibration_line

Floats = NDArray[np.float64]
DIRECTIONS: Mapping[str, int] = {"up": 1, "down": -1, "either": 0}


@dataclass(frozen=True)
class TreeSettings:
    """The shape of the trees; see `TrainSettings` for each."""

    trees: int
    leaves: int
    learning_rate: float
    minimum_people_per_leaf: int
    seed: int


@dataclass(frozen=True)
class Range:
    """How far the observed share of people lay from the risk they were given, by risk: knots on the log-odds.

    At each knot the risk's log-odds may be lower by `below` or higher by `above`: the ends of the 95% interval of the
    observed share among held-out people of about that risk. Between knots the two are drawn straight.
    """

    log_odds: tuple[float, ...]
    below: tuple[float, ...]
    above: tuple[float, ...]


@dataclass(frozen=True)
class Explanation:
    """Exact contributions on the calibrated log-odds: `base` (n,), `contributions` (n, p) in order of `features`."""

    features: tuple[str, ...]
    base: Floats
    contributions: Floats

    @property
    def log_odds(self) -> Floats:
        """The calibrated log-odds of each row: base plus contributions."""
        return np.asarray(self.base + self.contributions.sum(axis=1))


@dataclass(frozen=True)
class RiskModel:
    """One outcome's model: the trees, the line that calibrates them, and what they were trained on."""

    booster_: lgb.Booster
    features: tuple[str, ...]
    missing_in_training: frozenset[str]
    line: Line
    spread: Range

    def score(self, features: pl.DataFrame, *, threads: int = 1) -> Floats:
        """The trees' raw log-odds, before calibration."""
        matrix = self._matrix(features)
        if not features.height:  # LightGBM would divide by the number of rows
            return np.zeros(0)
        return np.asarray(self.booster_.predict(matrix, raw_score=True, num_threads=threads))

    def log_odds(self, score: Floats) -> Floats:
        """The calibrated log-odds of raw scores."""
        return self.line.intercept + self.line.slope * score

    def risk(self, score: Floats) -> Floats:
        """The calibrated risk of raw scores, in [0, 1]."""
        return np.asarray(expit(self.log_odds(score)))

    def risk_range(self, score: Floats) -> tuple[Floats, Floats]:
        """The ends of the range around each risk: what was observed among held-out people of about that risk."""
        odds = self.log_odds(score)
        below = np.interp(odds, self.spread.log_odds, self.spread.below)
        above = np.interp(odds, self.spread.log_odds, self.spread.above)
        return np.asarray(expit(odds - below)), np.asarray(expit(odds + above))

    def explain(self, features: pl.DataFrame, *, threads: int = 1) -> Explanation:
        """Exact SHAP values of every row, carried through the calibration line."""
        matrix = self._matrix(features)
        if not features.height:
            return Explanation(self.features, np.zeros(0), np.zeros((0, len(self.features))))
        raw = np.asarray(self.booster_.predict(matrix, pred_contrib=True, num_threads=threads))
        raw = raw.reshape(features.height, len(self.features) + 1)
        base = self.line.intercept + self.line.slope * raw[:, -1]
        return Explanation(self.features, base, self.line.slope * raw[:, :-1])

    def _matrix(self, features: pl.DataFrame) -> Floats:
        """The columns the trees know, by name and in their order: LightGBM itself matches by position."""
        absent = [name for name in self.features if name not in features.columns]
        if absent:
            raise BundleError(f"the model needs features that were not given: {', '.join(absent[:5])}")
        columns = features.select(self.features)
        wrong = [name for name, dtype in columns.schema.items() if dtype != pl.Float64]
        if wrong:
            raise BundleError(f"the model takes Float64 features only; {', '.join(wrong[:5])} are of another type")
        self._stop_on_new_gaps(columns)
        return columns.to_numpy()

    def _stop_on_new_gaps(self, columns: pl.DataFrame) -> None:
        """LightGBM reads a value that is missing now and never was in training as 0: that would be a made-up fact."""
        gaps = columns.null_count().row(0, named=True)
        new = [name for name, n in gaps.items() if n and name not in self.missing_in_training]
        if new:
            named = ", ".join(f"{name} ({gaps[name]:,} people)" for name in new[:5])
            raise BundleError(
                f"features are missing that were never missing in training: {named}",
                "mend the source, or train a bundle on records in which they are missing",
            )


def fit_trees(
    features: pl.DataFrame, outcome: NDArray[np.int8], *, directions: Sequence[str], settings: TreeSettings
) -> lgb.Booster:
    """Fit the boosted trees: `features` (n, p) of Float64, `outcome` (n,) of 0 and 1, one direction a feature.

    The same rows give the same trees, bit for bit, on any number of threads.
    """
    parameters = {
        "objective": "binary",
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "min_data_in_leaf": settings.minimum_people_per_leaf,
        "lambda_l2": 10.0,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "max_bin": 63,
        "monotone_constraints": [DIRECTIONS[direction] for direction in directions],
        "monotone_constraints_method": "intermediate",
        "seed": settings.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    # A value that is missing is NaN to LightGBM; Polars' nulls become NaN on the way to the array.
    data = lgb.Dataset(features.to_numpy(), label=outcome, feature_name=features.columns, free_raw_data=True)
    return lgb.train(parameters, data, num_boost_round=settings.trees)


def calibrate(
    booster: lgb.Booster,
    *,
    features: tuple[str, ...],
    missing_in_training: frozenset[str],
    held_out: pl.DataFrame,
    outcome: NDArray[np.int8],
) -> RiskModel:
    """Lay the calibration line through people the trees have not seen; `TooFewEventsError` without both outcomes."""
    if outcome.min(initial=1) == outcome.max(initial=0):
        raise TooFewEventsError("the people held out to calibrate have no event", "train on more people")
    uncalibrated = RiskModel(booster, features, missing_in_training, Line(0.0, 1.0), Range((0.0,), (0.0,), (0.0,)))
    score = uncalibrated.score(held_out)
    return RiskModel(booster, features, missing_in_training, calibration_line(outcome, score), uncalibrated.spread)


def with_range(model: RiskModel, held_out: pl.DataFrame, outcome: NDArray[np.int8]) -> RiskModel:
    """Measure, on people held out of fit and calibration, how far observed shares lie from the risks given."""
    curve = calibration_curve(outcome, model.log_odds(model.score(held_out)))
    tiny = 1e-4
    low, high = (logit(np.clip(end, tiny, 1 - tiny)) for end in (curve.low, curve.high))
    spread = Range(
        tuple(curve.log_odds.tolist()),
        tuple(np.maximum(curve.log_odds - low, 0.0).tolist()),
        tuple(np.maximum(high - curve.log_odds, 0.0).tolist()),
    )
    return RiskModel(model.booster_, model.features, model.missing_in_training, model.line, spread)


def model_text(booster: lgb.Booster) -> str:
    """The trees as LightGBM's text, without the block of run-time parameters that follows them."""
    return re.sub(r"\nparameters:\n.*?end of parameters\n", "\n", booster.model_to_string(), flags=re.DOTALL)
