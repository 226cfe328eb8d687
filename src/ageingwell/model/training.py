"""The rows a model is fitted on, and margins and numbers that describe rows without their own outcomes.

Whatever describes a row that trees are fitted on must not know the row's outcome, and whatever trees are judged by must
not have met the judging rows' outcomes anywhere: neither in the margins nor in the categories' log-odds of the rows
they were fitted on. So a split's two parts are described from its fitting part alone. What knows no outcome, the knots
of the curves and the spread of a number, is taken from all rows once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from ageingwell.model.columns import Column
from ageingwell.model.levels import MOST_LEVELS_IN_SETS, as_numbers, as_numbers_unseen, has_many_levels, tables_of
from ageingwell.model.logistic import Solution, rounded, solve
from ageingwell.model.margin import Design, Margin, design_of
from ageingwell.model.order import rows_of
from ageingwell.model.trees import Rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Tables = tuple[Floats | None, ...]


@dataclass(frozen=True)
class Training:
    """What is fitted: `codes` (n, p) from `to_matrix`, `outcome` of 0 and 1, `weight`, `fold`, each (n,)."""

    codes: Floats
    outcome: Floats
    weight: Floats
    fold: Ints
    columns: tuple[Column, ...]
    signs: tuple[int, ...]
    # The places of categories of many levels that the trees part in sets of levels, as they do those of few.
    sets: tuple[int, ...] = ()

    def part(self, rows: Bools | Ints) -> "Training":
        """Some of the rows."""
        return replace(
            self,
            codes=rows_of(self.codes, rows),
            outcome=self.outcome[rows],
            weight=self.weight[rows],
            fold=self.fold[rows],
        )

    @property
    def has_both(self) -> bool:
        """Whether there are rows with and rows without the outcome."""
        return bool(self.outcome.min(initial=1) < self.outcome.max(initial=0))

    @property
    def all_rows(self) -> Bools:
        """The mask of all rows (n,)."""
        return np.ones(len(self.outcome), dtype=bool)

    @cached_property
    def many(self) -> tuple[int, ...]:
        """The places of categories of many levels, which are described by their rows' outcomes."""
        return tuple(place for place, column in enumerate(self.columns) if has_many_levels(column))

    @property
    def may_be_sets(self) -> tuple[int, ...]:
        """The places of those whose levels trees could part in sets: not too many, and free to move either way."""
        return tuple(
            place for place in self.many if self.columns[place].n_codes <= MOST_LEVELS_IN_SETS and not self.signs[place]
        )

    def numbers(self, log_odds: Floats) -> Floats:
        """What trees see of the rows: levels by their `log_odds`, or by codes where they are parted in sets."""
        if not self.sets:
            return log_odds
        made = log_odds.copy(order="F")
        made[:, self.sets] = self.codes[:, self.sets]
        return made

    @cached_property
    def design(self) -> Design:
        """The terms of all other features, which know no outcome."""
        others = [place for place in range(len(self.columns)) if place not in self.many]
        return design_of(self.codes, self.columns, signs=self.signs, places=others)

    @cached_property
    def matrix(self) -> Floats:
        """These terms for all rows, (n, q)."""
        return self.design.matrix(self.codes)


@dataclass(frozen=True)
class MarginFit:
    """A margin on a training's values, and the tables that turn its categories into numbers."""

    margin: Margin
    tables: Tables
    columns: tuple[Column, ...]

    def log_odds(self, codes: Floats) -> Floats:
        """The margin of rows that were not fitted on."""
        return self.margin.log_odds(mixed(codes, as_numbers(codes, self.tables), self.columns))


def mixed(codes: Floats, numbers: Floats, columns: Sequence[Column]) -> Floats:
    """What the margin sees: categories of few levels as codes, those of many as their levels' log-odds."""
    many = [place for place, column in enumerate(columns) if has_many_levels(column)]
    if not many:
        return codes
    made = codes.copy(order="F")
    made[:, many] = numbers[:, many]
    return made


@dataclass(frozen=True)
class _Described:
    """Some rows of a training as a margin is fitted on them: the terms, their values (m, q), and the tables."""

    design: Design
    values: Floats
    tables: Tables

    def others(self, training: Training, rows: Ints) -> Floats:
        """The terms of other rows of the training, whose categories are told by the tables."""
        return _values(training, self.design, rows, as_numbers(training.codes[rows], self.tables))


def _described(training: Training, rows: Ints) -> _Described:
    """Categories of many levels get terms of their own from these rows, each row's number without its own outcome."""
    part = training.part(rows)
    tables = tables_of(part.codes, part.outcome, weight=part.weight, columns=part.columns)
    unseen = as_numbers_unseen(part.codes, part.outcome, weight=part.weight, columns=part.columns, fold=part.fold)
    own = design_of(unseen, part.columns, signs=part.signs, places=training.many)
    design = training.design.beside(own)
    return _Described(design, _values(training, design, rows, unseen), tables)


def _values(training: Training, design: Design, rows: Ints, numbers: Floats) -> Floats:
    """The values of a design at some rows, the shared terms as they are already."""
    n_shared = len(training.design.terms)
    shared = training.matrix if len(rows) == len(training.matrix) else training.matrix[rows]
    if len(design.terms) == n_shared:
        return shared
    own = Design(design.terms[n_shared:], design.lower[n_shared:], design.turn[n_shared:], design.n_features)
    return np.column_stack([shared, own.matrix(numbers)])


