"""A table tells which columns its layout never holds: a shipped layout needs no line of settings at the group."""

import json
from collections.abc import Collection
from pathlib import Path

import polars as pl
import pytest
from helpers.raw import raw_rows, run
from helpers.tables import GOOD, good_rows, write_csv

from ageingwell.config.load import load_config
from ageingwell.contracts.registry import MUST_BE_TOLD, TABLES, columns
from ageingwell.errors import SourceError
from ageingwell.jobs.checking import check
from ageingwell.pseudonyms import pseudonymised_text
from ageingwell.pseudonyms.fingerprints import NOT_HELD, told_by
from ageingwell.sources.read import read_agencies

pytestmark = pytest.mark.slow

OPTIONAL = {
    table: [column.name for column in columns(table) if not column.required]
    for table in TABLES
    if table not in ("permissions", "contacts")
}


def parquet(
    path: Path, table: str, *, without: Collection[str] = (), not_held: str = "", n: int = 5, start: int = 0
) -> Path:
    """Good rows of a contract table, without some columns, and with what the file tells of its layout."""
    rows = [{name: cell for name, cell in row.items() if name not in without} for row in good_rows(table, start + n)]
    frame = pl.DataFrame(rows[start:], schema=dict.fromkeys(rows[0], pl.String))
    frame.write_parquet(path, metadata={NOT_HELD: not_held} if not_held else {})
    return path


def read_one(data: Path, table: str, **settings):
    told = {name: one.model_copy(update={"required": False}) for name, one in load_config(None).tables.items()}
    told[table] = told[table].model_copy(update=settings)
    return read_agencies(data, told, workspace=data / ".work", max_refused_share=1.0, only=(table,)).tables[table]


# A prescription has one code or the other: they can both be told away, and not at once.
@pytest.mark.parametrize(("table", "half"), [(table, half) for table in OPTIONAL for half in (0, 1)])
def test_every_optional_column_can_be_told_as_not_held(tmp_path, table, half):
    told = OPTIONAL[table][half::2]
    parquet(tmp_path / f"{table}.parquet", table, without=told, not_held=",".join(told))

    assert sorted(read_one(tmp_path, table).not_held_columns) == sorted(told)


@pytest.mark.parametrize("column", MUST_BE_TOLD["gp_patients"])
def test_a_column_that_must_be_told_does_not_stop_where_the_table_says_it_is_never_held(tmp_path, column):
    parquet(tmp_path / "gp_patients.parquet", "gp_patients", without=[column])
    with pytest.raises(SourceError, match=f"column `{column}` was not sent"):
        read_one(tmp_path, "gp_patients")

    parquet(tmp_path / "gp_patients.parquet", "gp_patients", without=[column], not_held=column)
    assert read_one(tmp_path, "gp_patients").absent_columns == (column,)


@pytest.mark.parametrize("column", MUST_BE_TOLD["gp_patients"])
def test_one_part_speaks_for_itself_alone(tmp_path, column):
    (tmp_path / "gp_patients").mkdir()
    parquet(tmp_path / "gp_patients" / "1.parquet", "gp_patients", without=[column], not_held=column, n=3)
    parquet(tmp_path / "gp_patients" / "2.parquet", "gp_patients", n=3, start=3)
    assert read_one(tmp_path, "gp_patients").not_held_columns == (column,)

    parquet(tmp_path / "gp_patients" / "2.parquet", "gp_patients", without=[column], n=3, start=3)
    with pytest.raises(SourceError, match=f"`{column}`"):
        read_one(tmp_path, "gp_patients")


def test_what_the_settings_say_and_what_the_table_says_are_put_together(tmp_path):
    rows = [
        {name: cell for name, cell in row.items() if name not in ("died_on", "left_on")}
        for row in good_rows("gp_patients")
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "gp_patients.parquet", metadata={NOT_HELD: "left_on"})

    assert set(read_one(tmp_path, "gp_patients", not_held=("died_on",)).not_held_columns) == {"died_on", "left_on"}


@pytest.mark.parametrize("told", ["sex", "no_such_column", "sex,,no_such_column"])
def test_a_required_or_unknown_column_cannot_be_told_away(tmp_path, told):
    parquet(tmp_path / "gp_patients.parquet", "gp_patients", not_held=told)
    assert read_one(tmp_path, "gp_patients").not_held_columns == ()

    parquet(tmp_path / "gp_patients.parquet", "gp_patients", without=["sex"], not_held=told)
    with pytest.raises(SourceError, match="column `sex` of gp_patients missing"):
        read_one(tmp_path, "gp_patients")


def test_pseudonymise_writes_what_the_layout_never_holds_and_the_group_goes_on(tmp_path):
    # The practice's software knows no UPRN.
    rows = [{name: cell for name, cell in row.items() if name != "uprn"} for row in raw_rows("gp_patients")]

    done, _ = run(tmp_path, "gp_patients", rows, not_held={"gp_patients": ["household_id"]})

    assert "  columns that this layout never holds: household_id" in pseudonymised_text(done).splitlines()
    assert told_by("gp_patients", tmp_path / "out" / "gp_patients.parquet").not_held == ("household_id",)
    assert read_one(tmp_path / "out", "gp_patients").not_held_columns == ("household_id",)
    notes = check(tmp_path / "out", config=load_config(None)).notes
    assert any("not held by the agency" in note and "household_id" in note for note in notes)


def test_a_csv_has_it_from_the_record_beside_it(tmp_path):
    rows = [{name: cell for name, cell in row.items() if name != "uprn"} for row in raw_rows("gp_patients")]
    _, made = run(tmp_path, "gp_patients", rows, not_held={"gp_patients": ["household_id"]})
    (tmp_path / "out" / "gp_patients.parquet").unlink()
    made.write_csv(tmp_path / "out" / "gp_patients.csv")

    assert read_one(tmp_path / "out", "gp_patients").not_held_columns == ("household_id",)


def test_a_column_that_came_after_all_is_held_and_one_without_a_value_is_not(tmp_path):
    # Nobody among these rows has died: the column came, and tells nothing.
    run(tmp_path, "gp_patients", raw_rows("gp_patients"), not_held={"gp_patients": ["household_id", "died_on"]})

    assert told_by("gp_patients", tmp_path / "out" / "gp_patients.parquet").not_held == ("died_on",)
    record = json.loads((tmp_path / "out" / "pseudonymised.json").read_text())["tables"]["gp_patients"]
    assert record["columns_not_held"] == ["died_on"]
    assert "household_id" in pl.read_parquet_schema(tmp_path / "out" / "gp_patients.parquet")


def test_a_table_that_tells_nothing_holds_everything(tmp_path):
    write_csv(tmp_path / "homes.csv", [GOOD["homes"]])

    assert read_one(tmp_path, "homes").not_held_columns == ()
