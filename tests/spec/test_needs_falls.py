"""Falls: case-finding by NICE NG249, from recorded facts, never from a predicted chance."""

import pytest
from helpers.outreach import criteria

ONE_FALL = {"n_falls_365d": 1.0}


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({"n_falls_365d": 2.0}, "2 falls in the past year"),
        (ONE_FALL | {"n_injurious_falls_365d": 1.0}, "injured in a fall"),
        (ONE_FALL | {"has_loss_of_consciousness_365d": 1.0}, "lost consciousness"),
        (ONE_FALL | {"has_unable_to_get_up_365d": 1.0}, "could not get up without help"),
        (ONE_FALL | {"has_severe_frailty_code": 1.0}, "the GP has recorded severe frailty"),
        # 9 of 36 deficits: 0.25, just above the 0.24 of moderate frailty
        (ONE_FALL | {"frailty_index": 0.25, "n_deficits": 9.0}, "living with frailty (9 of the 36 frailty signs)"),
    ],
)
def test_a_fall_with_any_one_of_the_five_signs_calls_for_a_full_assessment(known, says):
    found = criteria(**known)

    assert says in found["falls_assessment"]
    assert found["falls_assessment"].startswith("a fall in the past year")


@pytest.mark.parametrize(
    "known",
    [
        ONE_FALL,  # one fall and nothing else
        ONE_FALL | {"frailty_index": 8 / 36, "n_deficits": 8.0},  # 0.22, just short of 0.24
        {"n_falls_365d": 0.0, "has_severe_frailty_code": 1.0},  # frailty without a fall
        {"has_severe_frailty_code": 1.0},  # nobody recorded whether they fell
        {"has_loss_of_consciousness_365d": 1.0},
        {"n_falls_365d": None, "n_falls_1095d": 4.0},  # falls, but not known to be in the past year
    ],
)
def test_short_of_it_nothing_is_assessed(known):
    assert "falls_assessment" not in criteria(**known)


def test_a_fall_known_only_from_its_injury_counts_as_a_fall():
    assert "falls_assessment" in criteria(n_injurious_falls_365d=1.0)


def test_one_fall_with_a_gait_problem_calls_for_gait_and_balance_work():
    found = criteria(n_falls_365d=1.0, has_gait_balance_problem=1.0)

    assert list(found) == ["falls_gait_balance"]
    assert found["falls_gait_balance"].endswith("a problem with walking or balance")


def test_a_full_assessment_covers_gait_and_balance():
    assert "falls_gait_balance" not in criteria(n_falls_365d=2.0, has_gait_balance_problem=1.0)


def test_a_gait_problem_without_a_recorded_fall_meets_no_falls_rule():
    assert criteria(has_gait_balance_problem=1.0) == {}


def test_no_criterion_speaks_of_a_chance_of_falling():
    words = criteria(n_falls_365d=3.0, has_severe_frailty_code=1.0)["falls_assessment"]

    assert "%" not in words
    assert "risk" not in words
