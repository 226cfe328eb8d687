"""Net benefit, spend, drift and sample size against dcurves, published tables, pmsampsize and hand arithmetic."""

from math import log

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from ageingwell.evaluation.drift import population_stability, stability_bins
from ageingwell.evaluation.sample_size import minimum_sample_size, r_squared_of_area
from ageingwell.evaluation.utility import net_benefit, net_benefit_gain, spend_ceiling

RISK = np.array(
    [.05, .08, .10, .12, .15, .18, .22, .25, .28, .30, .35, .38, .42, .45, .50, .55, .62, .70, .78, .90]
)  # fmt: skip
OUTCOME = np.array([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1])


def test_net_benefit_is_that_of_dcurves():
    """dcurves 1.1.7: dca(data, outcome="y", modelnames=["m"], thresholds=[0.1, 0.2, 0.3, 0.5])."""
    told = net_benefit(OUTCOME, {"m": RISK}, thresholds=[0.1, 0.2, 0.3, 0.5])

    by_strategy = {name: told.filter(strategy=name)["value"].to_list() for name in told["strategy"].unique()}
    assert by_strategy["m"] == pytest.approx([0.344444, 0.2625, 0.192857, 0.1], abs=5e-7)
    assert by_strategy["visit everybody"] == pytest.approx([0.333333, 0.25, 0.142857, -0.2], abs=5e-7)
    assert by_strategy["visit nobody"] == [0.0] * 4


def test_the_gain_over_visiting_everybody_is_counted_on_the_people_spared():
    told = net_benefit_gain(OUTCOME, {"m": RISK}, model="m", thresholds=[0.2]).filter(rival="visit everybody")

    # Below 0.2 stand six people: one with the event is lost (-1), five fruitless visits are spared (+0.25 each).
    # Wilson by hand: 1 of 20 is 0.0089 to 0.2361, 5 of 20 is 0.1119 to 0.4687.
    value = -1 / 20 + 0.25 * 5 / 20
    below = np.hypot(0.2361 - 0.05, 0.25 * (0.25 - 0.1119))
    above = np.hypot(0.05 - 0.0089, 0.25 * (0.4687 - 0.25))
    found = told.select("value", "low", "high").row(0)
    assert found == pytest.approx((value, value - below, value + above), abs=1e-4)


def test_a_model_that_visits_nobody_here_is_not_told_to_be_certainly_worth_nothing():
    told = net_benefit([1] * 5 + [0] * 95, {"m": [0.05] * 100}, thresholds=[0.2])

    rows = {row["strategy"]: (row["value"], row["low"], row["high"]) for row in told.iter_rows(named=True)}
    assert rows["m"][0] == 0
    assert rows["m"][2] > 0.03
    assert rows["visit nobody"] == (0, 0, 0)


def test_visits_to_the_few_none_of_whom_had_the_event_are_not_told_to_be_certain():
    outcome, risk = [1] * 5 + [0] * 95, [0.05] * 98 + [0.4] * 2

    told = net_benefit(outcome, {"m": risk}, thresholds=[0.2]).filter(strategy="m").row(0, named=True)

    assert told["value"] == pytest.approx(-0.005)
    assert told["high"] > 0.02


def test_the_spend_ceiling_is_parr_30s():
    """Nuffield Trust's chart of PARR-30: £1,088 of expected cost and 10% prevented allow £109 a person."""
    # 340 of 1,000 people with the event at £3,200 each: £1,088 expected.
    outcome = [1] * 340 + [0] * 660

    told = spend_ceiling(outcome, [0.34] * 1000, cost_gbp=3200, bands=1).filter(scope="band")

    assert told["expected_cost_gbp"].to_list() == pytest.approx([1088] * 3)
    assert told["value"].round(0).to_list() == [109, 163, 218]


