"""How past lists did: counted from an archived list once its year has settled, else from the model's own test."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from helpers.counties import NIGHT
from helpers.knowledge import known_on

from ageingwell.bundle import load_bundle
from ageingwell.config.load import load_config
from ageingwell.governance.disclosure import in_words
from ageingwell.night.score import score
from ageingwell.night.track_record import follow, settled_archive, track_record
from ageingwell.recognition.counting import count_recognised
from ageingwell.recognition.sums import judge
from ageingwell.timeline import AsOf

# A year and 90 days before the night, and a day more.
THEN = NIGHT - timedelta(days=456)


@pytest.fixture(scope="module")
def config(settings):
    return load_config(settings)


@pytest.fixture(scope="module")
def archived(county, config, tmp_path_factory):
    """An output folder that holds the list of that night."""
    out = tmp_path_factory.mktemp("archived")
    score(county, as_of=THEN, out=out, config=config)
    return out


@pytest.fixture(scope="module")
def own_test(config):
    """The small bundle, with the measures of its own latest test."""
    return load_bundle(config.score.bundle, codelists=config.codelists)


def record_of(folder):
    return json.loads((folder / "manifest.json").read_text())["track_record"]


def folded(value):
    """A label as the contracts have it: `Service User` is service_user; what is no text stays."""
    return re.sub("[^a-z0-9.]+", "_", value.lower()).strip("_") if isinstance(value, str) else value


def lost_independence(county, people, config):
    """Who of these had the outcome in the year from that night, read row by row from the county's own tables."""
    end = THEN + timedelta(days=365)

    def rows(table):
        known = pl.read_parquet(county / f"{table}.parquet").filter(pl.col("recorded_on") < NIGHT)
        return [{name: folded(value) for name, value in row.items()} for row in known.to_dicts()]

    newest = {}
    for row in sorted(rows("gp_patients"), key=lambda row: row["recorded_on"]):
        newest[row["person_id"]] = row
    fell = tuple(config.codelists["icd10_fall"] + config.codelists["icd10_fracture"])
    happened = {person for person, row in newest.items() if row["died_on"] and THEN <= row["died_on"] < end}
    for row in rows("hospital_events"):
        is_emergency = row["kind"] == "emergency_admission" and THEN <= row["started_on"] < end
        if is_emergency and (row["icd10"] or "").replace(".", "").upper().startswith(fell):
            happened.add(row["person_id"])
    homes = ("long_term_support_nursing_care", "long_term_support_residential_care")
    services = [row for row in rows("care_events") if row["event_type"] == "service"]
    services = [row for row in services if row["client_type"] == "service_user"]
    long_term = [row for row in services if row["service_type"] in (*homes, "long_term_support_community")]
    had = {
        row["person_id"]
        for row in long_term
        if row["started_on"] < THEN and (row["ended_on"] is None or row["ended_on"] >= THEN)
    }
    for row in long_term:
        if THEN <= row["started_on"] < end:
            is_home_care = row["service_component"] == "home_support" and row["person_id"] not in had
            if row["service_type"] in homes or is_home_care:
                happened.add(row["person_id"])
    return happened & set(people)


def test_an_old_list_is_counted_with_the_records_of_tonight(county, archived, config):
    night = score(county, as_of=NIGHT, out=archived, config=config).folder
    listed = pl.read_parquet(archived / THEN.isoformat() / "list.parquet")["person_id"].to_list()

    found = record_of(night)

    assert (found["from"], found["day"], found["outcome"]) == ("archive", THEN.isoformat(), "loss_of_independence")
    assert found["n_listed"] == in_words(len(listed))
    assert found["n_happened"] == in_words(len(lost_independence(county, listed, config)))
    assert f"listed on {THEN.day} {THEN:%B %Y} who could be followed" in (night / "report.html").read_text()


def test_who_may_not_be_used_any_more_is_counted_on_neither_side(county_tables, archived, config, own_test):
    archive = settled_archive(archived, AsOf(NIGHT), config=config)
    without = {
        name: frame.filter(~pl.col("person_id").is_in(archive.listed["person_id"].implode()))
        if "person_id" in frame.columns
        else frame
        for name, frame in county_tables.items()
    }

    tables = known_on(without, NIGHT)
    counts = count_recognised(tables, places=config.places, codelists=config.codelists)
    counted = judge(counts.sums, config.score.recognition)
    outcome = own_test.ranking_outcome

    followed = follow(archive, tables, outcome=outcome, counts=counts, counted=counted, config=config)

    assert not followed.is_empty()
    assert not followed["was_listed"].any()
    assert track_record(archive, followed, bundle=own_test)["from"] == "test"


def test_a_list_whose_year_has_not_settled_is_not_counted(archived, config):
    assert settled_archive(archived, AsOf(THEN + timedelta(days=455)), config=config).day == THEN
    assert settled_archive(archived, AsOf(THEN + timedelta(days=454)), config=config) is None


def test_without_an_old_list_the_models_own_test_is_told(config, own_test):
    rows = own_test.tables["loss_of_independence"]["wall"].filter(measure="ppv")
    counts = {row["name"]: (row["n"], row["n_events"]) for row in rows.iter_rows(named=True)}

    found = track_record(None, None, bundle=own_test)

    assert (found["from"], found["day"]) == ("test", own_test.facts["training"]["cut_offs"]["test"][0])
    assert (found["n_listed"], found["n_happened"]) == tuple(in_words(n) for n in counts["model"])
    assert found["n_by_age"] == in_words(counts["age alone"][1])


def test_without_a_list_and_a_test_nothing_is_told(config, own_test):
    untested = replace(own_test, tables={})
    unusable = replace(own_test, facts={**own_test.facts, "verdict": {"usable": False, "reason": "no better than age"}})

    assert track_record(None, None, bundle=untested) is None
    assert track_record(None, None, bundle=unusable) is None
