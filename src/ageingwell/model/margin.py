"""The margin: a curve for each number and a table for each category, whose heights add up on the log-odds.

A curve is drawn straight between its knots and stays flat beyond the values seen in training. It is fitted by
penalised logistic regression on a line and a few ramps, so its heights are coefficients times distances from the mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ageingwell.model.columns import Column
from ageingwell.model.levels import has_many_levels

Floats = NDArray[np.float64]
# Inner knots of a curve; the penalty keeps it straight where people are few.
KNOTS = 3
# A ramp's spread counts for so much more, so that the penalty bends a line only where the records insist.
BENDS = 2.5
# A level, or missingness, that fewer people share has no column of its own.
FEWEST = 5


@dataclass(frozen=True)
class Curve:
    """What a feature adds to the log-odds: `adds` at each knot `at`, and `missing` where the value is unknown.

    Of a category the knots are the numbers of its levels, with the value of an unseen one, 0, at -1.
    """

    at: tuple[float, ...]
    adds: tuple[float, ...]
    missing: float

    @property
    def adds_nothing(self) -> bool:
        """Whether it is 0 everywhere."""
        return not any(self.adds) and not self.missing

    def heights(self, values: Floats) -> Floats:
        """The height of the curve at each value (n,).

        >>> Curve((60.0, 90.0), (-0.5, 1.0), 0.1).heights(np.array([70.0, 100.0, np.nan]))
        array([0. , 1. , 0.1])
        """
        inside = np.interp(values, self.at, self.adds)
        return np.where(np.isnan(values), self.missing, inside)


@dataclass(frozen=True)
class Margin:
    """The intercept and one curve a feature."""

    intercept: float
    curves: tuple[Curve, ...]

    def contributions(self, matrix: Floats) -> Floats:
        """What each feature adds for each row, (n, p) in the order of the features."""
        made = np.empty(matrix.shape, order="F")
        for place, curve in enumerate(self.curves):
            made[:, place] = curve.heights(matrix[:, place])
        return made

    def log_odds(self, matrix: Floats) -> Floats:
        """Intercept plus contributions, added up in the order of the features on any machine."""
        total = np.full(len(matrix), self.intercept)
        for place, curve in enumerate(self.curves):
            if not curve.adds_nothing:
                total += curve.heights(matrix[:, place])
        return total


def mean_margin(margins: Sequence[Margin], shares: Sequence[float]) -> Margin:
    """The margins added up by shares; a feature's curve has the same knots in all where it adds anything.

    >>> line, flat = Curve((0.0, 1.0), (0.0, 2.0), 0.5), Curve((0.0, 1.0), (0.0, 0.0), 0.0)
    >>> mean_margin([Margin(-2.0, (line,)), Margin(-1.0, (flat,))], [0.75, 0.25])
    Margin(intercept=-1.75, curves=(Curve(at=(0.0, 1.0), adds=(0.0, 1.5), missing=0.375),))
    """
    curves = []
    for ours in zip(*(margin.curves for margin in margins), strict=True):
        told = [(share, curve) for share, curve in zip(shares, ours) if not curve.adds_nothing] or [(1.0, ours[0])]
        adds = np.sum([share * np.array(curve.adds) for share, curve in told], axis=0)
        missing = sum(share * curve.missing for share, curve in told)
        curves.append(Curve(told[0][1].at, tuple(adds.tolist()), float(missing)))
    return Margin(float(sum(share * margin.intercept for share, margin in zip(shares, margins))), tuple(curves))


@dataclass(frozen=True)
class Ramp:
    """One column of the design: how far a value lies along `low` to `high`, in units of its own spread."""

    feature: int
    low: float
    high: float
    mean: float
    spread: float

    def values(self, column: Floats) -> Floats:
        """The column's values on this ramp; missing ones stand at its mean, 0."""
        along = np.clip(column, self.low, self.high)
        return np.where(np.isnan(column), 0.0, (along - self.mean) / self.spread)


@dataclass(frozen=True)
class Level:
    """One column of the design: whether a value is this one; NaN stands for missing."""

    feature: int
    value: float
    mean: float
    spread: float

    def values(self, column: Floats) -> Floats:
        """1 where the value is this one, standardised."""
        is_it = np.isnan(column) if np.isnan(self.value) else column == self.value
        return np.asarray((is_it - self.mean) / self.spread)


Term = Ramp | Level


def terms_of(values: Floats, columns: Sequence[Column], *, places: Sequence[int]) -> list[Term]:
    """The columns of the design: of a number its line, ramps and missingness, of a category its levels.

    `values` (n, p) holds categories of many levels as their log-odds already, and these are drawn as one line. Only the
    features at the `places` are drawn.
    """
    terms: list[Term] = []
    for place in places:
        column = columns[place]
        ours = values[:, place]
        if column.is_category and not has_many_levels(column):
            terms += _levels(place, ours, np.arange(column.n_codes, dtype=float))
        else:
            terms += _ramps(place, ours, knots=0 if column.is_category else KNOTS)
            terms += _levels(place, ours, np.array([np.nan]))
    return terms


