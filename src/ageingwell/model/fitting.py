"""How a risk model is fitted: a penalised margin first, then as many shallow trees as help people it has not seen.

1. The rows are split into folds; people of one group lie in one fold.
2. The margin (`margin.py`) is fitted without each fold in turn. The penalty is the one whose margins describe the folds
   they were not fitted on best.
3. Trees are boosted from these margins, so that they see what the margin makes of new people, not of those it was
   fitted on. Shape and number of trees are those that describe the judging folds best; no tree at all is a choice.
4. The calibration line is laid through the predictions of the judging folds.
5. Margin and trees are fitted once more, on all rows.
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
from ageingwell.model.levels import as_numbers, as_numbers_unseen, tables_of
from ageingwell.model.line import shrunken_line
from ageingwell.model.logistic import ridge_logistic
from ageingwell.model.margin import Curve, Margin, design_of, has_many_levels
from ageingwell.model.trees import SHAPES, Rows, Shape, fit_trees, losses_by_trees

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Progress = Callable[[str, float], None]
# The penalty where there are too few events to choose one.
MIDDLE_PENALTY = 10.0


@dataclass(frozen=True)
class Recipe:
    """What the fit may choose from. `shapes` are tried in order, until one is no better than the one before."""

    penalties: tuple[float, ...] = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
    shapes: tuple[Shape, ...] = SHAPES
    most_trees: int = 600
    patience: int = 40
    n_folds: int = 5
    seed: int = 1
    threads: int = 1
    # The penalty is chosen on at most so many rows; with more rows two folds judge the trees, not all.
    rows_to_choose: int = 20_000
    # Go through all shapes, as a search does.
    try_all_shapes: bool = False


@dataclass(frozen=True)
class Training:
    """What is fitted: `codes` (n, p) from `to_matrix`, `outcome` of 0 and 1, `weight`, `fold`, each (n,)."""

    codes: Floats
    outcome: Floats
    weight: Floats
    fold: Ints
    columns: tuple[Column, ...]
    signs: tuple[int, ...]

    def part(self, rows: NDArray[np.bool_] | Ints) -> "Training":
        """Some of the rows."""
        return replace(
            self,
            codes=self.codes[rows],
            outcome=self.outcome[rows],
            weight=self.weight[rows],
            fold=self.fold[rows],
        )


@dataclass(frozen=True)
class MarginFit:
    """A margin on a training's values, and the tables that turn its categories into numbers."""

    margin: Margin
    tables: tuple[Floats | None, ...]
    columns: tuple[Column, ...]

    def log_odds(self, codes: Floats) -> Floats:
        """The margin of rows that were not fitted on."""
        return self.margin.log_odds(mixed(codes, as_numbers(codes, self.tables), self.columns))


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
    margins = _margins_unseen(training, penalty)
    numbers = as_numbers_unseen(codes, y, weight=w, columns=training.columns, fold=fold)
    rows = Rows(numbers, y, w, margins)
    judged = splits if len(y) <= chosen.rows_to_choose else splits[:2]
    starts = [_start_of_split(training, split, rows, penalty, is_fold=time is None) for split in judged]
    best = _choose_trees(rows, judged, starts, training, chosen, tell)
    line, spread = _calibrated(rows, judged, starts, best)
    final = _fit_margin(training, penalty)
    booster = fit_trees(
        rows,
        names=tree_names(training.columns),
        shape=best.shape,
        signs=training.signs,
        n_trees=best.n_trees,
        seed=chosen.seed,
        threads=chosen.threads,
    )
    return replace(_fitted(training, final, booster), line=line, spread=spread)


def tree_names(columns: Sequence[Column]) -> list[str]:
    """The features' names as LightGBM can write them; numbered where a name holds anything but letters and digits."""
    names = [column.name for column in columns]
    plain = all(name.isascii() and name.replace("_", "a").isalnum() for name in names)
    return names if plain else [f"feature_{place}" for place in range(len(names))]


def mixed(codes: Floats, numbers: Floats, columns: Sequence[Column]) -> Floats:
    """What the margin sees: categories of few levels as codes, those of many as their levels' log-odds."""
    many = [place for place, column in enumerate(columns) if has_many_levels(column)]
    if not many:
        return codes
    made = codes.copy(order="F")
    made[:, many] = numbers[:, many]
    return made


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
        losses += _losses_on_path(some.part(~away), some.part(away), recipe.penalties)
    return recipe.penalties[int(losses.argmin())]


def _losses_on_path(fit: Training, judge: Training, penalties: Sequence[float]) -> Floats:
    """The log loss on the rows that judge, for each penalty; each fit starts from the one before."""
    if fit.outcome.min(initial=1) == fit.outcome.max(initial=0):
        return np.zeros(len(penalties))
    values, tables = _seen(fit)
    design = design_of(values, fit.columns, signs=fit.signs)
    columns = design.matrix(values)
    judged = design.matrix(mixed(judge.codes, as_numbers(judge.codes, tables), judge.columns))
    beta, losses = None, []
    for penalty in penalties:
        beta = ridge_logistic(
            columns, fit.outcome, weight=fit.weight, penalty=penalty, lower=design.lower, start=beta, close=1e-3
        )
        odds = judged @ beta[:-1] + beta[-1]
        losses.append(float((judge.weight * (np.logaddexp(0.0, odds) - judge.outcome * odds)).sum()))
    return np.array(losses)