def test_the_stability_index_comes_out_by_hand():
    then = pl.Series("tenure", ["owner"] * 50 + ["rented"] * 30 + [None] * 20)
    now = pl.Series("tenure", ["owner"] * 40 + ["rented"] * 40 + [None] * 20)

    found = population_stability(then.to_frame(), now.to_frame(), draws=20)["value"][0]
    bins = stability_bins(then, now)

    # (0.4 - 0.5) ln(0.4 / 0.5) + (0.4 - 0.3) ln(0.4 / 0.3) + 0 = 0.022314 + 0.028768
    assert found == pytest.approx(-0.1 * log(0.8) + 0.1 * log(4 / 3), abs=1e-12)
    assert bins["bin"].to_list() == ["owner", "rented", "missing"]
    assert bins["part"].to_list() == pytest.approx([0.022314, 0.028768, 0.0], abs=5e-7)


def test_numbers_are_binned_at_the_references_quantiles_and_missing_ones_apart():
    then = pl.Series("age", [70.0, 71.0, 72.0, 73.0, 74.0, 75.0, 76.0, 77.0])
    now = pl.Series("age", [70.0, 77.0, 77.0, 90.0, None, None, 60.0, 73.5])

    bins = stability_bins(then, now, bins=2)

    # The reference's median is 73.5: 60, 70 and 73.5 lie at or below it. Nobody was missing: counts as half a person.
    assert bins["n_reference"].to_list() == [4, 4, 0]
    assert bins["n_current"].to_list() == [3, 3, 2]
    assert bins["part"][2] == pytest.approx((0.25 - 0.0625) * log(0.25 / 0.0625), abs=1e-12)


def test_the_index_of_frames_drawn_alike_follows_its_chi_square_law():
    """Yurdakul, Statistical Properties of Population Stability Index, 2018: index ~ (1/n + 1/m) x chi-square."""
    generator = np.random.default_rng(1)
    frame = pl.DataFrame({"x": generator.integers(0, 5, 2000).astype(str)})

    told = population_stability(frame, frame, draws=2000)

    # The 95th percentile of chi-square with 4 degrees of freedom is 9.488: 2 / 2000 x 9.488.
    assert told["by_chance"][0] == pytest.approx(0.009488, rel=0.1)


# pmsampsize 0.1.0 (the Python edition of its authors), and Riley's papers: Chagas disease (Statistics in Medicine
# 2019;38:1276, at least 4.8 events a parameter) and pre-eclampsia (BMJ 2020;368:m441).
@pytest.mark.parametrize(
    ("given", "by_criterion", "n", "events", "a_parameter"),
    [
        ({"n_parameters": 24, "event_share": 0.174, "r_squared": 0.288}, (623, 662, 221), 662, 116, 4.8),
        ({"n_parameters": 30, "event_share": 0.05, "r_squared": 0.05}, (5249, 1770, 73), 5249, 263, 8.75),
    ],
)
def test_the_sample_size_is_pmsampsizes(given, by_criterion, n, events, a_parameter):
    needed = minimum_sample_size(**given)

    assert tuple(size for _, size in needed.n_by_criterion) == by_criterion
    assert (needed.n, needed.n_events, needed.events_per_parameter) == (n, events, a_parameter)


def test_an_area_gives_the_r_squared_pmsampsize_draws_a_million_people_for():
    # pmsampsize(type="b", cstatistic=0.89, parameters=24, prevalence=0.174) says 0.2908 from its random draws.
    assert r_squared_of_area(0.89, 0.174) == pytest.approx(0.2908, abs=1e-3)


def test_an_areas_r_squared_is_that_of_the_true_risks_of_many_people():
    generator = np.random.default_rng(6)
    happened = generator.random(400_000) < 0.1
    apart = np.sqrt(2) * 0.8416212  # the normal quantile of 0.8
    score = generator.normal(size=happened.size) + apart * happened
    risk = expit(np.log(0.1 / 0.9) - apart**2 / 2 + apart * score)
    fitted = np.where(happened, np.log(risk), np.log1p(-risk)).mean()
    flat = 0.1 * log(0.1) + 0.9 * log(0.9)

    assert r_squared_of_area(0.8, 0.1) == pytest.approx(1 - np.exp(-2 * (fitted - flat)), abs=2e-3)
