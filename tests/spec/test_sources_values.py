"""What agencies write, and what the contract makes of it: days, numbers, labels, typed columns."""

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from helpers.tables import good_rows, pseudonym, read, refusals, spoilt, write_csv

from ageingwell.contracts.registry import TABLES, columns
from ageingwell.sources.check import broken_rules


def csv_cell(name: str, column: str, cell: str, folder: Path) -> tuple[Any, list[str] | None]:
    """What one cell of a CSV file becomes, and the rules it was emptied or its row refused for."""
    write_csv(folder / f"{name}.csv", spoilt(good_rows(name, 1), 0, **{column: cell}))
    return _read_cell(name, column, folder)


def parquet_cell(name: str, column: str, cell: Any, folder: Path) -> tuple[Any, list[str] | None]:
    """What one cell of a typed Parquet column becomes, and the rules it was emptied or its row refused for."""
    frame = pl.DataFrame(good_rows(name, 1), infer_schema_length=None)
    typed = cell if isinstance(cell, pl.Series) else pl.Series([cell])
    frame.with_columns(typed.alias(column)).write_parquet(folder / f"{name}.parquet")
    return _read_cell(name, column, folder)


def _read_cell(name: str, column: str, folder: Path) -> tuple[Any, list[str] | None]:
    checked = read(name, folder)
    if checked.n_good:
        value = checked.rows.collect()[column][0]
        told = checked.emptied_cells.filter(pl.col("column") == column)
        # The rest of the row is what it was, whatever became of the cell.
        assert told.is_empty() or value in (None, "unknown")
        return (value, None) if told.is_empty() else (None, told["rules"][0].to_list())
    told = checked.refused.filter(pl.col("column") == column)
    assert told.height == 1
    return None, told["rules"][0].to_list()


# --- Days ---


@pytest.mark.parametrize(
    "cell",
    [
        "2019-02-03",
        " 2019-02-03 ",
        "2019-02-03T00:00:00",
        "2019-02-03 00:00:00.000",
        "2019-02-03T00:00:00Z",
        "2019-02-03 00:00",
        "2019-02-03 9:30",
        "2019-02-03T10:15:00",
        "2019-02-03T09:30:00Z",
        "2019-02-03 23:59:59.123456",
        "2019-02-03T00:00:00+01:00",
    ],
)
def test_a_day_may_come_with_a_time_of_day(cell: str, tmp_path: Path) -> None:
    assert csv_cell("homes", "epc_inspected_on", cell, tmp_path) == (date(2019, 2, 3), None)


@pytest.mark.parametrize(
    "cell",
    [
        "2019-02-30",
        "2019-13-01",
        "2019-2-3",
        "03/02/2019",
        "03.02.2019",
        "19-02-03",
        "20190203",
        "43499",
        "2019-02-03x",
        "2019-02-03 24:30",
        "2019-02-03 noon",
        "2019-02-03 09:30 03/04/2019",
        "２０１９-０２-０３",
        "٢٠١٩-٠٢-٠٣",
        "0",
        "none",
        "-",
    ],
)
def test_what_is_not_a_day_is_never_guessed(cell: str, tmp_path: Path) -> None:
    assert csv_cell("homes", "epc_inspected_on", cell, tmp_path) == (None, ["not_a_date"])


@pytest.mark.parametrize("cell", ["", "  "])
def test_an_empty_cell_is_missing(cell: str, tmp_path: Path) -> None:
    assert csv_cell("homes", "epc_inspected_on", cell, tmp_path) == (None, None)


@pytest.mark.parametrize(
    "cell",
    [
        date(2019, 2, 3),
        datetime(2019, 2, 3),
        datetime(2019, 2, 3, 12, 30),
        pl.Series([datetime(2019, 2, 3)], dtype=pl.Datetime("ms")),
        pl.Series([datetime(2019, 2, 3, tzinfo=UTC)]),
        pl.Series([datetime(2019, 6, 3)]).dt.replace_time_zone("Europe/London").dt.offset_by("-120d"),
    ],
    ids=["day", "midnight", "noon", "milliseconds", "utc", "london"],
)
def test_a_typed_day_is_read(cell: Any, tmp_path: Path) -> None:
    assert parquet_cell("homes", "epc_inspected_on", cell, tmp_path) == (date(2019, 2, 3), None)


def test_a_moment_is_of_the_day_that_was_written(tmp_path: Path) -> None:
    london = pl.Series([datetime(2019, 6, 3)]).dt.replace_time_zone("Europe/London")

    # In Greenwich it is still eleven at night of the day before, and so it was written.
    in_greenwich = london.dt.convert_time_zone("UTC")

    assert parquet_cell("homes", "epc_inspected_on", london, tmp_path) == (date(2019, 6, 3), None)
    assert parquet_cell("homes", "epc_inspected_on", in_greenwich, tmp_path) == (date(2019, 6, 2), None)


