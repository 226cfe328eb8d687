"""What a range around a risk promises, and how that is checked."""

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit

from ageingwell.evaluation.coverage import holds, holds_truth
from ageingwell.model.ranges import range_coverage, range_of

DRAW = np.random.default_rng(4)
TRUE = expit(DRAW.normal(-2.0, 1.0, 4_000))
HAPPENED = (DRAW.random(4_000) < TRUE).astype(np.int8)
HOMES = np.repeat(np.arange(2_000), 2).astype(str)


def test_ranges_around_right_risks_hold_about_what_they_promise() -> None:
    found = range_coverage(HAPPENED, logit(TRUE), households=HOMES)

    assert 0.90 <= found.coverage <= 1.0
    # Halves of about 2,000 people make 19 to 20 groups of a hundred, and never fewer than 20.
    assert 20 * 20 * 2 <= found.n_groups <= 21 * 20 * 2
    assert sum(n for _, n in found.by_band.values()) == found.n_groups


def test_a_range_makes_up_for_risks_that_are_too_high() -> None:
    too_high = logit(TRUE) + 1.0

    found = range_coverage(HAPPENED, too_high, households=HOMES)
    low, high = range_of(HAPPENED, too_high).ends(too_high)

    assert found.coverage >= 0.90
    assert holds_truth(TRUE, expit(too_high), low, high, groups=20).mean() >= 0.90


def test_a_range_too_narrow_for_wrong_risks_is_found_out() -> None:
    too_high = expit(logit(TRUE) + 1.0)

    assert holds(HAPPENED, too_high, too_high, too_high, groups=20).mean() < 0.2


@pytest.mark.parametrize(("n_events", "held"), [(20, True), (27, True), (30, False), (14, True), (9, False)])
def test_a_group_may_lie_outside_by_as_much_as_chance_allows(n_events: int, held: bool) -> None:
    # The range is 0.15 to 0.25 around 0.2. 27 of 100: Jeffreys begins at 0.190, so the arm is 0.080 and 0.07 is within
    # sqrt(0.05² + 0.080²) = 0.094. 30 of 100: 0.217, arm 0.083, and 0.10 is beyond 0.097. 9 of 100 ends at 0.158:
    # arm 0.068, and 0.11 is beyond 0.084.
    outcome = pl.Series([1] * n_events + [0] * (100 - n_events)).to_numpy()

    assert holds(outcome, np.full(100, 0.2), np.full(100, 0.15), np.full(100, 0.25), groups=1).tolist() == [held]


def test_the_same_households_give_the_same_coverage() -> None:
    once, again = (range_coverage(HAPPENED, logit(TRUE), households=HOMES, halvings=3, seed=5) for _ in range(2))

    assert once == again
