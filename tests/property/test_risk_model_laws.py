from functools import cache

import numpy as np
import polars as pl
from helpers.risk import drawn_people
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit

from ageingwell.model.estimator import RiskModel


@cache
def model():
    """Fitted by the first test that needs it, not by whoever collects the tests."""
    people, happened = drawn_people(1200, seed=3)
    return RiskModel(warn_on_few_events=False).fit(people, happened, monotone={"age": "up", "falls": "up"})


@cache
def downwards():
    people, happened = drawn_people(1200, seed=3)
    return RiskModel(warn_on_few_events=False).fit(
        people.with_columns(age=-pl.col("age")), happened, monotone={"age": "down"}
    )


PERSON = st.fixed_dictionaries(
    {
        "age": st.floats(0, 150),
        "falls": st.none() | st.floats(-1e6, 1e6),
        "tenure": st.sampled_from(["owned", "rented", "other", "never seen", None]),
        "practice": st.text(max_size=4) | st.sampled_from(["practice 1", "practice 59"]),
        "is_carer": st.booleans(),
    }
)


def frame(people):
    schema = {
        "age": pl.Float64,
        "falls": pl.Float64,
        "tenure": pl.String,
        "practice": pl.String,
        "is_carer": pl.Boolean,
    }
    return pl.DataFrame(people, schema=schema)


@settings(max_examples=60, deadline=None)
@given(people=st.lists(PERSON, min_size=1, max_size=8))
def test_base_and_contributions_are_the_log_odds_of_any_row(people):
    rows = frame(people)

    explained = model().explain(rows)

    np.testing.assert_allclose(explained.log_odds, logit(model().predict_proba(rows)[:, 1]), atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(person=PERSON, ages=st.tuples(st.floats(50, 110), st.floats(50, 110)))
def test_the_risk_never_falls_where_it_may_only_rise(person, ages):
    younger, older = sorted(ages)
    rows = frame([{**person, "age": younger}, {**person, "age": older}])

    low, high = model().decision_function(rows)
    down = downwards().decision_function(rows.with_columns(age=-pl.col("age")))

    assert low <= high + 1e-9
    assert down[0] <= down[1] + 1e-9


@settings(max_examples=40, deadline=None)
@given(people=st.lists(PERSON, min_size=2, max_size=8), data=st.data())
def test_a_row_has_its_risk_whoever_else_is_in_the_frame(people, data):
    order = data.draw(st.permutations(range(len(people))))

    together = model().decision_function(frame(people))
    turned = model().decision_function(frame([people[place] for place in order]))

    np.testing.assert_array_equal(together[list(order)], turned)
