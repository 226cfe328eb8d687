"""Every identifier of every table, as databases and columns of numbers write it: `.0` is read, lost digits are not."""

from itertools import cycle

import polars as pl
import pytest
from helpers.raw import CONTRACTS, KEY, NUMBERS, RAW, UPRNS, pseudonymised, raw_rows, run
from helpers.tables import Rows

from ageingwell.errors import RefusedRowsError
from ageingwell.pseudonyms import pseudonymised_text
from ageingwell.pseudonyms.registers import matches, read_register

pytestmark = pytest.mark.slow

CELLS = {(table, raw): ours for table, names in CONTRACTS.items() for ours, raw in RAW.items() if ours in names}


def rows_of(table: str, raw: str) -> Rows:
    """Raw rows in which the column holds a value; permissions and contacts are about a home or a person."""
    rows = raw_rows(table)
    if table in ("permissions", "contacts") and raw == "uprn":
        rows = [row | {"nhs_number": None, "uprn": uprn} for row, uprn in zip(rows, UPRNS, strict=False)]
    return rows


@pytest.mark.parametrize(("table", "raw"), CELLS)
def test_a_nought_behind_the_point_is_left_aside_and_doubles_are_read_and_singles_not(tmp_path, table, raw):
    rows = rows_of(table, raw)
    _, expected = run(tmp_path, table, rows)

    doubles = [row | {raw: f"{row[raw]}.0"} for row in rows]
    done, made = run(tmp_path, table, doubles, out="text")

    assert made.equals(expected)
    assert done.tables[table].read_without_decimal == {raw: 12}
    assert f"  read although they end with .0: 12 values of {raw}" in pseudonymised_text(done).splitlines()

    (tmp_path / "raw" / f"{table}.csv").unlink()
    typed = pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String)).with_columns(pl.col(raw).cast(pl.Float64))
    typed.write_parquet(tmp_path / "raw" / f"{table}.parquet")
    pseudonymised(tmp_path, out="doubles")
    assert pl.read_parquet(tmp_path / "doubles" / f"{table}.parquet").equals(expected)

    typed.with_columns(pl.col(raw).cast(pl.Float32)).write_parquet(tmp_path / "raw" / f"{table}.parquet")
    with pytest.raises(RefusedRowsError, match=rf"{table}: 12 of 12 .*{raw}: spreadsheet_number"):
        pseudonymised(tmp_path, out="singles")


@pytest.mark.parametrize(("table", "raw"), CELLS)
def test_any_other_point_or_exponent_is_never_read(tmp_path, table, raw):
    """Each spelling stands in rows of its own, and not one of the twelve is read."""
    spellings = cycle(["{}.00", "{}.5", "{}.", "{},0", "'{}.0", "{}e0", "{}E+00"])
    rows = [row | {raw: next(spellings).format(row[raw])} for row in rows_of(table, raw)]

    with pytest.raises(RefusedRowsError, match=rf"{raw}: spreadsheet_number \(12\)") as stopped:
        run(tmp_path, table, rows)

    assert "export identifiers as text" in str(stopped.value.remedy)


@pytest.mark.parametrize(("table", "raw"), [cell for cell in CELLS if cell[1] == "uprn"])
def test_a_uprn_as_the_epc_register_writes_it_is_read(tmp_path, table, raw):
    rows = rows_of(table, raw)
    _, expected = run(tmp_path, table, rows)

    _, made = run(tmp_path, table, [row | {raw: f"UPRN-{row[raw]:0>12}"} for row in rows], out="epc")

    assert made.equals(expected)


def test_a_register_of_doubles_is_read(tmp_path):
    _, made = run(tmp_path, "gp_patients", raw_rows("gp_patients"))
    pl.DataFrame({"nhs_number": [f"{NUMBERS[0]}.0"], "name": ["Ann"]}).write_csv(tmp_path / "register.csv")

    found = matches(read_register(tmp_path / "register.csv"), made["person_id"].to_list(), key=KEY)

    assert [match.cells for match in found.values()] == [{"name": "Ann"}]
