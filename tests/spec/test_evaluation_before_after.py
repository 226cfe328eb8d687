"""Whether visits changed anything: only beside people of the same risk and past."""

import numpy as np
import pytest
from scipy import stats

from ageingwell.errors import NoComparisonError
from ageingwell.evaluation.alike import match_nearest
from ageingwell.evaluation.before_after import before_after
from ageingwell.evaluation.estimate import around

EFFECT = "difference in differences"


def effect(told):
    return told.filter(measure=EFFECT).select("value", "low", "high").row(0)


def test_a_bare_before_and_after_is_refused_and_told_why():
    with pytest.raises(NoComparisonError, match=r"come down by themselves.*Roland"):
        before_after([3, 2, 4], [1, 0, 1])

    with pytest.raises(NoComparisonError, match=r"everyone was visited.*Roland"):
        before_after([3, 2, 4], [1, 0, 1], visited=[1, 1, 1], risk=[0.4, 0.4, 0.4], prior=[3, 2, 4])


def test_visited_people_without_anybody_like_them_are_refused():
    with pytest.raises(NoComparisonError, match="just missed"):
        before_after([3, 0], [1, 0], visited=[1, 0], risk=[0.6, 0.01], prior=[3, 0])


def crowd(n: int = 400) -> dict[str, np.ndarray]:
    """People of two pasts, some visited; nobody's visit does anything."""
    generator = np.random.default_rng(3)
    prior = np.repeat([0, 3], n // 2)
    risk = np.where(prior == 3, 0.4, 0.1) + generator.uniform(-0.05, 0.05, n)
    before, after = generator.poisson(prior), generator.poisson(0.4 * prior + 0.2)
    return {"before": before, "after": after, "visited": generator.random(n) < 0.3, "risk": risk, "prior": prior}


def test_the_means_of_the_visited_are_theirs_and_those_of_the_controls_are_weighted():
    people = crowd()

    told = before_after(**people)

    matched, weight = match_nearest(visited=people["visited"], risk=people["risk"], prior=people["prior"])
    change = people["after"] - people["before"]
    rows = {(who, measure): value for who, measure, value in told.select("who", "measure", "value").iter_rows()}
    assert rows["visited", "change"] == pytest.approx(change[matched].mean())
    assert rows["controls", "change"] == pytest.approx(np.average(change, weights=weight))


def test_among_people_all_alike_the_difference_is_that_of_the_means_and_the_interval_near_welchs():
    generator = np.random.default_rng(3)
    before, after = np.full(600, 3), generator.poisson(2, 600)
    visited = np.arange(600) < 150

    told = before_after(before, after, visited=visited, risk=np.full(600, 0.4), prior=np.full(600, 3))

    matched, weight = match_nearest(visited=visited, risk=np.full(600, 0.4), prior=np.full(600, 3))
    change = after - before
    welch = stats.ttest_ind(change[matched], change[weight > 0], equal_var=False).confidence_interval()
    value, low, high = effect(told)
    assert value == pytest.approx(change[matched].mean() - np.average(change, weights=weight), abs=1e-12)
    assert high - low == pytest.approx(welch.high - welch.low, rel=0.1)


def test_where_everybody_above_a_cut_was_visited_nothing_is_told():
    """Nobody's visit does anything, and the visited come down by themselves: once 0.26 admissions were told."""
    generator = np.random.default_rng(8)
    rate = generator.gamma(0.5, 1.0, 4000)
    before, after = generator.poisson(rate), generator.poisson(rate)
    risk = 1 - np.exp(-(before + generator.gamma(5, 0.1, 4000)) / 3)

    with pytest.raises(NoComparisonError, match="nobody unvisited like them"):
        before_after(before, after, visited=risk >= np.quantile(risk, 0.9), risk=risk, prior=before)


def test_people_chosen_at_a_peak_come_down_by_themselves_and_the_comparison_does_not_fall_for_it():
    """Nobody's visit does anything: admissions of both years are drawn from the same rate of each person."""
    generator = np.random.default_rng(12)
    covered = []
    for _ in range(100):
        rate = generator.gamma(0.5, 1.0, 4000)
        before, after = generator.poisson(rate), generator.poisson(rate)
        risk = 1 - np.exp(-(before + 0.5) / 1.5 / 2)
        visited = (before >= 2) & (generator.random(4000) < 0.5)
        bare = (after - before)[visited]
        naive = around(bare.mean(), bare.std() / np.sqrt(bare.size), n=bare.size, n_events=0)

        low, high = effect(before_after(before, after, visited=visited, risk=risk, prior=before))[1:]

        assert naive.high < -0.5, "the bare before and after shows a saving that is not there"
        covered.append(low <= 0 <= high)
    assert 0.88 <= np.mean(covered) <= 1.0
