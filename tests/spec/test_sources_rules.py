"""One bad row, planted for every rule of every column of every contract, is refused; its neighbours are good.

What a cell of an optional column breaks alone empties the cell, and the row stays.
"""

from pathlib import Path
from typing import Any

import pytest
from helpers.tables import GOOD, good_rows, pseudonym, read, refusals, spoilt, write_csv

from ageingwell.contracts.fields import BUILT_IN, EMPTIED, RULES
from ageingwell.contracts.registry import TABLES, Column, columns

Case = tuple[str, str, str, dict[str, str | None]]
DAY_KINDS = {"date": "not_a_date", "whole": "not_a_whole_number", "number": "not_a_number"}


def of_one_column(name: str, column: Column) -> list[Case]:
    """A value that breaks each rule which the contract states of one column alone."""
    bad: list[tuple[str, str | None]] = []
    if not column.nullable and column.missing is None:
        bad.append(("missing", None))
    if column.kind in DAY_KINDS:
        texts = {"date": ["2024-02-30", "30/01/2024", "45000", "2024-06-10 25:45:00"], "whole": ["x", "1.5"]}
        if column.placeholder is not None:
            bad += [("placeholder_day", "1900-01-01"), ("placeholder_day", "9999-12-31")]
        bad += [(DAY_KINDS[column.kind], text) for text in texts.get(column.kind, ["x", "inf", "1,5"])]
    if column.labels:
        bad.append(("unknown_label", "no such label"))
    for check in TABLES[name].to_schema().columns[column.name].checks:
        limits = check.statistics or {}
        if "pattern" in limits:
            bad.append(("wrong_shape", "no such shape!"))
        bad += [("out_of_range", str(limits["min_value"] - 1))] if "min_value" in limits else []
        bad += [("out_of_range", str(limits["max_value"] + 1))] if "max_value" in limits else []
    other: dict[str, Any] = {}
    if name in ("permissions", "contacts") and column.name == "household_id":
        other = {"person_id": None}
    elif name == "gp_events" and column.name == "code":
        other = {"code_system": "local"}  # a code of SNOMED CT has a check digit too
    return [(name, column.name, rule, {**other, column.name: value}) for rule, value in bad]


ACROSS_COLUMNS: list[Case] = [
    ("gp_patients", "birth_month", "not_the_first", {"birth_month": "1940-03-02"}),
    ("gp_patients", "birth_month", "impossible_age", {"birth_month": "1908-06-01"}),
    ("gp_patients", "registered_on", "end_before_start", {"registered_on": "1940-02-28"}),
    ("gp_patients", "moved_in_on", "end_before_start", {"moved_in_on": "1940-02-28"}),
    ("gp_patients", "left_on", "end_before_start", {"left_on": "2001-01-08"}),
    ("gp_patients", "died_on", "end_before_start", {"died_on": "1940-02-28"}),
    (
        "gp_patients",
        "left_recorded_on",
        "recorded_before_it_happened",
        {"left_on": "2024-05-02", "left_recorded_on": "2024-05-01"},
    ),
    (
        "gp_patients",
        "died_recorded_on",
        "recorded_before_it_happened",
        {"died_on": "2024-05-02", "died_recorded_on": "2024-05-01"},
    ),
    ("gp_patients", "died_on", "recorded_before_it_happened", {"died_on": "2025-06-12"}),
    ("gp_patients", "died_recorded_on", "recorded_without_its_day", {"died_recorded_on": "2024-05-01"}),
    (
        "gp_patients",
        "recorded_on",
        "recorded_before_it_happened",
        {"recorded_on": "2001-01-08", "moved_in_on": None},
    ),
    ("gp_patients", "recorded_on", "recorded_before_it_happened", {"moved_in_on": "2024-06-12"}),
    ("gp_events", "code", "bad_check_digit", {"code": "161898005"}),
    ("gp_events", "code", "bad_check_digit", {"code": "Eu00."}),
    ("gp_events", "recorded_on", "recorded_before_it_happened", {"happened_on": "2024-06-12"}),
    ("gp_prescriptions", "dmd_code", "bad_check_digit", {"dmd_code": "42104411000001109"}),  # of one cell
    ("gp_prescriptions", "issued_on", "one_of_two_needed", {"bnf_code": None, "dmd_code": None}),
    ("gp_prescriptions", "recorded_on", "recorded_before_it_happened", {"issued_on": "2024-06-12"}),
    ("hospital_events", "ended_on", "end_before_start", {"ended_on": "2024-05-31"}),
    ("hospital_events", "recorded_on", "recorded_before_it_happened", {"recorded_on": "2024-05-31"}),
    ("care_events", "ended_on", "end_before_start", {"ended_on": "2024-04-30"}),
    ("care_events", "ended_recorded_on", "recorded_before_it_happened", {"ended_recorded_on": "2024-05-31"}),
    ("care_events", "recorded_on", "recorded_before_it_happened", {"recorded_on": "2024-04-30"}),
    ("homes", "recorded_on", "recorded_before_it_happened", {"epc_inspected_on": "2024-06-12"}),
    ("housing_events", "recorded_on", "recorded_before_it_happened", {"recorded_on": "2024-06-09"}),
    ("fire_visits", "recorded_on", "recorded_before_it_happened", {"recorded_on": "2024-06-09"}),
    ("fire_incidents", "recorded_on", "recorded_before_it_happened", {"recorded_on": "2024-06-09"}),
    ("permissions", "kind", "one_of_two_needed", {"person_id": None}),
    ("permissions", "kind", "one_of_two_needed", {"household_id": pseudonym(5)}),
    ("permissions", "to_on", "end_before_start", {"to_on": "2020-02-01"}),
    ("contacts", "agency", "one_of_two_needed", {"person_id": None}),
    ("contacts", "agency", "one_of_two_needed", {"household_id": pseudonym(5)}),
    ("contacts", "recorded_on", "recorded_before_it_happened", {"recorded_on": "2024-06-09"}),
]
CASES = [
    *(case for name in TABLES for column in columns(name) for case in of_one_column(name, column)),
    *ACROSS_COLUMNS,
]


