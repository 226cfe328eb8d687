"""What makes a fit quick changes nothing but the time: bins, starts and samples."""

import numpy as np
import polars as pl
import pytest
from helpers.risk import drawn_people

from ageingwell.model import fitting
from ageingwell.model.choosing import Recipe, in_bins, trial_of
from ageingwell.model.columns import columns_of, to_matrix
from ageingwell.model.fitting import fit_risk
from ageingwell.model.logistic import Solution, solve
from ageingwell.model.sampling import SampledWarning, sample_of
from ageingwell.model.saving import load_folder, save_folder
from ageingwell.model.training import Margins, Training, rows_to_fit, rows_to_judge
from ageingwell.model.trees import FOR_SETS, Rows, Shape, losses_by_trees, model_text


def drawn_design(n: int = 500, q: int = 12):
    draw = np.random.default_rng(5)
    design = draw.normal(size=(n, q)) @ (np.eye(q) + 0.2)
    happened = (draw.random(n) < 1 / (1 + np.exp(2 - design[:, 0] + design[:, 1]))).astype(float)
    lower = np.where(np.arange(q) % 2 == 0, 0.0, -np.inf)
    return design, happened, draw.uniform(0.5, 2.0, n), lower


def training_of(n: int = 600, *, turned: int | None = None) -> Training:
    """Drawn people in three folds; the outcomes of one fold may be turned."""
    people, happened = drawn_people(n)
    columns = columns_of(people)
    fold = np.arange(n) % 3
    y = np.where(fold == turned, 1 - happened, happened).astype(float)
    return Training(to_matrix(people, columns), y, np.ones(n), fold, columns, (1, 0, 0, 0, 0))


@pytest.mark.parametrize("start", ["another penalty", "more rows", "a curvature a hundredth of its own"])
def test_a_fit_that_starts_from_another_comes_to_the_same_minimum(start):
    design, happened, weight, lower = drawn_design()
    some = np.arange(len(happened)) % 5 > 0
    fit = {"outcome": happened[some], "weight": weight[some], "lower": lower}
    if start == "more rows":
        begun = solve(design, happened, weight=weight, penalty=3.0, lower=lower)
    else:
        begun = solve(design[some], penalty=300.0, **fit)
    if start.startswith("a curvature"):
        # Steps by it go far too far, so that the loss rises.
        begun = Solution(begun.beta, begun.curvature / 100)

    warm, cold = solve(design[some], penalty=3.0, start=begun, **fit), solve(design[some], penalty=3.0, **fit)

    assert (cold.beta == 0).any()
    np.testing.assert_allclose(warm.beta, cold.beta, atol=1e-8)


def test_a_margin_of_some_rows_is_the_one_that_was_not_started_from_all():
    training = training_of()
    rows = training.fold != 1

    warm = Margins(training, 10.0).of(rows).margin
    cold = Margins(training, 10.0)._solved(rows, None)[0].margin

    assert [curve.at for curve in warm.curves] == [curve.at for curve in cold.curves]
    for one, other in zip(warm.curves, cold.curves):
        np.testing.assert_allclose(one.adds, other.adds, rtol=1e-5, atol=1e-8)


def test_what_trees_are_fitted_on_knows_no_outcome_of_the_rows_that_judge_them():
    # Tenure has few levels and practice many, which are described by outcomes; all knots are those of all rows.
    told, turned = training_of(), training_of(turned=1)
    assert told.many
    fit = told.fold != 1

    rows, other = (rows_to_fit(Margins(training, 10.0), fit) for training in (told, turned))
    judges, others = (
        rows_to_judge(training.part(~fit), Margins(training, 10.0).of(fit)) for training in (told, turned)
    )

    np.testing.assert_array_equal(rows.matrix, other.matrix)
    np.testing.assert_array_equal(judges.matrix, others.matrix)
    # Rounded to six digits: the start, which knew all outcomes, is far below them.
    np.testing.assert_allclose(rows.margin, other.margin, rtol=1e-5)
    np.testing.assert_allclose(judges.margin, others.margin, rtol=1e-5)


def test_bins_that_were_used_before_give_the_trees_of_new_ones():
    training = training_of()
    margins, fit = Margins(training, 10.0), training.fold != 1
    judge = rows_to_judge(training.part(~fit), margins.of(fit))
    used = trial_of(rows_to_fit(margins, fit), judge, training)
    flat = Margins(training, np.inf)
    margin, judge_margin = rows_to_fit(flat, fit).margin, flat.of(fit).log_odds(training.codes[~fit])
    given = {"signs": training.signs, "most": 20, "patience": 5, "seed": 1, "threads": 1}

    def grown(trial, shape):
        found = losses_by_trees(trial.fit, trial.margin, trial.judge, trial.judge_bins, shape=shape, **given)
        return model_text(found[0]), found[1].tolist()

    before = grown(used, FOR_SETS)
    again = grown(used.boosted_from(margin, judge_margin), Shape(leaves=8))

    new = trial_of(
        Rows(*vars(rows_to_fit(flat, fit)).values()), rows_to_judge(training.part(~fit), flat.of(fit)), training
    )
    assert again == grown(new, Shape(leaves=8))
    assert before == grown(used, FOR_SETS) != again
    assert in_bins(judge, training, like=used.fit).dataset.num_data() == (~fit).sum()


