"""Who is off the current list the same night by other records than opt-outs and the register's own endings.

Somebody who drops off the list of those who may be used, whose death the council alone tells of, or whose address the
practice matches to their home with low certainty from now on.
"""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from helpers.counties import NIGHT, add_rows, change, copy_of, files_with, listed, new_version, settings_file

from ageingwell.cli import cli
from ageingwell.config.score import Purpose
from ageingwell.publish import current
from ageingwell.synthetic.county import CountyPlan, synthesise

NEXT = NIGHT + timedelta(days=7)


@pytest.fixture(scope="module")
def allowed_county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("allowed") / "county"
    synthesise(CountyPlan(people=150, seed=5, allow_list=True), out)
    return out


def settings(folder: Path, bundle: Path, purpose: Purpose = "risk_stratification") -> Path:
    return settings_file(folder, bundle=bundle, changes={"purpose": purpose})


def score(at: Path, config: Path, *, as_of: date = NEXT) -> int:
    paths = ["--data", at / "county", "--out", at / "out", "--config", config]
    ran = CliRunner().invoke(cli, ["score", "--as-of", str(as_of), *map(str, paths)])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return ran.exit_code


def tonight(at: Path) -> Path:
    folder = current(at / "out")
    assert folder is not None
    return folder


@pytest.fixture(scope="module")
def first(allowed_county: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("first")
    copy_of(allowed_county, at / "county")
    assert score(at, settings(at / "settings", bundle), as_of=NIGHT) == 0
    return at


@pytest.fixture
def published(first: Path, tmp_path: Path) -> Path:
    return copy_of(first, tmp_path / "here")


def drop(at: Path, *people: str) -> None:
    """Take people off the list of those who may be used."""
    change(
        at / "county",
        "permissions",
        lambda rows: rows.filter(~pl.col("person_id").is_in(people).fill_null(value=False)),
    )


def break_scoring(at: Path) -> None:
    change(at / "county", "gp_events", lambda rows: rows.drop("code"))


def test_nobody_whom_the_list_leaves_out_is_in_any_file_and_they_are_counted(first: Path) -> None:
    permissions = pl.read_parquet(first / "county" / "permissions.parquet")
    allowed = set(permissions.filter(kind="national_allowed")["person_id"])
    register = set(pl.read_parquet(first / "county" / "gp_patients.parquet")["person_id"])
    objecting = set(permissions.filter(pl.col("kind").is_in(["objection", "restriction"]))["person_id"])

    told = pl.read_parquet(tonight(first) / "attrition.parquet").filter(step="permitted", reason="national")
    left_out = register - allowed
    assert told["n"].sum() == len(left_out - objecting)
    assert len(left_out) > 5
    assert told["person_id"].null_count() == told.height
    assert not [person for person in left_out if files_with(tonight(first), person)]


@pytest.mark.parametrize("stops", [False, True])
def test_whoever_drops_off_the_list_is_withdrawn_also_when_scoring_stops(published: Path, stops: bool) -> None:
    person, other = (row["person_id"] for row in listed(tonight(published))[:2])
    drop(published, person)
    if stops:
        break_scoring(published)

    assert (score(published, published / "settings" / "score.toml") != 0) is stops

    assert files_with(tonight(published), person) == []
    assert files_with(tonight(published), other) != []


def test_whoever_left_the_register_and_the_list_is_withdrawn_too(published: Path) -> None:
    person = listed(tonight(published))[0]["person_id"]
    drop(published, person)
    change(published / "county", "gp_patients", lambda rows: rows.filter(pl.col("person_id") != person))
    break_scoring(published)

    assert score(published, published / "settings" / "score.toml") != 0
    assert files_with(tonight(published), person) == []


def a_death_that_the_council_alone_tells_of(at: Path, person: str) -> None:
    told = {"client_type": "service_user", "event_type": "request", "started_on": NIGHT - timedelta(days=90)}
    death = {"died_on": NIGHT, "recorded_on": NEXT + timedelta(days=1), "has_unpaid_carer": "unknown"}
    add_rows(at / "county", "care_events", told | death | {"person_id": person})


def a_home_matched_with_low_certainty(at: Path, person: str) -> None:
    new_version(at / "county", person, household_match="low", recorded_on=NEXT)


@pytest.mark.parametrize("stops", [False, True])
@pytest.mark.parametrize("way", [a_death_that_the_council_alone_tells_of, a_home_matched_with_low_certainty])
def test_whom_other_records_tell_of_is_withdrawn(
    published: Path, way: Callable[[Path, str], None], stops: bool
) -> None:
    person = next(row["person_id"] for row in listed(tonight(published)) if row["household_id"])
    way(published, person)
    if stops:
        break_scoring(published)

    assert (score(published, published / "settings" / "score.toml") != 0) is stops

    assert person not in {row["person_id"] for row in listed(tonight(published))}


def test_for_direct_care_nobody_is_withdrawn(allowed_county: Path, bundle: Path, tmp_path: Path) -> None:
    at = tmp_path / "direct"
    at.mkdir()
    copy_of(allowed_county, at / "county")
    config = settings(at / "settings", bundle, "direct_care")
    assert score(at, config, as_of=NIGHT) == 0
    person = listed(tonight(at))[0]["person_id"]
    drop(at, person)
    break_scoring(at)

    assert score(at, config) != 0
    assert files_with(tonight(at), person) != []


def test_a_list_under_another_key_stops_the_night_and_leaves_the_last_one_as_it_was(published: Path) -> None:
    before = [row["person_id"] for row in listed(tonight(published))]
    swapped = (
        pl.when(pl.col("kind") == "national_allowed").then(pl.col("person_id").str.reverse()).otherwise("person_id")
    )
    change(published / "county", "permissions", lambda rows: rows.with_columns(person_id=swapped))

    ran = CliRunner().invoke(
        cli,
        ["score", "--as-of", str(NEXT), "--data", str(published / "county"), "--out", str(published / "out"),
         "--config", str(published / "settings" / "score.toml")],
    )  # fmt: skip

    assert ran.exit_code == 6
    assert "allows 0 of" in ran.output
    assert [row["person_id"] for row in listed(tonight(published))] == before


def test_the_mark_of_the_county_says_how_the_opt_outs_were_written(allowed_county: Path) -> None:
    assert json.loads((allowed_county / "synthetic.json").read_text())["allow_list"] is True
    kinds = set(pl.read_parquet(allowed_county / "permissions.parquet")["kind"])
    assert "national_allowed" in kinds
    assert "national" not in kinds
