"""Tables drawn in a test, and good rows of every contract table to spoil."""

import csv
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.config.score import TableSettings
from ageingwell.contracts.registry import TABLES, columns
from ageingwell.sources.locate import locate
from ageingwell.sources.read import CheckedTable, read_table

Rows = list[dict[str, str | None]]


def table(drawing: str, *, like: str | None = None, **constants: Any) -> pl.DataFrame:
    """Read a drawn table: cells parted by `|`, an empty cell is missing; days and numbers are read as such.

    With `like` it gets every column of that contract table, filled as if the agency had not sent it.
    """
    lines = [line.strip() for line in drawing.strip().splitlines()]
    cells = [[cell.strip() for cell in line.split("|")] for line in lines if not re.fullmatch(r"[-+]+", line)]
    rows = [dict(zip(cells[0], map(_value, line), strict=True)) | constants for line in cells[1:]]
    if like is None:
        return pl.DataFrame(rows, infer_schema_length=None)
    contract = columns(like)
    filled = [{column.name: column.missing for column in contract} | row for row in rows]
    return pl.DataFrame(filled, schema={column.name: column.dtype for column in contract})


def _value(cell: str) -> str | int | float | date | None:
    if cell == "":
        return None
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell):
        return date.fromisoformat(cell)
    if re.fullmatch(r"-?\d+", cell):
        return int(cell)
    return float(cell) if re.fullmatch(r"-?\d+\.\d+", cell) else cell


def pseudonym(number: int) -> str:
    """A pseudonym that nobody has: 32 letters."""
    return "".join("bcdfghjklmnpqrst"[int(digit, 16)] for digit in f"{number:032x}")


GOOD: Mapping[str, dict[str, str | None]] = {
    "gp_patients": {
        "person_id": pseudonym(1),
        "household_id": pseudonym(900),
        "household_match": "exact",
        "moved_in_on": "2005-05-05",
        "birth_month": "1940-03-01",
        "sex": "female",
        "ethnic_group": "white",
        "lsoa21": "E01028854",
        "practice_code": "M82041",
        "registered_on": "2001-01-09",
        "left_on": None,
        "left_recorded_on": None,
        "died_on": None,
        "died_recorded_on": None,
        "communication_need": "easy_read",
        "recorded_on": "2024-06-11",
    },
    "gp_events": {
        "person_id": pseudonym(1),
        "code_system": "snomed",
        "code": "161898004",
        "happened_on": "2024-06-10",
        "recorded_on": "2024-06-11",
        "value": "120.5",
        "value_unit": "mmHg",
    },
    "gp_prescriptions": {
        "person_id": pseudonym(1),
        "bnf_code": "0403010B0AAAGAG",
        "dmd_code": "42104411000001107",
        "issued_on": "2024-06-10",
        "recorded_on": "2024-06-11",
    },
    "hospital_events": {
        "person_id": pseudonym(1),
        "kind": "emergency_admission",
        "icd10": "S72.0",
        "other_icd10": "W19.0 I10",
        "started_on": "2024-06-01",
        "ended_on": "2024-06-09",
        "recorded_on": "2024-06-11",
    },
    "care_events": {
        "person_id": pseudonym(1),
        "la_person_id": "LA-0001",
        "client_type": "service_user",
        "event_type": "service",
        "primary_support_reason": "physical_support_personal_care_support",
        "service_type": "long_term_support_community",
        "service_component": "home_support",
        "route_of_access": "community_other_route",
        "review_reason": None,
        "accommodation_status": "owner_occupier_or_shared_ownership_scheme",
        "has_unpaid_carer": "yes",
        "linked_person_id": pseudonym(77),
        "event_outcome": "no_change_in_package",
        "started_on": "2024-05-01",
        "ended_on": "2024-06-01",
        "ended_recorded_on": "2024-06-05",
        "recorded_on": "2024-06-11",
        "unit_cost": "18.50",
        "cost_frequency": "hourly",
        "planned_units_per_week": "7",
        "died_on": None,
    },
    "homes": {
        "household_id": pseudonym(900),
        "source": "epc",
        "tenure": "owner_occupied",
        "property_type": "bungalow",
        "lowest_floor": "0",
        "epc_rating": "D",
        "epc_inspected_on": "2019-02-03",
        "main_fuel": "oil",
        "step_free_access": "no",
        "occupants": "2",
        "single_adult_discount": "no",
        "household_match": "exact",
        "recorded_on": "2024-06-11",
    },
    "housing_events": {
        "household_id": pseudonym(900),
        "case_id": "CASE-1",
        "event_type": "hazard_found",
        "hazard": "excess_cold",
        "category": "1",
        "happened_on": "2024-06-10",
        "household_match": "exact",
        "recorded_on": "2024-06-11",
    },
    "fire_visits": {
        "household_id": pseudonym(900),
        "visited_on": "2024-06-10",
        "visit_outcome": "completed",
        "referral_source": "self",
        "recorded_on": "2024-06-11",
        **dict.fromkeys(
            [column.name for column in columns("fire_visits") if column.labels == ("yes", "no", "unknown")], "no"
        ),
        "clutter_rating": "3",
        "mobility": "equipment",
        "care_support": "adequate",
        "household_match": "exact",
    },
    "fire_incidents": {
        "household_id": pseudonym(900),
        "incident_type": "false_alarm",
        "happened_on": "2024-06-10",
        "household_match": "exact",
        "recorded_on": "2024-06-11",
    },
    "permissions": {
        "person_id": pseudonym(1),
        "household_id": None,
        "kind": "objection",
        "from_on": "2020-02-02",
        "to_on": "2030-02-02",
        "checked_on": "2024-06-11",
    },
    "contacts": {
        "person_id": pseudonym(1),
        "household_id": None,
        "agency": "fire",
        "contacted_on": "2024-06-10",
        "outcome": "completed",
        "recorded_on": "2024-06-11",
    },
}
assert set(GOOD) == set(TABLES)


def good_rows(name: str, n: int = 5) -> Rows:
    """Rows that keep every rule, each about a person or home of its own."""
    key = "person_id" if "person_id" in GOOD[name] else "household_id"
    return [GOOD[name] | {key: pseudonym(number)} for number in range(1, n + 1)]


def spoilt(rows: Rows, position: int, **changes: str | None) -> Rows:
    """The same rows with some cells of one of them changed."""
    return [row | changes if number == position else row for number, row in enumerate(rows)]


def csv_text(rows: Rows, *, separator: str = ",") -> str:
    lines = [separator.join(_quoted(cell, separator) for cell in row.values()) for row in rows]
    header = separator.join(rows[0])
    return "\n".join([header, *lines, ""])


def _quoted(cell: str | None, separator: str) -> str:
    text = cell or ""
    return f'"{text}"' if separator in text or "\n" in text else text


def write_csv(path: Path, rows: Rows) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(name: str, data: Path, *, required: bool = True, **settings: Any) -> CheckedTable:
    """Read one table of a folder as a run would."""
    told = TableSettings(required=required, **settings)
    location = locate(name, told, data)
    assert location is not None
    return read_table(location, told, workspace=data / ".checked" / name)


def refusals(checked: CheckedTable) -> list[tuple[int, str | None, list[str]]]:
    """Row number, column and rules of every refused row."""
    return checked.refused.select("row_number", "column", "rules").rows()
