"""Raw extracts of the made-up county: reserved numbers, bait to catch leaks, and the same people underneath."""

from pathlib import Path

import polars as pl
import pytest

from ageingwell.contracts.registry import TABLES, columns
from ageingwell.pseudonyms.extracts import pseudonymise
from ageingwell.pseudonyms.identifiers import is_nhs_number
from ageingwell.pseudonyms.keys import Key
from ageingwell.synthetic.county import CountyPlan, synthesise
from ageingwell.synthetic.identifiers import nhs_numbers, reserved_nhs_numbers
from ageingwell.synthetic.raw import postcode_lookup

SEED = 5


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesise(CountyPlan(people=400, seed=SEED, raw=True), tmp_path_factory.mktemp("raw")).folder


def extract(folder: Path, table: str) -> pl.DataFrame:
    return pl.read_csv(folder / f"{table}.csv", infer_schema=False)


def test_every_table_is_there_as_csv(raw: Path):
    assert {path.stem for path in raw.glob("*.csv")} == {*TABLES, "postcode_lookup"}
    assert not list(raw.glob("*.parquet"))


def test_nhs_numbers_are_valid_and_reserved_for_tests(raw: Path):
    numbers = pl.concat(
        extract(raw, table).select(pl.col("nhs_number").drop_nulls())
        for table in ("gp_patients", "gp_events", "care_events", "permissions")
    )
    assert numbers.select(is_nhs_number(pl.col("nhs_number")).all()).item()
    assert numbers["nhs_number"].str.starts_with("999").all()


def test_extracts_hold_what_must_never_leave_an_agency(raw: Path):
    patients = extract(raw, "gp_patients")

    assert {"birth_date", "forename", "surname", "address_line_1", "postcode", "phone", "email", "notes"} <= set(
        patients.columns
    )
    assert not {"person_id", "household_id", "birth_month", "lsoa21"} & set(patients.columns)
    assert patients["notes"].is_not_null().any()
    assert patients["phone"].str.contains(r"^(01632 960|07700 900)\d{3}$").all()
    assert patients["email"].drop_nulls().str.ends_with("@example.org").all()


def test_every_postcode_is_in_the_look_up_and_in_no_real_district(raw: Path):
    lookup = pl.read_csv(raw / "postcode_lookup.csv")

    assert extract(raw, "gp_patients")["postcode"].is_in(lookup["postcode"].implode()).all()
    assert lookup["postcode"].str.contains(r"^ZZ\d{1,2} \d[A-Z]{2}$").all()
    assert lookup["postcode"].is_unique().all()
    assert lookup.equals(postcode_lookup())


def test_pseudonymised_extracts_are_the_county_itself(raw: Path, tmp_path: Path):
    county = synthesise(CountyPlan(people=400, seed=SEED), tmp_path / "county").folder
    only_tables = tmp_path / "extracts"
    only_tables.mkdir()
    for table in TABLES:
        (only_tables / f"{table}.csv").write_bytes((raw / f"{table}.csv").read_bytes())
    made = pseudonymise(
        only_tables,
        out=tmp_path / "made",
        key=Key.made_up(SEED),
        contract_columns={table: [column.name for column in columns(table)] for table in TABLES},
        lsoa_lookup=raw / "postcode_lookup.csv",
    )

    for table in TABLES:
        ours = pl.read_parquet(county / f"{table}.parquet").with_columns(pl.all().cast(pl.String).replace("", None))
        theirs = pl.read_parquet(made.folder / f"{table}.parquet").with_columns(pl.all().cast(pl.String))
        same = ours.select(theirs.columns)
        assert same.sort(same.columns).equals(theirs.sort(same.columns)), table


def test_beyond_the_reserved_numbers_people_get_a_text_that_is_no_number():
    count = pl.Series([909_089, 909_090, 2_000_000]).to_numpy()

    texts = nhs_numbers(count, seed=1)

    assert len(reserved_nhs_numbers(1)) == 909_090
    assert texts[1:].to_list() == ["made-up-909090", "made-up-2000000"]
    assert texts.to_frame("n").select(is_nhs_number(pl.col("n")))["n"].to_list() == [True, False, False]


def test_each_seed_gives_the_numbers_in_another_order():
    first, second = (reserved_nhs_numbers(seed) for seed in (1, 2))

    assert sorted(first[:1000]) != sorted(second[:1000])
    assert set(first.tolist()) == set(second.tolist())
