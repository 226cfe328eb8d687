"""Whatever the people, their contributions and those they are compared with: what may be told, and what it adds."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy.special import expit

from ageingwell.config.load import load_config
from ageingwell.features.build import FEATURES
from ageingwell.features.families import FAMILIES, FAMILY_OF
from ageingwell.in_hundred import average_slope, whole
from ageingwell.model.fitted import Explanation
from ageingwell.peers import Peers
from ageingwell.reasons import tell_reasons, with_row_reasons, with_whole_numbers

NEVER = ("is_female", "deprivation_decile", "is_rural", "years_registered")
SIGNED = load_config().may_lower
BY_NAME = {feature.name: feature for feature in FEATURES}


@st.composite
def nights(draw):
    """Two or three people with any 30 features, contributions and peers: features, explanation, peers."""
    n, p = draw(st.integers(2, 3)), 30
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    names = sorted({*NEVER, *rng.permutation([feature.name for feature in FEATURES])[:p].tolist()})[:p]
    values = np.where(rng.random((n, p)) < 0.3, np.nan, rng.integers(0, 6, (n, p)))
    columns = {name: pl.Series(values[:, k]).fill_nan(None) for k, name in enumerate(names)}
    ids = [f"p{k}" for k in range(n)]
    scale = draw(st.sampled_from([0.01, 0.1, 0.5]))
    explanation = Explanation(tuple(columns), np.full(n, draw(st.floats(-5, 1))), rng.normal(0, scale, (n, p)))
    groups = pl.DataFrame(
        {
            "person_id": ids,
            "who": ["women aged 80 to 84 in Ludlow"] * n,
            "n_peers": [240] * n,
            "peers_risk": rng.uniform(0.001, 0.6, n),
            "row": rng.integers(0, 2, n),
        }
    )
    return pl.DataFrame({"person_id": ids, **columns}), explanation, Peers(groups, rng.normal(0, scale, (2, p)))


def told_of(features, explanation, peers):
    risks = features.select("person_id").with_columns(risk=pl.Series(expit(explanation.log_odds)))
    numbered = with_whole_numbers(tell_reasons(features, explanation, peers, signed=SIGNED), peers, risks)
    return with_row_reasons(numbered, raising=3, lowering=1), risks


@settings(max_examples=30, deadline=None)
@given(nights())
def test_facts_all_others_by_theme_and_the_rest_make_the_figure_and_the_rest_is_no_fact(night):
    _, _, peers = night
    told, risks = told_of(*night)
    sums = told.group_by("person_id").agg(
        facts=pl.col("adds_in_100").sum(), others=pl.col("others_in_100").sum(), beside=pl.col("beside_peers").sum()
    )
    ends = sums.join(peers.groups, on="person_id").join(risks, on="person_id")

    for row in ends.iter_rows(named=True):
        start, end = row["peers_risk"], row["risk"]
        rest = whole(end) - whole(start) - row["facts"] - row["others"]
        exact = 100 * (end - start - float(average_slope(start, end)) * row["beside"])
        # Seven numbers rounded apart from the two ends may leave a little.
        assert abs(rest - exact) < 3


@settings(max_examples=30, deadline=None)
@given(nights())
def test_what_the_facts_of_a_page_add_is_what_their_families_add(night):
    _, _, peers = night
    told, risks = told_of(*night)
    known = told.join(peers.groups, on="person_id").join(risks, on="person_id")
    slope = average_slope(known["peers_risk"].to_numpy(), known["risk"].to_numpy())
    exact = known.with_columns(
        exact=100 * pl.Series(slope) * pl.col("beside_peers"), family=pl.col("feature").replace_strict(FAMILY_OF)
    ).with_columns(pl.col("exact").sum().over("person_id", "family"))
    on_page = exact.filter(pl.col("adds_in_100").is_not_null())
    one_family = on_page.filter(~pl.col("text").str.contains("not on record"))

    assert (one_family["exact"] - one_family["adds_in_100"]).abs().max() in (None, pytest.approx(0.5, abs=0.5))
    assert (on_page["exact"].sign() == on_page["adds_in_100"].sign()).all()


@settings(max_examples=30, deadline=None)
@given(nights())
def test_no_page_tells_what_may_not_be_told(night):
    told, _ = told_of(*night)
    on_page = told.filter(pl.col("adds_in_100").is_not_null())

    assert not set(on_page["feature"]) & set(NEVER)
    assert "unknown" not in on_page["value"].to_list()
    assert on_page["text"].null_count() == 0
    assert (on_page["adds_in_100"] != 0).all()
    for feature, value, direction in on_page.select("feature", "value", "direction").iter_rows():
        fact = BY_NAME[feature]
        is_present = float(value) >= fact.present_from
        if fact.direction == "up":
            assert (direction == "raises") == is_present
        if direction == "lowers":
            assert feature in SIGNED.features
            assert feature not in SIGNED.not_on_record or not is_present
            assert float(value) >= SIGNED.at_least.get(feature, -math.inf)
            assert float(value) <= SIGNED.at_most.get(feature, math.inf)


def test_every_feature_is_of_one_family_and_every_family_of_one_theme():
    names = [name for family in FAMILIES.values() for name in family]

    assert sorted(names) == sorted(BY_NAME)
    assert all(len({BY_NAME[name].theme for name in family}) == 1 for family in FAMILIES.values())


@settings(max_examples=30, deadline=None)
@given(nights())
def test_a_page_shows_few_facts_one_a_family_and_the_list_row_shows_some_of_them(night):
    told, _ = told_of(*night)
    on_page = told.filter(pl.col("adds_in_100").is_not_null())

    assert (
        on_page.group_by("person_id", "direction")
        .len()
        .filter(pl.col("len") > pl.when(pl.col("direction") == "raises").then(10).otherwise(3))
        .is_empty()
    )
    for (_,), page in on_page.group_by("person_id"):
        families = [FAMILY_OF[feature] for feature in page["feature"]]
        assert len(families) == len(set(families))
    assert told.filter(pl.col("shown") & pl.col("adds_in_100").is_null()).is_empty()


@settings(max_examples=20, deadline=None)
@given(nights(), st.randoms())
def test_the_order_of_people_and_of_features_changes_nothing(night, random):
    features, explanation, peers = night
    order = list(range(len(explanation.features)))
    random.shuffle(order)
    turned = features[::-1]
    shuffled = Explanation(
        tuple(explanation.features[k] for k in order),
        explanation.base[::-1],
        explanation.contributions[::-1][:, order],
    )

    one, _ = told_of(features, explanation, peers)
    other, _ = told_of(turned, shuffled, Peers(peers.groups[::-1], peers.means[:, order]))

    exact = ["contribution", "beside_peers"]
    assert_frame_equal(one.drop(exact), other.drop(exact))
    assert_frame_equal(one.select(exact), other.select(exact), abs_tol=1e-12)


@settings(max_examples=20, deadline=None)
@given(nights())
def test_all_differences_beside_the_peers_add_up(night):
    features, explanation, peers = night
    told = tell_reasons(features, explanation, peers, signed=SIGNED)

    for k, person in enumerate(features["person_id"]):
        own = told.filter(pl.col("person_id") == person)
        means = peers.means_of(pl.Series([person])).sum()
        assert math.isclose(own["beside_peers"].sum(), own["contribution"].sum() - means, abs_tol=1e-9)
        assert math.isclose(own["contribution"].sum() + explanation.base[k], explanation.log_odds[k], abs_tol=1e-9)
        assert whole(float(expit(explanation.log_odds[k]))) in range(101)
