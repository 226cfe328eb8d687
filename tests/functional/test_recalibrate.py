"""A bundle recalibrated for a town whose people have more of everything than the county it was trained on."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from helpers.commanded import Commanded, commanded_once
from scipy.special import logit

from ageingwell.bundle import Bundle, load_bundle, predict
from ageingwell.config.load import load_config
from ageingwell.learning import recalibrating
from ageingwell.learning.recalibrating import RecalibrationRun, moves_text, recalibrate
from ageingwell.shown import LINES_OF_A_SCREEN
from ageingwell.synthetic.county import CountyPlan, synthesise


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recalibrated") / "town"
    synthesise(CountyPlan(people=600, seed=21, rate_shift=0.7), folder)
    return folder


@pytest.fixture(scope="module")
def commanded(
    town: Path, bundle: Path, settings: Path, tmp_path_factory: pytest.TempPathFactory
) -> Commanded[RecalibrationRun]:
    out = tmp_path_factory.mktemp("place") / "bundle"
    words = ["recalibrate", "--data", town, "--bundle", bundle, "--out", out, "--config", settings]
    return commanded_once(recalibrating, recalibrate, words)


@pytest.fixture(scope="module")
def run(commanded: Commanded[RecalibrationRun]) -> RecalibrationRun:
    return commanded.run


@pytest.fixture(scope="module")
def parent(bundle: Path, settings: Path) -> Bundle:
    return load_bundle(bundle, codelists=load_config(settings).codelists)


@pytest.fixture(scope="module")
def place(run: RecalibrationRun, settings: Path) -> Bundle:
    return load_bundle(run.folder, codelists=load_config(settings).codelists)


@pytest.fixture(scope="module")
def past(commanded: Commanded[RecalibrationRun]) -> Mapping[str, pl.DataFrame]:
    """The town's people as they were known at the cut-off: those held out from training, and the others."""
    return commanded.past.parts


def test_the_place_takes_on_part_of_its_higher_rates(run: RecalibrationRun) -> None:
    move = run.moves["loss_of_independence"]

    # Most of the higher rates is in what the records say of these people; what is left moves the whole place up.
    assert 0 < move.height < 0.7
    assert 0.1 < move.height_share < 0.9


def test_the_bundle_tells_its_parent_and_what_moved(run: RecalibrationRun, parent: Bundle, place: Bundle) -> None:
    told = place.facts["recalibration"]

    assert told["parent_sha256"] == parent.digest
    assert set(told["outcomes"]) == set(parent.models)
    moved = told["outcomes"]["loss_of_independence"]
    assert moved["height"] == pytest.approx(run.moves["loss_of_independence"].height, abs=1e-6)
    assert set(moved["held_out"]) == {"n", "n_events", "before", "after"}
    assert moved["height_by_age"] == pytest.approx(run.moves["loss_of_independence"].height_by_age, abs=1e-6)
    assert moved["held_out"]["after"].keys() >= {"slope", "auroc", "slope_by_age_band"}
    assert place.facts["training"] == parent.facts["training"]
    assert "reference" in place.tables["loss_of_independence"]


def test_people_held_out_made_no_part_of_the_move(past: Mapping[str, pl.DataFrame]) -> None:
    assert not set(past["rest"]["household"]) & set(past["test"]["household"])


def test_risks_of_the_place_add_up_and_people_of_one_age_keep_their_order(
    past: Mapping[str, pl.DataFrame], parent: Bundle, place: Bundle
) -> None:
    people = past["test"]

    before, after = (predict(bundle, people, threads=1) for bundle in (parent, place))
    told = place.ranking_model.explain(people)

    assert np.allclose(logit(after["risk"]), told.base + told.contributions.sum(axis=1), atol=1e-6)
    for age in people["age"].unique():
        at = people["age"] == age
        assert before["risk"].filter(at).arg_sort().equals(after["risk"].filter(at).arg_sort())
    assert (after["risk_low"] <= after["risk"]).all()
    assert (after["risk"] <= after["risk_high"]).all()


def test_the_verdict_is_the_parents_and_says_so(place: Bundle, parent: Bundle) -> None:
    assert place.usable == parent.usable
    assert place.facts["verdict"]["reason"].startswith("as its parent")


def test_the_command_says_what_moved_and_how_to_use_it(commanded: Commanded[RecalibrationRun]) -> None:
    run, told = commanded.run, commanded.stdout.splitlines()

    assert told[:-2] == moves_text(run).splitlines()[:-2]
    assert told[-1] == f'To use it, write bundle = "{run.folder}" into score.toml.'


@pytest.mark.full
def test_the_same_records_and_bundle_give_the_same_files(
    town: Path, bundle: Path, settings: Path, run: RecalibrationRun, tmp_path: Path
) -> None:
    again = recalibrate(town, bundle=bundle, out=tmp_path / "place", config=load_config(settings))

    assert {path.name: path.read_bytes() for path in again.folder.iterdir()} == {
        path.name: path.read_bytes() for path in run.folder.iterdir()
    }


def test_a_run_and_its_bundle_fit_on_one_screen(run: RecalibrationRun, place: Bundle) -> None:
    for shown in (run, place):
        assert len(repr(shown).splitlines()) <= LINES_OF_A_SCREEN
    assert str(run.folder) in repr(run)
    assert "loss_of_independence" in repr(run)


def test_nobody_is_named_in_the_bundle(run: RecalibrationRun, town: Path) -> None:
    people = pl.read_parquet(town / "gp_patients.parquet")["person_id"].unique().to_list()
    text = json.dumps(run.facts) + (run.folder / "evaluation.json").read_text(encoding="utf-8")

    assert not any(person in text for person in people)
