"""What is no fact of anybody's moves nobody's risk: the order of rows, and as little as can be the seed."""

import numpy as np
import pytest
from helpers.risk import drawn_people

from ageingwell.model.columns import columns_of, to_matrix
from ageingwell.model.estimator import RiskModel
from ageingwell.model.fitting import Recipe, fit_risk
from ageingwell.model.order import canonical_order, in_mean_one
from ageingwell.model.sampling import SampledWarning

N = 500
DRAW = np.random.default_rng(5)
GROUPS, TIME = np.arange(N) // 2, np.arange(N) % 5
ALONG = {
    "rows alone": {},
    "weights": {"sample_weight": DRAW.random(N)},
    "groups": {"groups": np.array([f"home {group}" for group in GROUPS])},
    "all of these": {"groups": GROUPS, "time": TIME, "sample_weight": DRAW.random(N)},
}


@pytest.mark.parametrize("along", ALONG)
def test_rows_in_another_order_give_the_same_risks_to_the_last_bit(along: str):
    people, happened = drawn_people(N // 2)
    # each row twice, so that there are ties
    people, happened = people.vstack(people), np.concatenate([happened, happened])
    order, given = np.random.default_rng(1).permutation(N), ALONG[along]
    model = RiskModel(warn_on_few_events=False, warn_on_traps=False, max_trees=30)

    one = model.fit(people, happened, **given)
    risks, shares = one.predict_proba(people), one.feature_importances_
    other = model.fit(people[order], happened[order], **{name: values[order] for name, values in given.items()})

    np.testing.assert_array_equal(other.predict_proba(people), risks)
    np.testing.assert_array_equal(other.feature_importances_, shares)


def test_a_sample_of_many_rows_is_the_same_in_any_order():
    people, happened = drawn_people(N)
    columns, order = columns_of(people), np.random.default_rng(1).permutation(N)
    codes, recipe = to_matrix(people, columns), Recipe(most_rows=300, most_trees=20, n_folds=2)
    signs = [0] * len(columns)

    with pytest.warns(SampledWarning, match="fitted on 300 of 500 rows"):
        one = fit_risk(codes, happened, columns=columns, signs=signs, recipe=recipe)
    with pytest.warns(SampledWarning):
        other = fit_risk(codes[order], happened[order], columns=columns, signs=signs, recipe=recipe)

    np.testing.assert_array_equal(other.score_of(codes), one.score_of(codes))


def test_the_trees_are_the_mean_of_several_growths_and_contributions_still_add_up():
    people, happened = drawn_people(700, seed=4)
    columns = columns_of(people)
    codes = to_matrix(people, columns)

    def fitted(repeats: int):
        return fit_risk(
            codes,
            happened,
            columns=columns,
            signs=[0] * len(columns),
            recipe=Recipe(repeats=repeats, blends=False, most_trees=60),
        )

    once, thrice = fitted(1), fitted(3)

    assert once.booster_.num_trees() > 1
    assert thrice.booster_.num_trees() == 3 * once.booster_.num_trees()
    explained = thrice.explanation_of(codes)
    np.testing.assert_allclose(
        explained.base + explained.contributions.sum(axis=1), thrice.log_odds(thrice.score_of(codes)), atol=1e-9
    )
    # the first growth is that of a fit that grows once
    first = thrice.booster_.predict(codes, raw_score=True, num_iteration=once.booster_.num_trees())
    assert np.corrcoef(first, once.booster_.predict(codes, raw_score=True))[0, 1] > 0.999


def test_the_order_is_by_what_rows_hold_and_weights_are_divided_by_a_sum_that_has_no_order():
    codes, weight = DRAW.normal(size=(200, 3)), DRAW.random(200)
    codes[:50, 1] = np.nan
    order = DRAW.permutation(200)

    one = codes[canonical_order(codes, np.zeros(200), weight=weight)]
    other = codes[order][canonical_order(codes[order], np.zeros(200), weight=weight[order])]

    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(in_mean_one(weight)[order], in_mean_one(weight[order]))
