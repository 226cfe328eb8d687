"""Every contract table by name, and what the other rooms need to know of each."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import pandera.polars as pa
import polars as pl

from ageingwell.contracts.fire import FireIncidents, FireVisits
from ageingwell.contracts.gp import GpEvents, GpPatients, GpPrescriptions
from ageingwell.contracts.hospital import HospitalEvents
from ageingwell.contracts.housing import Homes, HousingEvents
from ageingwell.contracts.permissions import Contacts, Permissions
from ageingwell.contracts.social_care import CareEvents

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

# Versions of the same person recorded on the same day contradict each other: all of them are refused.
VERSION_KEYS: dict[str, tuple[str, str]] = {"gp_patients": ("person_id", "recorded_on")}


@dataclass(frozen=True)
class Column:
    """One column of a contract, as the reader and the data dictionary see it."""

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
    known: tuple[str, ...] = ()
    also: tuple[tuple[str, str], ...] = ()


@cache
def columns(table: str) -> tuple[Column, ...]:
    """The columns of a contract table, in order.

    >>> [column.name for column in columns("fire_incidents")]
    ['household_id', 'incident_type', 'happened_on', 'recorded_on']
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
        known=more.get("known", ()),
        also=tuple(more.get("also", {}).items()),
    )
