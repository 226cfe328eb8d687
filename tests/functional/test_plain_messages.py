"""What a command says is said once, in plain words, and ends with what to do next."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from helpers.raw import NUMBERS

from ageingwell.cli import cli
from ageingwell.config.files import shipped
from ageingwell.errors import ConfigError, SourceError
from ageingwell.evaluation.wall import Verdict
from ageingwell.learning.evaluating import EvaluationRun, summary_text

NIGHT = "2026-11-22"


def run(*words: object) -> Result:
    ran = CliRunner().invoke(cli, [str(word) for word in words])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return ran


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain") / "county"
    assert run("synth", "--people", 60, "--out", folder).exit_code == 0
    return folder


# Errors


def test_an_error_begins_with_no_name_of_a_class(tmp_path):
    ran = run("score", "--data", tmp_path / "nowhere", "--as-of", NIGHT, "--out", tmp_path / "out")

    told = ran.stderr.splitlines()[-1]
    assert told.startswith("Error: ")
    assert "SourceError" not in ran.stderr
    assert ran.exit_code == SourceError.exit_code


def test_a_question_ends_with_its_own_sign():
    told = str(ConfigError("there is no such key; did you mean `minimum_age`?", "correct it"))

    assert told == "there is no such key; did you mean `minimum_age`? What to do: correct it."


@pytest.mark.parametrize("written", ["22/11/2026", "22.11.2026", "22-11-26", "22 November 2026", "22 Nov 26"])
def test_a_date_in_british_order_is_answered_with_how_to_write_it(written):
    ran = run("check", "--data", ".", "--as-of", written)

    assert ran.exit_code == 2
    assert f"“{written}” is not a date that we can read: write it as 2026-11-22" in ran.stderr
    assert "%Y" not in ran.stderr


def test_what_is_no_date_is_answered_with_an_example():
    ran = run("check", "--data", ".", "--as-of", "soon")

    assert "write year-month-day, such as 2026-11-22" in ran.stderr


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('minimum_age = "abc"', "`minimum_age`: write a whole number"),
        ("minimum_age = 12", "`minimum_age`: write "),
        ("annex_charts = 7", "`annex_charts`: write true or false"),
        ('purpose = "profit"', "`purpose`: write one of 'direct_care'"),
        ("bundle = 7", "`bundle`: write text in quotes"),
    ],
)
def test_a_mistake_in_the_settings_says_what_to_write(line, told, tmp_path):
    key = line.split(" ")[0]
    rest = [each for each in (shipped("configs") / "score.toml").read_text().splitlines() if not each.startswith(key)]
    (tmp_path / "score.toml").write_text("\n".join([line, *rest]))

    ran = run("check", "--data", tmp_path, "--config", tmp_path / "score.toml")

    assert told in ran.stderr
    assert "Input should be" not in ran.stderr


# Check


def test_a_folder_that_is_not_there_is_said_once(tmp_path):
    ran = run("check", "--data", tmp_path / "nowhere")

    assert ran.stdout.splitlines() == [
        "problem: nowhere: there is no such data folder. What to do: give the folder that holds the tables.",
        "A night would stop on the problem above.",
    ]


def test_clean_records_are_said_to_be_clean(county):
    ran = run("check", "--data", county, "--as-of", NIGHT)

    told = ran.stdout.splitlines()
    assert "Nothing would be refused." in told
    assert told[-1] == "A night would run."
    assert not [line for line in told if line.split() == ["table", "column", "rule", "n_rows"]]


def test_a_refused_row_has_its_rule_in_words(county, tmp_path):
    here = tmp_path / "county"
    here.mkdir()
    for path in county.glob("*.parquet"):
        (here / path.name).write_bytes(path.read_bytes())
    (here / "synthetic.json").write_bytes((county / "synthetic.json").read_bytes())
    visits = pl.read_parquet(here / "fire_visits.parquet")
    ahead = visits.head(1).with_columns(recorded_on=pl.col("visited_on") - pl.duration(days=9))
    pl.concat([visits, ahead]).write_parquet(here / "fire_visits.parquet")

    ran = run("check", "--data", here, "--as-of", NIGHT)

    assert "Nothing would be refused." not in ran.stdout
    assert [line for line in ran.stdout.splitlines() if line.startswith("fire_visits") and "before" in line]


# Raw extracts


def test_the_lookup_that_synth_writes_is_found_beside_the_extracts(tmp_path):
    raw, out = tmp_path / "raw", tmp_path / "out"
    assert run("synth", "--people", 60, "--out", raw, "--raw").exit_code == 0

    ran = run("pseudonymise", "--raw", raw, "--out", out, "--made-up-key", 1)

    assert ran.exit_code == 0, ran.output
    assert "postcode_lookup.csv: read as the look-up of postcodes" in ran.stdout
    assert pl.read_parquet(out / "gp_patients.parquet")["lsoa21"].null_count() == 0
    assert not any(number in ran.stdout for number in NUMBERS)
    assert "postcodes cannot be turned into areas" not in run("connect", raw).stdout


# Models


def evaluated(tmp_path: Path, *, ratio: tuple[float, float, float]) -> EvaluationRun:
    """An evaluation with the figures of a model and of one simple score."""
    columns = ["outcome", "name", "measure", "band", "value", "low", "high"]
    rows = [
        ("death", "model", "auroc", "all", 0.71234, 0.69, 0.73),
        ("death", "model", "ppv", "all", 0.312, 0.25, 0.38),
        ("death", "model", "sensitivity", "all", 0.2, 0.15, 0.26),
        ("death", "model", "observed_over_expected", "all", *ratio),
        ("death", "model", "auroc", "65 to 74", 0.6, 0.5, 0.7),
        ("death", "explainable boosting machine", "auroc", "all", 0.7, 0.68, 0.72),
    ]
    facts = {"ranking_outcome": "death", "cut_off": date(2025, 1, 1), "n_people": 5_000, "rivals_absent": []}
    tables = {"wall": pl.DataFrame(rows, schema=columns, orient="row")}
    return EvaluationRun(tmp_path, tables, Verdict(True, "better than age alone beyond chance"), facts)


def test_an_evaluation_fits_a_terminal_and_shows_each_score_once(tmp_path):
    told = summary_text(evaluated(tmp_path, ratio=(1.02, 0.9, 1.1))).splitlines()

    assert max(map(len, told)) <= 100
    assert told[2].split("  ")[0] == "model"
    assert "0.712 (0.690 to 0.730)" in told[2]
    assert "31 (25 to 38)" in told[2]
    assert "null" not in "".join(told)
    assert told[-2] == "Its risks are right on average: for every 100 events it expected, 102 happened (90 to 110)."


def test_risks_that_are_too_low_are_said_to_be_before_the_verdict(tmp_path):
    told = summary_text(evaluated(tmp_path, ratio=(1.254, 1.064, 1.467))).splitlines()

    assert told[-2] == (
        "Its risks are too low: for every 100 events it expected, 125 happened (106 to 147). "
        "Correct that with `recalibrate`."
    )
