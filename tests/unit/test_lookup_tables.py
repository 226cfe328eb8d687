"""Tables explain every row the same way, whatever the tiles, threads and chunks, and say why where they cannot."""

import subprocess
import sys

import numpy as np
import pytest
from helpers.boosters import furthest, people, pred_contrib, train

from ageingwell.errors import BundleError
from ageingwell.lookup import CurveMargin, DoesNotFit, Knots, LookupTables, compile_booster, compiling
from ageingwell.lookup.soundness import TYPES

X, Y = people(1_100)
BOOSTER = train(X, Y)
CURVES = (
    Knots(np.array([0.0, 1.0]), np.array([-0.25, 0.25]), 0.0),
    None,
    Knots(np.linspace(-2.0, 2.0, 5), np.array([0.4, 0.0, -0.2, 0.1, 0.3]), 0.7),
    Knots(np.linspace(-3.0, 3.0, 40), np.sin(np.arange(40.0)), -0.3),
    None,
    Knots(np.array([1.0]), np.array([0.5]), 0.1),
)
MARGIN = CurveMargin(0.25, CURVES, (None,) * 6)


@pytest.fixture(scope="module")
def compiled() -> LookupTables:
    return compile_booster(BOOSTER, line=(-0.5, 0.8), margin=MARGIN)


@pytest.mark.parametrize(("tile", "threads"), [(1, 1), (7, 2), (64, 3), (1_099, 2), (8_192, 4)])
def test_the_answer_is_the_same_bit_for_bit_for_any_tile_and_number_of_threads(compiled, tile, threads):
    once = compiled.explain(X, threads=1)

    again = compiled.explain(X, threads=threads, rows_in_a_tile=tile)

    assert again.contributions.tobytes() == once.contributions.tobytes()
    assert again.log_odds.tobytes() == once.log_odds.tobytes()


def test_the_answer_is_the_same_bit_for_bit_in_chunks_and_in_any_layout(compiled):
    once = compiled.explain(X, threads=1)

    chunks = [compiled.explain(np.asfortranarray(X)[first : first + 333], threads=2) for first in range(0, 1_100, 333)]

    assert np.concatenate([chunk.contributions for chunk in chunks]).tobytes() == once.contributions.tobytes()
    assert np.concatenate([chunk.log_odds for chunk in chunks]).tobytes() == once.log_odds.tobytes()


def test_compiling_twice_gives_the_same_tables(compiled):
    again = compile_booster(BOOSTER, line=(-0.5, 0.8), margin=MARGIN)

    assert all(np.array_equal(getattr(again, name), getattr(compiled, name)) for name in TYPES)


def test_margin_and_line_are_folded_in():
    # log-odds = 2 + 3 * (1 + curve(x0) + trees); the curve rises from 0 at 4 to 2 at 8, and is 0.5 where x0 is missing
    booster = train(X, Y)
    curve = Knots(np.array([4.0, 8.0]), np.array([0.0, 2.0]), 0.5)
    margin = CurveMargin(1.0, (curve, *[None] * 5), (None,) * 6)
    rows = X[:3].copy()
    rows[:, 0] = [6.0, 4.0, np.nan]
    trees = pred_contrib(booster, rows)

    ours = compile_booster(booster, line=(2.0, 3.0), margin=margin).explain(rows, threads=1)

    assert ours.base == pytest.approx(2 + 3 * (1 + trees.base), abs=1e-12)
    np.testing.assert_allclose(ours.contributions[:, 0], 3 * (trees.contributions[:, 0] + [1.0, 0.0, 0.5]), atol=1e-12)
    np.testing.assert_allclose(ours.contributions[:, 1:], 3 * trees.contributions[:, 1:], atol=1e-12)
    np.testing.assert_allclose(ours.log_odds, ours.base + ours.contributions.sum(axis=1), atol=1e-12)


@pytest.mark.parametrize("knots", [1, 2, 5, 16, 17, 60])
def test_a_curve_is_straight_between_its_knots_and_flat_beyond_however_many_it_has(knots):
    draw = np.random.default_rng(knots)
    curve = Knots(np.sort(draw.normal(size=knots)), draw.normal(size=knots), 0.75)
    between = (curve.at[1:] + curve.at[:-1]) / 2
    odd = [np.nan, np.inf, -np.inf, 9.0, -9.0, 0.0]
    rows = np.tile(X[:1], (2 * knots - 1 + len(odd), 1))
    rows[:, 2] = [*curve.at, *between, *odd]
    booster = train(X, Y, trees=1, num_leaves=2)
    margin = CurveMargin(0.0, (None, None, curve, None, None, None), (None,) * 6)

    ours = compile_booster(booster, margin=margin).explain(rows, threads=1).contributions[:, 2]

    without = compile_booster(booster).explain(rows, threads=1).contributions[:, 2]
    np.testing.assert_allclose(
        ours - without, [*curve.adds, *(curve.adds[1:] + curve.adds[:-1]) / 2, 0.75, *curve.adds[[-1, 0, -1, 0]],
                         np.interp(0.0, curve.at, curve.adds)], atol=1e-12)  # fmt: skip


def test_the_trees_see_the_number_of_a_level_and_the_curve_its_code():
    levels, codes = np.array([2.0, -1.0, 0.5, 0.0]), np.array([0.0, 1.0, 2.0, -1.0, 7.0, np.nan])
    rows = np.tile(X[:1], (6, 1))
    rows[:, 2] = codes
    seen = rows.copy()
    seen[:, 2] = [2.0, -1.0, 0.5, 0.0, 0.0, 0.0]  # the last level stands for what was never seen
    curve = Knots(np.array([-1.0, 0.0, 1.0, 2.0]), np.array([0.0, 0.1, 0.2, 0.4]), 0.0)
    height = np.array([0.1, 0.2, 0.4, 0.0, 0.4, 0.0])
    margin = CurveMargin(0.0, (None, None, curve, None, None, None), (None, None, levels, None, None, None))

    ours = compile_booster(BOOSTER, margin=margin).explain(rows, threads=1)

    trees = pred_contrib(BOOSTER, seen)
    expected = trees.contributions + height[:, None] * (np.arange(6) == 2)
    np.testing.assert_allclose(ours.contributions, expected, atol=1e-12)


