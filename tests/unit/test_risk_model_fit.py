import json
import re

import numpy as np
import polars as pl
import pytest
from helpers.risk import drawn_people
from sklearn.metrics import roc_auc_score

from ageingwell.errors import BundleError, FrameError, TooFewEventsError
from ageingwell.evaluation.sample_size import minimum_sample_size
from ageingwell.model import fitting
from ageingwell.model.calibrating import calibrate
from ageingwell.model.choosing import Judged, Recipe, share_of_second, shrunken_trees
from ageingwell.model.columns import columns_of, to_matrix
from ageingwell.model.estimator import FewEventsWarning, RiskModel
from ageingwell.model.fitting import fit_risk
from ageingwell.model.folds import folds_of, splits_of
from ageingwell.model.saving import written
from ageingwell.model.training import Margins, Training, rows_to_fit
from ageingwell.model.trees import Shape, scaled


def quiet(**given) -> RiskModel:
    return RiskModel(**{"warn_on_few_events": False, "max_trees": 40, **given})


@pytest.fixture(scope="module")
def fitted() -> RiskModel:
    """A model of the drawn people, to look at."""
    return quiet().fit(*drawn_people())


def text_of(model: RiskModel) -> str:
    return written(model.fitted_, "model.txt")[0] + json.dumps(written(model.fitted_, "model.txt")[1])


def test_contributions_and_base_are_the_log_odds_with_missing_values_and_categories(fitted):
    people, _ = drawn_people()

    explained, risk = fitted.explain(people), fitted.predict_proba(people)[:, 1]

    np.testing.assert_allclose(
        explained.base + explained.contributions.sum(axis=1), np.log(risk / (1 - risk)), atol=1e-9
    )
    long = explained.to_polars()
    assert long.shape == (600 * 5, 3)
    assert long.filter(pl.col("row") == 1)["contribution"].to_list() == explained.contributions[1].tolist()


def test_few_events_warn_with_the_number_needed():
    # age, falls, is_carer and practice (of many levels) take one coefficient each, tenure (of three) takes two
    people, happened = drawn_people(100)
    needed = minimum_sample_size(n_parameters=6, event_share=happened.mean())

    with pytest.warns(FewEventsWarning, match=f"ask for about {needed.n_events} events among {needed.n} rows"):
        RiskModel(max_trees=5).fit(people, happened)


@pytest.mark.parametrize("events", [1, 2, 3])
def test_a_handful_of_events_gives_a_cautious_model_and_no_error(events):
    people, _ = drawn_people(60)
    happened = np.arange(60) < events

    risk = quiet().fit(people, happened).predict_proba(people)[:, 1]

    assert np.isfinite(risk).all()
    assert risk.mean() == pytest.approx(events / 60, abs=0.05)


@pytest.mark.slow
def test_outcomes_may_be_words_and_the_second_in_order_is_the_event(fitted):
    people, happened = drawn_people()
    words = np.where(happened == 1, "yes", "no")

    model = quiet().fit(people, words)

    assert model.classes_.tolist() == ["no", "yes"]
    assert set(model.predict(people)) == {"no", "yes"}
    np.testing.assert_array_equal(model.decision_function(people), fitted.decision_function(people))


@pytest.mark.slow
def test_the_same_training_twice_and_on_two_threads_is_the_same_bytes():
    people, happened = drawn_people(500)

    # Few trees: LightGBM's second thread waits at full speed.
    texts = {text_of(quiet(threads=threads, max_trees=5).fit(people, happened)) for threads in (1, 2)}

    assert len(texts) == 1


def test_saved_and_loaded_it_gives_the_same_risks_and_contributions(tmp_path):
    people, happened = drawn_people()
    model = quiet(seed=5).fit(people, happened)

    again = RiskModel.load(model.save(tmp_path / "model"))

    np.testing.assert_array_equal(again.predict_proba(people), model.predict_proba(people))
    np.testing.assert_array_equal(again.explain(people).contributions, model.explain(people).contributions)
    assert again.get_params() == model.get_params()
    assert again.feature_names_in_.tolist() == people.columns
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "SHA256SUMS",
        "model.json",
        "model.txt",
    ]


