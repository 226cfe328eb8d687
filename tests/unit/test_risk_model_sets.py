"""Categories of 31 to 250 levels: parted in sets by the trees where that describes new people better."""

import numpy as np
import polars as pl
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from ageingwell.model.estimator import RiskModel

LEVELS, N = 40, 1_200
DRAW = np.random.default_rng(1)
PRACTICE, X = DRAW.integers(0, LEVELS, 2 * N), DRAW.normal(size=(2 * N, 2))
FLIPS = DRAW.choice([-1.0, 1.0], LEVELS)
PEOPLE = pl.DataFrame({"x": X[:, 0], "z": X[:, 1], "practice": [f"practice {number}" for number in PRACTICE]})
QUIET = {"warn_on_few_events": False, "warn_on_traps": False}


def fitted(odds: np.ndarray) -> tuple[RiskModel, np.ndarray]:
    happened = (np.random.default_rng(2).random(2 * N) < expit(odds)).astype(int)
    return RiskModel(**QUIET, max_trees=80, n_folds=3).fit(PEOPLE[:N], happened[:N]), happened[N:]


def trees_see_sets(model: RiskModel) -> bool:
    table = model.fitted_.levels[2]
    return table is not None and table[:-1] == tuple(float(code) for code in range(LEVELS + 1))


def test_levels_in_which_a_number_counts_the_other_way_are_parted_in_sets_and_all_still_adds_up(tmp_path):
    model, happened = fitted(2 * FLIPS[PRACTICE] * X[:, 0])

    assert trees_see_sets(model)
    new = PEOPLE[N:]
    assert roc_auc_score(happened, model.decision_function(new)) > 0.7  # each level's log-odds say nothing: about 0.5
    explained = model.explain(new)
    np.testing.assert_allclose(explained.base + explained.contributions.sum(axis=1), explained.log_odds, atol=1e-9)
    again = RiskModel.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.predict_proba(new), model.predict_proba(new))
    unseen = new[:3].with_columns(practice=pl.lit("practice of tomorrow"))
    assert np.isfinite(model.predict_proba(unseen)).all()


def test_levels_that_say_nothing_are_not_parted():
    model, happened = fitted(1.5 * X[:, 0])

    assert not trees_see_sets(model)
    assert roc_auc_score(happened, model.decision_function(PEOPLE[N:])) > 0.75
