"""Contributions by look-up are LightGBM's, for any small model and any rows."""

import numpy as np
import polars as pl
import pytest
from helpers.boosters import around_thresholds, furthest, pred_contrib, train
from helpers.laws import examples
from helpers.risk import by_lightgbm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ageingwell.evaluation.calibration import Line
from ageingwell.lookup import LookupTables, compile_booster, compiling
from ageingwell.lookup.soundness import hold_together
from ageingwell.model.columns import Column
from ageingwell.model.compiled import compile_risk
from ageingwell.model.fitted import FittedRisk
from ageingwell.model.levels import as_numbers
from ageingwell.model.margin import Curve, Margin


@pytest.mark.slow
@settings(
    max_examples=examples(60),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
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
    assert furthest(ours.explain(rows, threads=1), pred_contrib(booster, rows)) < 1e-11


@settings(max_examples=examples(30), deadline=None, derandomize=True)
@given(data=st.data(), seed=st.integers(0, 10_000), gaps=st.sampled_from([0.0, 0.3]))
def test_any_fitted_model_is_explained_as_by_lightgbm_and_to_the_same_bits_in_every_way(data, seed, gaps):
    draw = np.random.default_rng(seed)
    x = np.round(draw.normal(size=(150, 4)) * 3)
    x[draw.random(x.shape) < gaps] = np.nan
    n_levels = data.draw(st.integers(1, 40))
    x[:, 3] = draw.integers(0, n_levels + 1, 150)  # the last code is a level that is missing
    tables = (None, None, None, tuple(draw.normal(size=n_levels + 2).tolist()))
    seen = as_numbers(x, [None if table is None else np.array(table) for table in tables])
    curves = tuple(drawn_curve(draw, data.draw(st.integers(1, 24))) for _ in range(3))
    by_level = Curve(tuple(np.arange(-1.0, n_levels + 1)), tuple(draw.normal(size=n_levels + 2).tolist()), 0.0)
    levels = tuple(f"level {n:03}" for n in range(n_levels))
    model = FittedRisk(
        booster_=train(seen, np.nan_to_num(seen).sum(axis=1), trees=data.draw(st.integers(1, 8))),
        columns=(Column("a"), Column("b"), Column("c"), Column("d", levels)),
        margin=Margin(0.3, (*curves, by_level)),
        levels=tables,
        typical=(0.0,) * 4,
        missing_in_training=frozenset("abc"),
        line=Line(-0.4, data.draw(st.sampled_from([0.0, 0.7, 1.0]))),
    )
    codes = np.append(x[:, 3], [-1.0])
    people = pl.DataFrame(dict(zip("abc", np.vstack([x[:, :3], x[:1, :3]]).T)), nan_to_null=True).with_columns(
        d=pl.Series(
            [levels[int(code)] if 0 <= code < n_levels else None if code > 0 else "never seen" for code in codes]
        )
    )

    compiled = compile_risk(model)

    ours, theirs = compiled.explain(people), by_lightgbm(model, people)
    assert compiled.why_slow is None
    np.testing.assert_allclose(ours.contributions, theirs.contributions, rtol=0, atol=1e-11)
    np.testing.assert_allclose(ours.log_odds, model.log_odds(model.score(people)), rtol=0, atol=1e-11)
    by_leaf = model.explain(people)
    assert by_leaf.contributions.tobytes() == ours.contributions.tobytes()
    assert model.log_odds_of(model.matrix(people)).tobytes() == by_leaf.log_odds.tobytes() == ours.log_odds.tobytes()


def drawn_curve(draw, knots):
    at = np.unique(np.round(draw.normal(size=knots) * 4, 1))
    return Curve(tuple(at.tolist()), tuple(draw.normal(size=len(at)).tolist()), float(draw.normal()))
