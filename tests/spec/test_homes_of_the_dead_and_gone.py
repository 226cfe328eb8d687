"""The home of somebody who had died or left when a night was made is judged by that night, not by who lived there."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
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


DAYS = ("recorded_on", "died_on", "died_recorded_on", "left_on", "left_recorded_on")


def patient(number: int, told: tuple[str | None, ...], *, at: str | None) -> dict[str, str | None]:
    return {**GOOD["gp_patients"], "person_id": pseudonym(number), "household_id": at} | dict(zip(DAYS, told))


def written(place: Path, patients: list[dict[str, str | None]], *, barred: int, kind: str = "objection") -> Path:
    """A register, and one person who is barred from the 23rd."""
    opted_out = {**GOOD["permissions"], "person_id": pseudonym(barred), "kind": kind, "from_on": "2026-11-23"}
    pl.DataFrame(patients, infer_schema_length=None).write_csv(place / "gp_patients.csv")
    pl.DataFrame([opted_out], infer_schema_length=None).write_csv(place / "permissions.csv")
    return place


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A register of one person a home, and one objection."""
    told = [patient(number, days, at=home(number)) for number, (days, _) in enumerate(REGISTER.values())]
    return written(tmp_path, told, barred=OBJECTS)


def lived_in(place: Path, *, judged: Sequence[str], type_1_allows_other_agencies: bool = False) -> set[int]:
    """The numbers of the homes that are taken off the sheet of homes that nobody is linked to."""
    config = load_config()
    ledger = config.ledger.model_copy(update={"type_1_allows_other_agencies": type_1_allows_other_agencies})
    found = find_withdrawn(
        place,
        out=place / "out",
        settings=WithdrawalSettings.of(replace(config, ledger=ledger)),
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


DIED = ("2026-10-02", "2026-09-30", None, None, None)
LIVED = ("2024-01-09", None, None, None, None)


@pytest.mark.parametrize("is_judged", [True, False])
def test_the_last_home_that_is_told_of_whoever_objects_is_taken_off(is_judged: bool, tmp_path: Path) -> None:
    # The newest row tells no home, and somebody else died there too.
    told = [patient(1, LIVED, at=home(0)), patient(1, DIED, at=None), patient(2, DIED, at=home(0))]
    place = written(tmp_path, told, barred=1)

    assert lived_in(place, judged=[digest(place)] if is_judged else []) == {0}


def test_a_home_is_taken_off_for_a_type_1_opt_out_also_where_that_lets_other_agencies_be_used(tmp_path: Path) -> None:
    place = written(tmp_path, [patient(1, DIED, at=home(0))], barred=1, kind="type_1")

    assert lived_in(place, judged=[digest(place)], type_1_allows_other_agencies=True) == {0}
