"""What a data scientist asks of a fitted model: frames, plots, words for any frame, an evaluation, importances."""

import json
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from ageingwell import RiskModel
from ageingwell.errors import FrameError, MissingExtraError
from ageingwell.evaluation.evaluated import Evaluation, evaluate_risk
from ageingwell.in_hundred import whole

mpl.use("Agg")


def people(n: int = 900, seed: int = 4) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "age": draw.integers(65, 96, n),
            "falls": draw.poisson(0.5, n),
            "tenure": draw.choice(["owned", "rented"], n),
            "visits": draw.poisson(3, n).astype(float),
        }
    )
    return frame.with_columns(visits=pl.when(pl.int_range(n) % 4 > 0).then("visits"))


def happened(frame: pl.DataFrame, seed: int = 5) -> np.ndarray:
    odds = -4 + 0.12 * (frame["age"] - 65) + 0.8 * frame["falls"] + 0.6 * (frame["tenure"] == "rented")
    return np.random.default_rng(seed).random(frame.height) < expit(odds.to_numpy())


@pytest.fixture(scope="module")
def model() -> RiskModel:
    frame = people()
    return RiskModel(warn_on_few_events=False, max_trees=40).fit(frame, happened(frame))


@pytest.fixture(scope="module")
def later() -> pl.DataFrame:
    return people(700, seed=8)


SENTENCES = {
    "age": "aged {value}",
    "falls": {0: "no falls on record", 1: "one fall on record"},
    "tenure": {"rented": "rents the home", "owned": "owns the home"},
}


# Rows of an explanation


def test_rows_are_taken_as_from_a_list(model, later):
    explained = model.explain(later)
    first, last = explained[0], explained[-1]

    assert len(explained) == later.height
    assert len(first) == len(explained[:1]) == 1
    assert first.log_odds[0] == explained.log_odds[0]
    assert last.risk[0] == explained.risk[-1]
    assert explained[[3, 5]].risk.tolist() == explained.risk[[3, 5]].tolist()
    assert len(explained[explained.risk > 0.5]) == int((explained.risk > 0.5).sum())
    with pytest.raises(IndexError, match="700 rows are explained"):
        explained[700]


def test_what_was_explained_stays_with_it(model, later):
    values = model.explain(later)[3].values
    assert values.row(0) == tuple(float(x) if isinstance(x, int) else x for x in later.row(3))


def test_a_gap_that_is_new_is_shown_as_missing_though_the_median_counts(model, later):
    gone = later.with_columns(age=pl.lit(None, dtype=pl.Int64))
    with pytest.warns(UserWarning, match="training median"):
        explained = model.explain(gone)
    assert explained.values["age"].null_count() == later.height
    assert not np.isnan(explained.log_odds).any()


def test_a_level_never_seen_is_told_as_other(model, later):
    assert model.explain(later.head(3).with_columns(tenure=pl.lit("boat"))).values["tenure"].to_list() == ["other"] * 3


def test_pandas_holds_the_same_table(model, later):
    explained = model.explain(later.head(5))
    frame = explained.to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert frame.to_dict("list") == explained.to_polars().to_dict(as_series=False)


def test_shap_gets_the_same_numbers(model, later):
    explained = model.explain(later.head(20))
    given = explained.to_shap()
    assert np.array_equal(given.values, explained.contributions)
    assert np.allclose(given.base_values + given.values.sum(axis=1), logit(explained.risk), atol=1e-6)
    assert given.feature_names == ["age", "falls", "tenure", "visits"]
    assert given.display_data[0][2] in ("owned", "rented")


