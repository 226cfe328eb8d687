"""What surrounds the trees: the curves they were boosted from, and how they see categories."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ageingwell.errors import BundleError

Floats = NDArray[np.float64]


class Explained(NamedTuple):
    """Contributions on the calibrated log-odds: `log_odds = base + contributions.sum(axis=1)`, row by row."""

    base: float
    contributions: Floats
    log_odds: Floats


class Knots(NamedTuple):
    """A curve: its height at each knot, in ascending order, straight between and flat beyond; `missing` at NaN."""

    at: Floats
    adds: Floats
    missing: float


@dataclass(frozen=True, eq=False)
class CurveMargin:
    """`intercept + Σ curve(value)`, with a curve (or None, which adds 0) a feature of the booster, in its order.

    A feature with `levels` holds codes 0, 1, …; the trees see `levels[code]` in their place, and the last level for
    any other code. None where a feature's values are what the trees see.
    """

    intercept: float
    curves: tuple[Knots | None, ...]
    levels: tuple[Floats | None, ...]

    def contributions(self, x: Floats) -> Floats:
        """What each value's curve adds, (n, p).

        >>> curve = Knots(np.array([60.0, 90.0]), np.array([-0.5, 1.0]), 0.1)
        >>> CurveMargin(0.0, (curve,), (None,)).contributions(np.array([[70.0], [100.0], [np.nan]])).tolist()
        [[0.0], [1.0], [0.1]]
        """
        made = np.zeros_like(x)
        for feature, curve in enumerate(self.curves):
            if curve is not None:
                values = x[:, feature]
                made[:, feature] = np.where(np.isnan(values), curve.missing, np.interp(values, curve.at, curve.adds))
        return made

    def numbers(self, x: Floats) -> Floats:
        """The values as the trees see them, (n, p).

        >>> margin = CurveMargin(0.0, (None,), (np.array([0.5, -0.5, 0.0]),))
        >>> margin.numbers(np.array([[0.0], [1.0], [-1.0], [7.0]])).ravel().tolist()
        [0.5, -0.5, 0.0, 0.0]
        """
        made = x.copy()
        for feature, levels in enumerate(self.levels):
            if levels is not None:
                codes, last = x[:, feature], len(levels) - 1
                made[:, feature] = levels[np.where((codes >= 0) & (codes < last), codes, last).astype(np.int64)]
        return made


def full_margin(margin: CurveMargin | None, features: int) -> CurveMargin:
    """A checked margin; one that adds nothing where there is none. `BundleError` if it does not match the trees."""
    if margin is None:
        return CurveMargin(0.0, (None,) * features, (None,) * features)
    if len(margin.curves) != features or len(margin.levels) != features:
        raise BundleError(f"the margin has {len(margin.curves):,} curves and the trees {features:,} features")
    heights = [number for curve in margin.curves if curve is not None for number in (*curve.adds, curve.missing)]
    if not np.isfinite([margin.intercept, *heights]).all():
        raise BundleError("the margin holds a number that is not finite")
    if not all(_is_curve(curve) for curve in margin.curves if curve is not None):
        raise BundleError("a curve of the margin needs a height for each of its knots, which ascend")
    if not all(len(levels) for levels in margin.levels if levels is not None):
        raise BundleError("a category of the margin has no level")
    return margin


def _is_curve(curve: Knots) -> bool:
    at = np.asarray(curve.at)
    return len(at) == len(curve.adds) > 0 and bool(np.isfinite(at).all() and (np.diff(at) > 0).all())


def flat(margin: CurveMargin, *, slope: float) -> dict[str, NDArray[Any]]:
    """The margin as plain arrays, its heights times the slope; see `LookupTables`."""
    curves = [Knots(np.zeros(0), np.zeros(0), 0.0) if curve is None else curve for curve in margin.curves]
    levels = [np.zeros(0) if some is None else np.asarray(some, np.float64) for some in margin.levels]
    return {
        "knot_start": starts([len(curve.at) for curve in curves]),
        "knots": _joined([curve.at for curve in curves]),
        "heights": slope * _joined([curve.adds for curve in curves]),
        "missing": slope * np.array([curve.missing for curve in curves], np.float64),
        "level_start": starts([len(some) for some in levels]),
        "levels": _joined(levels),
    }


def _joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate([*(np.asarray(part, np.float64) for part in parts), np.zeros(0)])


def starts(lengths: Sequence[int]) -> NDArray[np.int64]:
    """Where each of several parts begins, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(np.array(lengths, np.int64))]).astype(np.int64)


def checked_matrix(x: Floats, features: int) -> Floats:
    """The values to explain, if they are (n, features) of float64; else `BundleError`."""
    if not isinstance(x, np.ndarray) or x.dtype != np.float64 or x.ndim != 2 or x.shape[1] != features:
        raise BundleError(f"the model takes a two-dimensional float64 array with {features:,} columns")
    return x


def summed(base: float | Floats, contributions: Floats) -> Floats:
    """The log-odds of each row: the base, then feature by feature, so that they are the same bits on any machine."""
    total = np.full(len(contributions), base)
    for feature in range(contributions.shape[1]):
        total += contributions[:, feature]
    return total
