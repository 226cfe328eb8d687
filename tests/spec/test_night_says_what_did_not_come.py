"""Page one, each agency's page and the command say which columns did not come and which needs were not looked for."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import NIGHT, change, copy_of

from ageingwell.config.load import load_config
from ageingwell.contracts.registry import TABLES
from ageingwell.errors import ChangeError, SourceError
from ageingwell.governance.night_facts import NightFacts
from ageingwell.night.score import OutreachRun, score
from ageingwell.night.untold import needs_not_looked_for
from ageingwell.outreach.rules import need_rules
from ageingwell.report.sent import sent_notes

pytestmark = pytest.mark.usefixtures("read_once")
RULES = need_rules(load_config().outreach.thresholds)


@pytest.fixture
def at(first_night: Path, tmp_path: Path) -> Path:
    """A folder with a county, and its first night."""
    return copy_of(first_night, tmp_path / "here")


def night(at: Path, settings: Path, **asked: bool) -> OutreachRun:
    return score(at / "county", as_of=NIGHT, out=at / "out", config=load_config(settings), **asked)


def tonight(at: Path) -> Path:
    return (at / "out" / "current").resolve()


def test_a_fire_heading_nobody_knows_is_on_page_one_and_on_the_fire_page(at: Path, settings: Path) -> None:
    change(at / "county", "fire_visits", lambda rows: rows.rename({"smoke_alarm_working": "Alarm works?"}))

    now = night(at, settings)

    for page in ("report.html", "agencies/fire.html"):
        text = (now.folder / page).read_text(encoding="utf-8")
        assert "Fire visits: not sent, though it was last time: smoke alarm working. Ask the agency." in text
        assert "Not fully looked for, as records are missing:" in text
    assert "no_working_alarm" in now.facts.not_looked_for
    assert now.facts.is_degraded


@pytest.mark.parametrize("column", ["died_on", "left_on", "household_id"])
@pytest.mark.parametrize("way", ["renamed", "emptied"])
def test_a_register_without_the_dead_the_leavers_or_the_homes_leaves_last_nights_list_current(
    way: str, column: str, at: Path, settings: Path
) -> None:
    before = tonight(at)
    change(
        at / "county",
        "gp_patients",
        lambda rows: (
            rows.rename({column: "some other heading"})
            if way == "renamed"
            else rows.with_columns(pl.lit(None, dtype=rows.schema[column]).alias(column))
        ),
    )

    with pytest.raises(SourceError, match=column):
        night(at, settings)

    assert tonight(at) == before


@pytest.mark.usefixtures("pages_not_drawn")
def test_everybody_moved_leaves_last_nights_list_as_it_was_until_somebody_accepts_it(at: Path, settings: Path) -> None:
    before = tonight(at)
    left = pl.col("recorded_on").max().over("person_id")
    change(at / "county", "gp_patients", lambda rows: rows.with_columns(left_on=left, left_recorded_on=left))

    with pytest.raises(ChangeError, match="moved or left"):
        night(at, settings)
    assert tonight(at) == before

    accepted = night(at, settings, accept_change=True)
    assert accepted.n_listed == 0


@pytest.mark.parametrize("table", [name for name in TABLES if name not in ("permissions", "contacts", "gp_patients")])
def test_without_a_table_the_needs_that_rest_on_it_are_named(table: str) -> None:
    whole = needs_not_looked_for(RULES, untold={}, missing=())
    without = needs_not_looked_for(RULES, untold={}, missing=(table,))

    assert whole == []
    assert without or table == "fire_incidents"
    assert sent_notes(NightFacts(date(2026, 11, 22), not_looked_for=without)) != [] or not without