def losses_on_path(
    training: Training, fit: Bools, judge: Bools, penalties: Sequence[float], *, known: dict[float, Floats]
) -> Floats:
    """The log loss on the rows that judge, for each penalty; each fit starts from the one before.

    `known` keeps the curvature at each penalty, by which the next fold's fits step too.
    """
    chosen, away = np.flatnonzero(fit), np.flatnonzero(judge)
    outcome, weight = training.outcome[chosen], training.weight[chosen]
    if not outcome.min(initial=1) < outcome.max(initial=0):
        return np.zeros(len(penalties))
    described = _described(training, chosen)
    judged = described.others(training, away)
    lower, found, losses = described.design.lower, None, []
    for penalty in penalties:
        curvature = known.get(penalty)
        found = solve(
            described.values,
            outcome,
            weight=weight,
            penalty=penalty,
            lower=lower,
            start=found,
            curvature=curvature if curvature is not None and len(curvature) == len(lower) + 1 else None,
            close=1e-3,
        )
        known[penalty] = found.curvature
        odds = judged @ found.beta[:-1] + found.beta[-1]
        each = np.logaddexp(0.0, odds) - training.outcome[away] * odds
        losses.append(float((training.weight[away] * each).sum()))
    return np.array(losses)


@dataclass(frozen=True)
class Margins:
    """The margins of parts of a training, each fitted once: two folds left out are left out in either order.

    At an infinite penalty a margin is the intercept alone. Fits on some rows start from the one on all rows.
    """

    training: Training
    penalty: float
    made: dict[bytes, MarginFit] = field(default_factory=dict)

    def on_other_folds(self, fold: Ints) -> "Margins":
        """The margins where the rows are parted into other folds (n,); those that no fold enters are known already."""
        again = Margins(self._like(fold=fold), self.penalty)
        # So is the fit on all rows where no category is described by its rows'.
        if not self.training.many and not np.isinf(self.penalty):
            again.__dict__["_of_all"] = self._of_all
        return again

    def in_sets(self, places: tuple[int, ...]) -> "Margins":
        """The same margins, where trees part the levels of some categories of many in sets."""
        again = Margins(self._like(sets=places), self.penalty, self.made)
        if not np.isinf(self.penalty):
            again.__dict__["_of_all"] = self._of_all
        return again

    def _like(self, **changed: Any) -> Training:
        """The training with something changed that the curves' columns do not rest on."""
        made = replace(self.training, **changed)
        for name in ("many", "design", "matrix"):
            made.__dict__[name] = getattr(self.training, name)
        return made

    def of(self, rows: Bools) -> MarginFit:
        """The margin of these rows."""
        key = np.packbits(rows).tobytes()
        if key not in self.made:
            self.made[key] = self._flat(rows) if np.isinf(self.penalty) else self._fitted(rows)
        return self.made[key]

    def _flat(self, rows: Bools) -> MarginFit:
        """The intercept alone, with a curve of zeros for each feature."""
        part = self.training.part(rows)
        share = float(np.average(part.outcome, weights=part.weight))
        tables = tables_of(part.codes, part.outcome, weight=part.weight, columns=part.columns)
        design = self.training.design
        beta = np.append(np.zeros(len(design.terms)), round(float(logit(share)), 6))
        return MarginFit(design.margin(beta), tables, part.columns)

    def _fitted(self, rows: Bools) -> MarginFit:
        return self._of_all[0] if rows.all() else self._solved(rows, self._of_all[1])[0]

    @cached_property
    def _of_all(self) -> tuple[MarginFit, Solution]:
        return self._solved(self.training.all_rows, None)

    def _solved(self, rows: Bools, start: Solution | None) -> tuple[MarginFit, Solution]:
        training, chosen = self.training, np.flatnonzero(rows)
        described = _described(training, chosen)
        # A category of many levels may have no spread among these rows, and then no term.
        has_other_terms = start is not None and len(start.beta) != len(described.design.terms) + 1
        found = solve(
            described.values,
            training.outcome[chosen],
            weight=training.weight[chosen],
            penalty=self.penalty,
            lower=described.design.lower,
            start=None if has_other_terms else start,
        )
        margin = described.design.margin(rounded(found.beta))
        return MarginFit(margin, described.tables, training.columns), found


def rows_to_fit(margins: Margins, rows: Bools) -> Rows:
    """The rows as trees are fitted on them: margin and categories' log-odds of each from the other folds among them."""
    part = margins.training.part(rows)
    numbers = as_numbers_unseen(part.codes, part.outcome, weight=part.weight, columns=part.columns, fold=part.fold)
    return Rows(part.numbers(numbers), part.outcome, part.weight, margin_to_fit(margins, rows))


def margin_to_fit(margins: Margins, rows: Bools) -> Floats:
    """The margin of each of the rows from the other folds among them, in their order."""
    training, fold = margins.training, margins.training.fold
    found = np.empty(len(fold))
    for number in np.unique(fold[rows]):
        rest = rows & (fold != number)
        # Where all the events lie in one fold, its own rows serve.
        described_by = rest if 0 < training.outcome[rest].sum() < rest.sum() else rows
        away = rows & (fold == number)
        found[away] = margins.of(described_by).log_odds(training.codes[away])
    return found[rows]


def rows_to_judge(training: Training, fit: MarginFit) -> Rows:
    """Rows that a margin was not fitted on, as trees boosted from it are judged on them."""
    numbers = as_numbers(training.codes, fit.tables)
    return Rows(training.numbers(numbers), training.outcome, training.weight, fit.log_odds(training.codes))
