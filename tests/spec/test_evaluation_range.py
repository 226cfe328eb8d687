"""What a range around a risk promises, and how that is checked."""

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit

from ageingwell.evaluation.coverage import holds, holds_truth
from ageingwell.learning.ranges import ranges_by_band
from ageingwell.model.ranges import range_coverage, range_of, unlikeness

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


def test_ranges_of_one_person_hold_chances_that_differ_as_much_as_the_records_do() -> None:
    draw = np.random.default_rng(8)
    alike = np.where(draw.random(20_000) < 0.5, "80 to 84, 1", "65 to 69, 0")
    told = np.where(alike == "80 to 84, 1", -1.5, -3.0) + draw.normal(0, 0.6, 20_000)
    # What no record tells has the same spread as what the records tell.
    true = expit(told + draw.normal(0, 0.6, 20_000))
    happened = (draw.random(20_000) < true).astype(np.int8)

    one = range_of(happened, told, unlike=unlikeness(told, alike))
    share = range_of(happened, told)

    held, hundred = ((low <= true) & (true <= high) for low, high in (one.ends(told), share.ends(told)))
    checked = one.is_checked(told)
    assert 0.92 <= held[checked].mean() <= 0.99
    # The range of the share among a hundred people says nothing of one of them.
    assert hundred[checked].mean() < 0.6
    assert 0.98 < checked.mean() < 1


def test_the_highest_risks_are_checked_up_to_the_mean_of_the_highest_group_of_200() -> None:
    spread = range_of(HAPPENED, logit(TRUE))

    highest = np.sort(logit(TRUE))[-200:]
    assert spread.log_odds[-1] == pytest.approx(highest.mean())
    assert spread.is_checked(np.array([highest[0], highest[-1]])).tolist() == [True, False]


def test_coverage_by_band_tells_every_band_apart_and_hides_bands_of_few() -> None:
    alike = np.repeat(["80 to 84, 1", "65 to 69, 0"], 2_000)

    bands = ranges_by_band(HAPPENED, logit(TRUE), households=HOMES, alike=alike, seed=1)

    assert bands["band"].to_list() == [0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert bands["n"].sum() == 4_000
    told = bands.drop_nulls("value")
    assert (told["mean_risk"].is_between(told["band"], told["band_end"])).all()
    assert (told["coverage"].drop_nulls() >= 0.9).all()
    few = ranges_by_band(HAPPENED[:40], logit(TRUE[:40]), households=HOMES[:40], alike=alike[:40], seed=1)
    assert few.filter(pl.col("value").is_null())["mean_risk"].null_count() == few["value"].null_count()


def test_the_same_households_give_the_same_coverage() -> None:
    once, again = (range_coverage(HAPPENED, logit(TRUE), households=HOMES, halvings=3, seed=5) for _ in range(2))

    assert once == again
