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
from helpers.counties import (
    NIGHT,
    add_rows,
    change,
    copy_of,
    files_with,
    files_with_each,
    listed,
    new_version,
    settings_file,
)
from helpers.shared import Shared
from helpers.undrawn import without_pages

from ageingwell.cli import cli
from ageingwell.config.score import Purpose
from ageingwell.publish import current
from ageingwell.synthetic.county import CountyPlan, synthesise

pytestmark = pytest.mark.usefixtures("read_once")

NEXT = NIGHT + timedelta(days=7)


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
def first(bundle: Path, shared: Shared) -> Path:
    """A county with a list of those who may be used, and its first night."""

    def publish(at: Path) -> None:
        synthesise(CountyPlan(people=150, seed=5, allow_list=True), at / "county")
        assert score(at, settings(at / "settings", bundle), as_of=NIGHT) == 0

    return shared.folder("allow-listed", publish)


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
    assert not any(files_with_each(tonight(first), left_out).values())


def they_drop_off_the_list(at: Path, person: str) -> None:
    drop(at, person)


def they_drop_off_the_list_and_the_register(at: Path, person: str) -> None:
    drop(at, person)
    change(at / "county", "gp_patients", lambda rows: rows.filter(pl.col("person_id") != person))


def a_death_that_the_council_alone_tells_of(at: Path, person: str) -> None:
    told = {"client_type": "service_user", "event_type": "request", "started_on": NIGHT - timedelta(days=90)}
    death = {"died_on": NIGHT, "recorded_on": NEXT + timedelta(days=1), "has_unpaid_carer": "unknown"}
    add_rows(at / "county", "care_events", told | death | {"person_id": person})


def a_home_matched_with_low_certainty(at: Path, person: str) -> None:
    new_version(at / "county", person, household_match="low", recorded_on=NEXT)


OFF_EVERY_FILE = (they_drop_off_the_list, they_drop_off_the_list_and_the_register)
WAYS = (*OFF_EVERY_FILE, a_death_that_the_council_alone_tells_of, a_home_matched_with_low_certainty)


def whom(first: Path) -> dict[str, str]:
    """Somebody on the list, who has a home, for each way to come off it; and one who stays."""
    people = [row["person_id"] for row in listed(first / "out" / str(NIGHT)) if row["household_id"]]
    return dict(zip([*(way.__name__ for way in WAYS), "nothing"], people, strict=False))


def all_ways_at_once(first: Path, at: Path) -> None:
    for part in ("county", "out", "settings"):
        copy_of(first / part, at / part)
    for way in WAYS:
        way(at, whom(first)[way.__name__])


@pytest.fixture(scope="module")
def stopped(first: Path, shared: Shared) -> Path:
    """The folder after a night whose scoring stopped, once each way took somebody off."""

    def stop(at: Path) -> None:
        all_ways_at_once(first, at)
        break_scoring(at)
        assert score(at, at / "settings" / "score.toml") != 0

    return shared.folder("allow-listed-stopped", stop)


@pytest.fixture(scope="module")
def scored(first: Path, shared: Shared) -> Path:
    """The same after a night that was scored; its pages are drawn from the same frames."""

    def score_it(at: Path) -> None:
        all_ways_at_once(first, at)
        with without_pages():
            assert score(at, at / "settings" / "score.toml") == 0

    return shared.folder("allow-listed-scored", score_it)


@pytest.mark.parametrize("after", ["stopped", "scored"])
@pytest.mark.parametrize("way", WAYS)
def test_whom_other_records_tell_of_is_withdrawn_also_when_scoring_stops(
    way: Callable[[Path, str], None], after: str, first: Path, request: pytest.FixtureRequest
) -> None:
    night, people = tonight(request.getfixturevalue(after)), whom(first)

    assert night.name == (str(NEXT) if after == "scored" else f"{NIGHT}.r2")
    assert people[way.__name__] not in {row["person_id"] for row in listed(night)}
    if way in OFF_EVERY_FILE:
        assert files_with(night, people[way.__name__]) == []
    assert files_with(night, people["nothing"]) != []


def test_for_direct_care_nobody_is_withdrawn(published: Path, bundle: Path, tmp_path: Path) -> None:
    person = listed(tonight(published))[0]["person_id"]
    drop(published, person)
    break_scoring(published)

    assert score(published, settings(tmp_path / "direct", bundle, "direct_care")) != 0
    assert files_with(tonight(published), person) != []


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


def test_the_mark_of_the_county_says_how_the_opt_outs_were_written(first: Path) -> None:
    assert json.loads((first / "county" / "synthetic.json").read_text())["allow_list"] is True
    kinds = set(pl.read_parquet(first / "county" / "permissions.parquet")["kind"])
    assert "national_allowed" in kinds
    assert "national" not in kinds
