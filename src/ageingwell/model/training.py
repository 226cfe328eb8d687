"""The rows a model is fitted on, and margins and numbers that describe rows without their own outcomes.

Whatever describes a row that trees are fitted on must not know the row's outcome, and whatever trees are judged by must
not have met the judging rows' outcomes anywhere: neither in the margins nor in the categories' log-odds of the rows
they were fitted on. So a split's two parts are described from its fitting part alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from ageingwell.model.columns import Column
from ageingwell.model.levels import as_numbers, as_numbers_unseen, has_many_levels, tables_of
from ageingwell.model.logistic import ridge_logistic
from ageingwell.model.margin import Margin, design_of
from ageingwell.model.trees import Rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


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

    @property
    def has_both(self) -> bool:
        """Whether there are rows with and rows without the outcome."""
        return bool(self.outcome.min(initial=1) < self.outcome.max(initial=0))


@dataclass(frozen=True)
class MarginFit:
    """A margin on a training's values, and the tables that turn its categories into numbers."""

    margin: Margin
    tables: tuple[Floats | None, ...]
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


def fit_margin(fit: Training, penalty: float) -> MarginFit:
    """The margin of these rows; at an infinite penalty the intercept alone."""
    values, tables = _seen(fit)
    design = design_of(values, fit.columns, signs=fit.signs)
    if np.isinf(penalty):
        share = float(np.average(fit.outcome, weights=fit.weight))
        beta = np.append(np.zeros(len(design.terms)), round(float(logit(share)), 6))
    else:
        beta = ridge_logistic(
            design.matrix(values), fit.outcome, weight=fit.weight, penalty=penalty, lower=design.lower
        )
    return MarginFit(design.margin(beta), tables, fit.columns)


def losses_on_path(fit: Training, judge: Training, penalties: Sequence[float]) -> Floats:
    """The log loss on the rows that judge, for each penalty; each fit starts from the one before."""
    if not fit.has_both:
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


@dataclass(frozen=True)
class Margins:
    """The margins of parts of a training, each fitted once: two folds left out are left out in either order."""

    training: Training
    penalty: float
    made: dict[bytes, MarginFit] = field(default_factory=dict)

    def of(self, rows: Bools) -> MarginFit:
        """The margin of these rows."""
        key = np.packbits(rows).tobytes()
        if key not in self.made:
            self.made[key] = fit_margin(self.training.part(rows), self.penalty)
        return self.made[key]


def rows_to_fit(margins: Margins, rows: Bools) -> Rows:
    """The rows as trees are fitted on them: margin and categories' log-odds of each from the other folds among them."""
    all_folds, part = margins.training, margins.training.part(rows)
    found = np.empty(len(part.outcome))
    for fold in np.unique(part.fold):
        rest = rows & (all_folds.fold != fold)
        # Where all the events lie in one fold, its own rows serve.
        described_by = rest if all_folds.part(rest).has_both else rows
        away = part.fold == fold
        found[away] = margins.of(described_by).log_odds(part.codes[away])
    numbers = as_numbers_unseen(part.codes, part.outcome, weight=part.weight, columns=part.columns, fold=part.fold)
    return Rows(numbers, part.outcome, part.weight, found)


def rows_to_judge(training: Training, fit: MarginFit) -> Rows:
    """Rows that a margin was not fitted on, as trees boosted from it are judged on them."""
    numbers = as_numbers(training.codes, fit.tables)
    return Rows(numbers, training.outcome, training.weight, fit.log_odds(training.codes))


def _seen(fit: Training) -> tuple[Floats, tuple[Floats | None, ...]]:
    """What a margin is fitted on, and the tables that describe other rows in the same way."""
    unseen = as_numbers_unseen(fit.codes, fit.outcome, weight=fit.weight, columns=fit.columns, fold=fit.fold)
    tables = tables_of(fit.codes, fit.outcome, weight=fit.weight, columns=fit.columns)
    return mixed(fit.codes, unseen, fit.columns), tables
