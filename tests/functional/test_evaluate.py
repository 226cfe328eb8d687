"""A bundle evaluated on a small made-up county, by the library and by the command."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from helpers.commanded import Commanded, commanded_once
from helpers.counties import settings_file

from ageingwell.bundle import load_bundle
from ageingwell.config.load import load_config
from ageingwell.errors import TooFewEventsError
from ageingwell.evaluation.groups import SMALL_BELOW
from ageingwell.evaluation.wall import ADMISSIONS, AGE, FRAILTY, LOGISTIC, MACHINE, MODEL
from ageingwell.learning import evaluating, redrawing
from ageingwell.learning.evaluating import EvaluationRun, evaluate, summary_text
from ageingwell.learning.redrawing import redraw
from ageingwell.learning.rivals import COUNTED, boosting_machine
from ageingwell.shown import LINES_OF_A_SCREEN, sentence

TABLES = {
    "wall", "differences", "calibration", "ranges", "calibration_curve", "capacity", "net_benefit", "net_benefit_gain",
    "groups", "spend_ceiling", "rank_stability", "drift",
}  # fmt: skip


@pytest.fixture(scope="module")
def town(bundle: Path) -> Path:
    """The county that the small bundle was trained on."""
    return bundle.parent / "county"


ASKED = {"cost_gbp": 4_000, "redraws": 2}
FEW = 20  # draws for an interval, where an evaluation has 200
ON_THE_COMMAND_LINE = ["--cost-gbp", 4_000, "--redraws", 2, "--without-machine"]


@pytest.fixture(scope="module")
def few_will_do(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings that fit again on few events, with places for some of the people held out."""
    small = {"minimum_events": 50, "trees": 5, "leaves": 4}
    few = {f"capacity.{agency}": 4 for agency in ("gp", "social_care", "housing", "fire", "voluntary")}
    return settings_file(tmp_path_factory.mktemp("settings"), bundle=bundle, training=small, outreach=few)


@pytest.fixture(scope="module")
def commanded(town: Path, few_will_do: Path, tmp_path_factory: pytest.TempPathFactory) -> Commanded[EvaluationRun]:
    out = tmp_path_factory.mktemp("evaluation")
    words = ["evaluate", "--data", town, "--out", out, "--config", few_will_do, "--json", *ON_THE_COMMAND_LINE]
    return commanded_once(evaluating, evaluate, words, draws=FEW)


@pytest.fixture(scope="module")
def run(commanded: Commanded[EvaluationRun]) -> EvaluationRun:
    return commanded.run


def test_every_table_is_written_twice_and_holds_each_outcome(run: EvaluationRun) -> None:
    assert set(run.tables) == TABLES
    for name, table in run.tables.items():
        assert pl.read_parquet(run.folder / f"{name}.parquet").equals(table)
        assert (run.folder / f"{name}.csv").exists()
    assert set(run.tables["wall"]["outcome"]) == {"loss_of_independence", "death"}
    assert set(run.tables["rank_stability"]["outcome"]) == {"loss_of_independence"}


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


def test_of_the_list_some_stay_when_households_are_redrawn_and_the_summary_says_how_many(run: EvaluationRun) -> None:
    places, share = sum(run.facts["places_a_week"].values()), run.facts["held_out_share"]
    told = run.tables["rank_stability"].filter(measure="share_that_stays").row(0, named=True)

    assert 0 < told["low"] <= told["value"] <= told["high"] < 1
    assert (told["n"], told["n_events"]) == (2, pytest.approx(13 * places * share, abs=5))
    assert f"of a list of {told['n_events']:,}, {100 * told['value']:.0f} in 100" in summary_text(run)


def test_a_household_is_redrawn_whole_and_keeps_its_weights(monkeypatch: pytest.MonkeyPatch, settings: Path) -> None:
    train = load_config(settings).train.model_copy(update={"minimum_events": 1})
    rows = pl.DataFrame({"household": ["b", "a", "c", "a"], "row": [0, 1, 2, 3], "death": [1, 0, 0, 1]})
    drawn: list[tuple[list[str], list[int]]] = []

    class Still:
        def score(self, people: pl.DataFrame) -> np.ndarray:
            return np.arange(people.height, dtype=float)

    def fit_outcome(outcome: str, again: pl.DataFrame, weight: np.ndarray, settings: object) -> Still:
        assert weight.tolist() == again["row"].to_list()
        drawn.append((again["household"].to_list(), again["row"].to_list()))
        return Still()

    monkeypatch.setattr(redrawing, "fit_outcome", fit_outcome)
    monkeypatch.setattr(redrawing, "left_without_help", lambda outcome, rows, settings: (rows, rows["row"].to_numpy()))

    told = redraw("death", Still(), fit=rows, test=rows, k=2, redraws=20, settings=train)  # type: ignore[arg-type]

    assert told.filter(measure="share_that_stays")["value"].item() == 1.0
    for homes, places in drawn:
        assert homes.count("a") == 2 * places.count(1) == 2 * places.count(3)
        assert homes.count("a") / 2 + homes.count("b") + homes.count("c") == 3
    assert len({tuple(places) for _, places in drawn}) > 5


