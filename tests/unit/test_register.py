"""An agency or a table is named once: what follows from its line is there, and what has to be written is asked for."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from helpers.register import ROOT, left_out

from ageingwell.register import AGENCY_ENTRIES, TABLE_ENTRIES, VISITS, Agency, LeadAgency, TableName

CONTRACT = '''
"""What the ambulance service promises."""

import pandera.polars as pa
import polars as pl

from ageingwell.contracts.fields import day, pseudonym
from ageingwell.events import EventKey


class AmbulanceCallouts(pa.DataFrameModel):
    """Call-outs to falls, one row a call-out."""

    person_id: str = pseudonym("the person")
    happened_on: pl.Date = day("the day")
    recorded_on: pl.Date = day("the day it was entered")


EVENT_KEYS = {"ambulance_callouts": EventKey(("person_id", "happened_on"), "The same person and day.")}
'''
LINES = {
    'Agency = Literal["gp", ': 'Agency = Literal["ambulance", "gp", ',
    'LeadAgency = Literal["gp", ': 'LeadAgency = Literal["ambulance", "gp", ',
    '    "hospital_events",\n': '    "ambulance_callouts",\n    "hospital_events",\n',
    "AGENCY_ENTRIES: Final = (\n": "AGENCY_ENTRIES: Final = (\n"
    '    AgencyEntry("ambulance", "Ambulance service", "health", visits=(4, "falls a week")),\n',
    "TABLE_ENTRIES: Final = (\n": "TABLE_ENTRIES: Final = (\n"
    '    TableEntry("ambulance_callouts", "ambulance", "ambulance.AmbulanceCallouts", contact_on="happened_on"),\n',
}
# What no line of the register can say: each is a decision of somebody's, or words for people.
TO_BE_WRITTEN = [
    "configs/outreach.toml: capacity: ambulance",
    "configs/permissions.toml: views: ambulance",
    "configs/permissions.toml: recipients: ambulance",
    "configs/agencies.toml: ambulance_callouts",
    "configs/permissions.toml: permitted: ambulance_callouts",
    "docs/reference/data-dictionary.md: ambulance_callouts",
    "docs/how-to/connect-*.md: ambulance_callouts",
]


def test_every_agency_and_table_has_all_it_needs():
    assert left_out() == []


def test_each_name_has_one_line_and_each_line_a_name():
    assert [agency.name for agency in AGENCY_ENTRIES] == list(get_args(Agency))
    assert [table.name for table in TABLE_ENTRIES] == list(get_args(TableName))
    assert list(VISITS) == list(get_args(LeadAgency))


@pytest.fixture
def with_ambulance(tmp_path: Path) -> Path:
    """The package with one agency and one table more in its register, and nothing else changed."""
    shutil.copytree(ROOT / "src/ageingwell", tmp_path / "src/ageingwell", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("configs", "models"):
        (tmp_path / name).symlink_to(ROOT / name, target_is_directory=True)
    register = tmp_path / "src/ageingwell/register.py"
    text = register.read_text(encoding="utf-8")
    for old, new in LINES.items():
        assert old in text
        text = text.replace(f"\n{old}" if old[0] != " " else old, f"\n{new}" if old[0] != " " else new, 1)
    register.write_text(text, encoding="utf-8")
    return tmp_path


def checked(package: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(package / "src"), str(ROOT / "tests")])
    asked = [sys.executable, "-m", "helpers.register"]
    return subprocess.run(
        asked, env={**os.environ, "PYTHONPATH": path}, cwd=package, capture_output=True, text=True, check=False
    )


def test_a_new_agency_with_a_new_table_reaches_everything_that_can_follow_from_its_lines(with_ambulance: Path):
    (with_ambulance / "src/ageingwell/contracts/ambulance.py").write_text(CONTRACT, encoding="utf-8")

    ran = checked(with_ambulance)

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == TO_BE_WRITTEN


def test_a_table_without_its_contract_says_which_file_is_not_there(with_ambulance: Path):
    ran = checked(with_ambulance)

    assert ran.returncode != 0
    assert "No module named 'ageingwell.contracts.ambulance'" in ran.stderr


def test_an_agency_without_a_line_is_noticed(with_ambulance: Path):
    (with_ambulance / "src/ageingwell/contracts/ambulance.py").write_text(CONTRACT, encoding="utf-8")
    register = with_ambulance / "src/ageingwell/register.py"
    line = LINES["AGENCY_ENTRIES: Final = (\n"].split("\n")[1]
    register.write_text(register.read_text(encoding="utf-8").replace(f"{line}\n", ""), encoding="utf-8")

    ran = checked(with_ambulance)

    assert ran.returncode != 0
    assert "KeyError: 'ambulance'" in ran.stderr
