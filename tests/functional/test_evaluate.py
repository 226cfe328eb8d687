"""A bundle evaluated on a small made-up county, by the library and by the command."""

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from ageingwell.bundle import load_bundle
from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.errors import TooFewEventsError
from ageingwell.evaluation.groups import SMALL_BELOW
from ageingwell.evaluation.wall import ADMISSIONS, AGE, FRAILTY, LOGISTIC, MACHINE, MODEL
from ageingwell.pipeline.evaluating import EvaluationRun, evaluate, summary_text
from ageingwell.pipeline.rivals import COUNTED, boosting_machine
from ageingwell.synthetic.county import CountyPlan, synthesise

TABLES = {
    "wall", "differences", "calibration", "calibration_curve", "capacity", "net_benefit", "net_benefit_gain",
    "groups", "spend_ceiling", "drift",
}  # fmt: skip


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluated") / "town"
    synthesise(CountyPlan(people=1_500, seed=11), folder)
    return folder


@pytest.fixture(scope="module")
def run(town: Path, bundle: Path, settings: Path, tmp_path_factory: pytest.TempPathFactory) -> EvaluationRun:
    out = tmp_path_factory.mktemp("evaluation")
    return evaluate(town, config=load_config(settings), bundle=bundle, out=out, cost_gbp=4_000, draws=20, machine=False)


def test_every_table_is_written_twice_and_holds_each_outcome(run: EvaluationRun) -> None:
    assert set(run.tables) == TABLES
    for name, table in run.tables.items():
        assert pl.read_parquet(run.folder / f"{name}.parquet").equals(table)
        assert (run.folder / f"{name}.csv").exists()
    assert set(run.tables["wall"]["outcome"]) == {"loss_of_independence", "death"}


def test_the_model_and_all_rivals_stand_on_the_same_people(run: EvaluationRun) -> None:
    areas = run.tables["wall"].filter(outcome="loss_of_independence", measure="auroc", band="all")

    assert set(areas["name"]) == {MODEL, AGE, FRAILTY, ADMISSIONS, COUNTED, LOGISTIC}
    assert areas["n"].n_unique() == 1
    assert areas["n"][0] <= run.facts["n_people"]


def test_only_households_held_out_from_training_are_looked_at(
    run: EvaluationRun, town: Path, bundle: Path, settings: Path
) -> None:
    share = load_config(settings).train.test_share

    assert run.facts["held_out_share"] == pytest.approx(share, abs=0.06)
    assert run.facts["bundle_sha256"] == load_bundle(bundle, codelists=load_config(settings).codelists).digest


def test_what_is_told_of_groups_shows_no_small_count(run: EvaluationRun) -> None:
    groups = run.tables["groups"]

    assert not groups["n"].is_between(1, SMALL_BELOW - 1).any()
    assert not groups["n_events"].is_between(1, SMALL_BELOW - 1).any()
    assert groups.filter("is_small")["value"].is_null().all()
    assert groups.filter("is_small")["difference"].is_null().all()
    assert set(groups["grouping"]) == {
        "sex", "age_band", "ethnic_group", "deprivation_fifth", "rurality", "tenure", "practice", "data_completeness",
    }  # fmt: skip


def test_a_list_is_as_long_as_the_agencies_serve_the_people_held_out(run: EvaluationRun) -> None:
    places, share = run.facts["places_a_week"], run.facts["held_out_share"]
    told = run.tables["capacity"].filter(outcome="loss_of_independence", measure="ppv", agency="fire")

    assert told["k"].item() == pytest.approx(places["fire"] * 13 * share, abs=0.6)


def test_the_same_records_and_bundle_give_the_same_files(
    run: EvaluationRun, town: Path, bundle: Path, settings: Path, tmp_path: Path
) -> None:
    evaluate(town, config=load_config(settings), bundle=bundle, out=tmp_path, cost_gbp=4_000, draws=20, machine=False)

    written = {path.name: path.read_bytes() for path in run.folder.iterdir()}
    assert written == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_nobody_is_named_in_the_tables(run: EvaluationRun, town: Path) -> None:
    people = pl.read_parquet(town / "gp_patients.parquet")["person_id"].unique().to_list()
    told = "".join(path.read_text(encoding="utf-8") for path in run.folder.glob("*.csv"))

    assert not any(person in told for person in people)


def test_the_summary_ends_with_the_verdict(run: EvaluationRun) -> None:
    told = summary_text(run).splitlines()

    assert told[0].startswith(f"loss_of_independence, cut-off {run.facts['cut_off']}")
    assert told[-1] == f"verdict: {'usable' if run.verdict.usable else 'not usable'}: {run.verdict.reason}"


def test_the_command_writes_the_tables_and_tells_the_verdict(
    town: Path, bundle: Path, settings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "tables"
    command = [
        "evaluate",
        "--data",
        town,
        "--bundle",
        bundle,
        "--out",
        out,
        "--config",
        settings,
        "--json",
        "--without-machine",
    ]

    answer = CliRunner().invoke(cli, [str(word) for word in command])

    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert told["folder"] == str(out)
    assert set(told["verdict"]) == {"usable", "reason"}
    assert (out / "wall.parquet").exists()


def test_a_handful_of_people_is_too_few(bundle: Path, settings: Path, tmp_path: Path) -> None:
    synthesise(CountyPlan(people=50, seed=2), tmp_path / "hamlet")

    with pytest.raises(TooFewEventsError, match="nobody held out had the event"):
        evaluate(tmp_path / "hamlet", config=load_config(settings), bundle=bundle, out=tmp_path / "out", draws=5)

    assert not (tmp_path / "out").exists()


def test_a_rival_that_is_not_on_the_wall_is_named(run: EvaluationRun) -> None:
    assert run.facts["rivals_absent"] == [f"{MACHINE} (not asked for)"]
    assert f"not on the wall: {MACHINE} (not asked for)" in summary_text(run).splitlines()


def test_without_its_extra_the_boosting_machine_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "interpret.glassbox", None)
    people = pl.DataFrame({"age": [70.0, 80.0]})

    assert boosting_machine(people, np.array([0, 1], dtype=np.int8), people, features=["age"], seed=1) is None


def test_the_boosting_machine_tells_the_same_risks_again_and_finds_a_curve() -> None:
    pytest.importorskip("interpret")
    draw = np.random.default_rng(3)
    facts = pl.DataFrame({"age": draw.uniform(65, 95, 600), "noise": draw.normal(size=600)})
    facts = facts.with_columns(noise=pl.when(pl.int_range(pl.len()) % 7 > 0).then("noise"))
    happened = (draw.random(600) < 0.1 + 0.5 * (facts["age"].to_numpy() > 85)).astype(np.int8)

    once, again = (boosting_machine(facts, happened, facts, features=facts.columns, seed=1) for _ in range(2))

    assert once is not None
    assert np.array_equal(once, again)
    old = facts["age"].to_numpy() > 86
    assert once[old].mean() > 0.4 > 0.25 > once[~old].mean()
