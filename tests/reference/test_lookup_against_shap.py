"""Contributions by look-up against LightGBM's own, `shap`, and Shapley's definition, to 1e-11 of the largest."""

import numpy as np
import pytest
from helpers.boosters import (
    around_thresholds,
    furthest,
    people,
    pred_contrib,
    shapley_of_all_subsets,
    train,
)

from ageingwell.lookup import LookupTables, compile_booster

X, Y = people()
SHAPES = {
    "plain": {},
    "stumps": {"num_leaves": 2, "trees": 60},
    "deep": {"num_leaves": 40, "trees": 6},
    "many trees": {"num_leaves": 8, "trees": 120, "learning_rate": 0.05},
    "zero as missing": {"zero_as_missing": True},
    "missing not used": {"use_missing": False},
    "bagged": {"bagging_fraction": 0.5, "bagging_freq": 1},
    "a categorical feature": {"categories": [1]},
    "two categorical features, one below 0": {"categories": [1, 4]},
    "no learning": {"min_data_in_leaf": 1000},
}


@pytest.fixture(scope="module", params=SHAPES, ids=str)
def booster(request):
    x = X if "below" not in request.param else np.column_stack([X[:, :4], X[:, 4] + 2, X[:, 5]])
    return train(x, Y, **SHAPES[request.param])


def test_contributions_are_lightgbms_on_the_rows_it_was_trained_on(booster):
    tables = compile_booster(booster)

    assert isinstance(tables, LookupTables)
    assert furthest(tables.explain(X, threads=1), pred_contrib(booster, X)) < 1e-11


def test_contributions_are_lightgbms_on_under_and_over_every_threshold_and_for_odd_values(booster):
    rows = around_thresholds(booster, X)

    ours = compile_booster(booster).explain(rows, threads=1)

    assert furthest(ours, pred_contrib(booster, rows)) < 1e-11


def test_contributions_are_lightgbms_where_training_had_no_gaps(booster):
    gaps = np.where(np.random.default_rng(3).random(X.shape) < 0.4, np.nan, X)

    ours = compile_booster(booster).explain(gaps, threads=1)

    assert furthest(ours, pred_contrib(booster, gaps)) < 1e-11


def test_contributions_are_those_of_all_subsets_of_features(booster):
    ours = compile_booster(booster).explain(X[:6], threads=1)

    for row, contributions in zip(X[:6], ours.contributions, strict=True):
        np.testing.assert_allclose(contributions, shapley_of_all_subsets(booster, row), atol=1e-11 * np.abs(Y).max())


def test_contributions_and_base_sum_to_lightgbms_raw_score(booster):
    ours = compile_booster(booster).explain(X, threads=1)

    raw = booster.predict(X, raw_score=True, num_threads=1)
    np.testing.assert_allclose(ours.base + ours.contributions.sum(axis=1), raw, atol=1e-11)
    np.testing.assert_allclose(ours.log_odds, raw, atol=1e-11)


@pytest.mark.slow
def test_a_feature_with_hundreds_of_thresholds_and_large_values_is_read_by_search():
    value = np.random.default_rng(4).normal(size=(3_000, 2)) * 1e6
    booster = train(
        value, np.sin(value[:, 0] / 1e5), trees=60, num_leaves=20, max_bin=3_000, bin_construct_sample_cnt=3_000
    )
    rows = np.concatenate([value[:200], around_thresholds(booster, value)[:400]])

    tables = compile_booster(booster)

    assert np.diff(tables.edge_start).max() > 256
    assert furthest(tables.explain(rows, threads=1), pred_contrib(booster, rows)) < 1e-11


def test_a_split_of_what_is_missing_from_all_that_is_known_has_an_infinite_threshold():
    value = np.where(np.arange(200) % 3 == 0, np.nan, np.arange(200) % 7 - 3.0)
    booster = train(value[:, None], np.isnan(value).astype(float), trees=3, min_data_in_leaf=20)
    rows = np.array([[np.nan], [np.inf], [-np.inf], [0.0], [4.0]])

    ours = compile_booster(booster).explain(rows, threads=1)

    assert "inf" in booster.model_to_string().split("end of trees")[0].split("threshold=", 1)[1].split("\n")[0]
    assert furthest(ours, pred_contrib(booster, rows)) < 1e-11


@pytest.mark.filterwarnings("ignore")
def test_contributions_are_those_of_the_shap_package():
    shap = pytest.importorskip("shap")
    booster = train(X, Y)
    # Its own code, not the call of pred_contrib it makes for LightGBM; that code reads missing values otherwise.
    known = X[~np.isnan(X).any(axis=1)][:50]
    explainer = shap.TreeExplainer(booster)

    theirs = explainer.shap_values(known)

    np.testing.assert_allclose(compile_booster(booster).explain(known, threads=1).contributions, theirs, atol=1e-11)