def test_plots_are_drawn_and_the_seed_gives_the_same_dots(model, later):
    import matplotlib.pyplot as plt

    explained = model.explain(later.head(60))
    before = np.random.get_state()[1].tolist()
    swarms = [explained.plot_beeswarm(seed=3) for _ in range(2)]
    dots = [np.vstack([part.get_offsets() for part in axes.collections]) for axes in swarms]
    waterfall = explained.plot_waterfall(2)
    named = {label.get_text().split(" = ")[-1] for label in waterfall.get_yticklabels()}
    plt.close("all")

    assert np.array_equal(dots[0], dots[1])
    assert np.random.get_state()[1].tolist() == before
    assert {"age", "falls", "tenure", "visits"} <= named


@pytest.mark.parametrize("library", ["shap", "matplotlib.pyplot", "pandas"])
def test_without_a_library_the_extra_is_named(model, later, monkeypatch, library):
    explained = model.explain(later.head(5))
    monkeypatch.setitem(sys.modules, library, None)
    ask = {"shap": explained.to_shap, "pandas": explained.to_pandas}.get(library, explained.plot_beeswarm)
    with pytest.raises(MissingExtraError, match=r"pip install 'ageingwell\[notebook\]'"):
        ask()


def test_of_many_rows_nobodys_own_is_shown(model, later):
    explained = model.explain(later)
    shown = repr(explained) + explained._repr_html_()
    own = {f"{value:.3f}" for value in explained.contributions[:50].reshape(-1)}
    mean = {f"{value:.3f}" for value in np.abs(explained.contributions).mean(axis=0)}
    assert [value for value in own - mean if f" {value}" in shown or f">{value}" in shown] == []
    assert len(repr(explained).splitlines()) <= 24
    assert "700" in shown


def test_of_one_row_the_contributions_are_shown(model, later):
    one = model.explain(later)[0]
    assert f"{one.contributions[0][0]:+.3f}" in repr(one)


# In 100, and in words


@pytest.mark.parametrize("beside", [None, "the old"])
def test_the_effects_in_100_add_up_to_the_risk(model, later, beside):
    explained = model.explain(later)
    compared = explained[later["age"].to_numpy() >= 85] if beside else None
    added = explained.in_100(beside=compared).group_by("row", maintain_order=True).agg(pl.col("adds_in_100").sum())
    start = compared.base[0] + compared.contributions.mean(axis=0).sum() if beside else explained.base[0]
    assert np.allclose(100 * expit(start) + added["adds_in_100"].to_numpy(), 100 * explained.risk, atol=1e-6)


def test_the_words_are_those_of_the_phrase_table_and_the_sum_is_right(model, later):
    explained = model.explain(later)
    row = int(np.argmax(explained.risk))
    told = explained.in_words(SENTENCES, row, outcome="are admitted within a year")

    age = later["age"][row]
    assert f"about {whole(float(explained.risk[row]))} are admitted within a year." in told
    assert f"aged {age}" in told
    assert ("rents the home" in told) == (later["tenure"][row] == "rented")
    total = next(line for line in told.splitlines() if line.startswith("The sum: "))
    left, _, right = total.removeprefix("The sum: ").rstrip(".").partition(" = ")
    numbers = [int(word) for word in left.replace("- ", "-").replace("+ ", "").split()]
    assert sum(numbers) == int(right) == whole(float(explained.risk[row]))


def test_what_is_not_known_is_said_apart(model, later):
    row = later["visits"].is_null().arg_true()[0]
    told = model.explain(later).in_words(SENTENCES, row)
    assert "Not known: visits." in told


def test_a_phrase_table_may_be_a_frame_of_either_kind(model, later):
    explained, rows = model.explain(later), {"feature": ["age"], "sentence": ["is {value} years old"]}
    told = [explained.in_words(made(rows), 0, most=9) for made in (pl.DataFrame, pd.DataFrame)]
    assert told[0] == told[1]
    assert f"is {later['age'][0]} years old" in told[0]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"agee": "aged {value}"}, "does not have: agee"),
        ([("age", "aged")], "neither a mapping nor a frame"),
        (pl.DataFrame({"feature": ["age", "age"], "sentence": ["a", "b"]}), "two sentences for one feature"),
        (pl.DataFrame({"feature": ["age"], "sentence": [None]}), "without a feature or a sentence"),
    ],
)
def test_a_wrong_phrase_table_says_what_is_wrong(model, later, table, said):
    with pytest.raises(FrameError, match=said):
        model.explain(later).in_words(table)