@pytest.mark.parametrize("file", ["model.txt", "model.json"])
def test_a_changed_file_is_refused_before_it_is_parsed(fitted, tmp_path, file):
    fitted.save(tmp_path)
    path = tmp_path / file
    path.write_text(re.sub(r"0\.(\d)", lambda found: f"0.{(int(found[1]) + 1) % 10}", path.read_text(), count=1))

    with pytest.raises(BundleError, match=f"{file} is not the file that was saved"):
        RiskModel.load(tmp_path)


def test_a_folder_without_a_model_or_with_half_of_one_is_refused(tmp_path):
    with pytest.raises(BundleError, match="no saved model here"):
        RiskModel.load(tmp_path)
    (tmp_path / "model.json").write_text("[1, 2")
    with pytest.raises(BundleError, match=r"does not hold what a model needs \(JSONDecodeError\)"):
        RiskModel.load(tmp_path)


def test_a_group_lies_in_one_fold_and_later_rows_judge_earlier_ones():
    outcome = np.tile([0.0, 0.0, 1.0, 0.0], 50)
    household, year = np.repeat(np.arange(100), 2), np.tile([2021, 2022, 2023, 2024], 50)

    fold = folds_of(outcome, groups=household, n=5, seed=1)
    splits = splits_of(fold, time=year)

    assert all(len(set(fold[household == door])) == 1 for door in range(100))
    for split in splits:
        assert not set(household[split.fit]) & set(household[split.judge])
        assert year[split.fit].max() < year[split.judge].min()


def test_groups_time_and_weights_are_taken_and_their_lengths_checked():
    people, happened = drawn_people()
    groups, time = np.arange(600) // 2, np.arange(600) % 4

    model = quiet().fit(people, happened, groups=groups, time=time, sample_weight=np.ones(600))

    assert 0.5 < model.fitted_.line.slope < 1.5
    with pytest.raises(FrameError, match="groups has shape"):
        quiet().fit(people, happened, groups=groups[1:])


def test_rows_of_no_weight_count_as_left_out():
    people, happened = drawn_people()
    weight = np.where(np.arange(600) < 500, 1.0, 0.0)

    weighted = quiet().fit(people, happened, sample_weight=weight)
    shorter = quiet().fit(people.head(500), happened[:500])

    np.testing.assert_allclose(weighted.decision_function(people), shorter.decision_function(people))


def test_categories_whose_pairs_count_and_not_each_alone_are_found():
    # Each pair has a risk of 0.1 or 0.7 by chance, so a table for each category alone tells next to nothing.
    draw = np.random.default_rng(1)
    risk_of = draw.choice([0.1, 0.7], size=(6, 6))
    tenure, fuel = draw.integers(0, 6, 4000), draw.integers(0, 6, 4000)
    homes = pl.DataFrame({"tenure": [f"t{one}" for one in tenure], "fuel": [f"f{one}" for one in fuel]})
    happened = (draw.random(4000) < risk_of[tenure, fuel]).astype(int)

    model = quiet(max_trees=100).fit(homes.head(2000), happened[:2000])

    best = roc_auc_score(happened[2000:], risk_of[tenure, fuel][2000:])
    assert roc_auc_score(happened[2000:], model.decision_function(homes.tail(2000))) > best - 0.03
    assert "num_cat=" in text_of(model)


@pytest.mark.slow
def test_rows_of_one_person_in_several_years_are_known_again():
    # Each person has a risk of their own that no single fact tells, and eight years with the same facts.
    draw = np.random.default_rng(2)
    facts, risk = draw.normal(size=(300, 4)), draw.choice([0.1, 0.6], size=300)
    person = np.repeat(np.arange(300), 8)
    years = pl.DataFrame(facts[person], schema=["age", "gait_speed", "grip", "weight"])
    happened = (draw.random(len(person)) < risk[person]).astype(int)
    late = np.arange(len(person)) % 8 >= 5

    model = quiet(warn_on_traps=False, max_trees=20).fit(years.filter(~late), happened[~late])

    assert roc_auc_score(happened[late], model.decision_function(years.filter(late))) > 0.65
    margin = model.fitted_.margin.log_odds(to_matrix(years.filter(late), model.fitted_.columns))
    assert abs(roc_auc_score(happened[late], margin) - 0.5) < 0.1


