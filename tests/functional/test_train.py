"""A bundle trained on a small made-up county: what it holds, and that `evaluate` measures it the same way."""

from pathlib import Path

import pytest
from helpers.counties import copy_of
from polars.testing import assert_frame_equal

from ageingwell.bundle import Bundle, load_bundle
from ageingwell.config.load import load_config
from ageingwell.errors import BundleError
from ageingwell.evaluation.groups import SMALL_BELOW
from ageingwell.evaluation.wall import verdict
from ageingwell.pipeline.evaluating import evaluate

TABLES = {
    "wall", "differences", "calibration", "calibration_curve", "capacity", "net_benefit", "net_benefit_gain", "groups",
}  # fmt: skip


@pytest.fixture(scope="module")
def loaded(bundle: Path, settings: Path) -> Bundle:
    return load_bundle(bundle, codelists=load_config(settings).codelists)


def test_a_bundle_holds_every_table_of_its_evaluation(loaded: Bundle) -> None:
    assert set(loaded.tables) == set(loaded.models) == {"loss_of_independence", "death"}
    assert all(set(tables) == TABLES for tables in loaded.tables.values())


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


def test_evaluating_on_the_records_it_was_trained_on_gives_the_tables_it_holds(
    loaded: Bundle, bundle: Path, settings: Path, tmp_path: Path
) -> None:
    config = load_config(settings)

    run = evaluate(bundle.parent / "county", config=config, bundle=bundle, out=tmp_path, draws=20)

    for outcome, tables in loaded.tables.items():
        for name, stored in tables.items():
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

    with pytest.raises(BundleError, match=r"evaluation\.json cannot be read"):
        load_bundle(ours, codelists=load_config(settings).codelists)
