"""The shipped outreach settings are the defaults, every key has its sentence, and mistakes are refused."""

import re

import pytest
from helpers.outreach import CONFIGS, shipped_interventions, shipped_settings
from pydantic import BaseModel, ValidationError

from ageingwell.config.load import load_config
from ageingwell.config.outreach import Capacity, Intervention, OutreachSettings, Thresholds
from ageingwell.errors import ConfigError
from ageingwell.outreach.rules import need_rules
from ageingwell.register import LEAD_AGENCIES


def test_the_shipped_file_and_the_defaults_are_the_same():
    assert shipped_settings() == OutreachSettings()


def test_every_key_stands_in_the_shipped_file_with_a_sentence_beside_it():
    lines = (CONFIGS / "outreach.toml").read_text(encoding="utf-8").splitlines()
    keys = [line for line in lines if re.match(r"\w+ *=", line)]

    assert [line for line in keys if not re.search(r"  # \w", line)] == []
    written = {line.split("=")[0].strip() for line in keys}
    fields = [(name, getattr(OutreachSettings(), name)) for name in OutreachSettings.model_fields]
    tables = {name: value for name, value in fields if isinstance(value, BaseModel)}
    wanted = {name for name, _ in fields if name not in tables}
    wanted |= {key for value in tables.values() for key in type(value).model_fields}
    assert written == wanted


@pytest.mark.parametrize("model", [OutreachSettings, Capacity, Thresholds, Intervention])
def test_every_field_is_described(model):
    assert all(field.description for field in model.model_fields.values())


def test_every_rule_has_its_intervention_and_every_intervention_its_rule():
    assert {rule.name for rule in need_rules(Thresholds())} == set(shipped_interventions().needs)


def test_actions_name_no_illness_and_use_no_word_we_do_not_say():
    banned = r"dementia|cancer|diabetes|frail|elderly|pensioner|senior|predict"

    for table in shipped_interventions().needs.values():
        assert not re.search(banned, table.action.lower())


def test_every_agency_leads_something():
    assert {table.lead for table in shipped_interventions().needs.values()} == set(LEAD_AGENCIES)


def test_a_team_for_a_place_that_the_file_of_places_does_not_name_is_a_mistake(tmp_path):
    (tmp_path / "score.toml").write_text((CONFIGS / "score.toml").read_text(encoding="utf-8"), encoding="utf-8")
    said = (CONFIGS / "outreach.toml").read_text(encoding="utf-8")
    teams = 'place_teams = [{agency = "fire", places = ["Ludlow", "Lud1ow"], visits = 5}]'
    (tmp_path / "outreach.toml").write_text(re.sub(r"(?m)^place_teams = .*$", teams, said), encoding="utf-8")

    with pytest.raises(ConfigError, match=r"place_teams`: Lud1ow is not a place of places\.csv\.gz"):
        load_config(tmp_path / "score.toml")


@pytest.mark.parametrize(
    "wrong",
    [
        {"capacity": {"dentist": 3}},
        {"capacity": {"fire": -1}},
        {"capacity": {"place_teams": [{"agency": "fire", "places": ["Ludlow", "Ludlow"], "visits": 1}]}},
        {"capacity": {"place_teams": [{"agency": "hospital", "places": ["Ludlow"], "visits": 1}]}},
        {"capacity": {"place_teams": [{"agency": "fire", "places": [], "visits": 1}]}},
        {"floors": {"rural": 1.5}},
        {"bands": [50, 20]},
        {"bands": []},
        {"random_share": 0.9},
        {"stay_marign": 0.2},
    ],
)
def test_a_mistake_is_refused(wrong):
    with pytest.raises(ValidationError):
        OutreachSettings.model_validate(wrong)
