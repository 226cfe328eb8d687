import subprocess
import sys

import lightgbm as lgb
import numpy as np
import pytest
from helpers.risk import drawn_people
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from ageingwell.model.estimator import RiskModel
from ageingwell.model.logistic import ridge_logistic

EXCEPTIONS = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a weight of 2 is not the same as two rows: the inner folds are drawn by row, and copies may part"
    ),
}


@parametrize_with_checks(
    [RiskModel(warn_on_few_events=False, max_trees=20, n_folds=2)], expected_failed_checks=lambda model: EXCEPTIONS
)
@pytest.mark.filterwarnings("ignore")
def test_it_has_the_habits_of_a_scikit_learn_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize("penalty", [0.1, 10.0, 1000.0])
def test_the_penalised_fit_is_that_of_scikit_learn(penalty):
    draw = np.random.default_rng(2)
    design = draw.normal(size=(400, 6))
    happened = (draw.random(400) < 1 / (1 + np.exp(-design[:, 0] + 2))).astype(float)

    beta = ridge_logistic(design, happened, weight=np.ones(400), penalty=penalty, lower=np.full(6, -np.inf))

    theirs = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=10_000).fit(design, happened)
    np.testing.assert_allclose(beta, [*theirs.coef_[0], theirs.intercept_[0]], rtol=2e-5, atol=1e-7)


def test_a_bound_holds_and_what_is_free_is_fitted_as_if_the_bound_column_were_not_there():
    draw = np.random.default_rng(3)
    design = draw.normal(size=(400, 3))
    happened = (draw.random(400) < 1 / (1 + np.exp(design[:, 0] - design[:, 1]))).astype(float)
    lower = np.array([0.0, 0.0, -np.inf])

    beta = ridge_logistic(design, happened, weight=np.ones(400), penalty=1.0, lower=lower)

    rest = ridge_logistic(design[:, 1:], happened, weight=np.ones(400), penalty=1.0, lower=lower[1:])
    assert beta[0] == 0.0
    np.testing.assert_allclose(beta[1:], rest, rtol=1e-5)


def test_contributions_are_the_curves_heights_plus_lightgbms_own_shap_values():
    people, happened = drawn_people(2000, seed=4)
    model = RiskModel(warn_on_few_events=False).fit(people, happened)
    fitted, line = model.fitted_, model.fitted_.line

    codes = fitted.matrix(people.with_columns(is_carer=people["is_carer"].cast(float)))
    shap = lgb.Booster(model_str=model.booster_.model_to_string()).predict(fitted.numbers(codes), pred_contrib=True)

    by_hand = line.slope * (fitted.margin.contributions(codes) + shap[:, :-1])
    np.testing.assert_allclose(model.explain(people).contributions, by_hand, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "events"), [(400, "interaction"), pytest.param(3000, "interaction", marks=pytest.mark.full), (1500, "line")]
)
def test_it_is_level_with_logistic_regression_at_any_size_and_above_it_where_features_interact(n, events):
    draw = np.random.default_rng(n)
    x = draw.normal(size=(n + 4000, 8))
    odds = x[:, 0] + 0.5 * x[:, 1] - 2 + (1.2 * x[:, 2] * x[:, 3] if events == "interaction" else 0.0)
    happened = (draw.random(len(x)) < 1 / (1 + np.exp(-odds))).astype(int)

    model = RiskModel(warn_on_few_events=False).fit(x[:n], happened[:n])

    theirs = LogisticRegression().fit(x[:n], happened[:n]).decision_function(x[n:])
    gain = roc_auc_score(happened[n:], model.decision_function(x[n:])) - roc_auc_score(happened[n:], theirs)
    assert gain > (0.02 if (n, events) == (3000, "interaction") else -0.01)


@pytest.mark.slow
def test_scoring_and_training_do_without_scikit_learn():
    # LightGBM imports it where it is installed; here it is not.
    modules = "ageingwell.bundle, ageingwell.learning.training"
    asked = f"import sys; sys.modules['sklearn'] = None; import {modules}; print('sklearn.base' in sys.modules)"

    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "False"
