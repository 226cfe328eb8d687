"""Where a register tells no home, no area or not everybody, other lists do: what is taken from them, and what not."""

from pathlib import Path

import polars as pl
import pytest

from ageingwell.pseudonyms import Key
from ageingwell.pseudonyms.addresses import addresses_of, with_addresses
from ageingwell.pseudonyms.areas import Areas, areas_of, with_areas
from ageingwell.pseudonyms.coverage import register_coverage
from ageingwell.pseudonyms.digests import pseudonym

ONE, TWO, THREE = "9990001006", "9990001014", "9990001022"
HERE, THERE = "E01028997", "E01028998"


def _matches(*rows: tuple[str | None, str | None, str | None]) -> pl.LazyFrame:
    schema = {"nhs_number": pl.String, "uprn": pl.String, "household_match": pl.String}
    return pl.DataFrame(list(rows), schema=schema, orient="row").lazy()


def _homes(rows: pl.DataFrame, matches: pl.LazyFrame) -> list[tuple[str | None, ...]]:
    found = with_addresses(rows, "gp_patients", addresses_of(matches))
    return found.select("uprn", "household_match").rows()


@pytest.mark.parametrize(
    ("matches", "expected"),
    [
        ([(ONE, "100070000037", "exact")], ("100070000037", "exact")),
        ([("999 000 1006", "100070000037.0", "low")], ("100070000037", "low")),
        # Of two lines about one home the less sure one counts, whichever stands first.
        ([(ONE, "100070000037", "low"), (ONE, "100070000037", "exact")], ("100070000037", "low")),
        ([(ONE, "100070000037", "exact"), (ONE, "100070000074", "exact")], (None, None)),
        ([(ONE, None, "exact")], (None, None)),
        ([(ONE, "no home", "exact")], (None, None)),
        ([(TWO, "100070000037", "exact")], (None, None)),
        ([(None, "100070000037", "exact")], (None, None)),
    ],
)
def test_a_person_without_a_home_gets_the_one_home_that_the_list_gives(
    matches: list[tuple[str | None, str | None, str | None]], expected: tuple[str | None, str | None]
) -> None:
    rows = pl.DataFrame({"nhs_number": [ONE]})
    assert _homes(rows, _matches(*matches)) == [expected]
    assert _homes(rows, _matches(*matches[::-1])) == [expected]


def test_a_home_that_the_register_tells_stays_with_its_own_match() -> None:
    rows = pl.DataFrame({"nhs_number": [ONE, TWO], "uprn": ["100070000111", " "], "household_match": ["high", None]})
    matches = _matches((ONE, "100070000037", "low"), (TWO, "100070000074", "exact"))
    assert _homes(rows, matches) == [("100070000111", "high"), ("100070000074", "exact")]


def test_no_other_table_gets_a_home_by_its_people() -> None:
    rows = pl.DataFrame({"nhs_number": [ONE]})
    assert with_addresses(rows, "care_events", addresses_of(_matches((ONE, "1", "exact")))).columns == ["nhs_number"]


def test_an_area_comes_from_the_home_then_from_where_most_homes_of_the_postcode_lie() -> None:
    directory = pl.LazyFrame(
        {
            "uprn": ["1", "2", "3", "4", "4"],
            "postcode": ["ZZ6 6AA", "ZZ6 6AA", "zz66aa", "ZZ6 7AB", "ZZ6 7AB"],
            "lsoa21": [HERE, THERE, THERE, HERE, THERE],
        }
    )
    areas = areas_of(directory, postcodes=None)
    rows = pl.DataFrame({"uprn": ["1", None, "4", "9"], "postcode": ["ZZ6 6AA", "ZZ66AA", "ZZ6 7AB", "ZZ9 9ZZ"]})
    # Home 4 stands in two areas, so its postcode decides: of as many homes, the first area by name.
    assert with_areas(rows, areas)["_lsoa21"].to_list() == [HERE, THERE, HERE, None]
    assert with_areas(rows, Areas()).columns == ["uprn", "postcode"]


def test_who_should_be_registered_is_counted_once_and_met_by_number(tmp_path: Path) -> None:
    key = Key.made_up(1)
    register = pl.DataFrame({"nhs_number": [ONE, TWO]}).select(
        person_id=pseudonym(pl.col("nhs_number"), domain="person", key=key)
    )
    register.write_parquet(tmp_path / "gp_patients.parquet")
    expected = pl.LazyFrame({"nhs_number": [ONE, "999 000 1006", THREE, "no number", None]})
    found = register_coverage(expected, tmp_path / "gp_patients.parquet", key=key)
    assert found == {"n_expected": 2, "n_on_register": 1}
    assert register_coverage(expected, tmp_path / "nowhere.parquet", key=key) == {}
    assert register_coverage(None, tmp_path / "gp_patients.parquet", key=key) == {}
