"""The job that Polars, pandas and DuckDB do alike: four tables read from Parquet, their rows checked, features made.

What is the same for all of them stands here: the tables, the rules of a row, the features, and what the code lists say.
The rules are read off the contracts wherever the contracts tell them as data, so that a changed contract changes all
three; the rules across columns are written out once, as pairs of days.

The features are those that the GP record, prescriptions and hospital tell of one person alone. They leave out, for all
three, what needs a person's home, social care, housing or fire, the opt-outs, and what is not recognised.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final

import polars as pl

from ageingwell.config.files import codes_of, snomed_lists
from ageingwell.config.load import load_config
from ageingwell.contracts.fields import FIRST_FAR_DAY
from ageingwell.contracts.gp import DAYS_DEATH_MAY_LIE_AHEAD, OLDEST
from ageingwell.contracts.registry import TABLES, columns
from ageingwell.features.gp import DEFICITS, FALLS, dmd_list_of

READ: Final = ("gp_patients", "gp_events", "gp_prescriptions", "hospital_events")
MINIMUM_AGE: Final = 65

# Rules across columns that the contracts hold as code: the first day is never before the second.
NOT_BEFORE: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "gp_patients": (
        ("registered_on", "birth_month"),
        ("moved_in_on", "birth_month"),
        ("left_on", "registered_on"),
        ("died_on", "birth_month"),
        ("left_recorded_on", "left_on"),
        ("died_recorded_on", "died_on"),
        ("recorded_on", "registered_on"),
        ("recorded_on", "moved_in_on"),
        ("recorded_on", "birth_month"),
    ),
    "gp_events": (("recorded_on", "happened_on"),),
    "gp_prescriptions": (("recorded_on", "issued_on"),),
    "hospital_events": (("ended_on", "started_on"), ("recorded_on", "started_on")),
}
# The column of SNOMED CT identifiers of a table, and the column and label that say which rows hold one.
CHECK_DIGITS: Final[dict[str, tuple[str, str | None]]] = {
    "gp_events": ("code", "code_system"),
    "gp_prescriptions": ("dmd_code", None),
}
DEATH_AHEAD: Final = DAYS_DEATH_MAY_LIE_AHEAD
OLDEST_AGE: Final = OLDEST


@dataclass(frozen=True)
class Rule:
    """What one column promises: whether it is needed, its shape, its labels, and from when to when a day is one.

    A cell that breaks it is emptied where `is_needed` is false (a label becomes `filled`), and refuses its row where it
    is true.
    """

    column: str
    is_needed: bool
    shape: str | None = None
    labels: tuple[str, ...] = ()
    filled: str | None = None
    days: tuple[date, date] | None = None
    never: tuple[date, ...] = ()


@cache
def rules_of(table: str) -> tuple[Rule, ...]:
    """The rules of each column of a contract."""
    checks = TABLES[table].to_schema().columns
    return tuple(
        Rule(
            column.name,
            is_needed=column.required,
            shape=next(
                (check.statistics["pattern"] for check in checks[column.name].checks if check.name == "str_matches"),
                None,
            ),
            labels=column.labels,
            filled=column.missing,
            days=None if column.placeholder is None else (column.placeholder.low_before, FIRST_FAR_DAY),
            never=() if column.placeholder is None else column.placeholder.also_low,
        )
        for column in columns(table)
    )


@dataclass(frozen=True)
class Flag:
    """1 where an entry is on a list within the days before the night, else 0."""

    name: str
    lists: tuple[str, ...]
    days: int | None


FLAGS: Final = (
    *(Flag(f"has_{name}", (f"efi_{name}",), None) for name in DEFICITS),
    Flag("has_dementia", ("dementia",), None),
    Flag("has_depression", ("depression",), None),
    Flag("has_gait_balance_problem", ("gait_balance_problem",), None),
    Flag("has_severe_frailty_code", ("frailty_severe",), None),
    Flag("has_moderate_frailty_code", ("frailty_moderate",), None),
    Flag("has_cancer_1825d", ("cancer",), 1825),
    Flag("has_delirium_730d", ("delirium",), 730),
    Flag("has_flu_vaccination_365d", ("flu_vaccination",), 365),
)
# Days on which an entry of one of the lists happened.
DAYS_COUNTED: Final = (
    Flag("n_falls_365d", FALLS, 365),
    Flag("n_falls_1095d", FALLS, 1095),
    Flag("n_injurious_falls_365d", ("injurious_fall",), 365),
    Flag("n_fractures_1095d", ("fracture",), 1095),
    Flag("n_urinary_infections_365d", ("urinary_tract_infection",), 365),
)
CONTACTS_COUNTED: Final = {"n_gp_contacts_365d": 365, "n_gp_contacts_90d": 90}
MEDICINES_COUNTED: Final = {"n_medicines_90d": 90, "n_medicines_365d": 365}
# Medicines of a group issued in the past three months, by the start of their BNF code.
GROUPS_COUNTED: Final = {
    "n_anticholinergic_90d": "bnf_anticholinergic",
    "n_sedative_90d": "bnf_sedative",
    "n_opioid_90d": "bnf_opioid",
    "n_antihypertensive_90d": "bnf_antihypertensive",
}
SUBSTANCE: Final = 9  # so many characters of a BNF code name the substance
STAYS_COUNTED: Final = {
    "n_emergency_admissions_90d": ("emergency_admission", 90),
    "n_emergency_admissions_365d": ("emergency_admission", 365),
    "n_emergency_admissions_1095d": ("emergency_admission", 1095),
    "n_planned_admissions_365d": ("planned_admission", 365),
    "n_ae_attendances_365d": ("ae_attendance", 365),
}
FEATURES: Final = (
    "age",
    *(flag.name for flag in (*FLAGS, *DAYS_COUNTED)),
    *CONTACTS_COUNTED,
    "days_since_gp_contact",
    *MEDICINES_COUNTED,
    *GROUPS_COUNTED,
    *STAYS_COUNTED,
    "n_emergency_bed_days_365d",
    "days_since_discharge",
)


@cache
def codes_on(lists: tuple[str, ...]) -> tuple[str, ...]:
    """The SNOMED CT codes of some lists."""
    codelists = load_config().codelists
    return tuple(sorted({code for name in lists for code in codelists[name]}))


@cache
def codes_on_any_list() -> tuple[str, ...]:
    """Every SNOMED CT code of any list: the entries that any of our features may ask for."""
    codelists = load_config().codelists
    return tuple(sorted({code for name in snomed_lists(codelists) for code in codelists[name]}))


@cache
def starts_of(group: str) -> tuple[str, ...]:
    """How the BNF codes of a group start."""
    return tuple(codes_of(load_config().codelists, group))


@cache
def dmd_of(group: str) -> tuple[str, ...]:
    """The dm+d codes of a group."""
    return load_config().codelists.get(dmd_list_of(group), ())


def lag(table: str) -> int:
    """An ending without its own day of recording is known this many days after it happened."""
    return load_config().tables[table].lag_days


def first_day(as_of: date, days: int | None) -> date:
    """The first day of a look-back."""
    return date.min if days is None else as_of - timedelta(days=days)


def as_agreed(features: pl.DataFrame) -> pl.DataFrame:
    """The features as all three are to give them: person_id, then one Float64 column a feature; by person_id."""
    return features.select("person_id", *(pl.col(name).cast(pl.Float64) for name in FEATURES)).sort("person_id")
