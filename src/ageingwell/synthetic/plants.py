"""Every kind of fault a contract knows, as bad rows to plant: the column, the rule, the cells it changes.

What a cell of an optional column breaks alone empties the cell, and the row has to keep every other rule: where two
columns need each other, a plant needs the other one.
"""

from dataclasses import dataclass, field

import polars as pl

from ageingwell.contracts.registry import TABLES

RAGGED = "wrong_number_of_fields"
BAD_ID = "bcdfghjklmnpqrstbcdfghjklmnpqrs"  # one letter short
EARLY = "1905-02-03"  # earlier than any start, later than the days that stand for none


@dataclass(frozen=True)
class Plant:
    """One kind of bad row: the rule it breaks in `column`, and the new text of the cells it changes.

    `needs` says in which rows it can be planted. `column` is None where the whole row is misshapen.
    """

    table: str
    column: str | None
    rule: str
    cells: dict[str, pl.Expr]
    needs: pl.Expr = field(default_factory=lambda: pl.lit(value=True))


def _before(column: str) -> pl.Expr:
    """The day before the day in a column."""
    return pl.col(column).str.to_date("%Y-%m-%d", strict=False).dt.offset_by("-1d").cast(pl.String)


def _has(column: str) -> pl.Expr:
    return pl.col(column) != ""


def _wrong(table: str, column: str, rule: str, text: str, needs: pl.Expr | None = None) -> Plant:
    return Plant(table, column, rule, {column: pl.lit(text)}, needs=pl.lit(value=True) if needs is None else needs)


def _person(table: str) -> list[Plant]:
    return [_wrong(table, "person_id", "wrong_shape", BAD_ID), _wrong(table, "person_id", "missing", "")]


def _home(table: str) -> list[Plant]:
    return [_wrong(table, "household_id", "wrong_shape", BAD_ID), _wrong(table, "household_id", "missing", "")]


def _dates(table: str, *names: str) -> list[Plant]:
    """Days that are none: 30 February, the other way round, and not there at all."""
    plants = [_wrong(table, name, "not_a_date", "2024-02-30") for name in names]
    plants += [_wrong(table, name, "not_a_date", "23/11/2024") for name in names[-1:]]
    plants += [_wrong(table, names[-1], "placeholder_day", day) for day in ("1900-01-01", "9999-12-31")]
    return [*plants, _wrong(table, names[-1], "missing", "")]


def _late(table: str, happened: str, recorded: str = "recorded_on") -> Plant:
    return Plant(table, recorded, "recorded_before_it_happened", {recorded: _before(happened)}, needs=_has(happened))


def _ragged(table: str) -> Plant:
    # A stray comma: the last column holds one field more. No other cell of these tables holds a comma.
    last = list(TABLES[table].to_schema().columns)[-1]
    return Plant(table, None, RAGGED, {last: pl.concat_str(pl.col(last), pl.lit(",surplus"))})


def _wrong_digit(column: str) -> pl.Expr:
    digit = pl.col(column).str.slice(-1).cast(pl.Int64, strict=False)
    return pl.concat_str(pl.col(column).str.head(-1), ((digit + 1) % 10).cast(pl.String))


