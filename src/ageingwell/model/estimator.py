"""`RiskModel`: the fitted model as a scikit-learn estimator, for any table of numbers and categories."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from ageingwell.errors import FrameError
from ageingwell.evaluation.checked import missing_in
from ageingwell.evaluation.evaluated import Evaluation, evaluate_risk
from ageingwell.evaluation.sample_size import minimum_sample_size
from ageingwell.model.choosing import Recipe
from ageingwell.model.columns import Column, columns_of, shares_unseen, to_matrix
from ageingwell.model.directions import Directions, plain_directions, signs_of
from ageingwell.model.explanation import Explanation, Rows
from ageingwell.model.fitting import fit_risk
from ageingwell.model.frames import Table, checked_table, is_frame, named_columns, table_of
from ageingwell.model.held_out import happened_of, numbers_of
from ageingwell.model.importance import importances
from ageingwell.model.levels import has_many_levels
from ageingwell.model.order import in_mean_one
from ageingwell.model.saving import load_folder, save_folder
from ageingwell.model.traps import traps_in, warn_of
from ageingwell.model.tuning import drawn_shapes

Floats = NDArray[np.float64]
# Of fewer values, most may be new without any fault: one person of a practice that has just opened.
FEWEST_TO_JUDGE = 10


class FewEventsWarning(UserWarning):
    """There are fewer events than Riley's criteria ask for."""


class NewGapsWarning(UserWarning):
    """A number is missing at prediction that never was in training; its training median stands in."""


class UnseenLevelsWarning(UserWarning):
    """Most values of a category were never seen in training: it may be written otherwise than it was."""


class RiskModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The chance of an outcome, level with logistic regression on few people and with boosting on many.

    A curve for each feature is fitted by penalised logistic regression, LightGBM trees are boosted from it, and trees
    boosted from nothing are blended in, each as far as it helps; an inner cross-validation chooses the penalty, the
    shapes and numbers of trees, their shares and the calibration.
    Missing values, categories as text and rare outcomes need no preparation. Every risk is explained exactly:
    `logit(risk) = base + sum of contributions`.

    `max_trees` and `n_folds` bound the inner cross-validation; `tune=True` goes through all shapes of trees and
    `n_trials` more, drawn by `seed`, and takes several times as long. `progress(stage, share done)` is called as the
    fit goes on. `monotone` tells how the risk may move with a feature: "up", "down" or "either" (or 1, -1, 0), by name
    or one a column; features that are not named may move either way. `threads` never changes a result.
    `warn_on_few_events` warns where there are fewer events than Riley's criteria ask for; `warn_on_traps` warns of what
    makes a model look better than it is, see `fit`.

    A column that is constant or wholly missing adds nothing; one that was wholly missing in training takes numbers or
    categories later. Beyond the values seen in training a curve stays flat. A category that was not seen counts as
    average to the curves and as none of the levels to the trees, with `UnseenLevelsWarning` where most of ten or more
    values of a column were not seen. Text is compared as it is written, blanks and capitals too; numbers by value. A
    number that is missing at prediction and never was in training is taken as its training median, with a warning.
    No rows give an empty answer.

    >>> import polars as pl
    >>> draw = np.random.default_rng(1)
    >>> age, tenure = draw.uniform(65, 95, 600), draw.choice(["owned", "rented"], 600)
    >>> died = draw.random(600) < expit((age - 90) / 5 + (tenure == "rented"))
    >>> people = pl.DataFrame({"age": age, "tenure": tenure})
    >>> model = RiskModel(warn_on_few_events=False).fit(people, died)
    >>> model.explain(people).to_polars()["feature"].unique().sort().to_list()
    ['age', 'tenure']
    """

    def __init__(
        self,
        *,
        max_trees: int = 600,
        n_folds: int = 5,
        tune: bool = False,
        n_trials: int = 20,
        progress: Callable[[str, float], None] | None = None,
        warn_on_few_events: bool = True,
        warn_on_traps: bool = True,
        monotone: Directions | None = None,
        seed: int = 1,
        threads: int = 1,
    ) -> None:
        self.max_trees = max_trees
        self.n_folds = n_folds
        self.tune = tune
        self.n_trials = n_trials
        self.progress = progress
        self.warn_on_few_events = warn_on_few_events
        self.warn_on_traps = warn_on_traps
        self.monotone = monotone
        self.seed = seed
        self.threads = threads

    def fit(
        self,
        X: Any,  # noqa: N803 (scikit-learn's name)
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        time: ArrayLike | None = None,
        monotone: Directions | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Fit on a Polars, pandas or pyarrow table or an array `X` (n, p) and an outcome `y` (n,) of two values.

        Rows of one of the `groups` (n,), people or households, are never on both sides of an inner split; with `time`
        (n,), anything that sorts, later rows judge fits on earlier ones. `monotone` counts in place of the
        constructor's, for this fit alone and as a whole: a feature that it does not name may move either way, whatever
        the constructor says of it.

        Of more than 200,000 rows a sample is fitted on, with `SampledWarning`: rows (groups) with the outcome fill up
        to half of it, others are drawn at random, and each counts for as many as it stands for. `fitted_.sampled`
        tells how many.

        Raises `FrameError`, a `ValueError`: one class only, infinite values, duplicate names, a type that is neither
        number nor category. Warns `FewEventsWarning` with the number needed where there are too few events, and
        `TrapWarning` with what to do: `LeakWarning` of a feature that tells the outcome by itself, `IdentifierWarning`,
        `TimeWarning` of a date without `time`, `RepeatedRowsWarning` of people with several rows without `groups`.
        """
        table = self._table_to_fit(X, y)
        outcome = self._outcome(y, table.height)
        weight = np.asarray(_check_sample_weight(sample_weight, np.empty((table.height, 1)), dtype=np.float64))
        if (weight < 0).any() or not weight.sum() > 0:
            raise FrameError("sample weights are negative or all zero", "give positive weights")
        kept = weight > 0
        columns = columns_of(table)
        codes = to_matrix(table, columns)
        self._warn_on_few(outcome[kept], columns)
        if not 0 < outcome[kept].sum() < kept.sum():
            raise FrameError("the outcome has one class only among rows of positive weight", "give both classes")
        fitted_on = codes if kept.all() else codes[kept]
        if self.warn_on_traps:
            found = traps_in(
                fitted_on, outcome[kept], columns, has_groups=groups is not None, has_time=time is not None
            )
            warn_of(found, stacklevel=2)
        self.fitted_ = fit_risk(
            fitted_on,
            outcome[kept],
            columns=columns,
            signs=signs_of(self.monotone if monotone is None else monotone, columns),
            weight=in_mean_one(weight[kept]),
            groups=_along(groups, "groups", kept),
            time=_along(time, "time", kept),
            recipe=self._recipe(),
            progress=self.progress,
        )
        self._importances = importances(self.fitted_, fitted_on, threads=self.threads)
        return self

    def decision_function(self, X: Any) -> Floats:  # noqa: N803
        """The calibrated log-odds of the second class, (n,)."""
        _, codes = self._codes(X)
        return self.fitted_.log_odds_of(codes, threads=self.threads)

    def predict_proba(self, X: Any) -> Floats:  # noqa: N803
        """The chances of the two classes in the order of `classes_`, (n, 2)."""
        risk = expit(self.decision_function(X))
        return np.column_stack([1 - risk, risk])

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """The likelier class of each row, (n,)."""
        likelier = (self.decision_function(X) > 0).astype(int)
        return np.asarray(self.classes_[likelier])

    def explain(self, X: Any) -> Explanation:  # noqa: N803
        """What each feature adds to the calibrated log-odds of each row: `base + contributions = log-odds`."""
        # Filled gaps count as the training median; what is shown of them is that they are missing.
        given, codes = self._codes(X)
        explained = self.fitted_.explanation_of(codes, threads=self.threads)
        return replace(explained, explained_rows=Rows(given, self.fitted_.columns))

    def evaluate(self, X: Any, y: ArrayLike, *, baseline: str | ArrayLike | None = None) -> Evaluation:  # noqa: N803
        """Measure the risks of rows `X` (n, p) that the model has not seen, against their outcome `y` (n,).

        Gives a tidy `table` of measures, a calibration `curve`, a `verdict` in words and `plot_calibration()`.
        `baseline` is a simple score to compare with, more meaning more risk: the name of a column of numbers that the
        model was fitted on, such as "age", or an array (n,).

        Raises `FrameError` where `y` holds anything but the two classes of the fit, or the baseline cannot be read.
        """
        given, codes = self._codes(X)
        odds = self.fitted_.log_odds_of(codes, threads=self.threads)
        happened = happened_of(y, self.classes_, n=len(codes))
        if baseline is None:
            return evaluate_risk(happened, odds)
        if not isinstance(baseline, str):
            return evaluate_risk(happened, odds, baseline=baseline)
        score = numbers_of(given, baseline, self.fitted_.columns)
        return evaluate_risk(happened, odds, baseline=score, baseline_name=f"{baseline} alone")

    def summary(self) -> pl.DataFrame:
        """What the model is made of, the most important feature first: feature, kind, n_levels, importance.

        `kind` is number or category, `n_levels` how many levels of a category were seen; `importance` as in
        `feature_importances_`.
        """
        columns = self.fitted_.columns if self.__sklearn_is_fitted__() else ()
        importance = self.feature_importances_
        rows = [
            (
                one.name,
                "category" if one.is_category else "number",
                len(one.levels) if one.levels else None,
                float(share),
            )
            for one, share in zip(columns, importance)
        ]
        names = {"feature": pl.String, "kind": pl.String, "n_levels": pl.Int64, "importance": pl.Float64}
        return pl.DataFrame(rows, schema=names, orient="row").sort("importance", "feature", descending=[True, False])

    @property
    def feature_importances_(self) -> Floats:
        """Each feature's share (p,) of all contributions, by mean size among rows fitted on; they add up to 1.

        How far the model leans on a feature, not how much it matters in the world: of two features that tell the same,
        one may have all. Raises `AttributeError` for a model that an earlier version saved.
        """
        check_is_fitted(self)
        if not hasattr(self, "_importances"):
            raise AttributeError("an earlier version saved this model without its importances; fit it again")
        return np.array(self._importances)

    def save(self, folder: str | Path) -> Path:
        """Write the fitted model into a folder: LightGBM text and JSON, no pickle."""
        check_is_fitted(self)
        kept = {name: value for name, value in self.get_params().items() if name != "progress"}
        kept["monotone"] = plain_directions(self.monotone)
        known = {"importances": self._importances.tolist()} if hasattr(self, "_importances") else {}
        return save_folder(
            self.fitted_,
            Path(folder),
            classes=self.classes_.tolist(),
            named=hasattr(self, "feature_names_in_"),
            parameters=kept,
            **known,
            versions={library: version(library) for library in ("lightgbm", "numpy", "polars")},
        )

    @classmethod
    def load(cls, folder: str | Path) -> "RiskModel":
        """The model that `save` wrote; every file's SHA-256 is checked before it is parsed."""
        fitted, facts = load_folder(Path(folder))
        model = cls(**facts["parameters"])
        model.fitted_ = fitted
        model.classes_ = np.array(facts["classes"])
        model.n_features_in_ = len(fitted.columns)
        if "importances" in facts:
            model._importances = np.array(facts["importances"], dtype=float)
        if facts["named"]:
            model.feature_names_in_ = np.array(fitted.features, dtype=object)
        return model

    @property
    def booster_(self) -> Any:
        """The LightGBM booster of the trees."""
        check_is_fitted(self)
        return self.fitted_.booster_

    @property
    def features_(self) -> tuple[str, ...]:
        """The features' names in the order of the contributions."""
        check_is_fitted(self)
        return self.fitted_.features

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "fitted_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.classifier_tags.multi_class = False
        return tags

    def _recipe(self) -> Recipe:
        plain = Recipe(most_trees=self.max_trees, n_folds=self.n_folds, seed=self.seed, threads=self.threads)
        if not self.tune:
            return plain
        shapes = (*plain.shapes, *drawn_shapes(self.n_trials, seed=self.seed))
        return Recipe(
            shapes=shapes,
            most_trees=self.max_trees,
            n_folds=self.n_folds,
            seed=self.seed,
            threads=self.threads,
            try_all_shapes=True,
        )

    def _table_to_fit(self, source: Any, y: ArrayLike) -> Table:
        if y is None:
            raise FrameError("this estimator requires y to be passed, but the target y is None", "give the outcome")
        given = checked_table(source)
        names = named_columns(given)
        if names is None:
            given = self._by_position(given, is_fit=True)
            return _with_rows(table_of(given, [f"x{place}" for place in range(given.shape[1])]))
        table = _with_rows(table_of(given, names))
        self.feature_names_in_ = np.array(names, dtype=object)
        self.n_features_in_ = len(names)
        return table

    def _table(self, source: Any) -> Table:
        """The rows to predict, their columns found by name; an array's by position."""
        check_is_fitted(self)
        given = checked_table(source)
        names = named_columns(given)
        if names is None:
            return table_of(self._by_position(given, is_fit=False), self.features_)
        if hasattr(self, "feature_names_in_"):
            return table_of(given, names)
        if len(names) != self.n_features_in_:
            raise FrameError(
                f"X has {len(names)} features, but RiskModel is expecting {self.n_features_in_} features as input"
            )
        return table_of(given, self.features_)

    def _by_position(self, given: Any, *, is_fit: bool) -> Any:
        """An array, or a frame whose columns have no names of text, after scikit-learn's checks."""
        if is_frame(given):
            return validate_data(self, given, reset=is_fit, skip_check_array=True)
        if getattr(getattr(given, "dtype", None), "kind", "O") == "c":
            raise FrameError("Complex data not supported", "give the real and the imaginary part as separate columns")
        try:
            return validate_data(
                self, given, reset=is_fit, dtype=None, ensure_all_finite=False, ensure_min_samples=int(is_fit)
            )
        except TypeError:
            raise FrameError(
                f"{type(given).__name__} cannot be read as rows and columns", "give a frame or an array (n, p)"
            ) from None

    def _codes(self, source: Any) -> tuple[Floats, Floats]:
        """The rows to predict as the fitted model's matrix (n, p), and the same without gaps that are new."""
        given = to_matrix(self._table(source), self.fitted_.columns)
        self._warn_on_new_gaps(given)
        self._warn_on_unseen(given)
        return given, self.fitted_.without_gaps(given.copy() if self.fitted_.gaps(given) else given, gaps="fill")

    def _outcome(self, y: ArrayLike, n: int) -> Floats:
        target = column_or_1d(y, warn=True)
        if missing_in(target).any():
            raise FrameError("y holds missing values (NaN)", "leave out rows whose outcome is unknown")
        check_classification_targets(target)
        if len(target) != n:
            raise FrameError(f"X has {n} rows and y has {len(target)}", "give one outcome a row")
        kind = type_of_target(target, input_name="y")
        if kind != "binary":
            raise FrameError(
                f"Only binary classification is supported. The type of the target is {kind}", "give two classes"
            )
        self.classes_, place = np.unique(target, return_inverse=True)
        if len(self.classes_) < 2:
            raise FrameError("the outcome has one class only", "give rows with and without the outcome")
        return place.astype(float)

    def _warn_on_few(self, outcome: Floats, columns: Sequence[Column]) -> None:
        if not self.warn_on_few_events or not 0 < outcome.mean() < 1:
            return
        needed = minimum_sample_size(
            n_parameters=sum(_parameters(column) for column in columns), event_share=float(outcome.mean())
        )
        if outcome.sum() < needed.n_events:
            warnings.warn(
                f"{int(outcome.sum()):,} events among {len(outcome):,} rows; Riley's criteria ask for about "
                f"{needed.n_events:,} events among {needed.n:,} rows for {len(columns)} features",
                FewEventsWarning,
                stacklevel=3,
            )

    def _warn_on_new_gaps(self, codes: Floats) -> None:
        new = [self.fitted_.columns[place].name for place in self.fitted_.gaps(codes)]
        if new:
            warnings.warn(
                f"missing here, and never missing in training: {', '.join(new[:5])}; the training median is used",
                NewGapsWarning,
                stacklevel=4,
            )

    def _warn_on_unseen(self, codes: Floats) -> None:
        counts = shares_unseen(codes, self.fitted_.columns)
        most = [
            f"{name} ({new:,} of {n:,})" for name, (new, n) in counts.items() if n >= FEWEST_TO_JUDGE and 2 * new > n
        ]
        if most:
            warnings.warn(
                f"most values were never seen in training: {', '.join(most[:5])}; they count as average. What to do: "
                "see whether the levels are written as in training, with the same blanks and capitals",
                UnseenLevelsWarning,
                stacklevel=4,
            )


def _parameters(column: Column) -> int:
    """Coefficients a predictor takes: one, or of a category of few levels one less than these."""
    return 1 if not column.is_category or has_many_levels(column) else max(1, len(column.levels or ()) - 1)


def _with_rows(table: Table) -> Table:
    if not table.places:
        raise FrameError("0 feature(s) (shape=(n, 0)) while a minimum of 1 is required", "give a column")
    if table.height < 1:
        raise FrameError("Found array with 0 sample(s) while a minimum of 1 is required", "give rows")
    return table


def _along(values: ArrayLike | None, name: str, kept: NDArray[np.bool_]) -> NDArray[Any] | None:
    if values is None:
        return None
    found = np.asarray(values)
    if found.shape != kept.shape:
        raise FrameError(f"{name} has shape {found.shape}, and there are {len(kept)} rows", "give one value a row")
    lost = int(missing_in(found).sum())
    if lost:
        raise FrameError(f"{name} is missing in {lost:,} rows", "give one value a row")
    return found[kept]
