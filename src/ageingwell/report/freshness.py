"""How new the records are: of each table for those who look closely, of each agency for page one."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from ageingwell.governance.night_facts import InputFacts, NightFacts
from ageingwell.register import AGENCIES, AGENCY_OF
from ageingwell.report.cells import day_words
from ageingwell.views.words import agency_words, label_words

MISSING: Final = "MISSING"
LATE: Final = "LATE"
IN_TIME: Final = "In time"


def sources(facts: NightFacts) -> list[dict[str, str]]:
    """Say of each table whether it came, and how new its newest record is."""
    return [
        {"name": label_words(name), "status": _state(name, facts), "newest": _newest(facts.inputs, [name]) or "none"}
        for name in _tables(facts)
    ]


def freshness(facts: NightFacts) -> list[dict[str, str]]:
    """Say of each agency whether all its records came in time, and what to mind where they did not.

    >>> inputs = {"fire_visits": {"newest_on": "2026-11-20"}, "homes": {"newest_on": "2026-09-01"}}
    >>> facts = NightFacts(date(2026, 11, 22), inputs=inputs, late=["homes"], missing=["hospital_events"])
    >>> for told in freshness(facts):
    ...     print(*told.values(), sep=" | ")
    Hospital | MISSING | Nothing came from hospital events. What they would tell is unknown.
    Housing | LATE | Newest 1 September 2026. Facts from homes may be out of date.
    Fire and rescue | In time | Newest 20 November 2026.
    """
    of_agency: dict[str, list[str]] = {}
    for name in _tables(facts):
        of_agency.setdefault(AGENCY_OF.get(name, name), []).append(name)
    ordered = [agency for agency in AGENCIES if agency in of_agency]
    return [_told(agency, of_agency[agency], facts) for agency in ordered]


def _told(agency: str, tables: list[str], facts: NightFacts) -> dict[str, str]:
    missing = [name for name in tables if _state(name, facts) == MISSING]
    late = [name for name in tables if _state(name, facts) == LATE]
    newest = _newest(facts.inputs, [name for name in late or tables if name not in missing])
    said = [f"Newest {newest}."] if newest else []
    if late:
        said.append(f"Facts from {_named(late)} may be out of date.")
    if missing:
        said.append(f"Nothing came from {_named(missing)}. What they would tell is unknown.")
    state = MISSING if missing else LATE if late else IN_TIME
    return {"agency": agency_words(agency), "status": state, "told": " ".join(said) or "No date is on record."}


def _state(table: str, facts: NightFacts) -> str:
    return MISSING if table in facts.missing else LATE if table in facts.late else IN_TIME


def _tables(facts: NightFacts) -> list[str]:
    return sorted({*facts.inputs, *facts.missing, *facts.late})


def _newest(inputs: Mapping[str, InputFacts], tables: Iterable[str]) -> str:
    told = [inputs[name].get("newest_on") for name in tables if name in inputs]
    days = [date.fromisoformat(day) for day in told if day]
    return day_words(max(days)) if days else ""


def _named(tables: Iterable[str]) -> str:
    return " and ".join(label_words(name).lower() for name in tables)
