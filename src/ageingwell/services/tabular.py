"""A tabular package of HSDS (one CSV a kind of record), put together into records as the pages have them.

The files are called as the schemas of version 3 are (`service.csv`) or as the standard's own `datapackage.json` calls
them (`services.csv`).
"""

import csv
import io
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

from ageingwell.errors import SourceError
from ageingwell.reading.limits import MB, USUAL, beyond, small_bytes

Row = dict[str, Any]

# Which files hang on a service, under which key of the record.
PARTS: Final = {
    "service_areas": "service_area.csv",
    "cost_options": "cost_option.csv",
    "capacities": "service_capacity.csv",
}
NEEDED: Final = ("organization.csv", "service.csv")
# The same files under the names of the data package (openreferral/specification) and of exports that follow it.
ALSO: Final = {
    "organization.csv": ("organizations.csv",),
    "service.csv": ("services.csv",),
    "location.csv": ("locations.csv",),
    "service_at_location.csv": ("service_at_locations.csv", "services_at_location.csv"),
    "address.csv": ("addresses.csv",),
    "schedule.csv": ("schedules.csv",),
    "cost_option.csv": ("cost_options.csv",),
    "service_area.csv": ("service_areas.csv",),
    "service_capacity.csv": ("service_capacities.csv",),
    "phone.csv": ("phones.csv",),
    "taxonomy_term.csv": ("taxonomy_terms.csv",),
    "attribute.csv": ("attributes.csv",),
}
LINKED_TO_A_SERVICE: Final = "service"


def is_package(folder: Path) -> bool:
    """Whether a folder holds a tabular package."""
    return any((folder / name).is_file() for name in ("service.csv", *ALSO["service.csv"]))


def package_records(folder: Path) -> list[tuple[str, int, Row]]:
    """Put the files together: file, row number (from 1, the header left out) and record of every service.

    Files that a package may leave out count as empty. A row that points to nothing (a schedule of no service) belongs
    to no record and is told by itself, with its own file and number, as a record that is not one of a service. Raises
    `SourceError` where a file is there under two names.
    """
    sent = _files(folder)
    if absent := [name for name in NEEDED if name not in sent]:
        raise SourceError(f"{folder.name}/: {', '.join(absent)} missing", "send the whole package")
    tables = {name: _rows(path) for name, path in sent.items()}
    at = _Package(tables)
    records = [("service.csv", number, at.record(row)) for number, row in enumerate(tables["service.csv"], start=1)]
    return [(sent[name].name, number, record) for name, number, record in [*records, *at.loose()]]


def _files(folder: Path) -> dict[str, Path]:
    """The files of a package by the names of version 3, whichever of their names they carry."""
    ours = {theirs: name for name, others in ALSO.items() for theirs in others}
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*.csv")):
        name = ours.get(path.name, path.name)
        if name in found:
            raise SourceError(
                f"{folder.name}/: holds both {found[name].name} and {path.name}", "leave the one that is right"
            )
        found[name] = path
    return found


class _Package:
    """The rows of a package by what they point to."""

    def __init__(self, tables: dict[str, list[Row]]) -> None:
        self.tables = tables
        self.organisations = _by(tables.get("organization.csv", []), "id", last=True)
        self.locations = _by(tables.get("location.csv", []), "id", last=True)
        self.terms = _by(tables.get("taxonomy_term.csv", []), "id", last=True)
        self.service_ids = {row.get("id") for row in tables["service.csv"]}
        self.lists = {
            name: _listed(tables.get(name, []), "service_id")
            for name in (*PARTS.values(), "schedule.csv", "service_at_location.csv", "phone.csv")
        }
        self.at_location = _listed(tables.get("schedule.csv", []), "service_at_location_id")
        self.addresses = _listed(tables.get("address.csv", []), "location_id")
        self.attributes = _listed(tables.get("attribute.csv", []), "link_id")

    def record(self, row: Row) -> Row:
        own = row.get("id")
        parts = {key: self.lists[name].get(own, []) for key, name in PARTS.items()}
        organisation = self.organisations.get(row.get("organization_id"))
        return {
            **row,
            **parts,
            "organization": organisation,
            "phones": self.lists["phone.csv"].get(own, []),
            "schedules": [s for s in self.lists["schedule.csv"].get(own, []) if not s.get("service_at_location_id")],
            "service_at_locations": [self._at(row) for row in self.lists["service_at_location.csv"].get(own, [])],
            "attributes": [self._attribute(attribute) for attribute in self._attributes(own)],
        }

    def _attributes(self, service: Any) -> list[Row]:
        return [row for row in self.attributes.get(service, []) if row.get("link_entity") == LINKED_TO_A_SERVICE]

    def _at(self, row: Row) -> Row:
        location = self.locations.get(row.get("location_id"))
        addresses = self.addresses.get(row.get("location_id"), [])
        return {
            **row,
            "location": None if location is None else {**location, "addresses": addresses},
            "schedules": self.at_location.get(row.get("id"), []),
        }

    def _attribute(self, row: Row) -> Row:
        return {**row, "taxonomy_term": self.terms.get(row.get("taxonomy_term_id"))}

    def loose(self) -> list[tuple[str, int, Row]]:
        """Rows of parts that name a service which is not there."""
        return [
            (name, number, {"service_id": None})
            for name in sorted(self.lists)
            for number, row in enumerate(self.tables.get(name, []), start=1)
            if row.get("service_id") is not None and row["service_id"] not in self.service_ids
        ]


def _by(rows: list[Row], key: str, *, last: bool) -> dict[Any, Row]:
    ordered = rows if last else rows[::-1]
    return {row.get(key): row for row in ordered if row.get(key) is not None}


def _listed(rows: list[Row], key: str) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        if row.get(key) is not None:
            found[row[key]].append(row)
    return found


def _rows(path: Path) -> list[Row]:
    """The rows of one file; an empty cell is a missing value. A row with a wrong number of fields stops the file."""
    try:
        text = small_bytes(path, most=int(USUAL.page_mb * MB)).decode("utf-8-sig")
        if text.count(",") > USUAL.values:
            raise beyond(path.name, f"holds {text.count(','):,} values", "values")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        if len(reader.fieldnames or ()) > USUAL.columns:
            raise beyond(path.name, f"has {len(reader.fieldnames or ()):,} columns", "columns")
        rows = []
        for number, row in enumerate(reader, start=1):
            if None in row or None in row.values():
                raise SourceError(
                    f"{path.name}: row {number} does not have as many fields as the header", "send the file again"
                )
            rows.append({name: value.strip() or None for name, value in row.items()})
        return rows
    except (UnicodeDecodeError, csv.Error):
        raise SourceError(f"{path.name}: not a CSV file in UTF-8", "save it as UTF-8 with commas") from None
