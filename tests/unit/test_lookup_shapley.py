"""The Shapley values of one leaf, against arithmetic by hand and against all orders of its features."""

from itertools import permutations

import numpy as np
import pytest

from ageingwell.lookup.shapley import exact_leaf_values, leaf_starts, leaf_values, patterns


def test_two_conditions_by_hand():
    # z = (1/2, 1/4), v = 8, both met: worth of {} 1, {0} 2, {1} 4, {0, 1} 8
    # φ_0 = ((2 - 1) + (8 - 4)) / 2 = 2.5; φ_1 = ((4 - 1) + (8 - 2)) / 2 = 4.5
    values = leaf_values(np.array([[0.5, 0.25]]), np.array([8.0]), patterns(2).T)

    np.testing.assert_allclose(values[0, :, 0b11], [2.5, 4.5], rtol=1e-15)


@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 6])
def test_the_integral_is_the_mean_over_all_orders_of_getting_to_know_the_features(d):
    draw = np.random.default_rng(d)
    z, v = draw.random(d), 3.0
    ours = leaf_values(z[None], np.array([v]), patterns(d).T)[0]

    for number, b in enumerate(patterns(d)):
        phi = np.zeros(d)
        orders = list(permutations(range(d)))
        for order in orders:
            chance = z.copy()
            for j in order:
                before = v * chance.prod()
                chance[j] = b[j]
                phi[j] += (v * chance.prod() - before) / len(orders)
        np.testing.assert_allclose(ours[:, number], phi, atol=1e-14)


def test_a_long_path_sums_to_the_leaf_less_its_mean():
    z = np.random.default_rng(1).random((1, 14))

    values = leaf_values(z, np.array([2.0]), patterns(14).T)

    np.testing.assert_allclose(values[0, :, -1].sum(), 2.0 * (1 - z.prod()), rtol=1e-13)
    np.testing.assert_allclose(values[0, :, 0].sum(), -2.0 * z.prod(), rtol=1e-9)


@pytest.mark.parametrize("d", [1, 3, 8])
def test_in_whole_units_a_leafs_values_add_up_exactly_and_lie_near_the_unrounded(d):
    draw = np.random.default_rng(d)
    z, v, unit = draw.random((50, d)), draw.normal(size=50), 2.0**-30

    values = exact_leaf_values(z, v, patterns(d).T, unit)

    starts, reached = leaf_starts(z, v, unit), np.rint(v / unit) * unit
    assert (values[:, :, -1].sum(axis=1) == reached - starts).all()
    assert (values[:, :, :-1].sum(axis=1) == -starts[:, None]).all()
    assert np.abs(values - leaf_values(z, v, patterns(d).T)).max() <= (d + 1) * unit
    assert (values / unit == np.rint(values / unit)).all()
