"""A tabular package of HSDS (one CSV a kind of record), put together into records as the pages have them."""

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

from ageingwell.errors import SourceError

Row = dict[str, Any]

# Which files hang on a service, under which key of the record.
PARTS: Final = {
    "service_areas": "service_area.csv",
    "cost_options": "cost_option.csv",
    "capacities": "service_capacity.csv",
}
NEEDED: Final = ("organization.csv", "service.csv")
LINKED_TO_A_SERVICE: Final = "service"


def is_package(folder: Path) -> bool:
    """Whether a folder holds a tabular package."""
    return (folder / "service.csv").is_file()


def package_records(folder: Path) -> list[tuple[str, int, Row]]:
    """Put the files together: file, row number (from 1, the header left out) and record of every service.

    Files that a package may leave out count as empty. A row that points to nothing (a schedule of no service) belongs
    to no record and is told by itself, with its own file and number, as a record that is not one of a service.
    """
    tables = {path.name: _rows(path) for path in sorted(folder.glob("*.csv"))}
    if absent := [name for name in NEEDED if name not in tables]:
        raise SourceError(f"{folder.name}/: {', '.join(absent)} missing", "send the whole package")
    at = _Package(tables)
    records = [("service.csv", number, at.record(row)) for number, row in enumerate(tables["service.csv"], start=1)]
    return [*records, *at.loose()]


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
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
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
    except OSError as fault:
        raise SourceError(f"{path.name}: cannot be read ({fault.strerror})", "check that it may be read") from None
