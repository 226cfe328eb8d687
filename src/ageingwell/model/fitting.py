"""How a risk model is fitted: a penalised margin first, then as many shallow trees as help people it has not seen.

1. The rows are split into folds; people of one group lie in one fold.
2. The margin (`margin.py`) is fitted without each fold in turn. The penalty is the one whose margins describe the folds
   they were not fitted on best.
3. For each fold in turn, margin and trees are fitted on the others and judged by it. Trees are boosted from margins of
   which each was fitted without the row's own fold (and without the judging fold, `training.py`), so that they see what
   the margin makes of new people. Shape and number of trees are those that describe the judging folds best; no tree at
   all is a choice.
4. The calibration line is laid through the predictions of the judging folds.
5. Margin and trees are fitted once more in the same way, on all rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ageingwell.evaluation.calibration import Line
from ageingwell.model.columns import Column
from ageingwell.model.fitted import AS_IT_IS, NO_RANGE, FittedRisk, Range, range_of
from ageingwell.model.folds import Split, folds_of, splits_of
from ageingwell.model.levels import has_many_levels
from ageingwell.model.line import shrunken_line
from ageingwell.model.margin import Curve
from ageingwell.model.training import MarginFit, Training, fit_margin, losses_on_path, rows_to_fit, rows_to_judge
from ageingwell.model.trees import SHAPES, Rows, Shape, fit_trees, losses_by_trees

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Progress = Callable[[str, float], None]
# The penalty where there are too few events to choose one.
MIDDLE_PENALTY = 10.0


@dataclass(frozen=True)
class Recipe:
    """What the fit may choose from. `shapes` are tried in order, until `worse_shapes` in a row bring nothing better."""

    penalties: tuple[float, ...] = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
    shapes: tuple[Shape, ...] = SHAPES
    most_trees: int = 600
    worse_shapes: int = 2
    patience: int = 40
    n_folds: int = 5
    seed: int = 1
    threads: int = 1
    # The penalty is chosen on at most so many rows; with more rows two folds judge the trees, not all.
    rows_to_choose: int = 20_000
    # Go through all shapes, as a search does.
    try_all_shapes: bool = False


@dataclass(frozen=True)
class Trial:
    """The rows of a split to fit trees on, and the rows that judge them."""

    fit: Rows
    judge: Rows


@dataclass(frozen=True)
class Grown:
    """Trees of one shape on each split, and the mean log loss after 0, 1, 2 … of them."""

    shape: Shape
    boosters: tuple[lgb.Booster, ...]
    losses: Floats

    @property
    def n_trees(self) -> int:
        """How many trees describe the judging rows best."""
        return int(self.losses.argmin())


def fit_risk(
    codes: Floats,
    outcome: ArrayLike,
    *,
    columns: Sequence[Column],
    signs: Sequence[int],
    weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    time: ArrayLike | None = None,
    recipe: Recipe | None = None,
    progress: Progress | None = None,
) -> FittedRisk:
    """Fit margin, trees and calibration line; see the top of this file.

    `codes` (n, p) is the matrix of `to_matrix`, `outcome` (n,) of 0 and 1, both of which must occur. Rows of one of the
    `groups` are never on both sides of an inner split; with `time`, later rows judge fits on earlier ones. The same
    arguments give the same model, bit for bit, on any number of threads.
    """
    chosen, tell = recipe or Recipe(), progress or (lambda stage, done: None)
    y = np.asarray(outcome, dtype=float)
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    n_folds = _folds_that_fit(y, groups, chosen.n_folds)
    fold = folds_of(y, groups=groups, n=max(n_folds, 1), seed=chosen.seed)
    training = Training(codes, y, w, fold, tuple(columns), tuple(signs))
    if n_folds < 2:
        return _without_trees(training, chosen)
    splits = _usable(splits_of(fold, time=time), y)
    tell("penalty", 0.0)
    penalty = _choose_penalty(training, chosen)
    judged = splits if len(y) <= chosen.rows_to_choose else splits[:2]
    trials = [_trial(training, split, penalty) for split in judged]
    best = _choose_trees(trials, training, chosen, tell)
    line, spread = _calibrated(trials, best)
    final = fit_margin(training, penalty)
    booster = _trees(rows_to_fit(training, penalty), training, chosen, shape=best.shape, n_trees=best.n_trees)
    return replace(_fitted(training, final, booster), line=line, spread=spread)


def tree_names(columns: Sequence[Column]) -> list[str]:
    """The features' names as LightGBM can write them; numbered where a name holds anything but letters and digits."""
    names = [column.name for column in columns]
    plain = all(name.isascii() and name.replace("_", "a").isalnum() for name in names)
    return names if plain else [f"feature_{place}" for place in range(len(names))]


def _folds_that_fit(outcome: Floats, groups: ArrayLike | None, asked: int) -> int:
    """As many folds as asked, unless events, non-events or groups are fewer."""
    rarer = int(min(outcome.sum(), len(outcome) - outcome.sum()))
    n_groups = len(outcome) if groups is None else len(np.unique(np.asarray(groups)))
    return min(asked, rarer, n_groups)


def _usable(splits: Sequence[Split], outcome: Floats) -> list[Split]:
    """The splits with both outcomes on both sides."""
    return [s for s in splits if all(0 < outcome[rows].sum() < rows.sum() for rows in (s.fit, s.judge))]


