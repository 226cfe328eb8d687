"""The rivals that a model is compared with, where there is next to nothing to learn from."""

import numpy as np
import polars as pl
import pytest

from ageingwell.learning.rivals import logistic_regression

FACTS = pl.DataFrame({"person_id": [f"p{n}" for n in range(20)], "age": [float(65 + n) for n in range(20)]})


@pytest.mark.parametrize(
    ("n_people", "n_events"),
    [(20, 0), (20, 1), (20, 20), (20, 19), (4, 2), (1, 1)],
)
def test_logistic_regression_says_nothing_where_some_part_has_one_kind_of_outcome_alone(
    n_people: int, n_events: int
) -> None:
    outcome = np.array([1] * n_events + [0] * (n_people - n_events), dtype=np.int8)

    assert logistic_regression(FACTS.head(n_people), outcome, FACTS, features=["age"]) is None


def test_logistic_regression_finds_that_the_older_have_more_risk() -> None:
    outcome = np.array([0, 1] * 4 + [0, 1, 1] * 4, dtype=np.int8)

    risks = logistic_regression(FACTS, outcome, FACTS, features=["age"])

    assert risks is not None
    assert (np.diff(risks) >= 0).all()
