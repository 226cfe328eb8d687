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
5. The calibration line, with a term by age where the recipe names the feature, is laid through the predictions of the
   judging folds, each with as many trees as the others ask for.
6. Margin and trees are fitted once more in the same way, on all rows; the trees by several seeds and on other folds
   each time, and the model has their mean.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ageingwell.model.bend import STRAIGHT, bend_of
from ageingwell.model.calibrating import line_by_age
from ageingwell.model.choosing import (
    Judged,
    Progress,
    Trial,
    grow_trees,
    in_bins,
    is_better,
    judge_shape,
    judge_trees,
    share_of_second,
    trial_of,
)
from ageingwell.model.choosing import Recipe as Recipe
from ageingwell.model.columns import Column
from ageingwell.model.fitted import FittedRisk, Sampled
from ageingwell.model.folds import Split, folds_of, splits_of
from ageingwell.model.levels import has_many_levels, own_codes
from ageingwell.model.line import shrunken_line
from ageingwell.model.margin import Curve, mean_margin
from ageingwell.model.order import canonical_order, in_mean_one
from ageingwell.model.ranges import range_of
from ageingwell.model.sampling import Sample, SampledWarning, sample_of
from ageingwell.model.training import (
    MarginFit,
    Margins,
    Tables,
    Training,
    losses_on_path,
    margin_to_fit,
    rows_to_fit,
    rows_to_judge,
)
from ageingwell.model.trees import Binned, joined

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# The penalty where there are too few events to choose one.
MIDDLE_PENALTY = 10.0
# Seeds of one fit lie so far apart that those of a search, one after the other, share none.
APART = 7919


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
    rows give the same model, bit for bit, in any order and on any number of threads. Of more rows than
    `recipe.most_rows` a sample is fitted on (`sampling.py`), with a `SampledWarning`.
    """
    chosen, tell = recipe or Recipe(), progress or (lambda stage, done: None)
    y = np.asarray(outcome, dtype=float)
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    made = Training(codes, y, w, np.zeros(len(y), dtype=np.int64), tuple(columns), tuple(signs))
    order = canonical_order(codes, y, weight=w, groups=groups, time=time)
    sample = sample_of(y[order], groups=_some(groups, order), most=chosen.most_rows, seed=chosen.seed)
    if sample is None:
        return _fit(made.part(order), _some(groups, order), _some(time, order), None, chosen, tell)
    rows = order[sample.rows]
    part = made.part(rows)
    part = replace(part, weight=in_mean_one(part.weight * sample.stands_for))
    told = Sampled(len(y), len(rows), int(y.sum()), int(part.outcome.sum()))
    warnings.warn(told.in_words(), SampledWarning, stacklevel=3)
    fitted = _fit(part, _some(groups, rows), _some(time, rows), sample, chosen, tell)
    # What describes the values alone is known of all rows.
    return replace(fitted, typical=_typical(made), missing_in_training=_missing(made), sampled=told)


def _some(values: ArrayLike | None, rows: Ints) -> ArrayLike | None:
    return None if values is None else np.asarray(values)[rows]


def _fit(
    rows: Training,
    groups: ArrayLike | None,
    time: ArrayLike | None,
    sample: Sample | None,
    chosen: Recipe,
    tell: Progress,
) -> FittedRisk:
    """Fit on all of the rows, whose folds are drawn here."""
    y = rows.outcome
    n_folds = _folds_that_fit(y, groups, chosen.n_folds)
    fold = folds_of(y, groups=groups, n=max(n_folds, 1), seed=chosen.seed)
    training = replace(rows, fold=fold)
    if n_folds < 2:
        return _without_trees(training, chosen)
    splits = _usable(splits_of(fold, time=time), y)
    tell("penalty", 0.0)
    margins = Margins(training, _choose_penalty(training, chosen))
    first, trials = _by_best_sets(margins, splits, chosen, _part_of(tell, 0, 2 if chosen.blends else 1))
    parts = _blended(first, trials, splits, chosen, _part_of(tell, 1, 2)) if chosen.blends else [first]
    score = np.sum([part.share * part.judged.score for part in parts], axis=0)
    booster = joined(_grown_again_and_again(parts, groups, chosen))
    fitted = _fitted(first.margins.training, _mean_margin(parts), booster)
    places = np.concatenate([np.flatnonzero(split.judge) for split in splits] or [np.empty(0, dtype=np.int64)])
    return _calibrated(fitted, replace(first.judged, score=score), first.margins.training.codes, places, sample, chosen)


@dataclass(frozen=True)
class Part:
    """One way to a risk: the margins boosted from, the trees judged, and the share of it in the model."""

    margins: Margins
    judged: Judged
    share: float = 1.0


def _by_best_sets(
    margins: Margins, splits: Sequence[Split], recipe: Recipe, tell: Progress
) -> tuple[Part, list[Trial]]:
    """Margin and trees, with categories of 31 to 250 levels in sets where that describes the judging rows better.

    By more than chance: else each level stays one number, its log-odds.
    """
    places = margins.training.may_be_sets
    if not places:
        return _first(margins, splits, recipe, tell)
    as_numbers = _first(margins, splits, recipe, _part_of(tell, 0, 2))
    in_sets = _first(margins.in_sets(places), splits, recipe, _part_of(tell, 1, 2))
    return in_sets if is_better(in_sets[0].judged, as_numbers[0].judged) else as_numbers


def _first(margins: Margins, splits: Sequence[Split], recipe: Recipe, tell: Progress) -> tuple[Part, list[Trial]]:
    trials = [_trial(margins, split) for split in splits]
    best = judge_trees(_few(trials, margins.training, recipe), margins.training, recipe, tell)
    return Part(margins, _by_all(best, trials, margins.training, recipe)), trials


def _few(trials: Sequence[Trial], training: Training, recipe: Recipe) -> Sequence[Trial]:
    """The trials that choose the shape of the trees: of a large set two do."""
    return trials if len(training.outcome) <= recipe.rows_to_choose else trials[:2]


def _by_all(best: Judged, trials: Sequence[Trial], training: Training, recipe: Recipe) -> Judged:
    """The trees of the shape that a few trials chose, judged by all: two tell a slope no better than to 0.05."""
    if len(_few(trials, training, recipe)) == len(trials):
        return best
    return judge_shape(trials, training, recipe, shape=best.shape)


def _blended(
    first: Part, trials: Sequence[Trial], splits: Sequence[Split], recipe: Recipe, tell: Progress
) -> list[Part]:
    """The first way and trees from the intercept alone, with their shares; the first alone where that is all of it.

    Of a large set two trials say first whether the second way is of any use, before all judge it.
    """
    training = first.margins.training
    margins = Margins(training, np.inf)
    plain = [
        trial.boosted_from(margin_to_fit(margins, split.fit), _margin_to_judge(margins, split))
        for trial, split in zip(trials, splits)
    ]
    few = _few(plain, training, recipe)
    beside = first.judged.head(sum(len(trial.judge.outcome) for trial in few))
    best = judge_trees(few, training, recipe, tell, beside=beside)
    if not share_of_second(beside, best):
        return [first]
    judged = _by_all(best, plain, training, recipe)
    share = share_of_second(first.judged, judged)
    both = ((first, 1 - share), (Part(margins, judged), share))
    return [replace(part, share=one) for part, one in both if one]


def _grown(part: Part, bins: Binned, recipe: Recipe) -> lgb.Booster:
    """The trees of a part, grown on all rows and multiplied by its share."""
    training, judged = part.margins.training, part.judged
    margin, share = margin_to_fit(part.margins, training.all_rows), judged.share * part.share
    return grow_trees(bins, margin, training, recipe, shape=judged.shape, n_trees=judged.n_trees, share=share)


def _grown_again_and_again(parts: Sequence[Part], groups: ArrayLike | None, recipe: Recipe) -> list[lgb.Booster]:
    """The trees of all parts, grown by several seeds on margins of other folds each time, and counted for their mean.

    What chance decides in one growth, who stands in which fold and which rows and features a tree may see, would
    otherwise move people up and down the list.
    """
    training, grown = parts[0].margins.training, []
    bins = in_bins(rows_to_fit(parts[0].margins, training.all_rows), training)
    repeats = recipe.repeats if any(part.judged.n_trees for part in parts) else 1
    for number in range(repeats):
        chosen, ours = replace(recipe, seed=recipe.seed + number * APART), parts
        if number:
            n_folds = int(training.fold.max()) + 1
            fold = folds_of(training.outcome, groups=groups, n=n_folds, seed=chosen.seed)
            ours = [replace(part, margins=part.margins.on_other_folds(fold)) for part in parts]
            if training.many:
                bins = in_bins(rows_to_fit(ours[0].margins, training.all_rows), training)
        # Trees of each seed in turn, so that a part without trees is written once.
        grown += [
            _grown(replace(part, share=part.share / repeats), bins, chosen)
            for part in ours
            if part.judged.n_trees or not number
        ]
    return grown


def _mean_margin(parts: Sequence[Part]) -> MarginFit:
    """The margins of the parts on all rows, added up by their shares."""
    fits = [part.margins.of(part.margins.training.all_rows) for part in parts]
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
    draw = np.random.default_rng(recipe.seed).permutation(len(training.outcome))
    some = np.isin(np.arange(len(draw)), draw[: recipe.rows_to_choose])
    losses, known = np.zeros(len(recipe.penalties)), dict[float, Floats]()
    for fold in np.unique(training.fold[some]):
        away = training.fold == fold
        losses += losses_on_path(training, some & ~away, some & away, recipe.penalties, known=known)
    return recipe.penalties[int(losses.argmin())]


def _part_of(tell: Progress, number: int, n_parts: int) -> Progress:
    """Tell how far one of several parts is as how far the whole is."""
    return lambda stage, done: tell(stage, (number + done) / n_parts)


def _trial(margins: Margins, split: Split) -> Trial:
    """The two parts of a split; the judging rows had no part in what describes the fitting rows."""
    judge = rows_to_judge(margins.training.part(split.judge), margins.of(split.fit))
    return trial_of(rows_to_fit(margins, split.fit), judge, margins.training)


def _margin_to_judge(margins: Margins, split: Split) -> Floats:
    return margins.of(split.fit).log_odds(margins.training.codes[split.judge])


def _calibrated(
    fitted: FittedRisk, judged: Judged, codes: Floats, places: NDArray[np.int64], sample: Sample | None, recipe: Recipe
) -> FittedRisk:
    """The model with the line through the judging rows' scores, its bend, and how far what happened lies from both.

    `codes` is the matrix of all rows, and `places` where the judging rows stand in it.
    """
    if not len(judged.outcome):
        return fitted
    model, score = _with_line(fitted, judged, codes, places, recipe)
    straight, like_all = model.line.intercept + model.line.slope * score, np.ones(len(judged.outcome), dtype=bool)
    bend = bend_of(judged.outcome, straight, weight=judged.weight) if recipe.bends else STRAIGHT
    odds = bend.log_odds(straight)
    if sample is not None:
        # The range counts people, so the sample is thinned to a smaller one in which the outcome is as rare as in all.
        like_all = sample.like_all(places, seed=recipe.seed)
    return replace(model, bend=bend, spread=range_of(judged.outcome[like_all], odds[like_all]))


def _with_line(
    fitted: FittedRisk, judged: Judged, codes: Floats, places: NDArray[np.int64], recipe: Recipe
) -> tuple[FittedRisk, Floats]:
    """The model with its line and, where it may have one, its term by age; and the judging rows' scores with it."""
    curve = fitted.age_curve if recipe.age is not None and recipe.age == fitted.age_feature else None
    if curve is None:
        line = shrunken_line(judged.outcome, judged.score, weight=judged.weight)
        return replace(fitted, line=line), judged.score
    age, feature = fitted.age_of(codes)[places], fitted.age_feature
    line, term = line_by_age(judged.outcome, judged.score, age, weight=judged.weight, feature=feature, curve=curve)
    return replace(fitted, line=line, by_age=term), term.score(judged.score, age)


