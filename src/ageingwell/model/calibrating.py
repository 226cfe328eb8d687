"""Calibration that may differ by age: learned with the fit, on a later year, and by a place, in one way."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from ageingwell.errors import TooFewEventsError
from ageingwell.evaluation.calibration import Line
from ageingwell.evaluation.checked import weights, zero_or_one
from ageingwell.model.by_age import ByAge, decades
from ageingwell.model.fitted import FittedRisk, over_line
from ageingwell.model.line import (
    LEAST_SLOPE,
    MOST_SLOPE,
    SPREAD_OF_LATER_SLOPE,
    SPREAD_OF_SLOPE,
    height_of,
    shrunken_line,
)
from ageingwell.model.margin import Curve

Floats = NDArray[np.float64]
# Where people are too few to see how a slope turns with age: beyond the scores of 1 in 200 at either end.
SHARE_BEYOND = 0.005


@dataclass(frozen=True)
class Spreads:
    """How far calibration is expected to lie from what it was, before anything is seen.

    `height` and `slope` are of everybody's line, on the log-odds; `height_by_age` and `slope_by_age` are how much more
    or less they may be ten years on.
    """

    height: float
    slope: float
    height_by_age: float
    slope_by_age: float


# Of a fit judged by its own folds nothing is known before; a later year is expected to be much as the fit was.
OF_A_FIT = Spreads(np.inf, SPREAD_OF_SLOPE, 0.3, 0.1)
OF_A_LATER_YEAR = Spreads(np.inf, SPREAD_OF_LATER_SLOPE, 0.1, 0.05)


@dataclass(frozen=True)
class Ages:
    """What a term by age is learned from, of each person, (n,): `decade` and `turns`, and where they come from.

    `turns` is how far a score lies from the term's centre, in log-odds. `counts` is how much of what is added to the
    straight log-odds arrives: less than 1 beyond a bend. A log-odds is `unit` times a score. `term` has the feature,
    the centre and the limits, and adds nothing.
    """

    decade: Floats
    turns: Floats
    counts: Floats
    unit: float
    term: ByAge

    def term_of(self, height: float, slope: float, *, steeper: float) -> ByAge:
        """The term on the score that adds so much in ten years to log-odds that are `steeper` times theirs."""
        return replace(self.term, height=height / (steeper * self.unit), slope=slope / steeper)


def ages_of_scores(score: Floats, age: Floats, *, feature: str, tells: Floats) -> Ages:
    """What a first term by age is learned from: the scores of people (n,), and how much each tells of a height."""
    lowest, highest = (float(end) for end in np.quantile(score, [SHARE_BEYOND, 1 - SHARE_BEYOND]))
    centre = float(np.clip(np.average(score, weights=tells), lowest, highest))
    term = ByAge(feature, 0.0, 0.0, *(round(at, 9) for at in (centre, lowest, highest)))
    return Ages(decades(age), term.turns(score), np.ones(len(score)), 1.0, term)


def ages_of(model: FittedRisk, codes: Floats) -> Ages | None:
    """What a model's term by age is learned from on the rows of a matrix; None of a model without ages, or no rows."""
    if not len(codes) or model.age_curve is None:
        return None
    age, score, line = model.age_of(codes), model.ageless_score(codes), model.line
    straight = line.intercept + line.slope * (score if model.by_age is None else model.by_age.score(score, age))
    if model.by_age is None:
        risk = expit(straight)
        first = ages_of_scores(score, age, feature=model.age_feature, tells=risk * (1 - risk))
    else:
        term = replace(model.by_age, height=0.0, slope=0.0)
        first = Ages(decades(age), term.turns(score), np.ones(len(score)), 1.0, term)
    return replace(first, turns=line.slope * first.turns, counts=model.bend.steepness(straight), unit=line.slope)


@dataclass(frozen=True)
class Found:
    """The likeliest height, slope, and both by age, with their covariance; the last two are 0 without ages."""

    values: Floats
    covariance: Floats
    centre: float


