"""What surrounds the trees: a linear margin they were boosted from, and the line that calibrates their sum."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ageingwell.errors import BundleError

Floats = NDArray[np.float64]


class Explained(NamedTuple):
    """Contributions on the calibrated log-odds: `log_odds = base + contributions.sum(axis=1)`, row by row."""

    base: float
    contributions: Floats
    log_odds: Floats


@dataclass(frozen=True, eq=False)
class LinearMargin:
    """`intercept + Σ coefficient · (value - mean)`; a value that is missing is its mean, so it contributes 0.

    An infinite value contributes infinity, unless its coefficient is 0.
    `coefficients` and `means` have one number a feature of the booster, in its order.
    """

    intercept: float
    coefficients: Floats
    means: Floats

    def contributions(self, x: Floats) -> Floats:
        """Each value's part, (n, p); 0 where the coefficient is 0, whatever the value."""
        parts = np.zeros_like(x)
        for feature in np.flatnonzero(self.coefficients):
            column = x[:, feature]
            known = ~np.isnan(column)
            parts[known, feature] = self.coefficients[feature] * (column[known] - self.means[feature])
        return parts


def full_margin(margin: LinearMargin | None, features: int) -> LinearMargin:
    """A margin as float arrays; one of zeros where there is none. `BundleError` if its length differs."""
    if margin is None:
        return LinearMargin(0.0, np.zeros(features), np.zeros(features))
    coefficients, means = (np.array(some, np.float64) for some in (margin.coefficients, margin.means))
    if coefficients.shape != (features,) or means.shape != (features,):
        raise BundleError(
            f"the linear margin has {coefficients.size:,} coefficients and the trees {features:,} features"
        )
    if not (np.isfinite(coefficients).all() and np.isfinite(means).all() and np.isfinite(margin.intercept)):
        raise BundleError("the linear margin holds a number that is not finite")
    return LinearMargin(float(margin.intercept), coefficients, means)


def checked_matrix(x: Floats, features: int) -> Floats:
    """The values to explain, if they are (n, features) of float64; else `BundleError`."""
    if not isinstance(x, np.ndarray) or x.dtype != np.float64 or x.ndim != 2 or x.shape[1] != features:
        raise BundleError(f"the model takes a two-dimensional float64 array with {features:,} columns")
    return x
