"""One impossible person never stops a night: they are held, counted, and the reason is named."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import NIGHT, add_rows, copy_of, listed
from helpers.tables import pseudonym

from ageingwell.config.load import load_config
from ageingwell.contracts.made import Spine, split_by_contract
from ageingwell.night.score import score
from ageingwell.synthetic.county import CountyPlan, synthesise

GHOST = {"registered_on": date(1950, 1, 1), "recorded_on": date(2019, 5, 5), "sex": "female", "practice_code": "Z80001"}


@pytest.mark.parametrize(("born", "age"), [(date(1911, 1, 1), 115), (date(1910, 1, 1), 116), (date(1904, 3, 1), 122)])
def test_somebody_too_old_to_be_alive_is_held_and_named_by_reason(
    born: date, age: int, small_county: Path, settings: Path, tmp_path: Path
) -> None:
    county = copy_of(small_county, tmp_path / "county")
    ghost = {"person_id": pseudonym(7), "household_id": pseudonym(8), "birth_month": born, "ethnic_group": "unknown"}
    add_rows(county, "gp_patients", GHOST | ghost)

    night = score(county, as_of=NIGHT, out=tmp_path / "out", config=load_config(settings))

    told = pl.read_parquet(night.folder / "attrition.parquet").filter(person_id=pseudonym(7)).select("step", "reason")
    assert listed(night.folder)
    if age > 115:
        assert told.rows() == [("spine", "impossible_age")]
    else:
        assert told["reason"].item() not in ("impossible_age", "under_the_age")


def test_a_county_with_many_such_registrations_gets_its_list(settings: Path, tmp_path: Path) -> None:
    synthesise(CountyPlan(people=5_000, seed=2), tmp_path / "county")
    rows = [
        GHOST
        | {"person_id": pseudonym(n), "household_id": pseudonym(n + 9_000), "birth_month": date(1904, 1 + n % 12, 1)}
        for n in range(1, 400)
    ]
    add_rows(tmp_path / "county", "gp_patients", *(row | {"ethnic_group": "unknown"} for row in rows))

    night = score(tmp_path / "county", as_of=NIGHT, out=tmp_path / "out", config=load_config(settings))

    attrition = pl.read_parquet(night.folder / "attrition.parquet")
    assert attrition.filter(reason="impossible_age")["n"].sum() >= 399
    assert len(listed(night.folder)) >= 80


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
