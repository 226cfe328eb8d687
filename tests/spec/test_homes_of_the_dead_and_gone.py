"""The home of somebody who had died or left when a night was made is judged by that night, not by who lived there."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.tables import GOOD, pseudonym

from ageingwell.config.load import load_config
from ageingwell.config.withdrawing import WithdrawalSettings
from ageingwell.night.withdraw import find_withdrawn

NIGHT = date(2026, 11, 22)
# recorded_on, died_on, died_recorded_on, left_on, left_recorded_on: and whether the home is somebody's
REGISTER = {
    "lives there": (("2024-01-09", None, None, None, None), True),
    "had died": (("2026-10-02", "2026-09-30", None, None, None), False),
    "had left": (("2026-11-21", None, None, "2026-11-20", None), False),
    "died, as is told on the night": (("2026-11-22", "2026-09-30", None, None, None), True),
    "died, as is added on the night": (("2024-01-09", "2026-09-30", "2026-11-22", None, None), True),
    "left, as is told later": (("2026-11-24", None, None, "2026-11-20", None), True),
    "left, as is added later": (("2024-01-09", None, None, "2026-11-20", "2026-11-24"), True),
    "is to leave": (("2026-11-01", None, None, "2026-12-24", None), True),
    "had died and objects": (("2026-10-02", "2026-09-30", None, None, None), True),
}
OBJECTS = list(REGISTER).index("had died and objects")


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


def lived_in(place: Path, *, known_on: date | None) -> set[str]:
    """The homes that are taken off the sheet of homes that nobody is linked to."""
    found = find_withdrawn(
        place,
        out=place / "out",
        settings=WithdrawalSettings.of(load_config()),
        workspace=place / "work",
        on=date(2026, 11, 25),
        known_on=known_on,
    )
    return set(found.lived_in["household_id"])


def test_what_the_night_did_not_know_and_every_opt_out_takes_a_home_off(place: Path) -> None:
    expected = {home(number) for number, (_, is_somebodys) in enumerate(REGISTER.values()) if is_somebodys}

    assert lived_in(place, known_on=NIGHT) == expected


def test_of_a_night_that_judged_no_homes_every_home_of_the_register_is_taken_off(place: Path) -> None:
    assert lived_in(place, known_on=None) == {home(number) for number in range(len(REGISTER))}
