"""Whether people, or what their risks mean, have changed between two runs; and how much of a list is luck."""

import numpy as np
import polars as pl
import pytest

from ageingwell.evaluation.drift import (
    calibration_drift,
    mean_risk_shift,
    population_stability,
    reference_bins,
    stability_against,
)
from ageingwell.evaluation.rank_stability import chance_in_top, rank_stability, redrawn_scores
from ageingwell.evaluation.stored import as_text, from_text


def test_the_same_people_twice_have_not_drifted():
    people = pl.DataFrame({"age": [70.0, 80.0, None, 90.0] * 50, "tenure": ["owner", "rented", None, "owner"] * 50})

    told = population_stability(people, people, draws=50)

    assert told.select("column", "value", "change").rows() == [("age", 0.0, "chance"), ("tenure", 0.0, "chance")]


def test_an_agency_that_stopped_sending_shows_in_the_missing_bin():
    then = pl.DataFrame({"epc": ["C", "D"] * 100})
    now = pl.DataFrame({"epc": ["C"] * 50 + ["D"] * 50 + [None] * 100})

    assert population_stability(then, now, draws=50)["change"].to_list() == ["much"]


def test_risks_that_once_meant_what_they_said_and_now_run_high_are_found():
    then = calibration_drift([1] * 20 + [0] * 80, [0.2] * 100, [1] * 5 + [0] * 95, [0.2] * 100)

    assert then["value"].to_list() == pytest.approx([1.0, 0.25, 0.25])
    assert then["high"][2] < 1


def test_before_outcomes_have_settled_the_mean_risk_says_what_it_can():
    told = mean_risk_shift([0.1, 0.2, 0.3], [0.3, 0.4, 0.5])

    # Both have variance 0.01 over three people: error sqrt(0.01 / 3 + 0.01 / 3) = 0.0816.
    assert told["value"].to_list() == pytest.approx([0.2, 0.4, 0.2])
    assert told["low"][2] == pytest.approx(0.2 - 1.959964 * 0.0816497, abs=1e-6)


def test_the_share_of_the_list_that_stays_is_counted_over_redrawn_models():
    score = [0.9, 0.8, 0.7, 0.1]
    redrawn = [[0.9, 0.8, 0.7, 0.1], [0.9, 0.1, 0.8, 0.2], [0.9, 0.5, 0.5, 0.2]]

    told = rank_stability(score, redrawn, k=2)

    # Two stay, then one, then one and a half (a tie drawn by lot): 1, 0.5, 0.75. Only the first is always listed.
    assert told["value"].to_list() == pytest.approx([0.75, (1 + 1 / 3 + 1.5 / 2.5) / 3, 0.5])
    assert chance_in_top(redrawn, k=2).tolist() == pytest.approx([1, 1.5 / 3, 1.5 / 3, 0])


def test_models_are_refitted_on_rows_drawn_with_replacement_the_same_way_each_time():
    seen = []

    def mean_of(rows):
        seen.append(rows)
        return np.full(3, rows.mean())

    first, again = (redrawn_scores(mean_of, n=10, draws=4, seed=2) for _ in range(2))

    assert first.shape == (4, 3)
    assert (first == again).all()
    assert any(np.unique(rows).size < 10 for rows in seen)


def test_kept_bins_tell_the_same_as_the_people_they_were_made_of():
    draw = np.random.default_rng(4)
    then = pl.DataFrame({"share": draw.integers(0, 36, 800) / 36, "cost": draw.exponential(9, 800)})
    now = pl.DataFrame({"share": draw.integers(0, 30, 500) / 36, "cost": draw.exponential(12, 500)})
    kept = from_text(as_text({"death": {"reference": reference_bins(then)}}))["death"]["reference"]

    told = stability_against(kept, now, draws=10)

    assert told["column"].to_list() == ["share", "cost"]
    assert told["value"].to_list() == pytest.approx(population_stability(then, now, draws=10)["value"].to_list())
    assert stability_against(kept, then, draws=10)["value"].to_list() == pytest.approx([0, 0])


def test_a_bin_whose_count_was_hidden_still_counts():
    kept = reference_bins(pl.DataFrame({"falls": [0.0] * 96 + [1.0] * 4})).with_columns(
        n=pl.when(~pl.col("n").is_between(1, 7)).then("n")
    )

    told = stability_against(kept, pl.DataFrame({"falls": [0.0] * 96 + [1.0] * 4}), draws=10)

    assert told["value"].to_list() == [0.0]


def test_a_fact_nobody_had_then_shows_as_much_change_when_it_comes():
    kept = reference_bins(pl.DataFrame({"alarm": pl.Series([None] * 100, dtype=pl.Float64)}))

    assert stability_against(kept, pl.DataFrame({"alarm": [1.0] * 100}), draws=10)["change"].to_list() == ["much"]
