"""Contributions by look-up are LightGBM's, for any small model and any rows."""

import numpy as np
from helpers.boosters import around_thresholds, furthest, pred_contrib, train
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ageingwell.lookup import LookupTables, compile_booster, compiling
from ageingwell.lookup.soundness import hold_together


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 10_000),
    features=st.integers(1, 7),
    trees=st.integers(1, 12),
    leaves=st.integers(2, 24),
    gaps=st.sampled_from([0.0, 0.1, 0.6]),
    zero_as_missing=st.booleans(),
    category=st.booleans(),
    in_a_piece=st.sampled_from([1, 16, 256]),
    in_a_group=st.sampled_from([2, 64, 1024]),
)
def test_any_model_is_explained_as_lightgbm_explains_it(
    monkeypatch, seed, features, trees, leaves, gaps, zero_as_missing, category, in_a_piece, in_a_group
):
    draw = np.random.default_rng(seed)
    x = np.round(draw.normal(size=(150, features)) * 3)
    x[:, 0] = np.abs(x[:, 0])
    x[draw.random(x.shape) < gaps] = np.nan
    y = np.nan_to_num(x).prod(axis=1) + draw.normal(size=150) + 5 * np.isnan(x[:, 0])
    booster = train(x, y, trees=trees, num_leaves=leaves, zero_as_missing=zero_as_missing, categories=[0] * category)
    monkeypatch.setattr(compiling, "IN_A_PIECE", in_a_piece)
    monkeypatch.setattr(compiling, "IN_A_GROUP", in_a_group)
    rows = np.concatenate([x, around_thresholds(booster, x)])

    ours = compile_booster(booster)

    assert isinstance(ours, LookupTables)
    assert hold_together(ours)
    assert furthest(ours.explain(rows, threads=1), pred_contrib(booster, rows)) < 1e-12
