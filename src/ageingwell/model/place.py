"""A place's own calibration: the parent's line moved as far as the place's events can say, and no farther."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ageingwell.evaluation.calibration import Line
from ageingwell.evaluation.checked import outcome_and, weights
from ageingwell.evaluation.estimate import Z
from ageingwell.model.by_age import ByAge
from ageingwell.model.calibrating import Ages, Spreads, ages_of, likeliest, with_term
from ageingwell.model.fitted import FittedRisk, over_line
from ageingwell.model.ranges import Range

Floats = NDArray[np.float64]
# How far places are expected to lie from their parent before anything is seen: a height of 0.2 on the log-odds (rates a
# fifth higher or lower) and a slope of 0.1. A height so expected weighs as much as 25 events do (1 / 0.2²). For ten
# years of age the height is expected to differ by 0.1, and the slope by 0.05.
OF_PLACES = Spreads(height=0.2, slope=0.1, height_by_age=0.1, slope_by_age=0.05)
# A place never turns the order of people of one age, however few of them spoke.
LEAST_SLOPE, MOST_SLOPE = 0.5, 2.0


@dataclass(frozen=True)
class Move:
    """How a place's log-odds follow from the parent's: `x + height + (slope - 1) * (x - centre)`, and more by age.

    `centre` is the mean of the parent's log-odds, each counted for what it tells; about it height and slope hardly
    depend on one another. Ten years above 80 the height is `height_by_age` more and the slope `slope_by_age` more;
    `term` is both as they are added to the parent's score, None of a parent that knows no age. Each `…_share` is how
    much of what the place alone would say was kept: 0 without events, near 1 with thousands. Each `…_error` is what is
    left unknown, and `decades` the people's typical distance from 80, in tens of years.
    """

    height: float
    slope: float
    centre: float
    height_share: float
    slope_share: float
    height_error: float
    slope_error: float
    height_by_age: float = 0.0
    slope_by_age: float = 0.0
    height_by_age_share: float = 0.0
    slope_by_age_share: float = 0.0
    height_by_age_error: float = 0.0
    slope_by_age_error: float = 0.0
    decades: float = 0.0
    term: ByAge | None = None

    @property
    def line(self) -> Line:
        """The height and slope as intercept and slope on the parent's log-odds, without what differs by age."""
        return Line(self.height + (1 - self.slope) * self.centre, self.slope)

    @property
    def figures(self) -> dict[str, float]:
        """All numbers by name."""
        return {name: value for name, value in vars(self).items() if name != "term"}

    def error(self, log_odds: Floats) -> Floats:
        """The standard error of the moved log-odds of people of typical age, (n,)."""
        height = np.hypot(self.height_error, self.decades * self.height_by_age_error)
        slope = np.hypot(self.slope_error, self.decades * self.slope_by_age_error)
        return np.asarray(np.hypot(height, (log_odds - self.centre) * slope))


def move_of_place(
    outcome: Floats,
    log_odds: Floats,
    *,
    weight: Floats | None = None,
    ages: Ages | None = None,
    spreads: Spreads = OF_PLACES,
) -> Move:
    """The likeliest move from a parent's calibrated `log_odds` (n,), given the place's `outcome` (n,) of 0 and 1.

    What moves is expected to be normal about no change with the spreads given; the likeliest values by Newton's method.
    Without people, or with nothing but chance to see, nothing moves. `ages` are those of `ages_of`; without them
    nothing differs by age.

    Source: Steyerberg and others, Statistics in Medicine 2004;23:2567 (shrinkage of recalibration in small places).

    >>> few, many = (move_of_place(np.repeat([1.0, 0.0], [3 * n, n]), np.zeros(4 * n)) for n in (2, 2_000))
    >>> round(few.height, 2), round(many.height, 2)
    (0.07, 1.08)
    """
    y, x = np.asarray(outcome, dtype=float), np.asarray(log_odds, dtype=float)
    if y.size:
        outcome_and(outcome, log_odds)
    w = np.ones(y.size) if weight is None or not y.size else weights(weight, n=y.size)
    found = likeliest(y, x, weight=w, spreads=spreads, ages=ages)
    errors = np.sqrt(np.diag(found.covariance))
    expected = (spreads.height, spreads.slope, spreads.height_by_age, spreads.slope_by_age)
    shares = [float(1 - (error / spread) ** 2) for error, spread in zip(errors, expected)]
    slope = float(np.clip(found.values[1], LEAST_SLOPE, MOST_SLOPE))
    figures = [float(found.values[0]), slope, found.centre, *shares[:2], *errors[:2].tolist()]
    term = None
    if ages is not None:
        by_age = found.values[2:].tolist()
        tells = w * expit(x) * expit(-x)
        typical = float(np.sqrt(np.average(ages.decade**2, weights=tells)))
        figures += [*by_age, *shares[2:], *errors[2:].tolist(), typical]
        term = ages.term_of(*by_age, steeper=slope)
    return replace(Move(*(round(figure, 9) for figure in figures)), term=term)


def move_to_place(model: FittedRisk, codes: Floats, outcome: Floats, *, weight: Floats | None = None) -> Move:
    """The likeliest move of a model, by age if it knows people's ages, given what happened to the rows of a matrix."""
    odds = model.log_odds(model.score_of(codes))
    return move_of_place(outcome, odds, weight=weight, ages=ages_of(model, codes))


def moved(model: FittedRisk, move: Move) -> FittedRisk:
    """The parent's model with the place's line and term by age; contributions stay exactly additive.

    The order of people of one age stays. The range moves with the line, and its arms are widened by what is unknown of
    the move (squared and added).
    """
    later, spread = move.line, model.spread
    knots = np.array(spread.log_odds)
    unknown = Z * move.error(knots)
    arms = ([float(np.hypot(arm, more)) for arm, more in zip(side, unknown)] for side in (spread.below, spread.above))
    below, above = arms
    at = later.intercept + later.slope * knots
    placed = replace(over_line(model, later), spread=Range(tuple(at.tolist()), tuple(below), tuple(above)))
    return placed if move.term is None else with_term(placed, move.term)
