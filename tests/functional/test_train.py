"""A bundle trained on a small made-up county: what it holds, and that `evaluate` measures it the same way."""

from pathlib import Path

import polars as pl
import pytest
from helpers.counties import copy_of
from polars.testing import assert_frame_equal

from ageingwell.bundle import Bundle, load_bundle
from ageingwell.config.load import load_config
from ageingwell.errors import BundleError, TooFewEventsError
from ageingwell.evaluation.groups import SMALL_BELOW
from ageingwell.evaluation.wall import GAIN, verdict
from ageingwell.learning.evaluating import evaluate
from ageingwell.learning.training import events_needed, train

TABLES = {
    "wall", "differences", "calibration", "ranges", "calibration_curve", "capacity", "net_benefit", "net_benefit_gain",
    "groups",
}  # fmt: skip


@pytest.fixture(scope="module")
def loaded(bundle: Path, settings: Path) -> Bundle:
    return load_bundle(bundle, codelists=load_config(settings).codelists)


def test_a_bundle_holds_every_table_of_its_evaluation(loaded: Bundle) -> None:
    assert set(loaded.tables) == set(loaded.models) == {"loss_of_independence", "death"}
    for outcome, tables in loaded.tables.items():
        # What the facts looked like then is kept once, for a night to compare itself with.
        assert set(tables) == (TABLES | {"reference"} if outcome == loaded.ranking_outcome else TABLES)


def test_the_facts_of_an_outcome_are_those_of_its_tables(loaded: Bundle) -> None:
    for outcome, tables in loaded.tables.items():
        told = loaded.facts["evaluation"][outcome]
        area = tables["wall"].filter(name="model", measure="auroc", band="all").row(0, named=True)
        slope = tables["calibration"].filter(measure="slope")["value"].item()

        assert told["auroc"]["value"] == round(area["value"], 4)
        assert (told["n"], told["n_events"]) == (area["n"], area["n_events"])
        assert told["calibration"]["slope"] == round(slope, 4)
        assert told["verdict"]["reason"] == verdict(tables["wall"]).reason


def test_no_group_in_a_bundle_shows_a_small_count(loaded: Bundle) -> None:
    for tables in loaded.tables.values():
        assert not tables["groups"]["n"].is_between(1, SMALL_BELOW - 1).any()
        assert tables["groups"].filter("is_small")["value"].is_null().all()


def test_no_figure_in_a_bundle_stands_on_a_few_people_or_events(loaded: Bundle) -> None:
    few_and_many = []
    for tables in loaded.tables.values():
        wall = tables["wall"].filter((pl.col("band") != "all") | ~pl.col("measure").is_in(["auroc", GAIN]))
        for table in (wall, tables["calibration_curve"], tables["capacity"], tables["net_benefit"]):
            counts = table.select(name for name in ("n", "n_events", "n_visited") if name in table.columns)
            is_hidden = counts.select(pl.any_horizontal(pl.all().is_null())).to_series()
            assert not counts.select(pl.all().is_between(1, SMALL_BELOW - 1).any()).row(0).count(True)
            assert table.filter(is_hidden)["value"].is_null().all()
            few_and_many += is_hidden.to_list()
    assert set(few_and_many) == {True, False}


def test_evaluating_on_the_records_it_was_trained_on_gives_the_tables_it_holds(
    loaded: Bundle, bundle: Path, settings: Path, tmp_path: Path
) -> None:
    config = load_config(settings)

    run = evaluate(bundle.parent / "county", config=config, bundle=bundle, out=tmp_path, draws=20, machine=False)

    for outcome, tables in loaded.tables.items():
        for name, stored in ((name, table) for name, table in tables.items() if name in TABLES):
            anew = run.tables[name].filter(outcome=outcome).drop("outcome")
            assert_frame_equal(anew, stored, rel_tol=1e-7, abs_tol=1e-9)


def test_a_bundle_whose_evaluation_was_changed_is_refused(bundle: Path, settings: Path, tmp_path: Path) -> None:
    ours = copy_of(bundle, tmp_path / "bundle")
    path = ours / "evaluation.json"
    path.write_text(path.read_text(encoding="utf-8").replace("0.", "0.9", 1), encoding="utf-8")

    with pytest.raises(BundleError, match=r"evaluation\.json is not the file that was saved"):
        load_bundle(ours, codelists=load_config(settings).codelists)


def test_a_bundle_without_its_evaluation_is_refused(bundle: Path, settings: Path, tmp_path: Path) -> None:
    ours = copy_of(bundle, tmp_path / "bundle")
    (ours / "evaluation.json").unlink()

    with pytest.raises(BundleError, match=r"evaluation\.json is missing"):
        load_bundle(ours, codelists=load_config(settings).codelists)


def test_too_few_events_are_told_with_the_number_needed(county: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle"

    with pytest.raises(TooFewEventsError, match=r"loss_of_independence: \d+ events among \d+ rows .* at least \d{3}"):
        train(county, out=out, config=load_config())

    assert not out.exists()


def test_the_events_needed_are_those_of_rileys_criteria() -> None:
    # 6% of rows with the event: the largest Cox and Snell R² is 1 - exp(2 (0.06 ln 0.06 + 0.94 ln 0.94)) = 0.3649, and
    # 15% of it is 0.05474. For a shrinkage of 0.8: 141 / (-0.2 ln(1 - 0.05474 / 0.8)) = 9,945 rows, 597 events.
    assert events_needed(60, 1_000, settings=load_config().train, n_features=141) == 597


def test_a_bundle_tells_how_many_were_helped_and_how_well_its_ranges_held(loaded: Bundle) -> None:
    for outcome in loaded.models:
        told = loaded.facts["training"]["outreach"][outcome]
        assert set(told) == {"fit", "calibrate", "test"}
        # The made-up county has contacts of its last two years alone: after the cut-offs of the fit.
        assert told["fit"]["exposed"] == 0
        assert told["test"]["exposed"] % 5 == 0
        assert told["test"]["exposed"] > 0

        spread = loaded.facts["evaluation"][outcome]["range"]
        assert spread["level"] == 0.95
        # Twenty halvings, each way, of at least twenty groups.
        assert spread["n_groups"] >= 20 * 2 * 20
        assert 0 < spread["coverage"] <= 1
        assert 0 < spread["checked_up_to"] < 1
        bands = loaded.tables[outcome]["ranges"]
        assert bands["n"].drop_nulls().sum() > 0
        assert bands.filter(pl.col("range_low") > pl.col("mean_risk")).is_empty()
