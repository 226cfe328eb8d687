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
UP_TO_DATE: Final = "Up to date"  # said only where the agency has promised how new its records are
NO_DAY: Final = "No date"


def sources(facts: NightFacts) -> list[dict[str, str]]:
    """Say of each table whether it came, and how new its newest record is."""
    return [
        {"name": label_words(name), "status": _state(name, facts), "newest": _newest(facts.inputs, [name]) or "none"}
        for name in _tables(facts)
    ]


def freshness(facts: NightFacts) -> list[dict[str, str]]:
    """Say of each agency how old its newest records are, and what to mind where they are late or did not come.

    "Up to date" is said only where the agency has promised how new each of its tables is, and keeps to it.

    >>> inputs = {"fire_visits": {"newest_on": "2026-11-20"}, "homes": {"newest_on": "2026-09-01"},
    ...           "gp_events": {"newest_on": "2026-11-19", "promised_days": 7}}
    >>> facts = NightFacts(date(2026, 11, 22), inputs=inputs, late=["homes"], missing=["hospital_events"])
    >>> for told in freshness(facts):
    ...     print(*told.values(), sep=" | ")
    GP practices | Up to date | 3 days old: newest 19 November 2026.
    Hospital | MISSING | Nothing came from hospital events. What they would tell is unknown.
    Housing | LATE | 82 days old: newest 1 September 2026. Facts from homes may be out of date.
    Fire and rescue | 2 days old | Newest 20 November 2026.
    """
    of_agency: dict[str, list[str]] = {}
    for name in _tables(facts):
        of_agency.setdefault(AGENCY_OF.get(name, name), []).append(name)
    ordered = [agency for agency in AGENCIES if agency in of_agency]
    return [_told(agency, of_agency[agency], facts) for agency in ordered]


def _told(agency: str, tables: list[str], facts: NightFacts) -> dict[str, str]:
    missing = [name for name in tables if _state(name, facts) == MISSING]
    late = [name for name in tables if _state(name, facts) == LATE]
    came = [name for name in late or tables if name not in missing]
    newest, age = _newest(facts.inputs, came), _age(facts, came)
    kept = not late and all(facts.inputs.get(name, {}).get("promised_days") for name in tables)
    state = MISSING if missing else LATE if late else UP_TO_DATE if kept and age else age or NO_DAY
    said = [] if not newest else [f"Newest {newest}."] if state == age else [f"{age}: newest {newest}."]
    if late:
        said.append(f"Facts from {_named(late)} may be out of date.")
    if missing:
        said.append(f"Nothing came from {_named(missing)}. What they would tell is unknown.")
    return {"agency": agency_words(agency), "status": state, "told": " ".join(said) or "No date is on record."}


def _state(table: str, facts: NightFacts) -> str:
    """The state of one table: missing, late, kept as promised, or its age."""
    if table in facts.missing:
        return MISSING
    if table in facts.late:
        return LATE
    promised = facts.inputs.get(table, {}).get("promised_days")
    return UP_TO_DATE if promised else _age(facts, [table]) or NO_DAY


def _age(facts: NightFacts, tables: Iterable[str]) -> str:
    """How old the newest records of some tables are: "3 days old", or "3 to 82 days old"; empty where none has a day.

    >>> inputs = {"homes": {"newest_on": "2026-11-21"}, "housing_events": {"newest_on": "2026-11-01"}}
    >>> facts = NightFacts(date(2026, 11, 22), inputs=inputs)
    >>> _age(facts, ["homes"]), _age(facts, ["homes", "housing_events"])
    ('1 day old', '1 to 21 days old')
    """
    told = [facts.inputs.get(name, {}).get("newest_on") for name in tables]
    ages = sorted({(facts.as_of - date.fromisoformat(day)).days for day in told if day})
    if not ages:
        return ""
    days = str(ages[0]) if len(ages) == 1 else f"{ages[0]} to {ages[-1]}"
    return f"{days} day{'' if ages == [1] else 's'} old"


def _tables(facts: NightFacts) -> list[str]:
    return sorted({*facts.inputs, *facts.missing, *facts.late})


def _newest(inputs: Mapping[str, InputFacts], tables: Iterable[str]) -> str:
    told = [inputs[name].get("newest_on") for name in tables if name in inputs]
    days = [date.fromisoformat(day) for day in told if day]
    return day_words(max(days)) if days else ""


def _named(tables: Iterable[str]) -> str:
    return " and ".join(label_words(name).lower() for name in tables)