def test_redraws_on_too_few_events_are_refused_with_the_number_needed(
    monkeypatch: pytest.MonkeyPatch, settings: Path
) -> None:
    train = load_config(settings).train
    rows = pl.DataFrame({"household": ["a", "b"], "death": [1, 0]})
    monkeypatch.setattr(redrawing, "left_without_help", lambda outcome, rows, settings: (rows, np.ones(2)))

    with pytest.raises(
        TooFewEventsError, match=f"death: 1 events to fit on again, and at least {train.minimum_events}"
    ):
        redraw("death", object(), fit=rows, test=rows, k=1, redraws=2, settings=train)  # type: ignore[arg-type]


def test_a_list_is_as_long_as_the_agencies_serve_the_people_held_out(run: EvaluationRun) -> None:
    places, share = run.facts["places_a_week"], run.facts["held_out_share"]
    told = run.tables["capacity"].filter(outcome="loss_of_independence", measure="ppv", agency="fire")

    assert told["k"].item() == pytest.approx(places["fire"] * 13 * share, abs=0.6)


def test_nobody_is_named_in_the_tables(run: EvaluationRun, town: Path) -> None:
    people = pl.read_parquet(town / "gp_patients.parquet")["person_id"].unique().to_list()
    told = "".join(path.read_text(encoding="utf-8") for path in run.folder.glob("*.csv"))

    assert not any(person in told for person in people)


def test_an_evaluation_fits_on_one_screen_and_tells_its_verdict(run: EvaluationRun) -> None:
    shown = repr(run)
    assert len(shown.splitlines()) <= LINES_OF_A_SCREEN
    assert "model" in shown
    assert sentence(run.verdict.reason).split()[0] in shown
    assert "<table>" in run._repr_html_()


def test_the_summary_ends_with_the_verdict(run: EvaluationRun) -> None:
    told = summary_text(run).splitlines()

    assert told[0].startswith(f"loss_of_independence, cut-off {run.facts['cut_off']}")
    assert told[-1] == f"verdict: {'usable' if run.verdict.usable else 'not usable'}: {run.verdict.reason}"


def test_the_command_tells_the_verdict(commanded: Commanded[EvaluationRun]) -> None:
    told, run = json.loads(commanded.stdout), commanded.run
    assert told["folder"] == str(run.folder)
    assert told["verdict"] == run.facts["verdict"]
    assert set(run.tables) == TABLES, "what was asked for on the command line is there"


@pytest.mark.full
def test_the_same_records_and_bundle_give_the_same_files(
    run: EvaluationRun, town: Path, few_will_do: Path, tmp_path: Path
) -> None:
    """That the tables are the same is seen of the bundle's own test too, in `test_train`."""
    config = load_config(few_will_do)

    evaluate(town, config=config, bundle=config.score.bundle, out=tmp_path, machine=False, draws=FEW, **ASKED)

    written = {path.name: path.read_bytes() for path in run.folder.iterdir()}
    assert written == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_people_of_whom_nobody_had_the_event_are_too_few(
    monkeypatch: pytest.MonkeyPatch, commanded: Commanded[EvaluationRun], town: Path, few_will_do: Path, tmp_path: Path
) -> None:
    calm = {name: part.with_columns(loss_of_independence=pl.lit(0)) for name, part in commanded.past.parts.items()}
    monkeypatch.setattr(evaluating, "look_back", lambda *_, **__: replace(commanded.past, parts=calm))
    config = load_config(few_will_do)

    with pytest.raises(TooFewEventsError, match="nobody held out had the event"):
        evaluate(town, config=config, bundle=config.score.bundle, out=tmp_path / "out", draws=5)

    assert not (tmp_path / "out").exists()


def test_a_rival_that_is_not_on_the_wall_is_named(run: EvaluationRun) -> None:
    assert run.facts["rivals_absent"] == [f"{MACHINE} (not asked for)"]
    assert f"not in the comparison: {MACHINE} (not asked for)" in summary_text(run).splitlines()


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
