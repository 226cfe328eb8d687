"""A bend at the top: exact sums, the order of people, and no bend where nothing asks for one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit

from ageingwell.evaluation.calibration import Line
from ageingwell.model.bend import STRAIGHT, Bend, bend_of

DRAW = np.random.default_rng(11)
ODDS = DRAW.normal(-3.0, 1.3, 40_000)


def test_contributions_add_up_to_the_bent_log_odds_and_keep_their_signs():
    bend, base = Bend(-0.5, 0.6), np.full(500, -3.0)
    contributions = DRAW.normal(0.1, 0.5, (500, 12))

    bent = bend.contributions(base, contributions)

    straight = base + contributions.sum(axis=1)
    assert (straight > -0.5).any()
    assert_allclose(base + bent.sum(axis=1), bend.log_odds(straight), atol=1e-12)
    assert (np.sign(bent) == np.sign(contributions)).all()


def test_a_bend_keeps_the_order_and_can_be_undone():
    bend = Bend(-0.5, 0.4)

    bent = bend.log_odds(np.sort(ODDS))

    assert (np.diff(bent) >= 0).all()
    assert_allclose(bend.straight(bent), np.sort(ODDS), atol=1e-12)


def test_log_odds_that_say_too_much_at_the_top_are_bent_as_far_as_the_records_say():
    true = Bend(float(np.quantile(ODDS, 0.98)), 0.5)
    happened = (DRAW.random(ODDS.size) < expit(true.log_odds(ODDS))).astype(float)

    found = bend_of(happened, ODDS, weight=np.ones(ODDS.size))

    assert found.at == pytest.approx(true.at, abs=1e-6)
    assert 0.4 < found.slope < 0.8


def test_right_log_odds_are_hardly_bent_and_too_low_ones_never():
    right = (DRAW.random(ODDS.size) < expit(ODDS)).astype(float)
    too_low = (DRAW.random(ODDS.size) < expit(ODDS + np.maximum(ODDS + 0.3, 0))).astype(float)

    assert bend_of(right, ODDS, weight=np.ones(ODDS.size)).slope > 0.85
    assert bend_of(too_low, ODDS, weight=np.ones(ODDS.size)) == STRAIGHT


def test_a_line_laid_over_a_bend_gives_the_log_odds_of_both():
    bend, first, later = Bend(-0.5, 0.6), Line(0.2, 0.9), Line(-0.3, 1.1)

    apart = later.intercept + later.slope * bend.log_odds(first.intercept + first.slope * ODDS)
    together = bend.along(later).log_odds(later.intercept + later.slope * (first.intercept + first.slope * ODDS))

    assert_allclose(together, apart, atol=1e-12)
