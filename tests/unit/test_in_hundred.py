"""From contributions to whole numbers of 100: an example by hand, and the edges."""

import numpy as np
import pytest
from scipy.special import expit, logit

from ageingwell.in_hundred import average_slope, in_whole_numbers, whole


def test_an_example_by_hand():
    # From 12 to 31 in 100: logit(0.12) = ln(0.12/0.88) = -1.992430 and logit(0.31) = ln(0.31/0.69) = -0.800119, so
    # 1.192311 of log-odds are worth 0.19 of risk: each unit 0.159354. Facts of +0.50, +0.31 and -0.15 are worth 7.968,
    # 4.940 and -2.390 in 100; 19 - 10.518 = 8.482 is left to all others. Rounded down, 7, 4, -3 and 8 make 16, and 3
    # are lacking: they go to 7.968, 4.940 and -2.390, which lost 0.968, 0.940 and 0.610 (the rest lost 0.482).
    effects = 100 * average_slope(0.12, 0.31) * np.array([0.50, 0.31, -0.15])

    found = in_whole_numbers(list(effects), start=0.12, end=0.31)

    assert np.round(effects, 3).tolist() == [7.968, 4.940, -2.390]
    assert (found.start, found.shown, found.rest, found.end) == (12, (8, 5, -2), 8, 31)


@pytest.mark.parametrize("risk", [0.001, 0.12, 0.5, 0.97])
def test_where_the_two_risks_are_one_the_slope_is_that_of_the_point(risk):
    near = expit(logit(risk) + np.array([0.0, 1e-9, 1e-5, -1e-5]))

    np.testing.assert_allclose(average_slope(risk, near), risk * (1 - risk), rtol=2e-5)


def test_the_slope_is_the_mean_of_the_logistics_slope_on_the_line():
    line = np.linspace(logit(0.02), logit(0.6), 200_001)

    mean = np.mean(expit(line) * (1 - expit(line)))

    assert average_slope(0.02, 0.6) == pytest.approx(mean, rel=1e-4)


def test_without_facts_to_show_the_rest_is_the_whole_difference():
    assert in_whole_numbers([], start=0.10, end=0.25).rest == 15


def test_rounding_the_two_risks_apart_is_borne_by_the_rest():
    # 0.5 rounds to 1 and 1.49 to 1: nothing lies between them, though 0.99 does; the fact of 0.99 cannot be told as 1.
    found = in_whole_numbers([0.99], start=0.005, end=0.0149)

    assert (found.start, found.shown, found.rest, found.end) == (1, (0,), 0, 1)


def test_a_half_is_rounded_up():
    assert [whole(risk) for risk in (0.005, 0.125, 0.0049)] == [1, 13, 0]