@pytest.mark.parametrize(("rows_to_choose", "judges"), [(300, [5]), (299, [2, 5])], ids=["few rows", "many rows"])
def test_with_many_rows_two_splits_choose_the_shape_and_all_judge_it(monkeypatch, rows_to_choose, judges):
    people, happened = drawn_people(300)
    people = people.drop("practice")  # its 60 levels would be judged in two ways
    columns = columns_of(people)
    counted: list[int] = []

    def judging(judge):
        def counts(trials, *given, **named):
            found = list(trials)
            counted.append(len(found))
            return judge(found, *given, **named)

        return counts

    for name in ("judge_trees", "judge_shape"):
        monkeypatch.setattr(fitting, name, judging(getattr(fitting, name)))
    recipe = Recipe(most_trees=20, rows_to_choose=rows_to_choose, blends=False)

    fit_risk(to_matrix(people, columns), happened, columns=columns, signs=[0] * len(columns), recipe=recipe)

    assert counted == judges


def scored(scores: list[float]) -> Judged:
    """Four people, the first two with the outcome, and the score of each."""
    return Judged(Shape(), 3, np.array([1.0, 1.0, 0.0, 0.0]), np.ones(4), np.zeros(4), np.array(scores))


@pytest.mark.parametrize(
    ("second", "share"),
    [
        ([0.0, 0.0, 0.0, 0.0], 0.0),  # tells nothing
        ([3.0, 3.0, -3.0, -3.0], 1.0),  # everybody gains as much: no chance in it
        ([9.0, -8.0, -9.0, 8.0], 0.0),  # two gain and two lose more
    ],
)
def test_of_a_second_way_as_much_is_blended_in_as_its_gain_stands_out_from_chance(second, share):
    assert share_of_second(scored([1.0, 1.0, -1.0, -1.0]), scored(second)) == share


def test_a_blend_is_the_mean_of_both_ways_and_still_adds_up(monkeypatch):
    people, happened = drawn_people(300)
    columns = columns_of(people)
    codes = to_matrix(people, columns)
    given = {"columns": columns, "signs": [0] * len(columns), "recipe": Recipe(most_trees=10)}
    found = {}
    for share in (0.0, 0.25, 1.0):
        monkeypatch.setattr(fitting, "share_of_second", lambda first, second, share=share: share)
        found[share] = fit_risk(codes, happened, **given)

    assert all(set(curve.adds) == {0.0} for curve in found[1.0].margin.curves)
    scores = {share: model.score(people) for share, model in found.items()}
    np.testing.assert_allclose(scores[0.25], 0.75 * scores[0.0] + 0.25 * scores[1.0], atol=1e-9)
    assert found[0.25].booster_.num_trees() == found[0.0].booster_.num_trees() + found[1.0].booster_.num_trees()
    explained = found[0.25].explain(people)
    np.testing.assert_allclose(explained.log_odds, found[0.25].log_odds(scores[0.25]), atol=1e-9)


def test_what_describes_the_rows_that_are_fitted_knows_no_outcome_of_their_own():
    people, happened = drawn_people(300)
    columns = columns_of(people.with_columns(pl.col("is_carer").cast(pl.Float64)))
    codes = to_matrix(people, columns)
    fold = np.arange(300) % 3
    turned = np.where(fold == 1, 1 - happened, happened)

    rows, other = (
        rows_to_fit(Margins(Training(codes, y.astype(float), np.ones(300), fold, columns, (0,) * 5), 10.0), fold < 3)
        for y in (happened, turned)
    )

    # The second fold's outcomes are turned: its own rows are described as before, the others' are not.
    np.testing.assert_array_equal(rows.margin[fold == 1], other.margin[fold == 1])
    np.testing.assert_array_equal(rows.matrix[fold == 1], other.matrix[fold == 1])
    assert (rows.margin[fold == 0] != other.margin[fold == 0]).all()


