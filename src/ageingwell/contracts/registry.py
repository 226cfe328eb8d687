"""Every contract table by name, and what the other rooms need to know of each."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import pandera.polars as pa
import polars as pl

from ageingwell.contracts.fields import Placeholder, Unreadable
from ageingwell.events import EventKey
from ageingwell.register import TABLE_ENTRIES, TableEntry


def _contract(table: TableEntry) -> type[pa.DataFrameModel]:
    file, name = table.contract.split(".")
    contract: type[pa.DataFrameModel] = getattr(_file(file), name)
    return contract


def _file(name: str) -> ModuleType:
    return import_module(f"ageingwell.contracts.{name}")


TABLES: dict[str, type[pa.DataFrameModel]] = {table.name: _contract(table) for table in TABLE_ENTRIES}

# Optional columns that no run goes on without unless the settings say that the agency does not hold them: without them
# the dead and those who left are listed, and nobody lives with anybody.
MUST_BE_TOLD: dict[str, tuple[str, ...]] = {"gp_patients": ("died_on", "left_on", "household_id")}

# Versions of the same person recorded on the same day that differ contradict each other: all of them are refused.
VERSION_KEYS: dict[str, tuple[str, str]] = {"gp_patients": ("person_id", "recorded_on")}

# What makes rows of a table tell of one event: each file of contracts tells it of its own tables. The register and the
# homes are no events: of each person the newest version counts, and each fact of a home is its newest.
EVENT_KEYS: dict[str, EventKey] = {
    table: key
    for file in dict.fromkeys(table.contract.split(".")[0] for table in TABLE_ENTRIES)
    for table, key in _file(file).EVENT_KEYS.items()
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
    """Every column whose list is open to labels of the settings: table and column.

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