def test_rows_of_another_model_are_not_compared_with(model, later):
    frame = people(seed=30)
    other = RiskModel(warn_on_few_events=False, max_trees=10).fit(frame, happened(frame, seed=31))
    with pytest.raises(FrameError, match="by another model"):
        model.explain(later).in_100(beside=other.explain(later))
    with pytest.raises(FrameError, match="no rows to compare"):
        model.explain(later).in_100(beside=model.explain(later)[:0])


# Evaluation


def test_an_evaluation_holds_the_measures_of_the_evaluation_package(model, later):
    outcome = happened(later, seed=9)
    found = model.evaluate(later, outcome, baseline="age")
    same = evaluate_risk(outcome, model.decision_function(later), baseline=later["age"], baseline_name="age alone")

    assert isinstance(found, Evaluation)
    assert found.table.equals(same.table)
    assert found.verdict == same.verdict
    assert found.verdict.usable
    assert "age alone" in found.verdict.reason
    assert found.table["measure"].to_list() == [
        "auroc", "auroc_gain", "slope", "intercept", "intercept_at_slope_1", "observed_over_expected",
    ]  # fmt: skip
    assert found.curve["n"].sum() == later.height


def test_a_model_that_knows_nothing_is_not_usable(later):
    frame = people(400)
    outcome = np.random.default_rng(1).random(400) < 0.3
    found = (
        RiskModel(warn_on_few_events=False, max_trees=5)
        .fit(frame, outcome)
        .evaluate(later, np.random.default_rng(2).random(later.height) < 0.3, baseline=happened(later).astype(float))
    )
    assert not found.verdict.usable
    assert "no better than chance" in found.verdict.reason


def test_a_baseline_that_is_ahead_makes_it_unusable():
    y = np.tile([0, 1], 200)
    odds = np.random.default_rng(1).normal(size=400) + 0.5 * y
    told = evaluate_risk(y, odds, baseline=y + 0.001 * odds, baseline_name="the answer").verdict
    assert (told.usable, "worse than the answer" in told.reason) == (False, True)


def test_where_everybody_had_the_outcome_nothing_is_claimed():
    told = evaluate_risk([1] * 9, np.arange(9.0))
    assert (told.verdict.usable, "we cannot say" in told.verdict.reason) == (False, True)
    assert "cannot be told" in repr(told)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda odds: odds, "as high as they should be"),
        (lambda odds: odds + 1, "too high"),
        (lambda odds: odds - 1, "too low"),
        (lambda odds: 3 * odds, "too far apart"),
        (lambda odds: odds / 3, "too close together"),
    ],
)
def test_the_verdict_says_in_which_way_risks_are_wrong(change, said):
    draw = np.random.default_rng(6)
    odds = draw.normal(size=20_000)
    outcome = draw.random(20_000) < expit(odds)
    assert said in evaluate_risk(outcome, change(odds)).verdict.reason


def test_the_curve_is_drawn_as_the_table_says(model, later):
    import matplotlib.pyplot as plt

    found = model.evaluate(later, happened(later))
    _, mine = plt.subplots()
    axes = found.plot_calibration(ax=mine)
    points = axes.containers[0].lines[0].get_xydata()
    plt.close("all")
    assert axes is mine
    assert np.allclose(points, 100 * found.curve.select("mean_risk", "value").to_numpy())


