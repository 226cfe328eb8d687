"""What an agency or a table of the register needs and has not got: of the register as it is, and of one with more."""

import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from ageingwell.register import (
    AGENCY_ENTRIES,
    AGENCY_WORDS,
    GP_REGISTER,
    LEAD_AGENCIES,
    RECIPIENTS,
    SIGNS_OF_CONTACT,
    TABLE_ENTRIES,
    THEME_OF_AGENCY,
    THEME_WORDS,
    VISITS,
)

ROOT = Path(__file__).resolve().parents[2]
# Tables that are no events: the newest version of a person, a home or an opt-out counts.
NO_EVENTS = (GP_REGISTER, "homes", "permissions")


def left_out() -> list[str]:
    """Each place that should know an agency or a table and does not, as `place: name`."""
    return [*_agencies_left_out(), *_tables_left_out()]


def _agencies_left_out() -> Iterator[str]:
    from ageingwell.cli.views import explain_view
    from ageingwell.config.outreach import Capacity
    from ageingwell.contracts.kept import LeftList
    from ageingwell.contracts.permissions import Contacts
    from ageingwell.decisions.choices import LEADS
    from ageingwell.meeting.sent_lists import RECIPIENTS as ANSWERING
    from ageingwell.night.write import LEAD_AGENCIES as GIVEN_PAGES

    outreach, ledger = (tomllib.loads(_shipped(name)) for name in ("outreach.toml", "permissions.toml"))
    permitted = {name for line in ledger["permitted"] for name in line["recipients"]}
    led_by = next(check for check in LeftList.to_schema().columns["lead_agency"].checks).statistics["allowed_values"]
    everybody = {
        "words": AGENCY_WORDS,
        "theme": [name for name, theme in THEME_OF_AGENCY.items() if theme in THEME_WORDS],
    }
    of_leads = {
        "visits in register.py": VISITS,
        "settings: capacity": Capacity.model_fields,
        "configs/outreach.toml: capacity": outreach["capacity"],
        "configs/permissions.toml: views": ledger["views"],
        "configs/permissions.toml: recipients": permitted,
        "contract of contacts": Contacts.to_schema().columns["agency"].metadata["labels"],
        "contract of lists": led_by,
        "who may lead a decision": LEADS,
        "who answers a list": ANSWERING,
        "pages": GIVEN_PAGES,
    }
    of_recipients = {"views explain": next(one for one in explain_view.params if one.name == "recipient").type.choices}
    yield from _missing(everybody, [agency.name for agency in AGENCY_ENTRIES])
    yield from _missing(of_leads, LEAD_AGENCIES)
    yield from _missing(of_recipients, RECIPIENTS)


def _tables_left_out() -> Iterator[str]:
    from ageingwell.config.load import Agencies
    from ageingwell.contracts.registry import EVENT_KEYS, TABLES
    from ageingwell.features.behind import ORIGINS
    from ageingwell.permissions import GP_TABLES
    from ageingwell.report.freshness import AGENCIES as TOLD_OF

    ledger, agencies = (tomllib.loads(_shipped(name)) for name in ("permissions.toml", "agencies.toml"))
    pages = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs/how-to").glob("connect-*.md"))
    dictionary = (ROOT / "docs/reference/data-dictionary.md").read_text(encoding="utf-8")
    names = [table.name for table in TABLE_ENTRIES]
    places = {
        "contracts": TABLES,
        "settings: tables": Agencies.model_fields,
        "configs/agencies.toml": agencies,
        "configs/permissions.toml: permitted": {name for line in ledger["permitted"] for name in line["sources"]},
        "contracts: what is one event": {*EVENT_KEYS, *NO_EVENTS},
        "docs/reference/data-dictionary.md": {name for name in names if f"## {name}\n" in dictionary},
        "docs/how-to/connect-*.md": {name for name in names if f"`{name}`" in pages},
    }
    yield from _missing(places, names)
    of_agencies = [table for table in TABLE_ENTRIES if table.agency is not None]
    behind = {table for _, table in ORIGINS.values()}
    yield from _missing({"what stands behind a feature": behind}, [table.name for table in of_agencies])
    yield from _missing({"page one": TOLD_OF}, dict.fromkeys(str(table.agency) for table in of_agencies))
    yield from _missing({"a type 1 opt-out": GP_TABLES}, [table.name for table in of_agencies if table.agency == "gp"])
    for table in TABLE_ENTRIES:
        if table.contact_on is not None and table.contact_on not in TABLES[table.name].to_schema().columns:
            yield f"the day of contact of its contract: {table.name}"
        if table.contact_on is not None and table.agency is not None and table.name not in SIGNS_OF_CONTACT:
            yield f"signs of contact: {table.name}"


def _missing(places: dict, names) -> Iterator[str]:
    for place, known in places.items():
        yield from (f"{place}: {name}" for name in names if name not in known)


def _shipped(name: str) -> str:
    from ageingwell.config.files import shipped

    return (shipped("configs") / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(left_out()))
