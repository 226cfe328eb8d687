"""Every contract table by name, and what the other rooms need to know of each."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import pandera.polars as pa
import polars as pl

from ageingwell.contracts.fields import Placeholder, Unreadable
from ageingwell.contracts.fire import FireIncidents, FireVisits
from ageingwell.contracts.gp import GpEvents, GpPatients, GpPrescriptions
from ageingwell.contracts.hospital import HospitalEvents
from ageingwell.contracts.housing import Homes, HousingEvents
from ageingwell.contracts.permissions import Contacts, Permissions
from ageingwell.contracts.social_care import CareEvents
from ageingwell.events import EventKey

TABLES: dict[str, type[pa.DataFrameModel]] = {
    "gp_patients": GpPatients,
    "gp_events": GpEvents,
    "gp_prescriptions": GpPrescriptions,
    "hospital_events": HospitalEvents,
    "care_events": CareEvents,
    "homes": Homes,
    "housing_events": HousingEvents,
    "fire_visits": FireVisits,
    "fire_incidents": FireIncidents,
    "permissions": Permissions,
    "contacts": Contacts,
}

AGENCY_OF: dict[str, str] = {
    "gp_patients": "gp",
    "gp_events": "gp",
    "gp_prescriptions": "gp",
    "hospital_events": "hospital",
    "care_events": "social_care",
    "homes": "housing",
    "housing_events": "housing",
    "fire_visits": "fire",
    "fire_incidents": "fire",
    "permissions": "permissions",
    "contacts": "contacts",
}

# Optional columns that no run goes on without unless the settings say that the agency does not hold them: without them
# the dead and those who left are listed, and nobody lives with anybody.
MUST_BE_TOLD: dict[str, tuple[str, ...]] = {"gp_patients": ("died_on", "left_on", "household_id")}

# Versions of the same person recorded on the same day that differ contradict each other: all of them are refused.
VERSION_KEYS: dict[str, tuple[str, str]] = {"gp_patients": ("person_id", "recorded_on")}

# Of answers at a fire visit that two versions of one day tell differently, the one of concern counts.
_ANSWERS = {
    column: ("no", "yes")
    for column, field in FireVisits.to_schema().columns.items()
    if (field.metadata or {}).get("labels") == ("yes", "no", "unknown")
}
_LEVELS = {column: FireVisits.to_schema().columns[column].metadata["labels"] for column in ("mobility", "care_support")}

# What makes rows of a table tell of one event. The register and the homes are no events: of each person the newest
# version counts, and each fact of a home is its newest. Services follow the public code for the Client Level Data
# return (the latest import of person, client type, event type, start, service type and component counts); its event
# reference is not unique.
EVENT_KEYS: dict[str, EventKey] = {
    "gp_events": EventKey(
        ("person_id", "code_system", "code", "happened_on", "value", "value_unit"),
        "Rows that agree in all but `recorded_on` are one entry; where the day it happened is missing, "
        "`recorded_on` must agree too.",
    ),
    "gp_prescriptions": EventKey(
        ("person_id", "bnf_code", "dmd_code", "issued_on"),
        "Rows that agree in all but `recorded_on` are one issue.",
    ),
    "hospital_events": EventKey(
        ("person_id", "kind", "started_on"),
        "Rows of one person, kind and first day are one stay or attendance. Each diagnosis that one of them tells, "
        "in whatever position, counts, and the end that was sent last is the end.",
        several=("icd10",),
        words=("other_icd10",),
        together=(("ended_on",),),
    ),
    "care_events": EventKey(
        ("person_id", "client_type", "event_type", "started_on", "service_type", "service_component"),
        "Rows of one person, client type, event type, service and start are one event, whatever their council ids. "
        "A row without a service type or component belongs to the one event of that day that has one. The end that "
        "was sent last is the end, and the newest cost is the cost: costs of several rows are not added up.",
        may_be_missing=("service_type", "service_component"),
        together=(("ended_on", "ended_recorded_on"), ("unit_cost", "cost_frequency", "planned_units_per_week")),
    ),
    "housing_events": EventKey(
        ("household_id", "event_type", "happened_on", "case_id", "hazard", "category"),
        "Rows that agree in all but `recorded_on` are one event. A row without a case, hazard or category belongs to "
        "the one event of that home, kind and day that has one.",
        may_be_missing=("case_id", "hazard", "category"),
    ),
    "fire_visits": EventKey(
        ("household_id", "visited_on", "visit_outcome"),
        "Rows of one home, day and outcome are one visit. Of each question the newest answer counts; of two recorded "
        "on one day, the one of concern.",
        in_doubt=_ANSWERS | {"smoke_alarm_working": ("yes", "no")} | _LEVELS | {"clutter_rating": ()},
    ),
    "fire_incidents": EventKey(
        ("household_id", "incident_type", "happened_on"),
        "Rows that agree in all but `recorded_on` are one incident.",
    ),
    "contacts": EventKey(
        ("person_id", "household_id", "agency", "contacted_on", "outcome"),
        "Rows that agree in all but `recorded_on` are one contact.",
    ),
}


@dataclass(frozen=True)
class Column:
    """One column of a contract, as the reader and the data dictionary see it.

    `unreadable` says what becomes of a cell that cannot be read: in a required column its row is refused, in an
    optional one it is emptied, unless the contract says otherwise.
    """

    name: str
    kind: str
    dtype: pl.DataType
    required: bool
    nullable: bool
    sentence: str
    labels: tuple[str, ...]
    missing: str | None
    also_missing: tuple[str, ...]
    checks: tuple[str, ...]
    placeholder: Placeholder | None = None
    is_pseudonym: bool = False
    known: tuple[str, ...] = ()
    also: tuple[tuple[str, str], ...] = ()
    unreadable: Unreadable = "refused"

    @property
    def is_emptied(self) -> bool:
        """Whether a cell that cannot be read is emptied, and its row stays."""
        return self.unreadable != "refused"

    @property
    def is_yes_or_no(self) -> bool:
        """Whether the column answers a question."""
        return set(self.labels) == {"yes", "no", "unknown"}


def recorded_column(table: str) -> str:
    """The column that says how new a row is.

    >>> recorded_column("homes"), recorded_column("permissions")
    ('recorded_on', 'checked_on')
    """
    return "checked_on" if table == "permissions" else "recorded_on"


@cache
def columns(table: str) -> tuple[Column, ...]:
    """The columns of a contract table, in order.

    >>> [column.name for column in columns("fire_incidents")]
    ['household_id', 'incident_type', 'happened_on', 'household_match', 'recorded_on']
    """
    return tuple(_column(name, field) for name, field in TABLES[table].to_schema().columns.items())


def open_labels() -> list[tuple[str, str]]:
    """Every column that takes any label: table and column.

    >>> len(open_labels()), open_labels()[0]
    (12, ('gp_patients', 'communication_need'))
    """
    return [(table, column.name) for table in TABLES for column in columns(table) if column.known]


def _column(name: str, field: Any) -> Column:
    more = field.metadata
    return Column(
        name=name,
        kind=more["kind"],
        dtype=field.dtype.type,
        required=more["required"],
        nullable=field.nullable,
        sentence=field.description,
        labels=more.get("labels", ()),
        missing=more.get("missing"),
        also_missing=more.get("also_missing", ()),
        checks=tuple(str(check.error or check.name) for check in field.checks),
        placeholder=more.get("placeholder"),
        is_pseudonym=more.get("is_pseudonym", False),
        known=more.get("known", ()),
        also=tuple(more.get("also", {}).items()),
        unreadable=more.get("unreadable") or ("refused" if more["required"] else "emptied"),
    )