@pytest.mark.slow
def test_a_search_is_seeded_and_tells_how_far_it_is():
    people, happened = drawn_people(300)
    told: list[tuple[str, float]] = []

    models = [
        quiet(tune=True, n_trials=2, max_trees=10, progress=lambda stage, done: told.append((stage, done))).fit(
            people, happened
        )
        for _ in range(2)
    ]

    assert text_of(models[0]) == text_of(models[1])
    assert told[-1] == ("trees", 1.0)


def test_a_wrong_direction_is_told():
    people, happened = drawn_people()

    with pytest.raises(FrameError, match="columns that are not there: height"):
        quiet().fit(people, happened, monotone={"height": "up"})
    with pytest.raises(FrameError, match="categories have no direction: tenure"):
        quiet().fit(people, happened, monotone={"tenure": "up"})
    with pytest.raises(FrameError, match="up, down and either"):
        quiet().fit(people, happened, monotone={"age": "sideways"})
    with pytest.raises(FrameError, match="2 entries for 5 columns"):
        quiet().fit(people, happened, monotone=[1, 0])


@pytest.mark.slow
def test_later_people_move_the_mean_risk_to_what_was_observed_and_the_slope_a_little():
    people, happened = drawn_people()
    later, _ = drawn_people(300, seed=9)
    numbers = [pl.col("age"), pl.col("falls")]
    model = quiet().fit(people.select(numbers), happened).fitted_
    rarely = (np.arange(300) % 10 == 0).astype(np.int8)

    moved = calibrate(model, later.select(numbers), rarely)

    assert moved.risk(moved.score(later)).mean() == pytest.approx(0.1, abs=1e-6)
    # Age and falls tell nothing of who had the event here: the slope falls towards 0, but not all the way.
    assert 0.3 < moved.line.slope < model.line.slope
    with pytest.raises(TooFewEventsError, match="no event"):
        calibrate(model, later.select(numbers), np.zeros(300, dtype=np.int8))


def judged_with_gains(gains: list[float]) -> Judged:
    """Four people with the outcome whom no tree puts at even odds, and trees that lower each one's log loss so far."""
    gained = -np.log(np.exp(np.log(2) - np.array(gains)) - 1)
    return shrunken_trees(Judged(Shape(), 3, np.ones(4), np.ones(4), np.zeros(4), gained))


def test_trees_count_as_far_as_their_gain_stands_out_from_its_standard_error():
    # gain 0.2, its standard error 0.1 / 2: 1 - (0.05 / 0.2)**2
    whole, kept = judged_with_gains([0.2] * 4), judged_with_gains([0.1, 0.3, 0.1, 0.3])
    # gain 0.05, its standard error 0.25 / 2
    none = judged_with_gains([-0.2, 0.3, -0.2, 0.3])

    assert (whole.share, whole.n_trees) == (1.0, 3)
    assert kept.share == pytest.approx(0.9375, abs=5e-4)
    assert kept.score[1] == pytest.approx(-kept.share * np.log(2 * np.exp(-0.3) - 1))
    assert none.n_trees == 0
    assert none.score.tolist() == [0.0] * 4


def test_scaled_trees_add_so_much_less(fitted):
    booster = fitted.booster_
    rows = np.random.default_rng(2).normal(80, 9, size=(50, booster.num_feature()))
    before = booster.predict(rows, raw_score=True)

    half = scaled(booster, 0.5)

    assert np.ptp(before) > 0
    np.testing.assert_allclose(half.predict(rows, raw_score=True), before / 2)
    np.testing.assert_allclose(half.predict(rows, pred_contrib=True).sum(axis=1), before / 2)
