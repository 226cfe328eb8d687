"""How people are put in order, against scikit-learn and against the definitions written out."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from ageingwell.evaluation.discrimination import (
    auroc,
    auroc_by_band,
    auroc_difference,
    average_precision,
    average_precision_difference,
    paired_differences,
)
from ageingwell.evaluation.estimate import share_interval
from ageingwell.evaluation.utility import at_list_length

GENERATOR = np.random.default_rng(5)
RISK = GENERATOR.beta(1, 4, 400).round(2)  # two decimals: many ties
OUTCOME = (GENERATOR.random(400) < RISK).astype(int)
RIVAL = (RISK + GENERATOR.normal(0, 0.2, 400)).round(2)


def test_the_area_is_scikit_learns():
    assert auroc(OUTCOME, RISK).value == pytest.approx(roc_auc_score(OUTCOME, RISK), abs=1e-12)


def test_the_paired_differences_interval_is_delongs_written_out():
    parts = []
    for score in (RISK, RIVAL):
        cases, controls = score[OUTCOME == 1], score[OUTCOME == 0]
        wins = (cases[:, None] > controls[None, :]) + 0.5 * (cases[:, None] == controls[None, :])
        parts.append((wins.mean(axis=1), wins.mean(axis=0)))
    of_cases, of_controls = (np.cov(parts[0][at], parts[1][at]) for at in (0, 1))
    sizes = [OUTCOME.sum(), (OUTCOME == 0).sum()]
    variances = [
        (part[0, 0] + part[1, 1] - 2 * part[0, 1]) / size
        for part, size in zip((of_cases, of_controls), sizes, strict=True)
    ]
    freedom = sum(variances) ** 2 / sum(part**2 / (size - 1) for part, size in zip(variances, sizes, strict=True))
    margin = stats.t.ppf(0.975, freedom) * np.sqrt(sum(variances))
    gap = parts[0][0].mean() - parts[1][0].mean()

    told = auroc_difference(OUTCOME, RISK, RIVAL)

    assert (told.value, told.low, told.high) == pytest.approx((gap, gap - margin, gap + margin), abs=1e-12)


def test_average_precision_is_scikit_learns_ties_included():
    assert average_precision(OUTCOME, RISK, draws=2).value == pytest.approx(
        average_precision_score(OUTCOME, RISK), abs=1e-12
    )


def test_average_precision_of_people_drawn_several_times_is_that_of_the_people_repeated():
    draws = np.random.default_rng(1)
    values = []
    for _ in range(40):
        drawn = draws.integers(400, size=400)
        values.append(average_precision_score(OUTCOME[drawn], RISK[drawn]))

    told = average_precision(OUTCOME, RISK, draws=40, seed=1)

    assert (told.low, told.high) == pytest.approx(share_interval(told.value, values, n_events=OUTCOME.sum()), abs=1e-12)


def test_the_difference_in_average_precision_is_redrawn_on_the_same_people():
    draws = np.random.default_rng(3)
    values = []
    for _ in range(40):
        drawn = draws.integers(400, size=400)
        precision = [average_precision_score(OUTCOME[drawn], score[drawn]) for score in (RISK, RIVAL)]
        values.append(precision[0] - precision[1])

    told = average_precision_difference(OUTCOME, RISK, RIVAL, draws=40, seed=3)
    table = paired_differences(OUTCOME, {"model": RISK, "rival": RIVAL}, model="model", draws=40, seed=3)

    margin = stats.t.ppf(0.975, OUTCOME.sum() - 1) * np.std(values, ddof=1)
    middle = 2 * told.value - np.mean(values)
    assert (told.low, told.high) == pytest.approx((middle - margin, middle + margin), abs=1e-12)
    assert table["value"].to_list() == pytest.approx(
        [auroc_difference(OUTCOME, RISK, RIVAL).value, told.value], abs=1e-12
    )


def test_the_area_within_an_age_band_is_scikit_learns_of_those_people():
    age = GENERATOR.integers(65, 100, 400)
    bands = [age < 75, (age >= 75) & (age < 85), age >= 85]

    told = auroc_by_band(OUTCOME, RISK, age)

    assert told["band"].to_list() == ["65 to 74", "75 to 84", "85 and over"]
    assert told["value"].to_list() == pytest.approx(
        [roc_auc_score(OUTCOME[band], RISK[band]) for band in bands], abs=1e-12
    )


def test_what_a_list_is_expected_to_hold_is_the_mean_over_random_tie_orders():
    draws = np.random.default_rng(8)
    hits = []
    for _ in range(4000):
        shuffled = draws.permutation(400)
        hits.append(OUTCOME[shuffled][np.argsort(-RISK[shuffled], kind="stable")[:50]].sum())

    ppv = at_list_length(OUTCOME, RISK, k=50).row(0, named=True)

    # The mean of 4,000 orders: three standard errors.
    assert ppv["value"] * 50 == pytest.approx(np.mean(hits), abs=3 * np.std(hits) / np.sqrt(4000) + 1e-9)
    assert ppv["worst"] * 50 <= min(hits)
    assert ppv["best"] * 50 >= max(hits)


@pytest.mark.parametrize("outcome", [[0, 1], [0, 0, 0, 1, 1], [0] * 40 + [1] * 30])
@pytest.mark.parametrize("way", [1, -1], ids=["all in order", "all the wrong way round"])
def test_a_perfect_order_is_not_certain(outcome: list[int], way: int):
    """Newcombe's method 5: at the open end the distance from the area is 1.96 of that end's own standard errors."""
    told = auroc(outcome, [way * place for place in range(len(outcome))])

    open_end, closed_end = (told.low, told.high) if way == 1 else (1 - told.high, 1 - told.low)
    n_events, n = sum(outcome), len(outcome)
    spread = 1 + (n / 2 - 1) * ((1 - open_end) / (2 - open_end) + open_end / (1 + open_end))
    error = np.sqrt(open_end * (1 - open_end) * spread / (n_events * (n - n_events)))
    assert told.value == (way + 1) / 2
    assert closed_end == 1.0
    assert 0 < open_end < 0.97
    assert 1 - open_end == pytest.approx(1.959964 * error, abs=1e-6)


def test_two_scores_that_both_order_the_few_perfectly_are_not_told_to_be_alike():
    outcome = [0, 0, 0, 1, 1, 1]

    other = auroc_difference(outcome, [1, 2, 3, 4, 5, 6], [3, 1, 2, 6, 4, 5])
    same = auroc_difference(outcome, [1, 2, 3, 4, 5, 6], [10, 20, 30, 40, 50, 60])

    assert other.value == 0
    assert other.low < -0.2
    assert other.high > 0.2
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_a_difference_on_one_case_has_no_interval():
    told = auroc_difference([0, 0, 1], [0.1, 0.2, 0.9], [0.9, 0.2, 0.5])

    assert told.value == 0.5
    assert np.isnan([told.low, told.high]).all()