@pytest.mark.parametrize(
    "cell",
    [
        time(12, 30),
        20190203,
        43499.0,
        True,
        pl.Series([2_000_000_000]).cast(pl.Int32).cast(pl.Date),
        pl.Series([-2_000_000_000]).cast(pl.Int32).cast(pl.Date),
        pl.Series([["2019-02-03"]]),
        pl.Series([b"2019-02-03"]),
    ],
    ids=["time", "whole", "serial", "boolean", "far-future", "far-past", "list", "bytes"],
)
def test_a_typed_column_that_holds_no_days_is_never_guessed(cell: Any, tmp_path: Path) -> None:
    assert parquet_cell("homes", "epc_inspected_on", cell, tmp_path) == (None, ["not_a_date"])


def test_a_birth_month_past_all_reckoning_does_not_slip_through(tmp_path: Path) -> None:
    for days in (2_147_483_647, -2_147_483_647, 90_000_000):
        far = pl.Series([days]).cast(pl.Int32).cast(pl.Date)

        assert parquet_cell("gp_patients", "birth_month", far, tmp_path) == (None, ["not_a_date"])


# --- Numbers ---


@pytest.mark.parametrize(("cell", "number"), [("3", 3), (" 3 ", 3), ("3.0", 3), ("+3", 3), ("03", 3), ("3e0", 3)])
def test_a_whole_number_may_be_written_in_several_ways(cell: str, number: int, tmp_path: Path) -> None:
    assert csv_cell("homes", "occupants", cell, tmp_path) == (number, None)


@pytest.mark.parametrize("cell", ["3.5", "3,0", "1e300", "inf", "three", "0x3", "1_000", "３", "٣", "3 people"])
def test_what_is_not_a_whole_number_is_never_guessed(cell: str, tmp_path: Path) -> None:
    assert csv_cell("homes", "occupants", cell, tmp_path) == (None, ["not_a_whole_number"])


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (2.0, (2, None)),
        (pl.Series([2], dtype=pl.UInt8), (2, None)),
        (pl.Series(["2.00"]).cast(pl.Decimal(8, 2)), (2, None)),
        (pl.Series([None], dtype=pl.Null), (None, None)),
        (2.5, (None, ["not_a_whole_number"])),
        (float("nan"), (None, None)),
        (float("inf"), (None, ["not_a_whole_number"])),
        (True, (None, ["not_a_whole_number"])),
        (date(2019, 2, 3), (None, ["not_a_whole_number"])),
        (pl.Series([[2]]), (None, ["not_a_whole_number"])),
        (pl.Series([2**63], dtype=pl.UInt64), (None, ["not_a_whole_number"])),
        (-1, (None, ["out_of_range"])),
        (501, (None, ["out_of_range"])),
    ],
    ids=str,
)
def test_a_typed_number_is_whole_or_emptied(cell: Any, told: tuple[Any, Any], tmp_path: Path) -> None:
    assert parquet_cell("homes", "occupants", cell, tmp_path) == told


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("18.50", 18.5),
        (".5", 0.5),
        ("7.", 7.0),
        ("1e2", 100.0),
        ("£18.50", 18.5),
        ("£ 1,050.00", 1050.0),
        ("1,000", 1000.0),
        ("1 050", 1050.0),
        ("1\u00a0050.25", 1050.25),
    ],
)
def test_an_amount_is_read_as_people_write_it(cell: str, number: float, tmp_path: Path) -> None:
    assert csv_cell("care_events", "unit_cost", cell, tmp_path) == (number, None)


@pytest.mark.parametrize("cell", ["-£20.00", "£-20.00", "(20.00)", "(£1,050.00)", "\u221220"])
def test_a_negative_amount_is_read_and_lies_out_of_range(cell: str, tmp_path: Path) -> None:
    assert csv_cell("care_events", "unit_cost", cell, tmp_path) == (None, ["out_of_range"])
    # Where a number may be negative it is that number.
    assert csv_cell("gp_events", "value", cell, tmp_path)[0] in (-20.0, -1050.0)


@pytest.mark.parametrize("cell", ["18,50", "1,05", "1 05", "12,345,6", "(5", "--5", "£", "inf", "-", "１８", "5 or 6"])
def test_an_amount_in_other_words_is_never_guessed(cell: str, tmp_path: Path) -> None:
    assert csv_cell("care_events", "unit_cost", cell, tmp_path) == (None, ["not_a_number"])


# --- Labels ---