def likeliest(
    outcome: Floats, log_odds: Floats, *, weight: Floats, spreads: Spreads, ages: Ages | None = None
) -> Found:
    """The likeliest move of `log_odds` (n,), given `outcome` (n,) of 0 and 1, by Newton's method.

    What is moved is `log_odds + height + (slope - 1) * (log_odds - centre) + decade * (height_by_age + slope_by_age *
    turns)`. Each of the four is normal about no change, with the spread given. `centre` is the mean of the log-odds,
    each counted for what it tells.
    """
    tells = weight * expit(log_odds) * expit(-log_odds)
    centre = float(np.average(log_odds, weights=tells)) if log_odds.size else 0.0
    columns = [np.ones(log_odds.size), log_odds - centre]
    spread = [spreads.height, spreads.slope]
    if ages is not None:
        columns += [ages.counts * ages.decade, ages.counts * ages.decade * ages.turns]
        spread += [spreads.height_by_age, spreads.slope_by_age]
    expected, beta = np.array(spread) ** -2.0, np.zeros(len(spread))
    for _ in range(100):
        risk = expit(log_odds + sum(height * column for height, column in zip(beta, columns)))
        left, seen = weight * (outcome - risk), weight * risk * (1 - risk)
        # Summed by NumPy alone: a library of linear algebra would give other last bits on another number of threads.
        gradient = np.array([(left * column).sum() for column in columns]) - expected * beta
        curvature = np.array([[(seen * one * other).sum() for other in columns] for one in columns]) + np.diag(expected)
        step = np.clip(np.linalg.solve(curvature, gradient), -0.5, 0.5)
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    return Found(beta + np.eye(len(beta))[1], np.linalg.inv(curvature), centre)


def line_by_age(
    outcome: Floats, score: Floats, age: Floats, *, weight: Floats, feature: str, curve: Curve
) -> tuple[Line, ByAge]:
    """The calibration line and the term by age of a fit, from the scores and ages of people not fitted on; all (n,).

    `curve` is what age adds to the score already. The mean risk is that which was observed.

    >>> score, age = np.tile([-1.0, 1.0], 200), np.repeat([70.0, 90.0], 200)
    >>> outcome = np.tile([0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0], 50)
    >>> rises = Curve((65.0, 95.0), (0.0, 1.0), 0.0)
    >>> line, term = line_by_age(outcome, score, age, weight=np.ones(400), feature="age", curve=rises)
    >>> 0.9 < line.slope < 1.2, abs(term.height) < 0.01
    (True, True)
    """
    risk = expit(score)
    ages = ages_of_scores(score, age, feature=feature, tells=weight * risk * (1 - risk))
    found = likeliest(outcome, score, weight=weight, spreads=OF_A_FIT, ages=ages)
    slope = round(float(np.clip(found.values[1], LEAST_SLOPE, MOST_SLOPE)), 9)
    term = rounded(ages.term_of(float(found.values[2]), float(found.values[3]), steeper=slope)).rising(curve)
    return Line(height_of(outcome, slope * term.score(score, age), weight), slope), term


def rounded(term: ByAge) -> ByAge:
    """The term with numbers that a file holds in few digits."""
    return replace(term, height=round(term.height, 9), slope=round(term.slope, 9))


def with_term(model: FittedRisk, change: ByAge) -> FittedRisk:
    """The model with a term by age added to its own, so that no risk falls as age rises."""
    both = change if model.by_age is None else model.by_age.beside(change)
    curve = model.age_curve
    return replace(model, by_age=rounded(both if curve is None else both.rising(curve)))


def calibrate(
    model: FittedRisk, held_out: pl.DataFrame, outcome: NDArray[np.int8], *, weight: Floats | None = None
) -> FittedRisk:
    """Lay the calibration line, and the term by age of a model that has one, through later people not fitted on.

    `weight` (n,) tells how much each counts. With few of them calibration stays near that of the fit's own
    cross-validation. Raises `TooFewEventsError` without both outcomes.
    """
    if len(outcome):
        zero_or_one(outcome)
    if outcome.min(initial=1) == outcome.max(initial=0):
        raise TooFewEventsError("the people held out to calibrate have no event", "train on more people")
    codes = model.matrix(held_out)
    y, odds = outcome.astype(float), model.log_odds(model.score_of(codes))
    w = np.ones(len(odds)) if weight is None else weights(weight, n=len(odds))
    if model.by_age is None:
        return over_line(model, shrunken_line(y, odds, weight=w, spread_of_slope=SPREAD_OF_LATER_SLOPE))
    ages = ages_of(model, codes)
    found = likeliest(y, odds, weight=w, spreads=OF_A_LATER_YEAR, ages=ages)
    slope = round(float(np.clip(found.values[1], LEAST_SLOPE, MOST_SLOPE)), 9)
    change = ages.term_of(*found.values[2:].tolist(), steeper=slope)  # type: ignore[union-attr]
    later = with_term(over_line(model, Line(0.0, slope)), change)
    return over_line(later, Line(height_of(y, later.log_odds(later.score_of(codes)), w), 1.0))
