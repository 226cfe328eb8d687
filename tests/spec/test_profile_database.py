"""The database that runs a profile's SQL reaches one folder and nothing else, and tells no record's value."""

import sys
from pathlib import Path

import polars as pl
import pytest

from ageingwell.errors import ConfigError, SourceError
from ageingwell.profiles.database import create_view, run_select, sandbox

NUMBER = "9990001006"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "inside"
    folder.mkdir()
    rows = {"_file": ["a.csv", "a.csv"], "_row": [1, 2], "number": [NUMBER, "x"], "on": ["01/04/2026", "31/02/2026"]}
    pl.DataFrame(rows).write_parquet(folder / "rows.parquet")
    (tmp_path / "outside.csv").write_text(f"number\n{NUMBER}\n", encoding="utf-8")
    return folder


def _select(place: Path, sql: str) -> pl.DataFrame:
    with sandbox(place, date_formats=("%d/%m/%Y",)) as connection:
        columns = {name: f'"{name}"' for name in ("_file", "_row", "number", "on")}
        create_view(connection, "rows", parts=[place / "rows.parquet"], columns=columns)
        run_select(connection, sql, to=place / "made.parquet", source="ours/homes.sql")
    return pl.read_parquet(place / "made.parquet")


def test_a_day_is_read_by_the_declared_formats_and_what_is_no_day_stays_as_it_was_sent(place: Path) -> None:
    made = _select(place, 'SELECT _file, _row, day("on") AS happened_on FROM rows')
    assert made["happened_on"].to_list() == ["2026-04-01", "31/02/2026"]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'a' AS _file, 1 AS _row, * FROM read_csv('{outside}')",
        "SELECT 'a' AS _file, 1 AS _row, content FROM read_text('{outside}')",
        "SELECT 'a' AS _file, 1 AS _row, * FROM read_csv('https://localhost/a.csv')",
        "SELECT 'a' AS _file, 1 AS _row, * FROM glob('/*')",
        "COPY (SELECT 1) TO '{outside}'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "LOAD httpfs",
        "ATTACH '{outside}' AS other",
        "SELECT _file, _row FROM rows; SELECT 1",
        "CREATE TABLE other AS SELECT * FROM rows",
        "PRAGMA database_list",
    ],
)
def test_the_sql_reaches_no_other_file_no_network_and_no_setting(place: Path, sql: str) -> None:
    outside = place.parent / "outside.csv"
    before = outside.read_bytes()
    with pytest.raises(ConfigError) as fault:
        _select(place, sql.format(outside=outside))
    assert outside.read_bytes() == before
    assert NUMBER not in str(fault.value)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT _file, _row, number::INTEGER AS happened_on FROM rows",
        "SELECT _file, _row, strptime(\"on\", '%Y') AS happened_on FROM rows",
        "SELECT _file, _row, no_such_column FROM rows",
        "SELECT number FROM rows",
        "SELEC",
    ],
)
def test_a_fault_of_the_sql_is_told_without_a_value_of_a_record(place: Path, sql: str) -> None:
    with pytest.raises(ConfigError) as fault:
        _select(place, sql)
    assert "ours/homes.sql" in str(fault.value)
    assert NUMBER not in str(fault.value)
    assert "31/02/2026" not in str(fault.value)


def test_a_profile_can_stop_with_a_sentence_of_its_own(place: Path) -> None:
    with pytest.raises(SourceError, match="two lists that say nothing of which is which"):
        _select(
            place,
            "SELECT _file, _row, error('profile: two lists that say nothing of which is which') AS kind FROM rows",
        )


def test_without_its_extra_the_error_says_how_to_get_it(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)

    with pytest.raises(SourceError, match=r"needs an extra.*pip install 'ageingwell\[profiles\]'"), sandbox(place):
        pass
