"""Every identifier column of every raw table: what is not read is refused or emptied, told, and stops above a share."""

import json
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from helpers.tables import GOOD, write_csv

from ageingwell.cli import cli
from ageingwell.contracts.registry import TABLES
from ageingwell.errors import RefusedRowsError
from ageingwell.pseudonyms import Key, pseudonymise
from ageingwell.pseudonyms.digests import pseudonym
from ageingwell.pseudonyms.extracts import raw_names

pytestmark = pytest.mark.slow

KEY = Key.made_up(1)
CONTRACTS = {table: list(model.to_schema().columns) for table, model in TABLES.items()}
# Valid numbers of the reserved range, and twelve homes.
PEOPLE = [f"{number}" for number in range(9_990_000_000, 9_990_000_400) if number % 10 < 10]
UPRNS = [f"1000123450{n:02}" for n in range(12)]
RAW = {"person_id": "nhs_number", "household_id": "uprn", "linked_person_id": "linked_nhs_number"}
# Of each table: the columns without which a row says nothing, and those that may be blank.
NEEDED = {
    **dict.fromkeys(("gp_events", "gp_prescriptions", "hospital_events", "care_events"), ("nhs_number",)),
    **dict.fromkeys(("homes", "housing_events", "fire_visits", "fire_incidents"), ("uprn",)),
    **dict.fromkeys(("permissions", "contacts"), ("nhs_number", "uprn")),
    "gp_patients": ("nhs_number", "birth_date"),
}
MAY_BE_BLANK = {
    "gp_patients": ("uprn", "postcode", "lsoa21"),
    "care_events": ("linked_nhs_number", "la_person_id"),
    "housing_events": ("case_id",),
}
CELLS = [(table, column) for table in NEEDED for column in (*NEEDED[table], *MAY_BE_BLANK.get(table, ()))]
SPOILT = {
    "with a decimal point and two noughts": lambda text: f"{text}.00",
    "in scientific notation": lambda text: f"{text[0]}.{text[1:4]}E+{len(text) - 1:02}",
    "with digits of another script": lambda text: text.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
    "as a spreadsheet's text": lambda text: f"'{text}",
}
WORDS = ["NULL", "null", "NA", "N/A", "#N/A", "nan", "None", "unknown", "Not known", " ", "\u00a0"]


def valid_numbers(n: int) -> list[str]:
    frame = pl.DataFrame({"x": PEOPLE}).with_columns(ok=pseudonym(pl.col("x"), domain="person", key=KEY).is_not_null())
    return frame.filter("ok")["x"].to_list()[:n]


NUMBERS = valid_numbers(24)


def raw_rows(table: str, n: int = 12) -> list[dict[str, str | None]]:
    """Rows of a raw table, as an agency holds them: each about somebody, or some home, of their own."""
    rows = []
    for at in range(n):
        row = {RAW.get(name, name): value for name, value in GOOD[table].items()}
        if "nhs_number" in row:
            row["nhs_number"] = NUMBERS[at]
        if "uprn" in row:
            row["uprn"] = None if table in ("permissions", "contacts") else UPRNS[at]
        if "linked_nhs_number" in row:
            row |= {"linked_nhs_number": NUMBERS[12 + at], "la_person_id": f"40{at:02}"}
        if table == "housing_events":
            row["case_id"] = f"50{at:02}"
        if table == "gp_patients":
            row |= {"birth_date": "1940-05-17", "postcode": "SY6 6AA", "birth_month": None, "lsoa21": "E01028854"}
            del row["birth_month"]
        rows.append(row)
    return rows


def with_column(rows: list[dict[str, str | None]], column: str, values: list[str | None]):
    """The rows with the first of them changed in one column."""
    changed = [row | {column: value} for row, value in zip(rows, values, strict=False)]
    if column == "uprn" and "nhs_number" in rows[0] and "kind" in rows[0] | {"kind": 1} and _about_either(rows[0]):
        changed = [row | {"nhs_number": None} for row in changed]
    if column == "postcode":
        rows = [row | {"lsoa21": None} for row in rows]
        changed = [row | {"lsoa21": None} for row in changed]
    return changed + rows[len(changed) :]


def _about_either(row: dict[str, str | None]) -> bool:
    return "checked_on" in row or "contacted_on" in row


def sound(column: str, at: int) -> str:
    values = {
        "nhs_number": NUMBERS[at],
        "linked_nhs_number": NUMBERS[12 + at],
        "uprn": UPRNS[at],
        "birth_date": "1940-05-17",
        "postcode": "SY6 6AA",
        "lsoa21": "E01028854",
    }
    return values.get(column, f"40{at:02}")