def _without_trees(training: Training, recipe: Recipe) -> FittedRisk:
    """Too few events to judge anything by: a firmly penalised margin, no tree, no calibration."""
    final = Margins(training, MIDDLE_PENALTY).of(training.all_rows)
    rows = rows_to_judge(training, final)
    bins = in_bins(rows, training)
    return _fitted(training, final, grow_trees(bins, rows.margin, training, recipe, shape=recipe.shapes[0], n_trees=0))


def _fitted(training: Training, final: MarginFit, booster: lgb.Booster) -> FittedRisk:
    curves = [
        _over_codes(curve, table) if table is not None and has_many_levels(column) else curve
        for curve, table, column in zip(final.margin.curves, final.tables, training.columns)
    ]
    return FittedRisk(
        booster,
        training.columns,
        replace(final.margin, curves=tuple(curves)),
        _seen_by_trees(training, final.tables),
        _typical(training),
        _missing(training),
    )


def _seen_by_trees(training: Training, tables: Tables) -> tuple[tuple[float, ...] | None, ...]:
    """What the trees see of each category's codes: log-odds, or the codes themselves where they part levels in sets."""
    seen = [own_codes(c) if place in training.sets else tables[place] for place, c in enumerate(training.columns)]
    return tuple(None if table is None else tuple(table.tolist()) for table in seen)


def _typical(training: Training) -> tuple[float, ...]:
    """The median of each number, 0 of a category or where there is none."""
    return tuple(
        0.0 if column.is_category or np.isnan(values).all() else float(np.nanmedian(values))
        for column, values in zip(training.columns, training.codes.T)
    )


def _missing(training: Training) -> frozenset[str]:
    """The features that are missing in some row."""
    return frozenset(
        column.name for column, values in zip(training.columns, training.codes.T) if np.isnan(values).any()
    )


def _over_codes(curve: Curve, table: Floats) -> Curve:
    """The curve over a category's log-odds, as a table over its codes; the unseen one, -1, is the table's last."""
    heights = curve.heights(np.append(table[-1], table[:-1]))
    return Curve(tuple(np.arange(-1.0, len(table) - 1).tolist()), tuple(heights.tolist()), 0.0)