def _choose_penalty(training: Training, recipe: Recipe) -> float:
    """The penalty whose margins describe best the folds they were not fitted on."""
    some = training
    if len(training.outcome) > recipe.rows_to_choose:
        draw = np.random.default_rng(recipe.seed).permutation(len(training.outcome))[: recipe.rows_to_choose]
        some = training.part(np.sort(draw))
    losses = np.zeros(len(recipe.penalties))
    for fold in np.unique(some.fold):
        away = some.fold == fold
        losses += losses_on_path(some.part(~away), some.part(away), recipe.penalties)
    return recipe.penalties[int(losses.argmin())]


def _trial(training: Training, split: Split, penalty: float) -> Trial:
    """The two parts of a split; the judging rows had no part in what describes the fitting rows."""
    fit = training.part(split.fit)
    return Trial(rows_to_fit(fit, penalty), rows_to_judge(training.part(split.judge), fit_margin(fit, penalty)))


def _choose_trees(trials: Sequence[Trial], training: Training, recipe: Recipe, tell: Progress) -> Grown:
    """Grow trees of each shape on each trial and keep the shape and the number that describe the judging rows best."""
    best, worse = None, 0
    for number, shape in enumerate(recipe.shapes):
        grown = _grow(trials, training, recipe, shape)
        tell("trees", (number + 1) / len(recipe.shapes))
        if best is None or grown.losses.min() < best.losses.min():
            best, worse = grown, 0
        else:
            worse += 1
        if worse == recipe.worse_shapes and not recipe.try_all_shapes:
            break
    if best is None:
        raise ValueError("a recipe needs at least one shape")
    return best


def _grow(trials: Sequence[Trial], training: Training, recipe: Recipe, shape: Shape) -> Grown:
    grown = [
        losses_by_trees(
            trial.fit,
            trial.judge,
            names=tree_names(training.columns),
            categories=_categories(training.columns),
            shape=shape,
            signs=training.signs,
            most=recipe.most_trees,
            patience=recipe.patience,
            seed=recipe.seed,
            threads=recipe.threads,
        )
        for trial in trials
    ]
    if not grown:
        return Grown(shape, (), np.zeros(1))
    longest = max(len(losses) for _, losses in grown)
    # A split that stopped early got no better: its last loss stands for what would have followed.
    drawn_on = [np.pad(losses, (0, longest - len(losses)), mode="edge") for _, losses in grown]
    sizes = [trial.judge.weight.sum() for trial in trials]
    return Grown(shape, tuple(booster for booster, _ in grown), np.average(drawn_on, axis=0, weights=sizes))


def _trees(rows: Rows, training: Training, recipe: Recipe, *, shape: Shape, n_trees: int) -> lgb.Booster:
    return fit_trees(
        rows,
        names=tree_names(training.columns),
        categories=_categories(training.columns),
        shape=shape,
        signs=training.signs,
        n_trees=n_trees,
        seed=recipe.seed,
        threads=recipe.threads,
    )


def _categories(columns: Sequence[Column]) -> list[int]:
    """The places of the categories whose levels the trees part in sets."""
    return [place for place, column in enumerate(columns) if column.is_category and not has_many_levels(column)]


def _calibrated(trials: Sequence[Trial], best: Grown) -> tuple[Line, Range]:
    """The calibration line through the judging rows' predictions, and how far what happened lies from it."""
    if not trials:
        return AS_IT_IS, NO_RANGE
    score = np.concatenate(
        [
            trial.judge.margin
            if best.n_trees == 0
            else trial.judge.margin
            + booster.predict(trial.judge.matrix, raw_score=True, num_iteration=best.n_trees, num_threads=1)
            for booster, trial in zip(best.boosters, trials)
        ]
    )
    outcome = np.concatenate([trial.judge.outcome for trial in trials])
    line = shrunken_line(outcome, score, weight=np.concatenate([trial.judge.weight for trial in trials]))
    return line, range_of(outcome, line.intercept + line.slope * score)


def _without_trees(training: Training, recipe: Recipe) -> FittedRisk:
    """Too few events to judge anything by: a firmly penalised margin, no tree, no calibration."""
    final = fit_margin(training, MIDDLE_PENALTY)
    rows = rows_to_judge(training, final)
    return _fitted(training, final, _trees(rows, training, recipe, shape=recipe.shapes[0], n_trees=0))


def _fitted(training: Training, final: MarginFit, booster: lgb.Booster) -> FittedRisk:
    curves = [
        _over_codes(curve, table) if table is not None and has_many_levels(column) else curve
        for curve, table, column in zip(final.margin.curves, final.tables, training.columns)
    ]
    gaps = np.isnan(training.codes)
    typical = [
        0.0 if column.is_category or gaps[:, place].all() else float(np.nanmedian(training.codes[:, place]))
        for place, column in enumerate(training.columns)
    ]
    return FittedRisk(
        booster,
        training.columns,
        replace(final.margin, curves=tuple(curves)),
        tuple(None if table is None else tuple(table.tolist()) for table in final.tables),
        tuple(typical),
        frozenset(column.name for place, column in enumerate(training.columns) if gaps[:, place].any()),
    )


def _over_codes(curve: Curve, table: Floats) -> Curve:
    """The curve over a category's log-odds, as a table over its codes; the unseen one, -1, is the table's last."""
    heights = curve.heights(np.append(table[-1], table[:-1]))
    return Curve(tuple(np.arange(-1.0, len(table) - 1).tolist()), tuple(heights.tolist()), 0.0)
