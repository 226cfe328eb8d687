import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers.risk import drawn_people
from sklearn.metrics import roc_auc_score

from ageingwell.errors import AgeingWellError, FrameError
from ageingwell.model.estimator import NewGapsWarning, RiskModel


def quiet(**given) -> RiskModel:
    return RiskModel(warn_on_few_events=False, max_trees=40, **given)


@pytest.fixture(scope="module")
def fitted() -> RiskModel:
    return quiet().fit(*drawn_people())


def test_polars_and_pandas_give_the_same_risks(fitted):
    people, happened = drawn_people()
    table = pd.DataFrame({name: people[name].to_list() for name in people.columns})

    again = quiet().fit(table, happened)

    np.testing.assert_array_equal(again.predict_proba(table), fitted.predict_proba(people))


def test_a_pandas_category_and_a_polars_enum_are_read_as_text(fitted):
    people, _ = drawn_people()
    as_enum = people.with_columns(pl.col("tenure").cast(pl.Enum(["rented", "other", "owned"])))
    table = pd.DataFrame({name: people[name].to_list() for name in people.columns}).astype({"tenure": "category"})

    np.testing.assert_array_equal(fitted.predict_proba(as_enum), fitted.predict_proba(people))
    np.testing.assert_array_equal(fitted.predict_proba(table), fitted.predict_proba(people))


@pytest.mark.parametrize("backend", ["numpy_nullable", "pyarrow"])
def test_pandas_columns_that_know_missing_values_are_read_like_plain_ones(fitted, backend):
    people, happened = drawn_people()
    table = pd.DataFrame({name: people[name].to_list() for name in people.columns}).convert_dtypes(
        dtype_backend=backend
    )

    again = quiet().fit(table, happened)

    assert again.fitted_.columns == fitted.fitted_.columns
    np.testing.assert_array_equal(again.predict_proba(table), fitted.predict_proba(people))


def test_a_polars_categorical_and_narrow_numbers_are_read_like_plain_ones(fitted):
    people, _ = drawn_people()
    narrow = people.with_columns(
        pl.col("tenure", "practice").cast(pl.Categorical),
        pl.col("falls").cast(pl.Int8),
        pl.col("is_carer").cast(pl.UInt8),
    )

    np.testing.assert_array_equal(fitted.predict_proba(narrow), fitted.predict_proba(people))


def test_an_array_is_matched_by_position():
    people, happened = drawn_people()
    numbers = people.select("age", "falls").to_numpy()

    model = quiet().fit(numbers, happened)

    assert model.features_ == ("x0", "x1")
    assert model.n_features_in_ == 2
    with pytest.raises(ValueError, match="X has 1 features, but RiskModel is expecting 2"):
        model.predict(numbers[:, :1])


def test_reordered_columns_are_found_by_name_and_more_columns_do_no_harm(fitted):
    people, _ = drawn_people()
    turned = people.select(reversed(people.columns)).with_columns(unused=1)

    np.testing.assert_array_equal(fitted.predict_proba(turned), fitted.predict_proba(people))


def test_a_missing_column_or_another_type_stops(fitted):
    people, _ = drawn_people()

    with pytest.raises(FrameError, match="features that were not given: age"):
        fitted.predict_proba(people.drop("age"))
    with pytest.raises(FrameError, match="of another type than in training: age"):
        fitted.predict_proba(people.with_columns(age=pl.lit("eighty")))
    with pytest.raises(FrameError, match="of another type than in training: tenure"):
        fitted.predict_proba(people.with_columns(tenure=pl.lit(1.0)))


def test_an_unseen_category_adds_what_people_add_on_average(fitted):
    people, _ = drawn_people()
    strange = people.head(3).with_columns(tenure=pl.lit("caravan"), practice=pl.lit("practice of tomorrow"))

    explained = fitted.explain(strange)

    margin = fitted.fitted_.margin.contributions(fitted.fitted_.matrix(strange))
    assert margin[:, explained.features.index("tenure")].tolist() == [0.0, 0.0, 0.0]
    assert np.isfinite(explained.log_odds).all()


def test_infinite_values_stop_the_fit_and_the_prediction(fitted):
    people, happened = drawn_people()
    broken = people.with_columns(age=pl.lit(float("inf")))

    with pytest.raises(FrameError, match="infinite values in: age"):
        quiet().fit(broken, happened)
    with pytest.raises(FrameError, match="infinite values in: age"):
        fitted.predict(broken)


