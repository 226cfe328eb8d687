"""The home of somebody who had died or left when a night was made is judged by that night, not by who lived there."""

import hashlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.tables import GOOD, pseudonym

from ageingwell.config.load import load_config
from ageingwell.config.withdrawing import WithdrawalSettings
from ageingwell.night.withdraw import find_withdrawn

TODAY = date(2026, 11, 25)
# recorded_on, died_on, died_recorded_on, left_on, left_recorded_on: and whether the home is somebody's
REGISTER = {
    "lives there": (("2024-01-09", None, None, None, None), True),
    "died": (("2026-10-02", "2026-09-30", None, None, None), False),
    "died, as was added later": (("2024-01-09", "2026-09-30", "2026-10-02", None, None), False),
    "left": (("2026-11-21", None, None, "2026-11-20", None), False),
    "left, as was added later": (("2024-01-09", None, None, "2026-11-20", "2026-11-24"), False),
    "is to leave": (("2026-11-01", None, None, "2026-12-24", None), True),
    "died and objects": (("2026-10-02", "2026-09-30", None, None, None), True),
}
OBJECTS = list(REGISTER).index("died and objects")
EVERY = set(range(len(REGISTER)))


def home(number: int) -> str:
    return pseudonym(900 + number)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A register of one person a home, and one objection."""
    days = ("recorded_on", "died_on", "died_recorded_on", "left_on", "left_recorded_on")
    patients = [
        {**GOOD["gp_patients"], "person_id": pseudonym(number), "household_id": home(number)} | dict(zip(days, told))
        for number, (told, _) in enumerate(REGISTER.values())
    ]
    objection = {**GOOD["permissions"], "person_id": pseudonym(OBJECTS), "from_on": "2026-11-23"}
    pl.DataFrame(patients, infer_schema_length=None).write_csv(tmp_path / "gp_patients.csv")
    pl.DataFrame([objection], infer_schema_length=None).write_csv(tmp_path / "permissions.csv")
    return tmp_path


def lived_in(place: Path, *, judged: Sequence[str]) -> set[int]:
    """The numbers of the homes that are taken off the sheet of homes that nobody is linked to."""
    found = find_withdrawn(
        place,
        out=place / "out",
        settings=WithdrawalSettings.of(load_config()),
        workspace=place / "work",
        on=TODAY,
        judged=judged,
    )
    return {number for number in EVERY if home(number) in found.lived_in["household_id"]}


def digest(place: Path) -> str:
    return hashlib.sha256((place / "gp_patients.csv").read_bytes()).hexdigest()


def test_of_the_register_that_the_night_saw_homes_of_the_dead_and_gone_stay_unless_they_opted_out(place: Path) -> None:
    expected = {number for number, (_, is_somebodys) in enumerate(REGISTER.values()) if is_somebodys}

    assert lived_in(place, judged=[digest(place)]) == expected


def test_of_another_register_every_home_is_taken_off_until_a_night_has_judged_it(place: Path) -> None:
    seen = digest(place)
    with (place / "gp_patients.csv").open("a") as file:
        file.write("\n")

    assert lived_in(place, judged=[seen]) == EVERY
    assert lived_in(place, judged=[]) == EVERY