def empties(name: str, column: str, rule: str) -> bool:
    """Whether a fault is of one cell alone, in a column that may be empty; opt-outs never lose whom they concern."""
    optional = {found.name for found in columns(name) if not found.required}
    optional -= {"person_id", "household_id"} if name == "permissions" else set()
    return column in optional and rule in EMPTIED


@pytest.mark.parametrize("name", TABLES)
def test_each_row_that_breaks_a_rule_is_refused_for_that_and_its_neighbours_are_good(name: str, tmp_path: Path) -> None:
    cases = [(column, rule, changes) for table, column, rule, changes in CASES if table == name]
    rows = good_rows(name, 2 * len(cases) + 1)
    for number, (_, _, changes) in enumerate(cases):
        rows[2 * number + 1] |= changes
    write_csv(tmp_path / f"{name}.csv", rows)

    checked = read(name, tmp_path)

    # Every second row is spoilt: the first bad row is row 2, the next row 4.
    planted = [(2 * number, column, [rule]) for number, (column, rule, _) in enumerate(cases, start=1)]
    emptied = [(row, column, rules) for row, column, rules in planted if empties(name, column, rules[0])]
    # A contact of which neither person nor home can be read concerns nobody.
    nobody = [
        (row, "agency", ["one_of_two_needed"]) for row, at, _ in emptied if name == "contacts" and at.endswith("_id")
    ]
    expected = [row for row in planted if row not in emptied] + nobody
    assert sorted(refusals(checked)) == sorted(expected)
    assert sorted(checked.emptied_cells.drop("file").rows()) == sorted(emptied)
    assert (checked.n_read, checked.n_good) == (2 * len(cases) + 1, 2 * len(cases) + 1 - len(expected))
    assert checked.rows.collect().height == checked.n_good
    assert checked.refused["file"].unique().to_list() == [f"{name}.csv"]


@pytest.mark.parametrize("name", TABLES)
def test_good_rows_are_all_good(name: str, tmp_path: Path) -> None:
    write_csv(tmp_path / f"{name}.csv", good_rows(name, 4))

    checked = read(name, tmp_path)

    assert refusals(checked) == []
    assert checked.rows.collect_schema() == {column.name: column.dtype for column in columns(name)}


def test_every_rule_of_every_contract_has_a_row_that_breaks_it() -> None:
    planted = {(name, column, rule) for name, column, rule, _ in CASES}

    for name in TABLES:
        for column in columns(name):
            for check in TABLES[name].to_schema().columns[column.name].checks:
                rule = BUILT_IN.get(str(check.name), str(check.name))
                assert (name, column.name, rule) in planted
    assert {rule for _, _, rule, _ in CASES} == set(RULES) - {"tied_version", "wrong_number_of_fields"}


def test_every_rule_a_row_broke_is_told(tmp_path: Path) -> None:
    wrong = {"sex": "x", "birth_month": "1940-03-02", "registered_on": "1930-01-01", "practice_code": "12"}
    write_csv(tmp_path / "gp_patients.csv", spoilt(good_rows("gp_patients", 3), 0, **wrong))

    checked = read("gp_patients", tmp_path)

    assert refusals(checked) == [
        (1, "birth_month", ["not_the_first"]),
        (1, "practice_code", ["wrong_shape"]),
        (1, "registered_on", ["end_before_start"]),
        (1, "sex", ["unknown_label"]),
    ]
    assert checked.n_refused == 1
    assert checked.refused_by_rule()["n_rows"].to_list() == [1, 1, 1, 1]


def test_what_must_not_be_refused(tmp_path: Path) -> None:
    kept: list[tuple[str, dict[str, str | None]]] = [
        ("gp_events", {"code_system": "read2", "code": "Eu00."}),
        ("gp_events", {"happened_on": None}),
        ("gp_patients", {"birth_month": "1908-07-01"}),  # 115 on the day of the record
        ("gp_patients", {"died_on": "2024-06-30", "died_recorded_on": None}),
        ("gp_patients", {"died_on": "2025-06-11", "died_recorded_on": None}),  # 365 days ahead
        ("gp_patients", {"died_on": "2026-06-11", "died_recorded_on": "2026-06-12"}),  # the row is older than the news
        ("gp_patients", {"left_on": "2031-12-31", "left_recorded_on": None}),  # announced
        ("gp_patients", {"household_id": None, "lsoa21": None, "ethnic_group": None}),
        ("gp_prescriptions", {"bnf_code": None}),
        ("gp_prescriptions", {"dmd_code": None}),
        ("hospital_events", {"ended_on": "2024-06-01"}),
        ("hospital_events", {"icd10": "W19"}),
        ("permissions", {"person_id": None, "household_id": pseudonym(8)}),
        ("permissions", {"from_on": None, "to_on": None}),
        ("homes", {"epc_inspected_on": "2024-06-11"}),
        ("homes", {"lowest_floor": "-5", "occupants": "500"}),
    ]
    for number, (name, changes) in enumerate(kept):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_csv(folder / f"{name}.csv", spoilt(good_rows(name, 2), 1, **changes))

        assert refusals(read(name, folder)) == [], changes


def test_every_good_row_shows_every_column() -> None:
    assert all(set(GOOD[name]) == {column.name for column in columns(name)} for name in TABLES)
