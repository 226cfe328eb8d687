"""One record of the directory → rows of the contract tables, and what was wrong with it.

A fault in what decides whether somebody may be offered a service (identifier, name, who runs it, status, ages) refuses
the whole record. A fault in a part (a location, an opening time, a price) refuses that part alone. Both are told.
"""

from collections.abc import Mapping
from typing import Any

from ageingwell.config.positions import LATITUDES, LONGITUDES
from ageingwell.contracts.services import SERVICE_TABLES, STATUSES
from ageingwell.services.values import Reader

Rows = dict[str, list[dict[str, Any]]]
Fault = tuple[str, str]

FREQUENCIES = ("daily", "weekly", "monthly", "yearly")


def rows_of(content: Any) -> tuple[Rows | None, list[Fault]]:
    """Read one record: its rows by table, `None` where the record is refused, and every fault (field, rule).

    >>> rows, faults = rows_of({"id": "s1", "name": "Lunch club", "status": "active"})
    >>> rows is None, faults
    (True, [('organization', 'missing')])
    """
    if not isinstance(content, Mapping):
        return None, [("", "not_a_record")]
    reader = Reader(content)
    rows: Rows = {name: [] for name in SERVICE_TABLES}
    organisation = _organisation(reader)
    service = _service(reader, organisation)
    if reader.faults:
        return None, reader.faults
    rows["organisations"].append(organisation)
    rows["services"].append(service)
    _parts(reader, str(service["service_id"]), rows)
    return rows, reader.faults


def _organisation(reader: Reader) -> dict[str, Any]:
    part = reader.part("organization")
    if part is None:
        if not reader.faults:
            reader.fault("organization", "missing")
        return {}
    return {
        "organisation_id": part.text("id", needed=True),
        "name": part.text("name", needed=True),
        "website": part.text("website"),
    }


def _service(reader: Reader, organisation: Mapping[str, Any]) -> dict[str, Any]:
    minimum, maximum = reader.whole("minimum_age", least=0, most=130), reader.whole("maximum_age", least=0, most=130)
    reader.ordered("minimum_age", minimum, "maximum_age", maximum)
    return {
        "service_id": reader.text("id", needed=True),
        "organisation_id": organisation.get("organisation_id"),
        "name": reader.text("name", needed=True),
        "status": reader.label("status", STATUSES, needed=True),
        "minimum_age": minimum,
        "maximum_age": maximum,
        "eligibility": reader.text("eligibility_description"),
        "fees": reader.text("fees_description"),
    }


def _parts(reader: Reader, service: str, rows: Rows) -> None:
    told = rows["services"][0]
    told["checked_on"] = reader.day("assured_date") or reader.day("last_modified")
    told["telephone"] = None
    for phone in reader.parts("phones"):
        with reader.keeping(phone):
            told["telephone"] = told["telephone"] or phone.text("number", needed=True)
    for at in reader.parts("service_at_locations"):
        with reader.keeping(at):
            _place(at, service, rows)
    for schedule in reader.parts("schedules"):
        with reader.keeping(schedule):
            _add(rows, "schedules", schedule, _schedule(schedule, service, None))
    for area in reader.parts("service_areas"):
        with reader.keeping(area):
            _add(rows, "service_areas", area, {"service_id": service, "area": area.text("name", needed=True)})
    for cost in reader.parts("cost_options"):
        with reader.keeping(cost):
            _add(rows, "costs", cost, _cost(cost, service))
    for capacity in reader.parts("capacities"):
        with reader.keeping(capacity):
            _add(rows, "capacities", capacity, _capacity(capacity, service))
    for attribute in reader.parts("attributes"):
        with reader.keeping(attribute):
            _term(attribute, service, rows)


def _add(rows: Rows, table: str, part: Reader, row: dict[str, Any]) -> None:
    if not part.faults:
        rows[table].append(row)


def _place(at: Reader, service: str, rows: Rows) -> None:
    location = at.part("location")
    if location is None:
        if not at.faults:
            at.fault("location", "missing")
        return
    identifier = location.text("id", needed=True)
    row = {
        "service_id": service,
        "location_id": identifier,
        "name": location.text("name"),
        "town": next((town for address in location.parts("addresses") if (town := address.text("city"))), None),
        "latitude": location.number("latitude", least=LATITUDES[0], most=LATITUDES[1]),
        "longitude": location.number("longitude", least=LONGITUDES[0], most=LONGITUDES[1]),
    }
    if at.faults:
        return
    rows["service_places"].append(row)
    for schedule in at.parts("schedules"):
        with at.keeping(schedule):
            _add(rows, "schedules", schedule, _schedule(schedule, service, identifier))


def _schedule(part: Reader, service: str, location: str | None) -> dict[str, Any]:
    first, last = part.day("valid_from"), part.day("valid_to")
    part.ordered("valid_from", first, "valid_to", last)
    return {
        "service_id": service,
        "location_id": location,
        "frequency": part.label("freq", FREQUENCIES),
        "days": part.days("byday"),
        "opens_at": part.time("opens_at"),
        "closes_at": part.time("closes_at"),
        "valid_from": first,
        "valid_to": last,
        "description": part.text("description"),
    }


def _cost(part: Reader, service: str) -> dict[str, Any]:
    first, last = part.day("valid_from"), part.day("valid_to")
    part.ordered("valid_from", first, "valid_to", last)
    return {
        "service_id": service,
        "option": part.text("option"),
        "amount": part.number("amount", least=0),
        "currency": (part.text("currency") or "GBP").upper(),
        "per": part.text("amount_description"),
        "valid_from": first,
        "valid_to": last,
    }


def _capacity(part: Reader, service: str) -> dict[str, Any]:
    unit = part.part("unit")
    return {
        "service_id": service,
        "unit": None if unit is None else unit.text("name"),
        "available": part.number("available", needed=True, least=0),
        "maximum": part.number("maximum", least=0),
        "updated_on": part.day("updated"),
    }


def _term(attribute: Reader, service: str, rows: Rows) -> None:
    term = attribute.part("taxonomy_term")
    if term is None:
        return
    code, name = term.text("code"), term.text("name")
    if code is None and name is None:
        term.fault("name", "missing")
    row = {
        "service_id": service,
        "code": code or name,
        "name": name or code,
        "taxonomy": term.text("taxonomy"),
    }
    _add(rows, "terms", attribute, row)