PLANTS: tuple[Plant, ...] = (
    *_person("gp_patients"),
    *_dates("gp_patients", "birth_month", "registered_on", "recorded_on"),
    _wrong("gp_patients", "household_id", "wrong_shape", BAD_ID),
    _wrong("gp_patients", "household_match", "unknown_label", "97%"),
    _wrong("gp_patients", "birth_month", "impossible_age", "1790-01-01"),
    _wrong("gp_patients", "birth_month", "missing", ""),
    Plant("gp_patients", "birth_month", "not_the_first", {"birth_month": pl.col("birth_month").str.head(8) + "02"},
          needs=pl.col("registered_on") > pl.col("birth_month").str.head(8) + "28"),
    _wrong("gp_patients", "sex", "unknown_label", "F/M"),
    _wrong("gp_patients", "sex", "missing", ""),
    _wrong("gp_patients", "ethnic_group", "unknown_label", "martian"),
    _wrong("gp_patients", "lsoa21", "wrong_shape", "E0102899"),
    _wrong("gp_patients", "practice_code", "wrong_shape", "80001"),
    _wrong("gp_patients", "practice_code", "missing", ""),
    _wrong("gp_patients", "left_on", "end_before_start", EARLY, needs=pl.col("died_on") == ""),
    _wrong("gp_patients", "died_on", "end_before_start", EARLY),
    _wrong("gp_patients", "died_on", "placeholder_day", "1900-01-01", needs=pl.col("died_recorded_on") == ""),
    _wrong("gp_patients", "died_on", "not_a_date", "31/02/2024", needs=pl.col("died_recorded_on") == ""),
    _wrong("gp_patients", "left_on", "placeholder_day", "1801-01-01", needs=pl.col("died_on") == ""),
    Plant("gp_patients", "died_on", "recorded_before_it_happened",
          {"died_on": pl.lit("2090-06-30"), "died_recorded_on": pl.lit("")}),
    Plant("gp_patients", "died_recorded_on", "recorded_without_its_day",
          {"died_on": pl.lit(""), "died_recorded_on": pl.col("recorded_on")}),
    Plant("gp_patients", "left_recorded_on", "recorded_before_it_happened",
          {"left_on": pl.col("recorded_on"), "left_recorded_on": _before("recorded_on")}),
    Plant("gp_patients", "died_recorded_on", "recorded_before_it_happened",
          {"died_on": pl.col("recorded_on"), "died_recorded_on": _before("recorded_on")}),
    _late("gp_patients", "registered_on"),
    _ragged("gp_patients"),
    *_person("gp_events"),
    *_dates("gp_events", "happened_on", "recorded_on"),
    _wrong("gp_events", "code_system", "unknown_label", "icpc"),
    _wrong("gp_events", "code_system", "missing", ""),
    _wrong("gp_events", "code", "missing", ""),
    Plant("gp_events", "code", "bad_check_digit", {"code": _wrong_digit("code")},
          needs=pl.col("code_system") == "snomed"),
    _wrong("gp_events", "code", "bad_check_digit", "22.9", needs=pl.col("code_system") == "snomed"),
    _wrong("gp_events", "value", "not_a_number", "high"),
    _late("gp_events", "happened_on"),
    _ragged("gp_events"),
    *_person("gp_prescriptions"),
    *_dates("gp_prescriptions", "issued_on", "recorded_on"),
    _wrong("gp_prescriptions", "bnf_code", "wrong_shape", "atorvastatin 20mg", needs=_has("dmd_code")),
    _wrong("gp_prescriptions", "dmd_code", "wrong_shape", "12 34", needs=_has("bnf_code")),
    Plant("gp_prescriptions", "dmd_code", "bad_check_digit", {"dmd_code": _wrong_digit("dmd_code")},
          needs=_has("dmd_code") & _has("bnf_code")),
    Plant("gp_prescriptions", "issued_on", "one_of_two_needed", {"bnf_code": pl.lit(""), "dmd_code": pl.lit("")}),
    _late("gp_prescriptions", "issued_on"),
    _ragged("gp_prescriptions"),
    *_person("hospital_events"),
    *_dates("hospital_events", "ended_on", "started_on"),
    _wrong("hospital_events", "kind", "unknown_label", "day case"),
    _wrong("hospital_events", "icd10", "wrong_shape", "hip"),
    _wrong("hospital_events", "other_icd10", "wrong_shape", "I10 hip"),
    _wrong("hospital_events", "ended_on", "end_before_start", EARLY),
    _late("hospital_events", "started_on"),
    _ragged("hospital_events"),
    *_person("care_events"),
    *_dates("care_events", "ended_on", "recorded_on", "started_on"),
    _wrong("care_events", "client_type", "unknown_label", "customer"),
    _wrong("care_events", "event_type", "unknown_label", "chat"),
    _wrong("care_events", "has_unpaid_carer", "unknown_label", "perhaps"),
    _wrong("care_events", "linked_person_id", "wrong_shape", BAD_ID),
    _wrong("care_events", "unit_cost", "out_of_range", "-1"),
    _wrong("care_events", "planned_units_per_week", "not_a_number", "twice"),
    _wrong("care_events", "ended_on", "end_before_start", EARLY),
    _wrong("care_events", "died_on", "not_a_date", "2024-02-30"),
    Plant("care_events", "ended_recorded_on", "recorded_before_it_happened",
          {"ended_on": pl.col("started_on"), "ended_recorded_on": _before("started_on")}),
    _late("care_events", "started_on"),
    _ragged("care_events"),
    *_home("homes"),
    *_dates("homes", "epc_inspected_on", "recorded_on"),
    _wrong("homes", "source", "missing", ""),
    _wrong("homes", "tenure", "unknown_label", "squat"),
    _wrong("homes", "property_type", "unknown_label", "castle"),
    _wrong("homes", "lowest_floor", "out_of_range", "200"),
    _wrong("homes", "epc_rating", "unknown_label", "H"),
    _wrong("homes", "main_fuel", "unknown_label", "whale oil"),
    _wrong("homes", "step_free_access", "unknown_label", "half"),
    _wrong("homes", "occupants", "not_a_whole_number", "2.5"),
    _wrong("homes", "occupants", "out_of_range", "501"),
    _wrong("homes", "single_adult_discount", "unknown_label", "25%"),
    Plant("homes", "recorded_on", "recorded_before_it_happened",
          {"epc_inspected_on": pl.col("recorded_on"), "recorded_on": _before("recorded_on")}),
    _ragged("homes"),
    *_home("housing_events"),
    *_dates("housing_events", "recorded_on", "happened_on"),
    _wrong("housing_events", "event_type", "unknown_label", "party"),
    _wrong("housing_events", "category", "out_of_range", "3"),
    _wrong("housing_events", "category", "not_a_whole_number", "one"),
    _late("housing_events", "happened_on"),
    _ragged("housing_events"),
    *_home("fire_visits"),
    *_dates("fire_visits", "recorded_on", "visited_on"),
    _wrong("fire_visits", "visit_outcome", "unknown_label", "tea"),
    _wrong("fire_visits", "smoker", "unknown_label", "sometimes"),
    _wrong("fire_visits", "home_oxygen", "unknown_label", "2 litres"),
    _wrong("fire_visits", "clutter_rating", "out_of_range", "10"),
    _wrong("fire_visits", "clutter_rating", "not_a_whole_number", "four"),
    _wrong("fire_visits", "mobility", "unknown_label", "sprightly"),
    _wrong("fire_visits", "care_support", "unknown_label", "the cat"),
    _late("fire_visits", "visited_on"),
    _ragged("fire_visits"),
    *_home("fire_incidents"),
    *_dates("fire_incidents", "recorded_on", "happened_on"),
    _wrong("fire_incidents", "incident_type", "unknown_label", "cat in tree"),
    _late("fire_incidents", "happened_on"),
    _ragged("fire_incidents"),
    _wrong("permissions", "kind", "unknown_label", "please do not"),
    *_dates("permissions", "from_on", "checked_on"),
    _wrong("permissions", "to_on", "placeholder_day", "1900-01-01"),
    Plant("permissions", "kind", "one_of_two_needed", {"person_id": pl.lit(""), "household_id": pl.lit("")}),
    Plant("permissions", "kind", "missing", {"kind": pl.lit("national_allowed")}, needs=~_has("person_id")),
    Plant("permissions", "to_on", "end_before_start",
          {"from_on": pl.col("checked_on"), "to_on": _before("checked_on")}),
    _wrong("contacts", "agency", "unknown_label", "police"),
    *_dates("contacts", "recorded_on", "contacted_on"),
    _wrong("contacts", "person_id", "wrong_shape", BAD_ID, needs=_has("household_id")),
    _wrong("contacts", "outcome", "unknown_label", "fine"),
    _wrong("contacts", "outcome", "missing", ""),
    Plant("contacts", "agency", "one_of_two_needed", {"person_id": pl.lit(""), "household_id": pl.lit("")}),
    Plant("contacts", "agency", "one_of_two_needed",
          {"person_id": pl.lit("b" * 32), "household_id": pl.lit("c" * 32)}),
    _late("contacts", "contacted_on"),
    _ragged("contacts"),
)  # fmt: skip
