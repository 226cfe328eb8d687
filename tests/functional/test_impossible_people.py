"""One impossible person never stops a night: they are held, counted, and the reason is named."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import NIGHT, add_rows, copy_of, listed
from helpers.shared import Shared
from helpers.tables import pseudonym

from ageingwell.config.load import load_config
from ageingwell.contracts.made import Spine, split_by_contract
from ageingwell.night.in_memory import outreach_list
from ageingwell.night.score import score

GHOST = {"registered_on": date(1950, 1, 1), "recorded_on": date(2019, 5, 5), "sex": "female", "practice_code": "Z80001"}


BORN = {115: date(1911, 1, 1), 116: date(1910, 1, 1), 122: date(1904, 3, 1)}


def registered(n: int, born: date) -> dict[str, object]:
    return GHOST | {
        "person_id": pseudonym(n),
        "household_id": pseudonym(n + 9_000),
        "birth_month": born,
        "ethnic_group": "unknown",
    }


@pytest.fixture(scope="module")
def with_the_old(small_county: Path, settings: Path, shared: Shared) -> Path:
    """A published night of a county in which one person of each of these ages is registered."""

    def publish(at: Path) -> None:
        copy_of(small_county, at / "county")
        add_rows(at / "county", "gp_patients", *(registered(age, born) for age, born in BORN.items()))
        score(at / "county", as_of=NIGHT, out=at / "out", config=load_config(settings))

    return shared.folder("impossible-people", publish) / "out" / str(NIGHT)


@pytest.mark.parametrize("age", BORN)
def test_somebody_too_old_to_be_alive_is_held_and_named_by_reason(age: int, with_the_old: Path) -> None:
    told = pl.read_parquet(with_the_old / "attrition.parquet").filter(person_id=pseudonym(age)).select("step", "reason")

    assert listed(with_the_old)
    if age > 115:
        assert told.rows() == [("spine", "impossible_age")]
    else:
        assert told["reason"].item() not in ("impossible_age", "under_the_age")


def test_a_county_with_many_such_registrations_gets_its_list(county: Path, settings: Path, tmp_path: Path) -> None:
    here = copy_of(county, tmp_path / "county")
    add_rows(here, "gp_patients", *(registered(n, date(1904, 1 + n % 12, 1)) for n in range(1, 400)))

    night = outreach_list(here, as_of=NIGHT, config=load_config(settings))

    assert night.frames.attrition.filter(reason="impossible_age")["n"].sum() >= 399
    # All places of the week, though every second person on the register cannot be alive.
    assert night.n_listed == 60


SPINE = {
    "person_id": [pseudonym(1), pseudonym(2)],
    "household_id": [pseudonym(8)] * 2,
    "lsoa21": ["E01028854"] * 2,
    "place": ["Ludlow"] * 2,
    "practice_code": ["M82001"] * 2,
    "sex": ["female"] * 2,
    "ethnic_group": ["white"] * 2,
    "birth_month": [date(1940, 1, 1)] * 2,
    "age": [86, 86],
    "registered_on": [date(2001, 1, 1)] * 2,
    "lived_here_from": [date(2001, 1, 1)] * 2,
    "communication_need": [None, None],
    "n_household_members": [2, 2],
    "n_household_65plus": [2, 2],
    "n_household_under_65": [0, 0],
    "care_home": ["no"] * 2,
    "known_to": [[], []],
    "deprivation_decile": [3, 3],
    "is_rural": [True, True],
}
# A cell that the contract of each column of the spine forbids; the others take any value of their type.
IMPOSSIBLE = {
    "person_id": "p",
    "household_id": "h",
    "age": 116,
    "n_household_members": 0,
    "n_household_65plus": -1,
    "n_household_under_65": -2,
    "care_home": "perhaps",
    "deprivation_decile": 11,
    "place": None,
    "practice_code": None,
    "sex": None,
    "ethnic_group": None,
    "birth_month": None,
    "registered_on": None,
    "lived_here_from": None,
}


@pytest.mark.parametrize(("column", "cell"), IMPOSSIBLE.items())
def test_whatever_cell_of_the_spine_is_impossible_holds_one_person_and_nobody_else(column: str, cell: object) -> None:
    schema = {
        name: field.dtype.type if name != "known_to" else pl.List(pl.String)
        for name, field in Spine.to_schema().columns.items()
    }
    frame = pl.DataFrame({name: SPINE.get(name, [[], []]) for name in schema}, schema=schema)
    spoilt = frame.with_columns(
        pl.when(pl.int_range(pl.len()) == 1).then(pl.lit(cell, dtype=schema[column])).otherwise(column).alias(column)
    )

    good, held = split_by_contract(Spine, spoilt)

    assert good["person_id"].to_list() == [pseudonym(1)]
    assert held["reason"].to_list() == [f"impossible_{column}"]