def run(at: Path, table: str, rows: list[dict[str, str | None]], **more):
    (at / "raw").mkdir()
    write_csv(at / "raw" / f"{table}.csv", rows)
    (at / "lookup.csv").write_text("PCDS,LSOA21CD\nSY6 6AA,E01028854\n", encoding="utf-8")
    told = {"key": KEY, "contract_columns": CONTRACTS, "lsoa_lookup": at / "lookup.csv", **more}
    return pseudonymise(at / "raw", out=at / "out", **told)


@pytest.mark.parametrize(("table", "column"), CELLS)
def test_a_column_that_a_spreadsheet_has_spoilt_stops_with_its_name(tmp_path, table, column):
    """Its twelve rows are spoilt in every way in turn, and none of them is read."""
    ways = cycle(spell for spell in SPOILT.values() if not reads_all_the_same(column, spell))
    spoilt = [next(ways)(sound(column, at)) for at in range(12)]

    with pytest.raises(RefusedRowsError, match=rf"{table}: 12 of 12 .*{column}") as stopped:
        run(tmp_path, table, with_column(raw_rows(table), column, spoilt))

    assert not (tmp_path / "out").exists()
    assert not any(value in str(stopped.value) for value in (*spoilt, *NUMBERS, *UPRNS))


def reads_all_the_same(column: str, spell: Callable[[str], str]) -> bool:
    """Whether this is no fault: signs that are no letters or digits are no part of a postcode."""
    return spell(sound(column, 0)) == sound(column, 0) or (column, spell) == (
        "postcode",
        SPOILT["as a spreadsheet's text"],
    )


def test_a_postcode_in_quotes_is_read(tmp_path):
    spoilt = [SPOILT["as a spreadsheet's text"](sound("postcode", at)) for at in range(12)]

    done = run(tmp_path, "gp_patients", with_column(raw_rows("gp_patients"), "postcode", spoilt))

    assert done.tables["gp_patients"].left_empty == {}


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table in MAY_BE_BLANK for column in MAY_BE_BLANK[table]]
)
def test_a_word_that_means_empty_is_blank_and_not_unreadable(tmp_path, table, column):
    done = run(tmp_path, table, with_column(raw_rows(table), column, WORDS))

    assert done.tables[table].left_empty == {}
    made = {
        "uprn": "household_id",
        "postcode": "lsoa21",
        "lsoa21": "lsoa21",
        "linked_nhs_number": "linked_person_id",
    }.get(column, column)
    # Where the area's code is blank the postcode gives it.
    n_blank = 0 if column == "lsoa21" else len(WORDS)
    assert pl.read_parquet(tmp_path / "out" / f"{table}.parquet")[made].null_count() == n_blank


@pytest.mark.parametrize(
    ("table", "column"),
    # In care_events the council's own id stands in for the number (test_local_people.py).
    [(table, column) for table in NEEDED for column in NEEDED[table] if table != "care_events"],
)
def test_a_word_that_means_empty_is_missing_where_a_value_is_needed(tmp_path, table, column):
    rule = "one_of_two_needed" if table in ("permissions", "contacts") else "missing"

    with pytest.raises(RefusedRowsError, match=rf": {rule} \({len(WORDS)}\)"):
        run(tmp_path, table, with_column(raw_rows(table, len(WORDS)), column, WORDS))


def test_an_opt_out_whose_other_identifier_says_null_is_heeded(tmp_path):
    rows = with_column(raw_rows("permissions"), "nhs_number", NUMBERS[:12])
    run(tmp_path, "permissions", [row | {"uprn": "NULL"} for row in rows])

    assert pl.read_parquet(tmp_path / "out" / "permissions.parquet")["person_id"].null_count() == 0


def test_one_opt_out_that_cannot_be_read_stops_however_many_there_are(tmp_path):
    rows = raw_rows("permissions") * 20
    rows[7] = rows[7] | {"nhs_number": f"{NUMBERS[7]}.00"}

    with pytest.raises(RefusedRowsError, match="permissions: 1 of 240 rows are refused, and 0% are allowed"):
        run(tmp_path, "permissions", rows)


@pytest.mark.parametrize(
    ("table", "column", "value", "rule"),
    [
        ("gp_patients", "uprn", "100012345.5", "spreadsheet_number"),
        ("gp_patients", "uprn", "no fixed abode", "not_a_uprn"),
        ("gp_patients", "postcode", "XX1 1XX", "not_in_the_look_up"),
        ("gp_patients", "lsoa21", "Church Stretton", "not_an_area"),
        ("care_events", "linked_nhs_number", "12", "not_an_nhs_number"),
        ("care_events", "la_person_id", "4.00E+03", "spreadsheet_number"),
        ("housing_events", "case_id", "5001.0", "spreadsheet_number"),
    ],
)
def test_a_few_are_emptied_counted_and_named_by_row(tmp_path, table, column, value, rule):
    # 1 of 12 is below one in ten.
    done = run(tmp_path, table, with_column(raw_rows(table), column, [value]))

    counts = done.tables[table]
    assert (counts.n_written, counts.left_empty, counts.sent[column]) == (12, {column: 1}, 12)
    assert counts.emptied_by_rule == {f"{column}: {rule}": 1}
    emptied = pl.read_parquet(tmp_path / "out" / "emptied" / f"{table}.parquet")
    assert emptied.rows() == [(f"{table}.csv", 1, column, [rule])]
    assert pl.read_parquet(tmp_path / "out" / "refused" / f"{table}.parquet").is_empty()


