"""A night's risks and reasons come from the same sums: look-up tables, kept between nights where they can be."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from helpers.counties import NIGHT
from polars.testing import assert_frame_equal
from scipy.special import expit, logit

from ageingwell.bundle import load_bundle
from ageingwell.config.load import load_config
from ageingwell.context import Surroundings, user_cache
from ageingwell.jobs.asking import explain
from ageingwell.kept.frames import frame_file
from ageingwell.lookup import compiling
from ageingwell.night.in_memory import NightInMemory, outreach_list


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def run(small_county, settings, cache) -> NightInMemory:
    """The night, with tables kept in `cache`."""
    return night(small_county, settings, cache)


def night(county: Path, settings: Path, cache: Path | None) -> NightInMemory:
    return outreach_list(county, as_of=NIGHT, config=load_config(settings), surroundings=Surroundings(cache=cache))


def test_each_risk_is_base_plus_contributions_to_the_last_bit_where_none_is_multiplied_and_nearly_so_elsewhere(
    run, bundle, settings
):
    model = load_bundle(bundle, codelists=load_config(settings).codelists).ranking_model
    scores = run.frames.in_memory().scores.rows_by_key("person_id", named=True, unique=True)
    reasons = run.frames.reasons.partition_by("person_id", as_dict=True)

    assert reasons
    for (person,), theirs in reasons.items():
        adds = dict(theirs.select("feature", "contribution").rows())
        odds = np.float64(scores[person]["base"])
        for feature in model.features:
            odds += adds[feature]
        if model.by_age is None and (model.bend.is_straight or odds < model.bend.at):
            assert scores[person]["risk"] == expit(odds)
        # Beyond the bend, and by age, every contribution is multiplied by one factor, which has no last bit of its own.
        assert abs(logit(scores[person]["risk"]) - odds) < 1e-12


def test_one_person_is_explained_as_the_night_explained_them(run, small_county, settings, cache):
    reasons = run.frames.reasons
    person = reasons["person_id"].min()

    alone = explain(
        person, small_county, as_of=NIGHT, config=load_config(settings), surroundings=Surroundings(cache=cache)
    )

    columns = ["feature", "value", "contribution", "text"]
    theirs = reasons.filter(pl.col("person_id") == person).sort("position").select(columns)
    assert alone.reasons.sort("position").select(columns).equals(theirs)


def test_tables_kept_tables_made_anew_and_no_folder_for_them_give_the_same_night(
    run, first_night, small_county, settings, cache
):
    assert len(list(cache.glob("lookup*.bin"))) == 2  # one an outcome

    again = night(small_county, settings, cache)

    without = first_night / "out" / str(NIGHT)
    for name, frame in vars(run.frames.in_memory()).items():
        assert_frame_equal(getattr(again.frames.in_memory(), name), frame)
        assert_frame_equal(pl.read_parquet(without / frame_file(name)), frame)
    assert again.facts.messages == run.facts.messages


def test_a_night_whose_model_does_not_fit_the_tables_says_why(run, small_county, settings, monkeypatch, tmp_path):
    monkeypatch.setattr(compiling, "MOST_BYTES", -1)

    slow = night(small_county, settings, tmp_path / "cache")

    told = [message for message in slow.facts.messages if "explained by LightGBM itself" in message]
    assert len(told) == 2
    assert "its tables would take" in told[0]
    assert not [message for message in run.facts.messages if "LightGBM" in message]
    assert slow.list["person_id"].to_list() == run.list["person_id"].to_list()
    slowly, quickly = (done.frames.in_memory().scores["risk"] for done in (slow, run))
    np.testing.assert_allclose(slowly, quickly, rtol=0, atol=1e-12)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {"HOME": "/home/ann"}, "/home/ann/.cache/ageingwell"),
        ("linux", {"HOME": "/home/ann", "XDG_CACHE_HOME": "/var/cache/ann"}, "/var/cache/ann/ageingwell"),
        ("darwin", {"HOME": "/Users/ann"}, "/Users/ann/Library/Caches/ageingwell"),
        ("win32", {"LOCALAPPDATA": "C:/Users/ann/AppData/Local"}, "C:/Users/ann/AppData/Local/ageingwell"),
        ("linux", {"HOME": "/home/ann", "AGEINGWELL_CACHE": "/srv/tables"}, "/srv/tables"),
        ("linux", {}, None),
        ("win32", {"HOME": "/home/ann"}, None),
    ],
)
def test_the_cache_folder_follows_the_rules_of_the_platform(platform, environment, folder):
    assert user_cache(environment, platform) == (None if folder is None else Path(folder))
