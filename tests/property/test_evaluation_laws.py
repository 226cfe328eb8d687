"""Laws every measure obeys, on random people."""

import itertools

import numpy as np
import polars as pl
import pytest
from helpers.laws import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ageingwell.evaluation.brier import brier
from ageingwell.evaluation.calibration import calibration
from ageingwell.evaluation.discrimination import auroc, auroc_difference, average_precision
from ageingwell.evaluation.drift import population_stability
from ageingwell.evaluation.estimate import difference, proportion
from ageingwell.evaluation.groups import AT_THE_CUT, by_group
from ageingwell.evaluation.sample_size import minimum_sample_size
from ageingwell.evaluation.utility import at_list_length, chance_listed, hits_at, net_benefit

LAWS = settings(max_examples=examples(25), deadline=None)
SEEDS = st.integers(0, 10_000)


@st.composite
def people(draw, most=60):
    """Outcomes of both kinds and risks on a coarse grid, so that ties abound."""
    n = draw(st.integers(4, most))
    outcome = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n).filter(lambda y: 0 < sum(y) < len(y)))
    steps = draw(st.lists(st.integers(1, 19), min_size=n, max_size=n))
    return np.array(outcome), np.array(steps) / 20


@pytest.mark.slow
@LAWS
@given(people())
def test_a_rising_transformation_of_the_score_changes_no_order(drawn):
    outcome, risk = drawn
    moved = np.exp(3 * risk) - 100

    assert auroc(outcome, moved) == auroc(outcome, risk)
    there, here = (average_precision(outcome, score, draws=5) for score in (moved, risk))
    assert vars(there) == pytest.approx(vars(here), abs=0, nan_ok=True)
    assert auroc_difference(outcome, risk, moved).value == 0


@LAWS
@given(people())
def test_turning_the_score_round_turns_the_area_round(drawn):
    outcome, risk = drawn

    assert auroc(outcome, -risk).value == pytest.approx(1 - auroc(outcome, risk).value, abs=1e-12)


@pytest.mark.slow
@LAWS
@given(people(), SEEDS)
def test_shuffling_the_rows_changes_no_figure(drawn, seed):
    outcome, risk = drawn
    mixed = np.random.default_rng(seed).permutation(risk.size)
    k = max(1, risk.size // 3)
    log_odds = np.log(risk / (1 - risk))

    def figures(y, p, x):
        return [
            auroc(y, p).value,
            average_precision(y, p, draws=2).value,
            *brier(y, p, draws=2)["value"].fill_null(-1),
            *calibration(y, x)["value"].fill_null(-1),
            *at_list_length(y, p, k=k).select("worst", "value", "best").to_numpy().ravel(),
            *net_benefit(y, {"it": p}, thresholds=[0.3])["value"],
        ]

    assert figures(outcome[mixed], risk[mixed], log_odds[mixed]) == pytest.approx(
        figures(outcome, risk, log_odds), abs=1e-8
    )


@LAWS
@given(people(most=9), st.data())
def test_over_all_tie_orders_worst_and_best_are_met_and_expected_is_the_mean(drawn, data):
    outcome, risk = drawn
    k = data.draw(st.integers(1, risk.size))
    cut = np.sort(risk)[risk.size - k]
    above, tied = np.flatnonzero(risk > cut), np.flatnonzero(risk == cut)
    ways = [
        outcome[above].sum() + outcome[list(chosen)].sum() for chosen in itertools.combinations(tied, k - above.size)
    ]

    worst, expected, best = hits_at(outcome.astype(bool), risk, k=k)

    assert (worst, best) == (min(ways), max(ways))
    assert expected == pytest.approx(np.mean(ways), abs=1e-9)
    assert chance_listed(risk, k=k).sum() == pytest.approx(k)
    assert (chance_listed(risk, k=k) * outcome).sum() == pytest.approx(expected)


@LAWS
@given(people())
def test_murphys_parts_add_up_to_the_score_and_none_is_negative(drawn):
    outcome, risk = drawn
    for groups in (None, 3):
        score, reliability, resolution, uncertainty, within, _ = brier(outcome, risk, groups=groups, draws=2)["value"]

        assert score == pytest.approx(reliability - resolution + uncertainty + within, abs=1e-12)
        assert min(reliability, resolution, uncertainty) >= 0
        if groups is None:
            assert within == pytest.approx(0, abs=1e-12)


@LAWS
@given(st.integers(0, 40), st.integers(1, 40), st.sampled_from(["wilson", "clopper_pearson", "jeffreys"]))
def test_an_interval_of_a_share_holds_the_share_and_stays_a_share(events, n, method):
    told = proportion(min(events, n), n, method=method)

    assert 0 <= told.low <= told.value <= told.high <= 1


@LAWS
@given(st.integers(0, 10), st.integers(1, 10), st.integers(0, 10), st.integers(1, 10))
def test_a_difference_turned_round_is_its_mirror(x, n, y, m):
    ours, theirs = proportion(min(x, n), n), proportion(min(y, m), m)
    one, other = difference(ours, theirs), difference(theirs, ours)

    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low), abs=1e-12)
    assert -1 <= one.low <= one.high <= 1


@pytest.mark.slow
@LAWS
@given(people(), SEEDS)
def test_groups_part_the_people_and_the_outcome(drawn, seed):
    outcome, risk = drawn
    group = np.random.default_rng(seed).choice(["a", "b", "c"], outcome.size)

    told = by_group(AT_THE_CUT, outcome, risk > 0.5, groupings={"g": group}).filter(measure="event rate")

    assert told["n"].sum() == outcome.size
    assert told["n_events"].sum() == outcome.sum()


@LAWS
@given(st.lists(st.sampled_from(["a", "b", None]), min_size=1, max_size=30), SEEDS)
def test_a_stability_index_is_never_negative_and_is_the_same_both_ways(labels, seed):
    then = pl.DataFrame({"x": pl.Series(labels, dtype=pl.String)})
    now = then.sample(fraction=1.0, with_replacement=True, seed=seed)

    there, back = (population_stability(*pair, draws=2)["value"][0] for pair in ((then, now), (now, then)))

    assert there >= 0
    assert there == pytest.approx(back, abs=1e-12)


@LAWS
@given(st.integers(1, 100), st.floats(0.01, 0.5), st.floats(0.55, 0.95))
def test_more_parameters_need_more_people_and_a_better_model_fewer_against_overfitting(parameters, share, area):
    needed = minimum_sample_size(n_parameters=parameters, event_share=share, area=area)
    wider = minimum_sample_size(n_parameters=parameters + 5, event_share=share, area=area)
    better = minimum_sample_size(n_parameters=parameters, event_share=share, area=area + 0.02)

    assert wider.n >= needed.n
    assert dict(better.n_by_criterion)["shrinkage"] <= dict(needed.n_by_criterion)["shrinkage"]
    assert needed.n == max(n for _, n in needed.n_by_criterion)
