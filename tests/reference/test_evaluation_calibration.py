"""Calibration against statsmodels 0.15.0, scikit-learn and hand arithmetic.

The statsmodels figures were made once from the twenty people below:
`GLM(y, add_constant(logit(risk)), family=Binomial())`, the same with `offset=logit(risk)` and a constant only,
`lowess(y, risk, frac=0.75, it=0, delta=0)` and `proportion_confint(8, 20, method="beta")`.
"""

import numpy as np
import pytest
from scipy.special import logit
from sklearn.metrics import brier_score_loss

from ageingwell.evaluation.brier import brier
from ageingwell.evaluation.calibration import calibration, calibration_groups, observed_over_expected
from ageingwell.evaluation.ici import calibration_index, smoothed

RISK = np.array(
    [.05, .08, .10, .12, .15, .18, .22, .25, .28, .30, .35, .38, .42, .45, .50, .55, .62, .70, .78, .90]
)  # fmt: skip
OUTCOME = np.array([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1])


def figures(table, measure):
    row = table.filter(measure=measure).row(0, named=True)
    return row["value"], row["low"], row["high"]


def test_slope_and_intercept_are_those_of_statsmodels_with_their_wald_intervals():
    told = calibration(OUTCOME, logit(RISK))

    assert figures(told, "slope") == pytest.approx((0.73715733, -0.14166918, 1.61598384), abs=2e-8)
    assert figures(told, "intercept") == pytest.approx((0.03364369, -1.0525863, 1.11987368), abs=2e-8)


def test_calibration_in_the_large_on_the_log_odds_is_statsmodels_constant_beside_an_offset():
    told = figures(calibration(OUTCOME, logit(RISK)), "intercept_at_slope_1")

    assert told == pytest.approx((0.17343299, -0.85604564, 1.20291162), abs=2e-8)


def test_observed_over_expected_is_the_exact_share_over_the_mean_risk():
    told = observed_over_expected(OUTCOME, RISK)

    # 8 of 20 happened, and the risks add up to 7.38; Clopper and Pearson's interval of 8 / 20 by statsmodels.
    assert told.value == pytest.approx(8 / 7.38, abs=1e-12)
    assert (told.low, told.high) == pytest.approx((0.19119006 * 20 / 7.38, 0.63945741 * 20 / 7.38), abs=1e-7)


def test_the_smoother_is_statsmodels_lowess_without_robustness_rounds():
    expected = [
        0.105096, 0.1351, 0.155119, 0.175461, 0.207141, 0.239712, 0.282623, 0.312159, 0.336687, 0.358712,
        0.405892, 0.427145, 0.465591, 0.510137, 0.563158, 0.570839, 0.586316, 0.6393, 0.690499, 0.754119,
    ]  # fmt: skip

    assert smoothed(OUTCOME, RISK, at=RISK) == pytest.approx(expected, abs=5e-7)


def test_the_calibration_index_is_the_mean_distance_from_that_curve():
    told = calibration_index(OUTCOME, RISK, draws=20)

    assert told["value"].to_list()[:3] == pytest.approx([0.0600169102, 0.0569139758, 0.0657925280], abs=5e-10)


def test_a_thinned_curve_is_as_good_as_one_fitted_at_everybody():
    generator = np.random.default_rng(2)
    risk = generator.beta(2, 8, 3000)
    outcome = generator.random(3000) < risk
    at = np.quantile(risk, [0.1, 0.5, 0.9])

    whole = [smoothed(outcome, np.append(risk, []), at=[point])[0] for point in at]
    direct = [_loess(outcome, risk, point) for point in at]

    assert whole == pytest.approx(direct, abs=2e-4)


def _loess(outcome, risk, point):
    """A local line by least squares on weighted columns, numpy's solver."""
    distance = np.abs(risk - point)
    reach = np.sort(distance)[int(0.75 * risk.size) - 1]
    weight = np.sqrt(np.clip(1 - (distance / reach) ** 3, 0, None) ** 3)
    columns = np.column_stack([np.ones_like(risk), risk - point]) * weight[:, None]
    return np.linalg.lstsq(columns, outcome * weight, rcond=None)[0][0]


def test_the_brier_score_is_scikit_learns():
    told = figures(brier(OUTCOME, RISK, draws=5), "brier")[0]

    assert told == pytest.approx(brier_score_loss(OUTCOME, RISK), abs=1e-12)


def test_murphys_parts_come_out_by_hand():
    # Three were told 0.2, none had it; two were told 0.5, one had it; five were told 0.8, three had it: 4 of 10.
    # reliability = (3 x 0.2^2 + 2 x 0^2 + 5 x 0.2^2) / 10 = 0.032
    # resolution = (3 x 0.4^2 + 2 x 0.1^2 + 5 x 0.2^2) / 10 = 0.07; uncertainty = 0.4 x 0.6 = 0.24
    # brier = (3 x 0.04 + 2 x 0.25 + 3 x 0.04 + 2 x 0.64) / 10 = 0.202 = 0.032 - 0.07 + 0.24
    told = brier([0, 0, 0, 0, 1, 0, 0, 1, 1, 1], [0.2] * 3 + [0.5] * 2 + [0.8] * 5, draws=5)

    assert told["measure"].to_list()[:5] == ["brier", "reliability", "resolution", "uncertainty", "within_groups"]
    assert told["value"].to_list() == pytest.approx([0.202, 0.032, 0.07, 0.24, 0.0, 1 - 0.202 / 0.24], abs=1e-12)


def test_what_groups_blur_is_the_spread_and_joint_spread_within_them():
    told = brier(OUTCOME, RISK, groups=4, draws=5)
    parts = OUTCOME.reshape(4, 5), RISK.reshape(4, 5)  # the table is in order of risk: five people a group

    # Stephenson and others 2008, equation 5: within-group variance less twice the within-group covariance.
    within = np.mean([risk.var() - 2 * np.cov(y, risk, ddof=0)[0, 1] for y, risk in zip(*parts, strict=True)])

    assert figures(told, "within_groups")[0] == pytest.approx(within, abs=1e-12)


def test_the_curve_counts_five_people_a_group_with_jeffreys_intervals():
    told = calibration_groups(OUTCOME, RISK, groups=4)

    assert told["n"].to_list() == [5, 5, 5, 5]
    assert told["n_events"].to_list() == [1, 1, 3, 3]
    assert told["mean_risk"].to_list() == pytest.approx([0.10, 0.246, 0.42, 0.71], abs=1e-12)