def _seen(fit: Training) -> tuple[Floats, tuple[Floats | None, ...]]:
    """What a margin is fitted on, and the tables that describe other rows in the same way."""
    unseen = as_numbers_unseen(fit.codes, fit.outcome, weight=fit.weight, columns=fit.columns, fold=fit.fold)
    tables = tables_of(fit.codes, fit.outcome, weight=fit.weight, columns=fit.columns)
    return mixed(fit.codes, unseen, fit.columns), tables


def _fit_margin(fit: Training, penalty: float) -> MarginFit:
    values, tables = _seen(fit)
    design = design_of(values, fit.columns, signs=fit.signs)
    beta = ridge_logistic(design.matrix(values), fit.outcome, weight=fit.weight, penalty=penalty, lower=design.lower)
    return MarginFit(design.margin(beta), tables, fit.columns)


def _margins_unseen(training: Training, penalty: float) -> Floats:
    """Each row's margin from a fit without its fold."""
    margins = np.empty(len(training.outcome))
    for fold in np.unique(training.fold):
        away = training.fold == fold
        margins[away] = _fit_margin(training.part(~away), penalty).log_odds(training.codes[away])
    return margins


def _start_of_split(training: Training, split: Split, rows: Rows, penalty: float, *, is_fold: bool) -> Rows:
    """The rows that judge a split, with the margin and the categories' log-odds as its own fit describes them."""
    if is_fold:
        return rows.part(split.judge)
    fit = training.part(split.fit)
    made = _fit_margin(fit, penalty)
    codes = training.codes[split.judge]
    return Rows(
        as_numbers(codes, made.tables), rows.outcome[split.judge], rows.weight[split.judge], made.log_odds(codes)
    )


def _choose_trees(
    rows: Rows, splits: Sequence[Split], starts: Sequence[Rows], training: Training, recipe: Recipe, tell: Progress
) -> Grown:
    """Grow trees of each shape on each split and keep the shape and the number that describe the judging rows best."""
    best: Grown | None = None
    for number, shape in enumerate(recipe.shapes):
        grown = _grow(rows, splits, starts, training, recipe, shape)
        tell("trees", (number + 1) / len(recipe.shapes))
        if best is None or grown.losses.min() < best.losses.min():
            best = grown
        elif not recipe.try_all_shapes:
            break
    if best is None:
        raise ValueError("a recipe needs at least one shape")
    return best


def _grow(
    rows: Rows, splits: Sequence[Split], starts: Sequence[Rows], training: Training, recipe: Recipe, shape: Shape
) -> Grown:
    grown = [
        losses_by_trees(
            rows.part(split.fit),
            start,
            names=tree_names(training.columns),
            shape=shape,
            signs=training.signs,
            most=recipe.most_trees,
            patience=recipe.patience,
            seed=recipe.seed,
            threads=recipe.threads,
        )
        for split, start in zip(splits, starts)
    ]
    if not grown:
        return Grown(shape, (), np.zeros(1))
    longest = max(len(losses) for _, losses in grown)
    # A split that stopped early got no better: its last loss stands for what would have followed.
    drawn_on = [np.pad(losses, (0, longest - len(losses)), mode="edge") for _, losses in grown]
    sizes = [start.weight.sum() for start in starts]
    return Grown(shape, tuple(booster for booster, _ in grown), np.average(drawn_on, axis=0, weights=sizes))


def _calibrated(rows: Rows, splits: Sequence[Split], starts: Sequence[Rows], best: Grown) -> tuple[Line, Range]:
    """The calibration line through the judging rows' predictions, and how far what happened lies from it."""
    if not splits:
        return AS_IT_IS, NO_RANGE
    score = np.concatenate(
        [
            start.margin
            if best.n_trees == 0
            else start.margin + booster.predict(start.matrix, raw_score=True, num_iteration=best.n_trees, num_threads=1)
            for booster, start in zip(best.boosters, starts)
        ]
    )
    outcome = np.concatenate([start.outcome for start in starts])
    line = shrunken_line(outcome, score, weight=np.concatenate([start.weight for start in starts]))
    return line, range_of(outcome, line.intercept + line.slope * score)


def _without_trees(training: Training, recipe: Recipe) -> FittedRisk:
    """Too few events to judge anything by: a firmly penalised margin, no tree, no calibration."""
    final = _fit_margin(training, MIDDLE_PENALTY)
    numbers = as_numbers(training.codes, final.tables)
    rows = Rows(numbers, training.outcome, training.weight, final.log_odds(training.codes))
    booster = fit_trees(
        rows,
        names=tree_names(training.columns),
        shape=recipe.shapes[0],
        signs=training.signs,
        n_trees=0,
        seed=recipe.seed,
        threads=recipe.threads,
    )
    return _fitted(training, final, booster)


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
