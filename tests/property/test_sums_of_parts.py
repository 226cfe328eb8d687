"""A row's answer is its own, whoever stands beside it, and sums of parts add up to the sums of all, to the last bit."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from helpers.boosters import train
from helpers.risk import drawn_people
from hypothesis import given, settings
from hypothesis import strategies as st

from ageingwell.errors import FrameError
from ageingwell.lookup import DoesNotFit, compiling
from ageingwell.model import contributions
from ageingwell.model.compiled import compile_risk
from ageingwell.model.contributions import UNITS_IN_ONE, Contributions, means_of, merge_sums
from ageingwell.model.estimator import RiskModel
from ageingwell.model.fitted import Explanation

N = 300
PEOPLE, DIED = drawn_people(N)
# Many columns: numpy.sum adds those of one row in another order than those of many.
NOISE = np.random.default_rng(2).normal(size=(60, N))
PEOPLE = PEOPLE.with_columns(pl.Series(f"measure {place}", noise) for place, noise in enumerate(NOISE))
FEATURES = PEOPLE.select(pl.Series("person_id", [f"p{n}" for n in range(N)]), pl.all())
# Five labels, and people without one.
LABELS = pl.Series("cell", [None if n % 6 == 0 else f"cell {n % 6}" for n in range(N)])
WAYS = ("tables", "without tables", "LightGBM", "estimator")


class AsAnEstimator:
    """What a partner calls, with the signature that a bundle's models have."""

    def __init__(self, model: RiskModel):
        self.model, self.features = model, model.features_

    def explain(self, features, *, threads):
        return self.model.explain(features.select(self.features))


@pytest.fixture(scope="module")
def models():
    """The ways to explain one model of more and larger trees than so few people deserve."""
    estimator = RiskModel(warn_on_few_events=False, max_trees=5).fit(PEOPLE, DIED)
    fitted = estimator.fitted_
    booster = train(fitted.numbers(fitted.matrix(PEOPLE)), DIED.astype(float), trees=40)
    fitted = estimator.fitted_ = replace(fitted, booster_=booster)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "MOST_BYTES", 1)
        slow = compile_risk(fitted)
    assert isinstance(slow.tables, DoesNotFit)
    return dict(zip(WAYS, (compile_risk(fitted), slow, fitted, AsAnEstimator(estimator))))


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.integers(0, N - 1), min_size=1, max_size=9))
def test_a_row_is_explained_to_the_same_bits_whoever_stands_beside_it(models, way, rows):
    model = models[way]
    of_all, of_some = (model.explain(frame, threads=1) for frame in (FEATURES, FEATURES[rows]))

    assert of_some.contributions.tobytes() == of_all.contributions[rows].tobytes()
    assert of_some.base.tobytes() == of_all.base[rows].tobytes()
    assert of_some.log_odds.tobytes() == of_all.log_odds[rows].tobytes()


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=10, deadline=None)
@given(part=st.lists(st.integers(0, 4), min_size=N, max_size=N), order=st.permutations(range(5)))
def test_the_sums_of_any_parts_add_up_to_the_sums_of_all(models, way, part, order):
    whole = Contributions(models[way], FEATURES).sums_by(LABELS)

    parts = [
        Contributions(models[way], FEATURES.filter(ours)).sums_by(LABELS.filter(ours))
        for ours in (pl.Series(part) == number for number in order)
    ]

    assert merge_sums(parts).equals(whole)
    assert set(whole.drop("label").dtypes) == {pl.Int64}


def test_sums_are_of_whole_numbers_and_means_are_theirs(models, monkeypatch):
    everybody = Contributions(models["tables"], FEATURES)
    exact = np.rint(everybody.model.explain(FEATURES, threads=1).contributions * 2**32)

    sums, means = everybody.sums_by(LABELS), everybody.means_by(LABELS)
    monkeypatch.setattr(contributions, "PEOPLE_IN_A_CHUNK", 7)

    assert sums["label"].to_list() == [f"cell {n}" for n in range(1, 6)]
    assert everybody.sums_by(LABELS).equals(sums)
    for label, n, *of_features in sums.rows():
        theirs = exact[(label == LABELS).fill_null(value=False).to_numpy()]
        assert n == len(theirs) == N / 6
        assert of_features == [int(total) for total in theirs.sum(axis=0)]
    assert means.equals(means_of(sums))
    assert means.row(0)[2] == sums.row(0)[2] / UNITS_IN_ONE / (N / 6)


class Fixed:
    """A model whose contributions are given."""

    features = ("age",)

    def explain(self, features, *, threads):
        return Explanation(self.features, np.zeros(features.height), features.select("age").to_numpy())


@pytest.mark.parametrize("value", [128.0, -128.0, float("nan"), float("inf")])
def test_a_contribution_that_sums_have_no_room_for_is_refused(value):
    people = pl.DataFrame({"person_id": ["p1", "p2"], "age": [0.5, value]})

    with pytest.raises(FrameError, match="age adds 128 or more to someone's log-odds"):
        Contributions(Fixed(), people).sums_by(pl.Series(["a", "b"]))


def test_sums_of_more_people_than_there_is_room_for_are_refused_and_the_most_fit():
    # 2**24 - 1 people of not quite 128 each: their sum is below 2**63.
    most = pl.DataFrame({"label": ["a"], "n": [2**24 - 2], "age": [(2**24 - 2) * 2**39]})
    one = pl.DataFrame({"label": ["a"], "n": [1], "age": [2**39]})

    assert merge_sums([most, one]).row(0) == ("a", 2**24 - 1, (2**24 - 1) * 2**39)
    with pytest.raises(FrameError, match="16,777,216 people have one label"):
        merge_sums([most, one, one])
    with pytest.raises(FrameError, match="no sums to add up"):
        merge_sums([])


def test_nobody_has_sums_of_no_label(models):
    nobody = Contributions(models["tables"], FEATURES.head(0)).sums_by(LABELS.head(0))

    assert nobody.height == 0
    assert merge_sums([nobody, nobody]).equals(nobody)
    assert nobody.columns == ["label", "n", *models["tables"].features]
