"""A small made-up directory of services, as the pages of HSDS 3 have it."""

import csv
import json
from pathlib import Path
from typing import Any

Record = dict[str, Any]


def service(identifier: str = "s1", **changes: Any) -> Record:
    """One record of `/services`: a lunch club in Church Stretton, changed by field; a field `None` is left out."""
    whole: Record = {
        "id": identifier,
        "name": f"Lunch club {identifier}",
        "status": "active",
        "minimum_age": 60,
        "assured_date": "2026-10-02",
        "phones": [{"id": f"p-{identifier}", "number": "01632 960123"}],
        "organization": {"id": "o1", "name": "Bluebell Neighbours"},
        "service_at_locations": [at("l1", 52.54, -2.80)],
        "schedules": [{"id": f"c-{identifier}", "freq": "WEEKLY", "byday": "WE", "opens_at": "12:00"}],
        "cost_options": [{"id": f"m-{identifier}", "amount": 6.5, "currency": "GBP", "amount_description": "a meal"}],
        "capacities": [{"id": f"r-{identifier}", "available": 3, "maximum": 12, "updated": "2026-10-02T10:00:00Z"}],
        "attributes": [term("lunch-club", "Lunch club")],
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def at(location: str, latitude: Any, longitude: Any, **changes: Any) -> Record:
    """A service at a location."""
    place = {"id": location, "name": f"Hall {location}", "latitude": latitude, "longitude": longitude}
    return {"id": f"at-{location}", "location": place | changes}


def term(code: str, name: str) -> Record:
    """A taxonomy term on a service."""
    return {
        "id": f"a-{code}",
        "link_entity": "service",
        "taxonomy_term": {"id": f"t-{code}", "code": code, "name": name},
    }


def page(folder: Path, *records: Any, name: str = "services-1.json") -> Path:
    """Write records as one page of a list."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(json.dumps({"total_items": len(records), "contents": list(records)}), encoding="utf-8")
    return path


def package(folder: Path, **tables: list[Record]) -> Path:
    """Write a tabular package: one CSV a table."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)))
            writer.writeheader()
            writer.writerows(rows)
    return folder
