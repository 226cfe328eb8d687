"""The Shapley values of one leaf, from the formula.

Merge the splits on each feature along a leaf's path into one condition a feature. Let

- `d` be the number of distinct features on the path,
- `v` the leaf's value,
- `b_j` 1 where the row satisfies the condition on feature `j`, else 0,
- `z_j` the product of the cover ratios of the splits on feature `j`: the chance of passing when `j` is unknown.

The path-dependent game gives a set of known features S the worth `v · Π_{k∈S} b_k · Π_{k∉S} z_k`. Its Shapley value is

    φ_j = (b_j - z_j) · v · ∫₀¹ Π_{k≠j} ((1 - t)·z_k + t·b_k) dt

The integrand is a polynomial in t of degree d - 1, so Gauss-Legendre with ⌈d/2⌉ nodes gives the integral exactly.

`exact_leaf_values` rounds to whole units (see `grid.py`) so that a leaf's values add up exactly: to `v - start` where a
row reaches the leaf, and to `-start` where it does not, `start` being `v · Π z_k`, where a row begins of which nothing
is known. Then a row's contributions add up exactly too, to the leaves that it reaches.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.grid import on_grid

Floats = NDArray[np.float64]


def exact_leaf_values(z: Floats, v: Floats, b: Floats, unit: float) -> Floats:
    """φ of several leaves with the same `d`, in whole units: (leaves, d, patterns).

    `z` (leaves, d) and `v` (leaves,) are those of the formula; `b` is 0 or 1, (d, patterns), or of each leaf its own,
    (leaves, d, patterns).

    >>> exact_leaf_values(np.array([[0.5, 0.3]]), np.array([6.0]), np.ones((2, 1)), 0.25).ravel().tolist()
    [1.75, 3.25]
    """
    units = np.rint(leaf_values(z, v, b) / unit)
    reached = on_grid(v, unit)[:, None] * b.all(axis=-2)
    # What rounding lost goes to the first player: at most half a unit for each of the leaf's players.
    units[:, 0] += np.rint((reached - leaf_starts(z, v, unit)[:, None]) / unit) - units.sum(axis=1)
    return np.asarray(units * unit)


def leaf_starts(z: Floats, v: Floats, unit: float) -> Floats:
    """Where a row begins of which nothing is known, leaf by leaf, in whole units: (leaves,)."""
    unknown = v.copy()
    for chance in z.T:  # one after the other: `numpy.prod` may take another order for another layout
        unknown *= chance
    return on_grid(unknown, unit)


def patterns(d: int) -> Floats:
    """Every way a row can satisfy `d` conditions, (2**d, d): bit `j` of the row's number is `b_j`.

    >>> patterns(2).tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """
    return (np.arange(2**d)[:, None] >> np.arange(d) & 1).astype(np.float64)


def leaf_values(z: Floats, v: Floats, b: Floats) -> Floats:
    """φ of several leaves with the same `d`, (leaves, d, patterns), as `exact_leaf_values` before rounding.

    A leaf worth 6 behind one condition that half the rows pass: +3 for who passes, -3 for who does not.

    >>> leaf_values(np.array([[0.5]]), np.array([6.0]), patterns(1).T).tolist()
    [[[-3.0, 3.0]]]
    """
    leaves, d = z.shape
    z = z[:, :, None]
    integral = np.zeros((leaves, d, b.shape[-1]))
    for t, weight in zip(*unit_nodes(d), strict=True):
        factors = (1 - t) * z + t * b
        integral += weight * products_without_each(factors)
    return np.asarray((b - z) * v[:, None, None] * integral)


@cache
def unit_nodes(d: int) -> tuple[Floats, Floats]:
    """The ⌈d/2⌉ Gauss-Legendre nodes and weights on [0, 1], exact up to degree d - 1.

    >>> nodes, weights = unit_nodes(4)
    >>> bool(np.isclose((weights * nodes**3).sum(), 1 / 4))
    True
    """
    nodes, weights = np.polynomial.legendre.leggauss((d + 1) // 2)
    return (nodes + 1) / 2, weights / 2


def products_without_each(factors: Floats) -> Floats:
    """Along the second axis: the product of all factors but one, for each one; without dividing, for factors may be 0.

    >>> products_without_each(np.array([[[2.0], [0.0], [5.0]]])).ravel().tolist()
    [0.0, 10.0, 0.0]
    """
    d = factors.shape[1]
    before, after = np.ones_like(factors), np.ones_like(factors)
    for j in range(1, d):
        before[:, j] = before[:, j - 1] * factors[:, j - 1]
        after[:, d - 1 - j] = after[:, d - j] * factors[:, d - j]
    return np.asarray(before * after)