def test_duplicate_names_a_date_and_a_lazy_frame_stop():
    people, happened = drawn_people()
    twice = pd.DataFrame(np.zeros((len(happened), 2)), columns=["age", "age"])

    with pytest.raises(FrameError, match="duplicate column names: age"):
        quiet().fit(twice, happened)
    with pytest.raises(FrameError, match="column born is of type Date"):
        quiet().fit(people.with_columns(born=pl.date(1940, 1, 1)), happened)
    with pytest.raises(FrameError, match="lazy frame"):
        quiet().fit(people.lazy(), happened)


def test_one_class_three_classes_and_a_missing_outcome_stop():
    people, happened = drawn_people()

    with pytest.raises(AgeingWellError, match="one class only"):
        quiet().fit(people, np.zeros(len(happened)))
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        quiet().fit(people, np.arange(len(happened)) % 3)
    with pytest.raises(ValueError, match="NaN"):
        quiet().fit(people, np.where(happened == 1, np.nan, 0.0))


@pytest.mark.parametrize(
    "outcome",
    [
        pl.Series([1, 0, None]),
        pd.Series(pd.array([1, 0, None], dtype="Int64")),
        pd.Series(pd.array(["no", "yes", None], dtype="string")),
        np.array([True, False, None], dtype=object),
    ],
)
def test_an_outcome_missing_in_any_type_stops(outcome):
    with pytest.raises(FrameError, match="y holds missing values"):
        quiet().fit(pl.DataFrame({"age": [70.0, 80.0, 90.0]}), outcome)


def test_a_missing_group_or_time_stops_and_says_in_how_many_rows():
    people, happened = drawn_people()
    gone = np.where(np.arange(600) < 7, np.nan, 1.0)

    with pytest.raises(FrameError, match="groups is missing in 7 rows"):
        quiet().fit(people, happened, groups=gone)
    with pytest.raises(FrameError, match="time is missing in 7 rows"):
        quiet().fit(people, happened, time=gone)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_two_or_three_people_give_a_model_and_no_error(n):
    risk = (
        quiet()
        .fit(pl.DataFrame({"age": np.arange(70.0, 70.0 + n)}), np.arange(n) % 2)
        .predict_proba(pl.DataFrame({"age": [60.0, 75.0, 90.0]}))
    )

    assert ((risk > 0) & (risk < 1)).all()


def test_a_category_of_a_thousand_levels_is_one_feature_and_a_strange_level_has_about_the_mean_risk():
    draw = np.random.default_rng(3)
    street = draw.integers(0, 1000, 3000)
    happened = (draw.random(3000) < np.where(street % 2 == 1, 0.6, 0.2)).astype(int)
    homes = pl.DataFrame({"street": [f"street {number}" for number in street]})

    model = quiet().fit(homes, happened)

    assert len(model.fitted_.columns[0].levels) == len(set(street))
    known, strange = model.decision_function(homes), model.decision_function(pl.DataFrame({"street": ["street 5000"]}))
    assert roc_auc_score(happened, known) > 0.7
    # On average people had the outcome in 4 of 10 cases.
    assert strange[0] == pytest.approx(np.log(0.4 / 0.6), abs=0.3)


def test_numbers_of_any_size_are_taken():
    people, happened = drawn_people()
    great = people.select(age=pl.col("age") * 1e300, falls=pl.col("falls") * 1e-300)

    risk = quiet().fit(great, happened).predict_proba(great)[:, 1]

    assert roc_auc_score(happened, risk) > 0.65


def test_constant_and_wholly_missing_columns_add_nothing():
    people, happened = drawn_people()
    more = people.with_columns(
        same=7.0, empty=pl.lit(None, dtype=pl.Float64), blank=pl.lit(None, dtype=pl.String), one_word=pl.lit("a")
    )

    explained = quiet().fit(more, happened).explain(more)

    for name in ("same", "empty", "blank", "one_word"):
        assert np.abs(explained.contributions[:, explained.features.index(name)]).max() < 1e-12


def test_a_gap_that_training_never_had_is_filled_with_the_median_and_told(fitted):
    people, _ = drawn_people()
    gap = people.with_columns(age=pl.lit(None, dtype=pl.Float64))
    filled = people.with_columns(age=people["age"].median())

    with pytest.warns(NewGapsWarning, match="age"):
        risk = fitted.predict_proba(gap)

    np.testing.assert_allclose(risk, fitted.predict_proba(filled))
    with pytest.raises(FrameError, match=r"never missing in training: age \(600 people\)"):
        fitted.fitted_.score(gap.select(pl.all()).with_columns(is_carer=pl.lit(0.0)))


def test_names_of_any_letters_and_a_frame_of_one_column_work():
    people, happened = drawn_people()
    odd = people.select(pl.col("age").alias('a "name", {with} [marks]: é'))

    model = quiet().fit(odd, happened)

    assert model.features_ == ('a "name", {with} [marks]: é',)
    assert model.booster_.feature_name() == ["feature_0"]
