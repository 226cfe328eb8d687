"""Every pseudonymised table tells which key it was made with, wherever it is moved; two keys stop."""

import shutil
from pathlib import Path

import polars as pl
import pytest
from helpers.tables import GOOD

from ageingwell.contracts.registry import TABLES
from ageingwell.errors import SourceError
from ageingwell.pseudonyms import Key, fingerprints, pseudonymise, stop_on_two_keys

ONE, OTHER = Key.made_up(1), Key.made_up(2)
CONTRACTS = {table: list(model.to_schema().columns) for table, model in TABLES.items()}


def raw_of_all_tables(at: Path) -> Path:
    at.mkdir()
    for table, row in GOOD.items():
        raw = {"person_id": "nhs_number", "household_id": "uprn", "linked_person_id": "linked_nhs_number"}
        cells = {raw.get(name, name): value for name, value in row.items()}
        if "nhs_number" in cells:
            cells["nhs_number"] = "9990000018"
        if "uprn" in cells:
            cells["uprn"] = None if "nhs_number" in cells else "7"
        if "linked_nhs_number" in cells:
            cells["linked_nhs_number"] = "9990000026"
        pl.DataFrame([cells], schema=dict.fromkeys(cells, pl.String)).write_parquet(at / f"{table}.parquet")
    return at


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two folders of tables, one under each key."""
    place = tmp_path_factory.mktemp("made")
    raw = raw_of_all_tables(place / "raw")
    for name, key in (("one", ONE), ("other", OTHER)):
        pseudonymise(raw, out=place / name, key=key, contract_columns=CONTRACTS)
    return {name: place / name for name in ("one", "other")}


def files_of(folder: Path) -> dict[str, list[Path]]:
    found = {}
    for table in TABLES:
        path = folder / table
        found[table] = sorted(path.iterdir()) if path.is_dir() else sorted(folder.glob(f"{table}.*"))
    return found


def test_every_table_carries_its_keys_fingerprint(made):
    for name, key in (("one", ONE), ("other", OTHER)):
        assert fingerprints(files_of(made[name])) == dict.fromkeys(TABLES, (key.fingerprint,))
        assert stop_on_two_keys(files_of(made[name])) == key.fingerprint


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("way", ["moved", "as one part of several", "as CSV with its record"])
def test_any_table_under_another_key_stops_and_both_keys_are_named(made, tmp_path, table, way):
    group = tmp_path / "group"
    group.mkdir()
    for path in made["one"].glob("*.parquet"):
        shutil.copy(path, group)
    theirs = made["other"] / f"{table}.parquet"
    if way == "moved":
        shutil.copy(theirs, group)
    elif way == "as one part of several":
        (group / table).mkdir()
        shutil.move(group / f"{table}.parquet", group / table / "1.parquet")
        shutil.copy(theirs, group / table / "2.parquet")
    else:
        (group / f"{table}.parquet").unlink()
        pl.read_parquet(theirs).write_csv(group / f"{table}.csv")
        shutil.copy(made["other"] / "pseudonymised.json", group)

    with pytest.raises(SourceError, match="2 different keys") as stopped:
        stop_on_two_keys(files_of(group))

    assert f"{OTHER.fingerprint}: {table}" in str(stopped.value)
    assert ONE.fingerprint in str(stopped.value)


def test_tables_that_tell_no_key_are_taken(made, tmp_path):
    pl.DataFrame({"person_id": ["b" * 32]}).write_csv(tmp_path / "permissions.csv")
    pl.DataFrame({"person_id": ["b" * 32]}).write_parquet(tmp_path / "gp_patients.parquet")

    assert stop_on_two_keys(files_of(tmp_path)) is None

    shutil.copy(made["one"] / "homes.parquet", tmp_path)
    assert stop_on_two_keys(files_of(tmp_path)) == ONE.fingerprint


def test_the_made_up_county_tells_one_key_or_none(county):
    assert stop_on_two_keys(files_of(county)) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"key_fingerprint": 1, "tables": {}}', '{"tables": []}'])
def test_a_damaged_record_beside_a_csv_stops(tmp_path, text):
    (tmp_path / "homes.csv").write_text("household_id\n")
    (tmp_path / "pseudonymised.json").write_text(text)

    with pytest.raises(SourceError, match=r"pseudonymised\.json cannot be read"):
        fingerprints(files_of(tmp_path))
