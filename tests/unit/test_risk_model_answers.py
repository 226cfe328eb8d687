"""`RiskModel` explains and predicts to the same bits however it goes about it, and its tables stay its own affair."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import numpy as np
import polars as pl
import pytest
from helpers.boosters import train
from helpers.risk import by_lightgbm, drawn_people
from scipy.special import expit
from sklearn.base import clone

from ageingwell.lookup import answers, compiling
from ageingwell.lookup.fallback import DoesNotFit
from ageingwell.model.estimator import RiskModel

PEOPLE, DIED = drawn_people(500)
ODD = pl.DataFrame(
    {
        "age": [64.0, 101.0, 80.0, None],
        "falls": [None, 40.0, 0.0, 1.0],
        "tenure": [None, "caravan", "other", "owned"],
        "practice": ["practice 3", "practice 999", None, "practice 4"],
        "is_carer": [True, False, True, None],
    }
)
EVERYBODY = pl.concat([PEOPLE, ODD])


@pytest.fixture(scope="module")
def fitted():
    """A fit with more and larger trees than so few people deserve."""
    found = RiskModel(warn_on_few_events=False, max_trees=5).fit(PEOPLE, DIED)
    booster = train(found.fitted_.numbers(found.fitted_.matrix(PEOPLE)), DIED.astype(float), trees=60)
    found.fitted_ = replace(found.fitted_, booster_=booster)
    return found


@pytest.fixture
def model(fitted) -> RiskModel:
    """The same fit, which has explained nobody yet."""
    return copy.deepcopy(fitted)


pytestmark = pytest.mark.filterwarnings("ignore::ageingwell.model.estimator.NewGapsWarning")


def tables_of(model: RiskModel):
    return model.fitted_._answers.tables


def test_contributions_are_lightgbms_and_add_up_to_the_risk_exactly(model):
    explained = model.explain(EVERYBODY)

    theirs = by_lightgbm(model.fitted_, EVERYBODY)
    np.testing.assert_allclose(explained.contributions, theirs.contributions, rtol=0, atol=1e-10)
    np.testing.assert_allclose(explained.base, theirs.base, rtol=0, atol=1e-10)
    assert explained.log_odds.tobytes() == model.decision_function(EVERYBODY).tobytes()
    assert model.predict_proba(EVERYBODY)[:, 1].tobytes() == expit(explained.log_odds).tobytes()


def test_tables_are_made_when_they_pay_and_change_no_bit(model, monkeypatch):
    monkeypatch.setattr(answers, "ROWS_THAT_PAY", 600)
    monkeypatch.setattr(answers, "FEW_ROWS", 0)

    first, predicted = model.explain(EVERYBODY), model.decision_function(EVERYBODY)
    assert tables_of(model) is None

    second = model.explain(EVERYBODY)
    assert tables_of(model) is not None
    monkeypatch.setattr(answers, "WORK_OF_A_TREE", 10**9)
    looked_up = model.decision_function(EVERYBODY)

    assert first.contributions.tobytes() == second.contributions.tobytes()
    assert first.log_odds.tobytes() == second.log_odds.tobytes() == predicted.tobytes() == looked_up.tobytes()


def test_many_predictions_make_tables_too(model, monkeypatch):
    monkeypatch.setattr(answers, "ROWS_THAT_PAY", 5)

    model.predict_proba(PEOPLE)

    assert tables_of(model) is not None


def test_trees_too_large_for_tables_are_gone_through_leaf_by_leaf_to_the_same_bits(model, monkeypatch):
    by_tables = copy.deepcopy(model)
    monkeypatch.setattr(answers, "ROWS_THAT_PAY", 1)
    expected = by_tables.explain(EVERYBODY)
    assert tables_of(by_tables) is not None

    monkeypatch.setattr(compiling, "MOST_BYTES", 1)
    found = model.explain(EVERYBODY)

    assert tables_of(model) is None
    assert found.contributions.tobytes() == expected.contributions.tobytes()
    assert found.log_odds.tobytes() == expected.log_odds.tobytes() == model.decision_function(EVERYBODY).tobytes()


def test_trees_that_cannot_be_taken_apart_are_explained_by_lightgbm(model):
    numbers = model.fitted_.numbers(model.fitted_.matrix(PEOPLE))
    forest = train(numbers, DIED.astype(float), boosting="rf", bagging_fraction=0.5, bagging_freq=1)
    model.fitted_ = replace(model.fitted_, booster_=forest)

    explained = model.explain(PEOPLE)

    assert isinstance(model.fitted_._answers, DoesNotFit)
    theirs = by_lightgbm(model.fitted_, PEOPLE)
    np.testing.assert_allclose(explained.contributions, theirs.contributions, rtol=0, atol=1e-12)
    np.testing.assert_allclose(explained.log_odds, model.decision_function(PEOPLE), rtol=0, atol=1e-12)
    assert model.explain(PEOPLE.head(0)).contributions.shape == (0, 5)
    assert model.decision_function(PEOPLE.head(0)).shape == (0,)


def test_copies_pickles_and_saved_models_hold_no_tables_and_answer_alike(model, monkeypatch, tmp_path):
    untouched = len(pickle.dumps(model))
    monkeypatch.setattr(answers, "ROWS_THAT_PAY", 1)
    expected = model.explain(EVERYBODY)
    assert tables_of(model) is not None
    assert len(pickle.dumps(model)) == untouched

    others = [
        pickle.loads(pickle.dumps(model)),  # noqa: S301 (our own)
        copy.copy(model),
        copy.deepcopy(model),
        RiskModel.load(model.save(tmp_path / "model")),
    ]

    assert {path.name for path in (tmp_path / "model").iterdir()} == {"SHA256SUMS", "model.json", "model.txt"}
    for other in others:
        assert other.explain(EVERYBODY).contributions.tobytes() == expected.contributions.tobytes()
    assert not hasattr(clone(model), "fitted_")


def test_a_model_fitted_again_answers_from_its_new_trees(model, monkeypatch):
    monkeypatch.setattr(answers, "ROWS_THAT_PAY", 1)
    before = model.explain(EVERYBODY)

    after = model.fit(PEOPLE, 1 - DIED).explain(EVERYBODY)

    assert not np.allclose(before.contributions, after.contributions)
    theirs = by_lightgbm(model.fitted_, EVERYBODY)
    np.testing.assert_allclose(after.contributions, theirs.contributions, rtol=0, atol=1e-10)


def test_threads_that_ask_at_once_make_tables_once_and_get_the_same(model, monkeypatch):
    made, compile_forest = [], answers.compile_forest
    monkeypatch.setattr(answers, "ROWS_THAT_PAY", 1)
    monkeypatch.setattr(answers, "compile_forest", lambda forest: made.append(1) or compile_forest(forest))
    together = Barrier(4)

    def ask(_: int) -> bytes:
        together.wait()
        return model.explain(EVERYBODY).contributions.tobytes()

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(ask, range(4)))

    assert len(found) == len(made) == 1