@pytest.mark.parametrize(
    "cell", ["Long Term Support: Community", " long term support – community", "LONG_TERM_SUPPORT-COMMUNITY!"]
)
def test_labels_are_matched_after_folding(cell: str, tmp_path: Path) -> None:
    assert csv_cell("care_events", "service_type", cell, tmp_path) == ("long_term_support_community", None)


@pytest.mark.parametrize("dash", ["-", "–", "—"])
def test_every_dash_folds_alike(dash: str, tmp_path: Path) -> None:
    told = csv_cell("care_events", "event_outcome", f"NFA {dash} Support Declined", tmp_path)

    assert told == ("nfa_support_declined", None)


@pytest.mark.parametrize("cell", ["", " ", "Not asked", "NOT-ASKED", "not_asked", "Unknown"])
def test_what_was_not_asked_is_unknown_and_never_no(cell: str, tmp_path: Path) -> None:
    assert csv_cell("fire_visits", "smoker", cell, tmp_path) == ("unknown", None)


@pytest.mark.parametrize(
    ("cell", "answer"),
    [
        *((cell, "yes") for cell in ("Y", "y", "1", "1.0", "true", "TRUE", "T", "Yes - hearing aid", "YES: at night")),
        *((cell, "no") for cell in ("N", "n", "0", "false", "F", "No")),
    ],
)
def test_an_answer_is_read_as_people_write_it(cell: str, answer: str, tmp_path: Path) -> None:
    assert csv_cell("fire_visits", "smoker", cell, tmp_path) == (answer, None)


def test_only_an_answer_is_read_so(tmp_path: Path) -> None:
    assert csv_cell("homes", "tenure", "1", tmp_path) == (None, ["unknown_label"])
    assert csv_cell("homes", "epc_rating", "F", tmp_path) == ("f", None)


# What stands behind a no may take it back, and unknown never becomes no.
@pytest.mark.parametrize("cell", ["yes?no", "yes/no", "none", "No - but the son does", "no answer", "2", "yesish"])
def test_an_answer_in_other_words_is_unknown_and_counted(cell: str, tmp_path: Path) -> None:
    assert csv_cell("fire_visits", "smoker", cell, tmp_path) == (None, ["unknown_label"])


def test_answers_in_other_words_can_be_mapped(tmp_path: Path) -> None:
    rows = good_rows("fire_visits", 3)
    for row, answer in zip(rows, ["Y", "n", "refused to say"]):
        row["smoker"] = answer
    write_csv(tmp_path / "fire_visits.csv", rows)

    checked = read("fire_visits", tmp_path, values={"smoker": {"y": "yes", "N": "no", "Refused to say": "unknown"}})

    assert checked.rows.collect()["smoker"].to_list() == ["yes", "no", "unknown"]


def test_a_needed_label_that_says_nothing_is_missing(tmp_path: Path) -> None:
    assert csv_cell("gp_patients", "sex", "?", tmp_path) == (None, ["missing"])


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (True, ("yes", None)),
        (False, ("no", None)),
        (pl.Series([None], dtype=pl.Boolean), ("unknown", None)),
        (pl.Series([None], dtype=pl.Null), ("unknown", None)),
        (pl.Series(["Yes"], dtype=pl.Categorical), ("yes", None)),
        (pl.Series(["no"], dtype=pl.Enum(["yes", "no"])), ("no", None)),
        (1, ("yes", None)),
        (0.0, ("no", None)),
        (2, (None, ["unknown_label"])),
        (pl.Series([["yes"]]), (None, ["unknown_label"])),
    ],
    ids=str,
)
def test_a_typed_answer_is_read(cell: Any, told: tuple[Any, Any], tmp_path: Path) -> None:
    assert parquet_cell("fire_visits", "smoker", cell, tmp_path) == told


def test_numbers_can_be_mapped_to_labels(tmp_path: Path) -> None:
    frame = pl.DataFrame(good_rows("gp_patients", 3), infer_schema_length=None).with_columns(sex=pl.Series([1, 2, 9]))
    frame.write_parquet(tmp_path / "gp_patients.parquet")

    checked = read("gp_patients", tmp_path, values={"sex": {"1": "male", "2": "female", "9": "indeterminate"}})

    assert checked.rows.collect()["sex"].to_list() == ["male", "female", "indeterminate"]


# --- Texts and codes ---


@pytest.mark.parametrize(
    "cell",
    [
        "9434765919",
        pseudonym(1)[:31],
        pseudonym(1) + "b",
        pseudonym(1).upper(),
        pseudonym(1)[:31] + "a",
        pseudonym(1)[:31] + "1",
        pseudonym(1)[:16] + "\n" + pseudonym(1)[:15],
    ],
)
def test_only_a_pseudonym_is_a_pseudonym(cell: str, tmp_path: Path) -> None:
    assert csv_cell("gp_patients", "person_id", cell, tmp_path) == (None, ["wrong_shape"])


