"""Ranges of the shipped bundle on people it has never seen, whose true chance is known because they are made up."""

from datetime import date

import polars as pl
import pytest
from scipy.special import logit

from ageingwell.bundle import load_bundle, predict
from ageingwell.config.load import load_config
from ageingwell.known import known_people
from ageingwell.permitted import permitted_or_stop
from ageingwell.sources.read import read_agencies
from ageingwell.synthetic.county import CountyPlan, synthesise
from ageingwell.timeline import AsOf

CONFIG = load_config()
NIGHT = date(2026, 11, 22)
# A day whose true risks the county writes down.
DAY = date(2025, 8, 24)
BANDS = ((0.0, 0.02), (0.02, 0.05), (0.05, 0.1), (0.1, 0.2), (0.2, 0.3), (0.2, 1.0))
ENOUGH = 200
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """Everybody's risk with its range, its contributions' sum, and the true chance, in a county of another seed."""
    folder = tmp_path_factory.mktemp("unseen")
    synthesise(CountyPlan(people=12_000, seed=101), folder / "county")
    records = read_agencies(folder / "county", CONFIG.tables, workspace=folder / "work", max_refused_share=0.1)
    gate = permitted_or_stop(
        records, config=CONFIG, purpose="direct_care", recipients=("group",), on=NIGHT, today=NIGHT
    )
    bundle = load_bundle("demo", codelists=CONFIG.codelists)
    found = known_people(gate, AsOf(DAY), config=CONFIG)
    features = found.features()
    explained = bundle.compiled[bundle.ranking_outcome].explain(features)
    risks = predict(bundle, features, threads=1).with_columns(sums=pl.Series(explained.log_odds))
    # The outcome cannot begin where it has begun.
    truth = pl.read_parquet(folder / "county" / "truth" / "risk.parquet").filter(
        (pl.col("as_of") == DAY) & ~pl.col("is_in_care_home") & ~pl.col("is_in_home_care")
    )
    return risks.drop("risk_loss_of_independence").join(
        truth.select("person_id", true="risk_loss_of_independence"), on="person_id"
    )


def test_of_a_stated_95_in_100_at_least_90_true_chances_lie_inside_in_every_band_of_200_people(known):
    checked = known.drop_nulls("risk_high")
    held = (pl.col("true") >= pl.col("risk_low")) & (pl.col("true") <= pl.col("risk_high"))
    found = {
        band: checked.filter(pl.col("risk").is_between(*band, closed="left")).select(n=pl.len(), share=held.mean())
        for band in BANDS
    }
    enough = {band: told["share"][0] for band, told in found.items() if told["n"][0] >= ENOUGH}

    assert (0.2, 1.0) in enough
    assert {band: share for band, share in enough.items() if share < 0.9} == {}


def test_beyond_what_was_checked_there_is_no_range_and_half_or_more_is_about_true(known):
    unchecked = known.filter(pl.col("risk_high").is_null())
    limit = known.drop_nulls("risk_high")["risk"].max()

    assert unchecked["risk_low"].null_count() == unchecked.height
    assert unchecked["risk"].min() > limit
    assert 0.2 < limit < 0.6
    half = unchecked.filter(pl.col("risk") >= 0.5)
    assert half.height
    assert half["true"].mean() >= 0.45


def test_at_the_top_the_model_says_little_more_than_what_is_true(known):
    highest = known.sort("risk").tail(100)

    assert abs(highest["risk"].mean() - highest["true"].mean()) < 0.05


def test_base_and_contributions_make_the_log_odds_of_every_risk(known):
    apart = known.select(pl.Series(logit(known["risk"].to_numpy())) - pl.col("sums")).to_series().abs().max()

    assert apart < 1e-6
