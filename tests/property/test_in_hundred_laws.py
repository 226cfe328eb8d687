"""Whatever the facts and the two risks: whole numbers add up, keep their order and sign, and know no order of facts."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from ageingwell.in_hundred import average_slope, in_whole_numbers

RISKS = st.floats(-9, 9).map(lambda odds: float(expit(odds)))
EFFECTS = st.lists(st.floats(-60, 60), max_size=8)


@given(start=RISKS, end=RISKS, effects=EFFECTS)
def test_start_facts_and_rest_make_the_end(start, end, effects):
    found = in_whole_numbers(effects, start=start, end=end)

    assert found.start + sum(found.shown) + found.rest == found.end
    assert found.start == math.floor(100 * start + 0.5)
    assert found.end == math.floor(100 * end + 0.5)


@pytest.mark.slow
@given(start=RISKS, end=RISKS, effects=EFFECTS)
def test_a_fact_is_rounded_by_less_than_one_and_keeps_its_sign(start, end, effects):
    for effect, number in zip(effects, in_whole_numbers(effects, start=start, end=end).shown, strict=True):
        assert abs(number - effect) < 1
        assert number * effect >= 0


@given(start=RISKS, end=RISKS, effects=EFFECTS)
def test_a_larger_effect_never_gets_the_smaller_number(start, end, effects):
    told = sorted(zip(effects, in_whole_numbers(effects, start=start, end=end).shown, strict=True))

    for (effect, number), (larger, its_number) in pairwise(told):
        assert number <= its_number or effect == larger


@given(start=RISKS, end=RISKS, effects=EFFECTS, seed=st.randoms())
def test_the_order_of_the_facts_changes_nothing(start, end, effects, seed):
    shuffled = list(effects)
    seed.shuffle(shuffled)

    one, other = (in_whole_numbers(given, start=start, end=end) for given in (effects, shuffled))

    assert sorted(zip(effects, one.shown, strict=True)) == sorted(zip(shuffled, other.shown, strict=True))
    assert one.rest == other.rest


@given(start=RISKS, odds=st.lists(st.floats(-1.5, 1.5), min_size=1, max_size=30))
def test_what_all_facts_add_is_the_difference_of_the_two_risks(start, odds):
    end = float(expit(logit(start) + sum(odds)))

    effects = average_slope(start, end) * np.array(odds)

    assert math.isclose(effects.sum(), end - start, rel_tol=1e-5, abs_tol=1e-12)