def _levels(place: int, values: Floats, levels: Floats) -> list[Term]:
    made: list[Term] = []
    for level in levels:
        is_it = np.isnan(values) if np.isnan(level) else values == level
        count = int(is_it.sum())
        if FEWEST <= count <= len(values) - FEWEST:
            made.append(Level(place, float(level), float(is_it.mean()), float(is_it.std())))
    return made


def _ramps(place: int, values: Floats, *, knots: int) -> list[Term]:
    """The line from the least to the greatest value, and ramps between the quantiles of the values above the least."""
    known = values[~np.isnan(values)]
    if not known.size or known.min() == known.max():
        return []
    least, most = float(known.min()), float(known.max())
    ends = [(least, most)]
    shares = np.linspace(0, 1, knots + 2)[1:-1]
    inner = (
        [x for x in np.unique(np.quantile(known[known > least], shares)).tolist() if least < x < most] if knots else []
    )
    if inner:
        ends += list(zip([least, *inner], [*inner, most]))
    made: list[Term] = []
    for low, high in ends:
        along = np.clip(known, low, high)
        spread = _spread(along)
        if spread > 1e-12 * max(1.0, abs(low), abs(high)):
            is_line = (low, high) == (least, most)
            made.append(Ramp(place, low, high, float(along.mean()), spread if is_line else spread * BENDS))
    return made


def _spread(values: Floats) -> float:
    """The standard deviation; the greatest numbers there are don't overflow when squared."""
    greatest = float(np.abs(values).max())
    return float((values / greatest).std()) * greatest if greatest > 1e100 else float(values.std())


@dataclass(frozen=True)
class Design:
    """The terms of a margin, the least each coefficient may be, and the sign that turns its column so that it rises."""

    terms: tuple[Term, ...]
    lower: Floats
    turn: Floats
    n_features: int

    def matrix(self, values: Floats) -> Floats:
        """The standardised design (n, q)."""
        made = np.empty((len(values), len(self.terms)))
        for number, term in enumerate(self.terms):
            made[:, number] = term.values(values[:, term.feature]) * self.turn[number]
        return made

    def beside(self, other: "Design") -> "Design":
        """The terms of both, this one's first."""
        return Design(
            (*self.terms, *other.terms),
            np.append(self.lower, other.lower),
            np.append(self.turn, other.turn),
            self.n_features,
        )

    def margin(self, beta: Floats) -> Margin:
        """The curves that coefficients (q + 1,) draw, the intercept last."""
        turned = beta[:-1] * self.turn
        parts: list[list[tuple[Term, float]]] = [[] for _ in range(self.n_features)]
        for term, height in zip(self.terms, turned):
            parts[term.feature].append((term, float(height)))
        return Margin(float(beta[-1]), tuple(_curve(part) for part in parts))


def design_of(values: Floats, columns: Sequence[Column], *, signs: Sequence[int], places: Sequence[int]) -> Design:
    """The design of the features at some `places` of a matrix of values (n, p).

    `signs` 1, -1 or 0 a feature: how the risk may move with it.
    """
    terms = terms_of(values, columns, places=places)
    bound = [0.0 if isinstance(term, Ramp) and signs[term.feature] else -np.inf for term in terms]
    turn = [-1.0 if isinstance(term, Ramp) and signs[term.feature] < 0 else 1.0 for term in terms]
    return Design(tuple(terms), np.array(bound), np.array(turn), len(columns))


def _curve(parts: Sequence[tuple[Term, float]]) -> Curve:
    """Add up one feature's terms at every knot."""
    levels = [term.value for term, _ in parts if isinstance(term, Level) and not np.isnan(term.value)]
    ends = {end for term, _ in parts if isinstance(term, Ramp) for end in (term.low, term.high)}
    # A table has a knot for each level up to the last, and one before it for levels that were not seen.
    at = np.arange(-1.0, max(levels) + 2) if levels else np.array(sorted(ends) or [0.0])
    adds = np.sum([b * term.values(at) for term, b in parts], axis=0) if parts else np.zeros(len(at))
    missing = sum(b * float(term.values(np.array([np.nan]))[0]) for term, b in parts)
    # Nothing is known of a level that was never or hardly ever seen: it adds what people add on average, 0.
    adds = np.where(np.isin(at, levels), adds, 0.0) if levels else adds
    return Curve(tuple(at.tolist()), tuple(adds.tolist()), float(missing))
