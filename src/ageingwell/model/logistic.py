"""Penalised logistic regression with bounds on its coefficients, by projected Newton steps.

The curvature is the dear part of a step: with q columns it takes about q / 4 times as long as the gradient. So it is
kept from step to step, from one penalty to the next and from all rows to some of them, as long as steps by it come
close to the minimum quickly (the chord method), and only then worked out anew.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

Floats = NDArray[np.float64]
_STEPS = 100
_CLOSE = 1e-9
# A step that is more than this share of the one before: the curvature has changed.
_SLOW = 0.2
# Losses that differ by less are equal but for the order of their sums.
_SLACK = 1e-12
# Rows whose curvature is added up at a time, so that no copy of the whole design is made.
_BLOCK = 8192


@dataclass(frozen=True)
class Solution:
    """Coefficients (q + 1,), the intercept last, and the curvature (q + 1, q + 1) near them for a unit of weight."""

    beta: Floats
    curvature: Floats


def ridge_logistic(design: Floats, outcome: Floats, *, weight: Floats, penalty: float, lower: Floats) -> Floats:
    """The q coefficients and, last, the intercept that minimise weighted log loss plus `penalty / 2 * sum(beta**2)`.

    `design` (n, q) standardised, `outcome` and `weight` (n,), `lower` (q,) the least a coefficient may be (0 where the
    risk may only rise, -inf elsewhere). The intercept is neither penalised nor bounded. Coefficients are rounded to
    six digits: far below them the order in which several threads add up rows would show.

    Source: Bertsekas, SIAM Journal on Control and Optimization 1982;20:221 (projected Newton).

    >>> x = np.array([[-1.0], [-1.0], [1.0], [1.0]])
    >>> ridge_logistic(x, np.array([0.0, 1.0, 0.0, 1.0]), weight=np.ones(4), penalty=1.0, lower=np.array([0.0]))
    array([0., 0.])
    """
    return rounded(solve(design, outcome, weight=weight, penalty=penalty, lower=lower).beta)


def solve(
    design: Floats,
    outcome: Floats,
    *,
    weight: Floats,
    penalty: float,
    lower: Floats,
    start: Solution | None = None,
    curvature: Floats | None = None,
    close: float = _CLOSE,
) -> Solution:
    """The minimum of `ridge_logistic`, not rounded, to about `close`, with its curvature.

    `start`, the solution of a like problem (another penalty, more rows), and `curvature`, that of another, make it
    quicker and are nowhere in the result.
    """
    ridge, bound = np.append(np.full(design.shape[1], penalty), 0.0), np.append(lower, -np.inf)
    fit = _Problem(design, outcome, weight, ridge, bound)
    beta = fit.start() if start is None else np.maximum(start.beta, bound)
    last = start.curvature if curvature is None and start is not None else curvature
    odds, before, is_kept = fit.odds(beta), np.inf, last is not None
    for _ in range(_STEPS):
        risk = expit(odds)
        used = last if is_kept and last is not None else fit.curvature(risk)
        step = fit.step(used, risk, beta)
        moved, odds = fit.descend(beta, step, odds)
        change, far = float(np.abs(moved - beta).max()), float(np.abs(step).max())
        # Where a step by a curvature that was kept leads nowhere, one by its own may yet.
        if change < close and not (change == 0 and far >= close and is_kept):
            break
        is_kept = 0 < change <= _SLOW * before
        beta, before, last = moved, change, used
    return Solution(moved, used)


@dataclass(frozen=True)
class _Problem:
    """What is to be minimised: rows, their outcomes and weights, and each coefficient's penalty and least value."""

    design: Floats
    outcome: Floats
    weight: Floats
    ridge: Floats
    bound: Floats

    def start(self) -> Floats:
        share = float(np.average(self.outcome, weights=self.weight))
        return np.append(np.maximum(np.zeros(len(self.bound) - 1), self.bound[:-1]), logit(share))

    def odds(self, beta: Floats) -> Floats:
        return np.asarray(self.design @ beta[:-1] + beta[-1])

    def loss(self, beta: Floats, odds: Floats) -> float:
        each = np.logaddexp(0.0, odds) - self.outcome * odds
        return float((self.weight * each).sum() + 0.5 * (self.ridge * beta**2).sum())

    def curvature(self, risk: Floats) -> Floats:
        """The weighted products of all pairs of columns, the intercept's last, for a unit of weight."""
        weight = self.weight * np.maximum(risk * (1 - risk), 1e-8)
        n, q = self.design.shape
        made = np.zeros((q + 1, q + 1))
        for first in range(0, n, _BLOCK):
            rows = slice(first, first + _BLOCK)
            part = np.sqrt(weight[rows])[:, None] * self.design[rows]
            made[:q, :q] += part.T @ part
        made[q, :q] = made[:q, q] = weight @ self.design
        made[q, q] = weight.sum()
        return made / float(self.weight.sum())

    def step(self, curvature: Floats, risk: Floats, beta: Floats) -> Floats:
        """The step of the coefficients that are free to move; those held at their bound stay."""
        residual = self.weight * (risk - self.outcome)
        gradient = np.append(residual @ self.design, residual.sum()) + self.ridge * beta
        free = np.flatnonzero(~((beta <= self.bound) & (gradient > 0)))
        square = curvature[np.ix_(free, free)] * float(self.weight.sum())
        square.flat[:: len(free) + 1] += self.ridge[free] + 1e-10
        step = np.zeros_like(beta)
        step[free] = np.linalg.solve(square, gradient[free])
        return step

    def descend(self, beta: Floats, step: Floats, odds: Floats) -> tuple[Floats, Floats]:
        """Go the whole step, or half of it, or a quarter … until the loss does not rise; nowhere if it always does."""
        loss, share = self.loss(beta, odds), 1.0
        for _ in range(25):
            moved = np.maximum(beta - share * step, self.bound)
            found = self.odds(moved)
            if self.loss(moved, found) <= loss + _SLACK * abs(loss):
                return moved, found
            share /= 2
        return beta, odds


def rounded(values: Floats) -> Floats:
    """The numbers to six digits."""
    size = np.where(values == 0, 1.0, np.abs(values))
    places = 10.0 ** (5 - np.floor(np.log10(np.maximum(size, 1e-6))))
    return np.asarray(np.round(values * places) / places + 0.0)
