"""`ageingwell views explain`: what a ledger's row lets a recipient see, and proof that the rest is not in its files."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner
from helpers.counties import NIGHT, settings_file

from ageingwell.cli import cli
from ageingwell.cli.views import RECIPIENTS
from ageingwell.config.load import Config, load_config
from ageingwell.errors import NotPermittedError
from ageingwell.jobs.viewing import explain_view, explained, view_text
from ageingwell.night.score import OutreachRun, score
from ageingwell.register import Recipient


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config()


def with_views(config: Config, **views: Mapping[str, object]) -> Config:
    """The settings with some rows of the ledger changed."""
    changed = {name: config.ledger.views[name].model_copy(update=view) for name, view in views.items()}
    return replace(config, ledger=config.ledger.model_copy(update={"views": {**config.ledger.views, **changed}}))


@pytest.fixture(scope="module")
def night(county: Path, settings: Path, tmp_path_factory: pytest.TempPathFactory) -> OutreachRun:
    """A night whose files were drawn for the shipped ledger."""
    return score(county, as_of=NIGHT, out=tmp_path_factory.mktemp("nights") / "out", config=load_config(settings))


@pytest.mark.parametrize("recipient", ["group", "safeguarding"])
def test_nothing_forbidden_is_in_a_recipients_files(night, config, recipient):
    view = explained(recipient, night, config=config)

    assert view.n_found == 0
    assert view.files
    assert view.rows.columns == view.columns["column"].to_list()


def test_a_fire_crew_is_shown_its_columns_its_rows_and_what_is_kept_from_it(night, config):
    view = explained("fire", night, config=config, n_rows=2)

    said = view_text(view)
    kept = {row["what"]: row["on_record"] for row in view.absent.to_dicts()}
    assert view.forbidden == ("care", "health")
    assert view.rows.height == 2
    assert kept["facts about health"] > 10
    assert "column chance: how many in 100 people with a record like this, and the range" in kept
    assert "may read facts about:     everyday life, fire, home" in said
    assert said.count("row_key ") == 3  # its meaning, and the two rows
    assert (
        "agencies/fire.csv, agencies/fire.html, agencies/fire.json, agencies/fire.parquet, agencies/fire.xlsx" in said
    )
    assert "FOUND" not in said


def test_a_fact_that_did_reach_the_files_is_found(night, config):
    """The test of the test: the files are drawn for the wide row, and searched for what the narrow one forbids."""
    view = explained("fire", night, config=with_views(config, fire={"themes": ("home",)}))

    found = {row["what"]: row["found"] for row in view.absent.to_dicts()}
    assert found["facts about fire"] > 0
    assert found["facts about health"] == 0
    assert "facts about fire: " in view_text(view)
    assert "FOUND" in view_text(view)


def test_a_recipient_without_a_row_in_the_ledger_has_no_view(config):
    without = {name: view for name, view in config.ledger.views.items() if name != "fire"}
    ledger = config.ledger.model_copy(update={"views": without})

    with pytest.raises(NotPermittedError, match="no view for `fire`"):
        explain_view("fire", config=replace(config, ledger=ledger))


@pytest.mark.slow
def test_the_command_prints_it_and_a_narrower_row_in_the_groups_own_ledger_is_obeyed(tmp_path):
    own = settings_file(tmp_path / "own", permissions={"views.fire.themes": []})

    told = CliRunner().invoke(cli, ["views", "explain", "fire", "--config", str(own), "--rows", "100", "--json"])

    assert told.exit_code == 0, told.output
    view = json.loads(told.stdout)
    assert view["recipient"] == "fire"
    assert view["readable"] == []
    assert len(view["rows"]) == view["n_rows"] > 1
    assert {fact for row in view["rows"] for fact in row["facts"]} == {
        "Nothing that you may read",
        "Ask the group what else is on record",
    }
    assert {need["words"] for need in view["needs"]} == {
        "May need help to be safe from fire at home",
        "May need help within days to be safe from fire at home",
    }
    assert {row["found"] for row in view["absent"]} == {0}


def test_the_command_knows_every_recipient():
    assert get_args(Recipient) == RECIPIENTS