def test_the_share_is_one_of_the_values_that_were_sent(tmp_path):
    # 9 of 12 have no linked person; 1 of the 3 that were sent cannot be read.
    rows = with_column(raw_rows("care_events"), "linked_nhs_number", ["12", *[None] * 9])

    with pytest.raises(
        RefusedRowsError, match="care_events: 1 of 3 values of linked_nhs_number cannot be read, and 10%"
    ):
        run(tmp_path, "care_events", rows)


def test_blanks_around_an_identifier_say_nothing_and_no_fixed_abode_is_no_fault(tmp_path):
    rows = with_column(raw_rows("gp_patients"), "uprn", [f"\u00a0{uprn} " for uprn in UPRNS])
    rows = with_column(rows, "postcode", ["ZZ99 3VZ"] * 12)

    done = run(tmp_path, "gp_patients", rows)

    assert done.tables["gp_patients"].left_empty == {}
    assert pl.read_parquet(tmp_path / "out" / "gp_patients.parquet")["household_id"].null_count() == 0


def test_headings_that_differ_in_writing_are_one_column_and_what_was_not_sent_is_named(tmp_path):
    rows = [
        {"NHS Number": row["nhs_number"], **row, "Died_On": "2026-01-02", "Notes": "x"}
        for row in raw_rows("gp_patients")
    ]
    for row in rows:
        del row["nhs_number"], row["died_on"], row["left_on"]

    done = run(tmp_path, "gp_patients", rows)

    assert pl.read_parquet(tmp_path / "out" / "gp_patients.parquet")["died_on"].to_list() == ["2026-01-02"] * 12
    assert done.tables["gp_patients"].columns_not_sent == ("left_on",)
    assert done.tables["gp_patients"].refused_columns == ("Notes",)


def test_the_settings_map_reads_our_name_equals_theirs(tmp_path):
    rows = [
        {"UPRN of home": row["uprn"], "Tenure type": row["tenure"], "recorded_on": "2024-06-11"}
        for row in raw_rows("homes")
    ]
    names = raw_names({"household_id": "UPRN of home", "tenure": "Tenure type"})

    run(tmp_path, "homes", rows, column_names={"homes": names})

    made = pl.read_parquet(tmp_path / "out" / "homes.parquet")
    assert made.columns == ["household_id", "tenure", "recorded_on"]
    assert made["tenure"].to_list() == ["owner_occupied"] * 12


def test_the_command_tells_rows_refused_emptied_and_left_out_in_words_and_as_json(tmp_path):
    rows = with_column(raw_rows("gp_patients"), "uprn", ["7.5"])
    rows[1] = rows[1] | {"nhs_number": "9990000019", "uprn": "8.5"}
    (tmp_path / "raw").mkdir()
    write_csv(tmp_path / "raw" / "gp_patients.csv", [row | {"surname": "Canary"} for row in rows])
    (tmp_path / "lookup.csv").write_text("postcode,lsoa21\nSY6 6AA,E01028854\n")
    words = ["pseudonymise", "--raw", tmp_path / "raw", "--made-up-key", 1, "--lsoa-lookup", tmp_path / "lookup.csv"]

    said = CliRunner().invoke(cli, [*map(str, words), "--out", str(tmp_path / "out")])
    told = CliRunner().invoke(cli, [*map(str, words), "--out", str(tmp_path / "json"), "--json"])

    assert said.exit_code == 0
    assert said.stdout.splitlines()[:5] == [
        "lookup.csv: read as the look-up of postcodes",
        "gp_patients: 11 of 12 rows written",
        "  1 row refused: nhs_number: not_an_nhs_number (1)",
        "  emptied: 1 of the 11 values of uprn that were sent: spreadsheet_number (1)",
        "  columns left out: surname",
    ]
    assert f"key fingerprint: {KEY.fingerprint}" in said.stdout
    counts = json.loads(told.stdout)["tables"]["gp_patients"]
    assert (counts["n_refused"], counts["left_empty"], counts["sent"]["uprn"]) == (1, {"uprn": 1}, 11)