@pytest.mark.parametrize(
    ("y", "baseline", "said"),
    [
        ([True] * 3, None, "X has 700 rows and y has 3"),
        ([None] * 700, None, "missing in 700 rows"),
        (["yes"] * 700, None, "other classes than the fit in 700 rows"),
        ([True, False] * 350, "tenure", "not a column of numbers"),
        ([True, False] * 350, "visits", "the baseline visits is missing in 175 rows"),
    ],
)
def test_an_evaluation_of_something_else_stops(model, later, y, baseline, said):
    with pytest.raises(ValueError, match=said):
        model.evaluate(later, y, baseline=baseline)


# Importances and the constructor


def test_importances_add_up_and_are_kept_with_the_model(model, tmp_path):
    again = RiskModel.load(model.save(tmp_path / "model"))
    assert model.feature_importances_.sum() == pytest.approx(1)
    assert model.features_[int(np.argmax(model.feature_importances_))] == "age"
    assert np.array_equal(again.feature_importances_, model.feature_importances_)
    assert again.summary().equals(model.summary())
    assert model.summary().columns == ["feature", "kind", "n_levels", "importance"]
    assert model.summary().row(by_predicate=pl.col("feature") == "tenure")[1:3] == ("category", 2)


def test_a_model_saved_before_says_that_it_has_none(model, tmp_path):
    from ageingwell.model.saving import _digest

    path = model.save(tmp_path / "model") / "model.json"
    body = json.loads(path.read_text(encoding="utf-8"))
    body.pop("importances")
    body["format"] = 1
    (path.parent / "SHA256SUMS").unlink()
    path.write_text(json.dumps({"sha256": _digest(body), **body}), encoding="utf-8")
    assert not hasattr(RiskModel.load(path.parent), "feature_importances_")
    with pytest.raises(AttributeError, match="fit it again"):
        RiskModel.load(path.parent).summary()


def curve(model: RiskModel, falls: list[int]) -> np.ndarray:
    rows = pl.DataFrame(
        {"age": 80, "falls": falls, "tenure": "owned", "visits": 3.0}, schema_overrides={"age": pl.Int64}
    )
    return model.decision_function(rows)


def fitted(*, of: object = None, at_fit: object = None) -> RiskModel:
    frame = people(500)
    fewer = happened(frame.with_columns(falls=-pl.col("falls").cast(pl.Int64)))  # here falls lower the risk
    return RiskModel(warn_on_few_events=False, max_trees=20, monotone=of).fit(frame, fewer, monotone=at_fit)


def test_a_direction_may_be_given_to_the_constructor():
    free, held, at_fit = fitted(), fitted(of={"falls": "up"}), fitted(at_fit={"falls": "up"})
    assert curve(free, [0, 3])[1] < curve(free, [0, 3])[0]
    assert curve(held, [0, 3])[1] >= curve(held, [0, 3])[0]
    assert np.array_equal(curve(held, [0, 1, 2, 3]), curve(at_fit, [0, 1, 2, 3]))


def test_given_to_both_that_of_the_fit_counts_as_a_whole():
    both = fitted(of={"falls": "up"}, at_fit={"age": "up"})
    assert curve(both, [0, 3])[1] < curve(both, [0, 3])[0]
    assert both.get_params()["monotone"] == {"falls": "up"}


def test_the_direction_is_a_parameter_like_any_other(tmp_path):
    given = {"falls": "up"}
    model = RiskModel(monotone=given)
    assert model.get_params()["monotone"] is given
    assert clone(model).get_params()["monotone"] == given
    assert clone(model.set_params(monotone=(0, 1, 0, 0))).monotone == (0, 1, 0, 0)
    frame = people(200)
    search = GridSearchCV(
        RiskModel(warn_on_few_events=False, max_trees=5), {"monotone": [None, given]}, cv=2, scoring="neg_log_loss"
    ).fit(frame.to_pandas(), happened(frame))
    assert search.best_params_["monotone"] in (None, given)
    saved = RiskModel.load(fitted(of=(0, np.int64(1), 0, 0)).save(tmp_path / "saved"))
    assert saved.monotone == [0, 1, 0, 0]
