"""How a risk model is fitted: a penalised margin first, then as many trees as help people it has not seen.

1. The rows are split into folds; people of one group lie in one fold.
2. The margin (`margin.py`) is fitted without each fold in turn. The penalty is the one whose margins describe the folds
   they were not fitted on best.
3. For each fold in turn, margin and trees are fitted on the others and judged by it. Trees are boosted from margins of
   which each was fitted without the row's own fold (and without the judging fold, `training.py`), so that they see what
   the margin makes of new people. Shape and number of trees are those that describe the judging folds best, and they
   count as far as their gain stands out from its standard error; within one there is no tree.
4. Trees are boosted from the intercept alone, too, and judged in the same way. The model is a mean of both, with the
   share of the second that describes the judging folds best, as far as that gain stands out from its standard error.
5. The calibration line is laid through the predictions of the judging folds, each with as many trees as the others ask
   for.
6. Margin and trees are fitted once more in the same way, on all rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ageingwell.evaluation.calibration import Line
from ageingwell.model.choosing import Judged, Progress, Trial, grow_trees, judge_shape, judge_trees, share_of_second
from ageingwell.model.choosing import Recipe as Recipe
from ageingwell.model.columns import Column
from ageingwell.model.fitted import AS_IT_IS, NO_RANGE, FittedRisk, Range, range_of
from ageingwell.model.folds import Split, folds_of, splits_of
from ageingwell.model.levels import has_many_levels
from ageingwell.model.line import shrunken_line
from ageingwell.model.margin import Curve, mean_margin
from ageingwell.model.training import (
    MarginFit,
    Margins,
    Training,
    fit_margin,
    losses_on_path,
    rows_to_fit,
    rows_to_judge,
)
from ageingwell.model.trees import joined

Floats = NDArray[np.float64]
# The penalty where there are too few events to choose one.
MIDDLE_PENALTY = 10.0


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
    n_parts = 2 if chosen.blends else 1
    first = _judged(Margins(training, _choose_penalty(training, chosen)), splits, chosen, _part_of(tell, 0, n_parts))
    second = _judged(Margins(training, np.inf), splits, chosen, _part_of(tell, 1, n_parts)) if chosen.blends else first
    share = share_of_second(first.judged, second.judged) if chosen.blends else 0.0
    parts = [replace(part, share=one) for part, one in ((first, 1 - share), (second, share)) if one]
    score = np.sum([part.share * part.judged.score for part in parts], axis=0)
    line, spread = _calibrated(replace(first.judged, score=score))
    booster = joined([_grown(part, chosen) for part in parts])
    return replace(_fitted(training, _mean_margin(parts), booster), line=line, spread=spread)


@dataclass(frozen=True)
class Part:
    """One way to a risk: the margins boosted from, the trees judged, and the share of it in the model."""

    margins: Margins
    judged: Judged
    share: float = 1.0


def _judged(margins: Margins, splits: Sequence[Split], recipe: Recipe, tell: Progress) -> Part:
    """Choose the trees boosted from these margins."""
    training = margins.training
    few = splits if len(training.outcome) <= recipe.rows_to_choose else splits[:2]
    best = judge_trees([_trial(margins, split) for split in few], training, recipe, tell)
    if len(few) < len(splits):
        # Two folds of even a large set tell a slope no better than to 0.05.
        best = judge_shape((_trial(margins, split) for split in splits), training, recipe, shape=best.shape)
    return Part(margins, best)


def _grown(part: Part, recipe: Recipe) -> lgb.Booster:
    """The trees of a part, grown on all rows and multiplied by its share."""
    training, judged = part.margins.training, part.judged
    rows = rows_to_fit(part.margins, np.ones(len(training.outcome), dtype=bool))
    share = judged.share * part.share
    return grow_trees(rows, training, recipe, shape=judged.shape, n_trees=judged.n_trees, share=share)


def _mean_margin(parts: Sequence[Part]) -> MarginFit:
    """The margins of the parts on all rows, added up by their shares."""
    fits = [part.margins.of(np.ones(len(part.margins.training.outcome), dtype=bool)) for part in parts]
    return replace(fits[0], margin=mean_margin([fit.margin for fit in fits], [part.share for part in parts]))


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


def _part_of(tell: Progress, number: int, n_parts: int) -> Progress:
    """Tell how far one of several parts is as how far the whole is."""
    return lambda stage, done: tell(stage, (number + done) / n_parts)


def _trial(margins: Margins, split: Split) -> Trial:
    """The two parts of a split; the judging rows had no part in what describes the fitting rows."""
    judge = rows_to_judge(margins.training.part(split.judge), margins.of(split.fit))
    return Trial(rows_to_fit(margins, split.fit), judge)


def _calibrated(judged: Judged) -> tuple[Line, Range]:
    """The calibration line through the judging rows' scores, and how far what happened lies from it."""
    if not len(judged.outcome):
        return AS_IT_IS, NO_RANGE
    line = shrunken_line(judged.outcome, judged.score, weight=judged.weight)
    return line, range_of(judged.outcome, line.intercept + line.slope * judged.score)


def _without_trees(training: Training, recipe: Recipe) -> FittedRisk:
    """Too few events to judge anything by: a firmly penalised margin, no tree, no calibration."""
    final = fit_margin(training, MIDDLE_PENALTY)
    rows = rows_to_judge(training, final)
    return _fitted(training, final, grow_trees(rows, training, recipe, shape=recipe.shapes[0], n_trees=0))


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
