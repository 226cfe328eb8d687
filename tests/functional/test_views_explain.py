"""`ageingwell views explain`: what a ledger's row lets a recipient see, and proof that the rest is not in its files."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import pytest
from click.testing import CliRunner
from helpers.counties import settings_file

from ageingwell.cli import cli
from ageingwell.cli.views import RECIPIENTS
from ageingwell.config.load import Config, load_config
from ageingwell.errors import NotPermittedError
from ageingwell.jobs import viewing
from ageingwell.jobs.viewing import explain_view, view_text
from ageingwell.register import Recipient


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config()


def with_views(config: Config, **views: Mapping[str, object]) -> Config:
    """The settings with some rows of the ledger changed."""
    changed = {name: config.ledger.views[name].model_copy(update=view) for name, view in views.items()}
    return replace(config, ledger=config.ledger.model_copy(update={"views": {**config.ledger.views, **changed}}))


@pytest.mark.slow
@pytest.mark.parametrize("recipient", ["group", "safeguarding"])
def test_nothing_forbidden_is_in_a_recipients_files(config, recipient):
    view = explain_view(recipient, config=config, people=150)

    assert view.n_found == 0
    assert view.files
    assert view.rows.columns == view.columns["column"].to_list()


@pytest.mark.slow
def test_a_fire_crew_is_shown_its_columns_its_rows_and_what_is_kept_from_it(config):
    view = explain_view("fire", config=config, n_rows=2)

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


@pytest.mark.slow
def test_a_narrower_row_in_the_groups_own_ledger_is_obeyed(config):
    narrow = with_views(config, fire={"themes": ()})

    view = explain_view("fire", config=narrow)

    assert view.readable == ()
    assert {fact for facts in view.rows["facts"] for fact in facts} == {
        "Nothing that you may read",
        "Ask the group what else is on record",
    }
    assert set(view.needs["words"]) == {
        "May need help to be safe from fire at home",
        "May need help within days to be safe from fire at home",
    }
    assert view.n_found == 0


@pytest.mark.slow
def test_a_fact_that_did_reach_the_files_is_found(config, monkeypatch):
    """The test of the test: the files are drawn for the wide row, and searched for what the narrow one forbids."""
    drawn_for = viewing._for_made_up_people(config)
    monkeypatch.setattr(viewing, "_for_made_up_people", lambda _: drawn_for)

    view = explain_view("fire", config=with_views(config, fire={"themes": ("home",)}), people=150)

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
def test_the_command_prints_it_and_takes_the_groups_own_settings(tmp_path):
    own = settings_file(tmp_path / "own", permissions={"views.fire.themes": ["home"]})

    told = CliRunner().invoke(cli, ["views", "explain", "fire", "--config", str(own), "--rows", "1", "--json"])

    assert told.exit_code == 0, told.output
    view = json.loads(told.stdout)
    assert view["recipient"] == "fire"
    assert view["readable"] == ["home"]
    assert len(view["rows"]) == 1
    assert {row["found"] for row in view["absent"]} == {0}


def test_the_command_knows_every_recipient():
    assert get_args(Recipient) == RECIPIENTS
