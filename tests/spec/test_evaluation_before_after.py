"""Whether visits changed anything: only beside people of the same risk and past."""

import numpy as np
import pytest
from helpers.tables import table
from scipy import stats

from ageingwell.errors import NoComparisonError
from ageingwell.evaluation.before_after import balance, before_after, match
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


def test_what_counts_is_how_much_more_the_visited_changed_than_people_like_them():
    people = table("""
        visited | risk | prior | before | after
        --------+------+-------+--------+------
        1       | 0.35 | 3     | 3      | 1
        1       | 0.36 | 3     | 4      | 1
        0       | 0.34 | 3     | 3      | 2
        0       | 0.38 | 3     | 4      | 2
        1       | 0.12 | 0     | 0      | 0
        0       | 0.13 | 0     | 0      | 1
        0       | 0.11 | 0     | 0      | 0
        1       | 0.80 | 9     | 9      | 2
    """)

    told = before_after(
        people["before"], people["after"], visited=people["visited"], risk=people["risk"], prior=people["prior"]
    )

    # The last has nobody alike and is left out. Changes of the other visited: -2, -3, 0: mean -5/3.
    # Of their controls: (-1, -2) for two of them, (1, 0) for one: (2 x -1.5 + 0.5) / 3 = -2.5/3.
    assert effect(told)[0] == pytest.approx(-5 / 3 + 2.5 / 3)
    assert told.filter(who="visited", measure="change").select("value", "n").row(0) == (pytest.approx(-5 / 3), 3)
    assert told.filter(who="controls", measure="change").select("value", "n").row(0) == (pytest.approx(-2.5 / 3), 4)


def test_in_one_stratum_the_interval_is_welchs():
    generator = np.random.default_rng(3)
    before, after = generator.poisson(3, 60), generator.poisson(2, 60)
    visited = np.arange(60) < 25

    told = before_after(before, after, visited=visited, risk=np.full(60, 0.4), prior=np.full(60, 3))

    change = after - before
    welch = stats.ttest_ind(change[visited], change[~visited], equal_var=False)
    expected = welch.confidence_interval()
    assert effect(told) == pytest.approx(
        (change[visited].mean() - change[~visited].mean(), expected.low, expected.high), abs=1e-12
    )


def test_nearest_pairs_within_a_stratum_lie_as_near_in_risk_as_can_be():
    matched = match(visited=[1, 1, 0, 0, 0], risk=[0.31, 0.35, 0.36, 0.32, 0.49], prior=[2, 2, 2, 2, 2], how="nearest")

    assert matched.weight.tolist() == [1, 1, 1, 1, 0]


def test_matching_makes_the_two_sides_alike_and_says_how_alike():
    generator = np.random.default_rng(9)
    risk = generator.beta(1, 5, 3000)
    prior = generator.poisson(4 * risk)
    visited = generator.random(3000) < risk

    told = balance(visited=visited, risk=risk, prior=prior, matched=match(visited=visited, risk=risk, prior=prior))

    gaps = {
        (trait, when): abs(gap) for trait, when, gap in told.select("trait", "when", "standardised_gap").iter_rows()
    }
    assert gaps["risk", "before matching"] > 0.5
    assert gaps["risk", "after matching"] < 0.1
    assert gaps["prior count", "after matching"] < 0.1


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