def test_no_rows_give_no_contributions(compiled):
    ours = compiled.explain(np.empty((0, 6)), threads=2)

    assert ours.contributions.shape == (0, 6)
    assert ours.log_odds.shape == (0,)


def test_trees_without_a_split_contribute_nothing():
    booster = train(X, Y, min_data_in_leaf=5_000)

    ours = compile_booster(booster).explain(X, threads=1)

    assert not ours.contributions.any()
    assert ours.base == pytest.approx(Y.mean(), abs=1e-6)  # LightGBM keeps labels as float32


def test_only_trees_up_to_the_best_iteration_count():
    booster = train(X, Y, trees=20)
    booster.best_iteration = 5

    assert furthest(compile_booster(booster).explain(X, threads=1), pred_contrib(booster, X)) < 1e-12


def twenty_in_a_row():
    """Rows of some ones and then noughts; the target triples with every one, so the tree asks feature after feature."""
    ones = np.arange(3_000) % 21
    return (np.arange(20) < ones[:, None]).astype(float), 3.0**ones


def test_a_path_with_too_many_outcomes_falls_back_and_says_why():
    x, y = twenty_in_a_row()
    booster = train(x, y, trees=1, num_leaves=40, min_data_in_leaf=1, lambda_l2=0.0)

    ours = compile_booster(booster)

    assert isinstance(ours, DoesNotFit)
    assert "joint outcomes; the most is 65,536" in ours.reason
    assert furthest(ours.explain(x[:20], threads=1), pred_contrib(booster, x[:20])) < 1e-12


def test_trees_too_large_for_tables_are_found_out_by_their_size_before_anything_is_tabulated(monkeypatch):
    def never(*_):
        raise AssertionError("the long part of the work has begun")

    monkeypatch.setattr(compiling, "merge", never)
    monkeypatch.setattr(compiling, "MOST_BYTES", 1 << 20)
    draw = np.random.default_rng(1)
    x = draw.normal(size=(4_000, 12))
    y = np.sign(x).prod(axis=1) + x.sum(axis=1)

    found = compile_booster(train(x, y, trees=12, num_leaves=127, max_depth=12, min_data_in_leaf=2))

    assert "its tables would take more than 1 MiB" in found.reason


def test_tables_of_too_many_bytes_fall_back_and_say_why(monkeypatch):
    monkeypatch.setattr(compiling, "MOST_BYTES", 1_000)

    assert "its tables would take" in compile_booster(BOOSTER).reason


def test_the_fallback_gives_the_same_answer(monkeypatch, compiled):
    monkeypatch.setattr(compiling, "MOST_BYTES", 1)
    around = compile_booster(BOOSTER, line=(-0.5, 0.8), margin=MARGIN)

    ours = compiled.explain(X, threads=1)

    assert isinstance(around, DoesNotFit)
    assert furthest(around.explain(X, threads=1), ours) < 1e-12
    assert around.explain(X[:0], threads=1).base == pytest.approx(ours.base, abs=1e-12)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"objective": "multiclass", "num_class": 3}, "several outputs"),
        ({"boosting": "rf", "bagging_fraction": 0.5, "bagging_freq": 1}, "averaged"),
        ({"linear_tree": True}, "linear leaves"),
    ],
)
def test_models_of_another_kind_fall_back_and_say_why(settings, reason):
    y = (np.arange(len(Y)) % 3).astype(float) if "num_class" in settings else Y

    ours = compile_booster(train(X, y, trees=2, **settings))

    assert isinstance(ours, DoesNotFit)
    assert reason in ours.reason


@pytest.mark.parametrize("wrong", [X[:, :5], X.astype(np.float32), X[0], X.tolist()])
def test_values_of_another_shape_or_type_are_refused(compiled, wrong):
    with pytest.raises(BundleError, match="two-dimensional float64 array with 6 columns"):
        compiled.explain(wrong, threads=1)


@pytest.mark.parametrize(
    ("margin", "message"),
    [
        (CurveMargin(0.0, (None, None), (None, None)), "2 curves and the trees 6 features"),
        (CurveMargin(np.nan, (None,) * 6, (None,) * 6), "not finite"),
        (CurveMargin(0.0, (Knots(np.zeros(1), np.zeros(1), np.inf), *[None] * 5), (None,) * 6), "not finite"),
        (CurveMargin(0.0, (Knots(np.zeros(2), np.zeros(2), 0.0), *[None] * 5), (None,) * 6), "which ascend"),
        (CurveMargin(0.0, (Knots(np.zeros(0), np.zeros(0), 0.0), *[None] * 5), (None,) * 6), "a height for each"),
        (CurveMargin(0.0, (None,) * 6, (np.zeros(0), *[None] * 5)), "no level"),
    ],
)
def test_a_margin_that_does_not_suit_the_trees_is_refused(margin, message):
    with pytest.raises(BundleError, match=message):
        compile_booster(BOOSTER, margin=margin)


def test_importing_the_package_imports_neither_numba_nor_lightgbm():
    asked = "import sys, ageingwell.lookup; print(sorted({'numba', 'lightgbm', 'llvmlite'} & set(sys.modules)))"

    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"