@pytest.mark.parametrize(
    ("name", "column", "cell"),
    [
        ("gp_patients", "practice_code", "M８２０４１"),
        ("gp_patients", "lsoa21", "E01٠٢٨٨٥٤"),
        ("gp_patients", "lsoa21", "e01028854"),
        ("gp_prescriptions", "dmd_code", "４２１０４４１１"),
        ("gp_prescriptions", "bnf_code", "0403010b0"),
        ("hospital_events", "icd10", "S７２"),
        ("hospital_events", "icd10", "s72.0"),
    ],
)
def test_codes_are_written_in_plain_digits_and_capitals(name: str, column: str, cell: str, tmp_path: Path) -> None:
    assert csv_cell(name, column, cell, tmp_path) == (None, ["wrong_shape"])


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (161898004, ("161898004", None)),
        (161898005, (None, ["bad_check_digit"])),
        (161898004.0, (None, ["bad_check_digit"])),
        ("1.61898E+08", (None, ["bad_check_digit"])),
        ("１６１８９８００４", (None, ["bad_check_digit"])),
    ],
)
def test_a_snomed_code_is_a_string_of_digits_that_passes_its_check(
    cell: Any, told: tuple[Any, Any], tmp_path: Path
) -> None:
    assert parquet_cell("gp_events", "code", cell, tmp_path) == told


def test_text_that_is_no_text_at_all_is_not_read(tmp_path: Path) -> None:
    for cell in (pl.Series([b"\xff\xfe"]), pl.Series([["E01028854"]]), pl.Series([{"a": "E01028854"}])):
        assert parquet_cell("gp_patients", "lsoa21", cell, tmp_path) == (None, ["wrong_shape"])


# --- The day of recording ---


@pytest.mark.parametrize("cell", ["2024-05-01", " 2024-05-01 ", "2024-05-01T00:00:00"])
def test_the_day_of_recording_is_reckoned_where_it_cannot_be_sent(cell: str, tmp_path: Path) -> None:
    rows = [row | {"started_on": cell} for row in good_rows("care_events", 2)]
    write_csv(tmp_path / "care_events.csv", [{k: v for k, v in row.items() if k != "recorded_on"} for row in rows])

    checked = read("care_events", tmp_path, recorded_on="started_on + 30d")

    assert checked.rows.collect()["recorded_on"].to_list() == [date(2024, 5, 31)] * 2
    assert checked.made_recorded_on == "started_on + 30d"
    assert checked.newest_on == date(2024, 5, 31)


@pytest.mark.parametrize("cell", ["01/05/2024", "01.05.2024 x", "20240501", "", "soon"])
def test_no_day_of_recording_is_reckoned_from_what_is_no_day(cell: str, tmp_path: Path) -> None:
    rows = [row | {"started_on": cell} for row in good_rows("care_events", 2)]
    write_csv(tmp_path / "care_events.csv", [{k: v for k, v in row.items() if k != "recorded_on"} for row in rows])

    checked = read("care_events", tmp_path, recorded_on="started_on + 30d")

    assert checked.n_good == 0
    assert set(checked.refused["column"]) == {"started_on", "recorded_on"}


def test_the_day_of_recording_that_is_sent_counts_before_the_one_reckoned(tmp_path: Path) -> None:
    write_csv(tmp_path / "care_events.csv", good_rows("care_events", 1))

    checked = read("care_events", tmp_path, recorded_on="started_on + 400d")

    assert checked.rows.collect()["recorded_on"].to_list() == [date(2024, 6, 11)]
    assert checked.made_recorded_on is None


# --- The contract itself ---


def test_a_contract_that_cannot_be_tested_lets_no_row_through() -> None:
    rows = pl.DataFrame(good_rows("fire_incidents", 2))  # days still as texts

    with pytest.raises(RuntimeError, match="fire_incidents: the contract could not be tested on happened_on"):
        broken_rules("fire_incidents", rows)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_whose_optional_columns_are_all_of_the_null_type_is_good(name: str, tmp_path: Path) -> None:
    empty = [column.name for column in columns(name) if column.nullable or column.missing is not None]
    kept = {"person_id", "bnf_code"} if name in ("permissions", "contacts", "gp_prescriptions") else set()
    frame = pl.DataFrame(good_rows(name, 2), infer_schema_length=None)
    nulls = [pl.lit(None, dtype=pl.Null).alias(column) for column in empty if column not in kept]
    frame.with_columns(nulls).write_parquet(tmp_path / f"{name}.parquet")

    assert refusals(read(name, tmp_path)) == []