def test_a_sample_keeps_who_had_the_outcome_and_stands_for_all_rows():
    outcome = np.zeros(10_000)
    outcome[:300] = 1

    sample = sample_of(outcome, groups=None, most=2000, seed=1)

    assert len(sample.rows) == 2000
    assert sample.rows[:300].tolist() == list(range(300))
    assert set(sample.stands_for[:300]) == {1.0}
    assert sample.stands_for.sum() == pytest.approx(10_000)
    # 1,700 of 9,700 without the outcome; thinned to like shares, 300 of the others are 300 * 1,700 / 9,700 = 53.
    kept = sample.like_all(np.arange(2000), seed=1)
    assert kept[300:].all()
    assert 30 < kept[:300].sum() < 80
    assert sample_of(outcome, groups=None, most=10_000, seed=1) is None


def test_where_most_had_the_outcome_they_are_drawn_too():
    outcome = (np.arange(10_000) % 10 > 0).astype(float)

    sample = sample_of(outcome, groups=None, most=1500, seed=1)

    assert outcome[sample.rows].sum() == 750
    weighted = np.average(outcome[sample.rows], weights=sample.stands_for)
    assert weighted == pytest.approx(0.9)
    # All of the few without it, and as many others as there is room for.
    assert outcome[sample_of(outcome, groups=None, most=5000, seed=1).rows].sum() == 4000


def test_a_sample_keeps_groups_whole_and_is_the_same_in_any_order_of_rows():
    draw = np.random.default_rng(1)
    person = np.array([f"p{number}" for number in draw.integers(0, 800, 3000)])
    outcome = (draw.random(3000) < 0.05).astype(float)
    order = draw.permutation(3000)

    one = sample_of(outcome, groups=person, most=1000, seed=4)
    other = sample_of(outcome[order], groups=person[order], most=1000, seed=4)
    again = sample_of(outcome, groups=person, most=1000, seed=4)

    assert np.array_equal(one.rows, again.rows)
    assert sorted(order[other.rows]) == one.rows.tolist()
    assert len(one.rows) <= 1000
    assert not set(person[one.rows]) & set(np.delete(person, one.rows))
    assert set(sample_of(outcome, groups=person, most=1000, seed=5).rows) != set(one.rows)


def test_of_too_many_rows_a_sample_is_fitted_on_and_the_model_says_so(tmp_path):
    draw = np.random.default_rng(3)
    age, falls = draw.uniform(65, 95, 4000), draw.poisson(1.0, 4000).astype(float)
    happened = (draw.random(4000) < 1 / (1 + np.exp(-((age - 95) / 6 + 0.5 * falls - 1.0)))).astype(float)
    falls[np.flatnonzero(happened == 0)[::97]] = np.nan
    people = pl.DataFrame({"age": age, "falls": falls}).fill_nan(None)
    columns = columns_of(people)
    given = {"columns": columns, "signs": [0, 0]}

    with pytest.warns(SampledWarning, match=r"fitted on 1,000 of 4,000 rows, \d+ of \d+ with the outcome"):
        model = fit_risk(to_matrix(people, columns), happened, recipe=Recipe(most_trees=20, most_rows=1000), **given)
    whole = fit_risk(to_matrix(people, columns), happened, recipe=Recipe(most_trees=20), **given)

    risk = model.risk(model.score(people))
    assert model.sampled.n_events_used > 1000 * happened.mean() * 1.5
    assert risk.mean() == pytest.approx(happened.mean(), rel=0.1)
    assert np.corrcoef(model.score(people), whole.score(people))[0, 1] > 0.97
    # What is known of values alone is known of all rows.
    assert (model.typical, model.missing_in_training) == (whole.typical, whole.missing_in_training)
    # Its range is about the shares that there are among all, not among the sample.
    low, high = model.risk_range(model.score(people))
    assert low.mean() < happened.mean() < high.mean()
    save_folder(model, tmp_path / "model")
    assert load_folder(tmp_path / "model")[0].sampled == model.sampled
    assert whole.sampled is None


@pytest.mark.parametrize(("share", "judged"), [(0.0, 1), (0.5, 2)])
def test_of_a_large_set_all_folds_judge_the_second_way_only_where_two_see_a_use_in_it(monkeypatch, share, judged):
    people, happened = drawn_people(300)
    people = people.drop("practice")  # its 60 levels would be judged in two ways
    columns = columns_of(people)
    counted = []
    judge = fitting.judge_shape
    monkeypatch.setattr(fitting, "judge_shape", lambda *given, **named: counted.append(1) or judge(*given, **named))
    monkeypatch.setattr(fitting, "share_of_second", lambda first, second: share)
    recipe = Recipe(most_trees=10, rows_to_choose=200)

    model = fit_risk(to_matrix(people, columns), happened, columns=columns, signs=[0] * 4, recipe=recipe)

    assert len(counted) == judged
    assert np.isfinite(model.score(people)).all()
