"""Penalised logistic regression with bounds on its coefficients, by projected Newton steps."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

Floats = NDArray[np.float64]
_STEPS = 60
_CLOSE = 1e-9


def ridge_logistic(
    design: Floats,
    outcome: Floats,
    *,
    weight: Floats,
    penalty: float,
    lower: Floats,
    start: Floats | None = None,
    close: float = _CLOSE,
) -> Floats:
    """The q coefficients and, last, the intercept that minimise weighted log loss plus `penalty / 2 * sum(beta**2)`.

    `design` (n, q) standardised, `outcome` and `weight` (n,), `lower` (q,) the least a coefficient may be (0 where the
    risk may only rise, -inf elsewhere). The intercept is neither penalised nor bounded. Coefficients are rounded to
    six digits: far below them the order in which several threads add up rows would show.

    Source: Bertsekas, SIAM Journal on Control and Optimization 1982;20:221 (projected Newton).

    >>> x = np.array([[-1.0], [-1.0], [1.0], [1.0]])
    >>> ridge_logistic(x, np.array([0.0, 1.0, 0.0, 1.0]), weight=np.ones(4), penalty=1.0, lower=np.array([0.0]))
    array([0., 0.])
    """
    full = np.asfortranarray(np.column_stack([design, np.ones(len(design))]))
    ridge = np.append(np.full(design.shape[1], penalty), 0.0)
    bound = np.append(lower, -np.inf)
    beta = _start(outcome, weight, bound) if start is None else np.maximum(start, bound)
    loss = _loss(full, outcome, weight, ridge, beta)
    for _ in range(_STEPS):
        step = _newton_step(full, outcome, weight, ridge, bound, beta)
        moved, loss = _descend(full, outcome, weight, ridge, bound, beta, step, loss)
        change = float(np.abs(moved - beta).max())
        beta = moved
        if change < close:
            break
    return _rounded(beta)


def _start(outcome: Floats, weight: Floats, bound: Floats) -> Floats:
    share = float(np.average(outcome, weights=weight))
    return np.append(np.maximum(np.zeros(len(bound) - 1), bound[:-1]), logit(share))


def _loss(full: Floats, outcome: Floats, weight: Floats, ridge: Floats, beta: Floats) -> float:
    odds = full @ beta
    return float((weight * (np.logaddexp(0.0, odds) - outcome * odds)).sum() + 0.5 * (ridge * beta**2).sum())


def _newton_step(full: Floats, outcome: Floats, weight: Floats, ridge: Floats, bound: Floats, beta: Floats) -> Floats:
    """The Newton step of the coefficients that are free to move; those held at their bound stay."""
    risk = expit(full @ beta)
    gradient = full.T @ (weight * (risk - outcome)) + ridge * beta
    free = ~((beta <= bound) & (gradient > 0))
    curvature = full.T @ (full * (weight * np.maximum(risk * (1 - risk), 1e-8))[:, None])
    curvature.flat[:: len(beta) + 1] += ridge + 1e-10
    step = np.zeros_like(beta)
    step[free] = np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
    return step


def _descend(
    full: Floats,
    outcome: Floats,
    weight: Floats,
    ridge: Floats,
    bound: Floats,
    beta: Floats,
    step: Floats,
    loss: float,
) -> tuple[Floats, float]:
    """Go the whole step, or half of it, or a quarter … until the loss does not rise."""
    share = 1.0
    for _ in range(25):
        moved = np.maximum(beta - share * step, bound)
        new = _loss(full, outcome, weight, ridge, moved)
        if new <= loss:
            return moved, new
        share /= 2
    return beta, loss


def _rounded(values: Floats) -> Floats:
    size = np.where(values == 0, 1.0, np.abs(values))
    places = 10.0 ** (5 - np.floor(np.log10(np.maximum(size, 1e-6))))
    return np.asarray(np.round(values * places) / places + 0.0)
