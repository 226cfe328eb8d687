"""Small people and doors for the tests of the outreach steps."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.config.outreach import Capacity, Floors, Interventions, OutreachSettings, Thresholds
from ageingwell.outreach.needs import find_home_needs, find_needs
from ageingwell.outreach.rank import LAST_SEEN
from ageingwell.outreach.rules import NeedRule, need_rules
from ageingwell.register import LEAD_AGENCIES

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
AS_OF = date(2026, 11, 22)
FLAGS = (
    "is_deceased",
    "has_moved",
    "is_safeguarded",
    "is_record_held",
    "is_end_of_life",
    "is_in_hospital",
    "has_staff_safety_marker",
)
NO_FLOORS = Floors(unknown_to_every_service=0, most_deprived_fifth=0, rural=0)


def shipped_settings() -> OutreachSettings:
    return OutreachSettings.model_validate(tomllib.loads((CONFIGS / "outreach.toml").read_text(encoding="utf-8")))


def shipped_interventions() -> Interventions:
    return Interventions.model_validate(tomllib.loads((CONFIGS / "interventions.toml").read_text(encoding="utf-8")))


def places(**by_agency: Any) -> Capacity:
    return Capacity.model_validate(dict.fromkeys(LEAD_AGENCIES, 0) | by_agency)


def facts_read(rules: tuple[NeedRule, ...]) -> list[str]:
    expressions = [e for rule in rules for fact in rule.facts() for e in (fact.holds, fact.value) if e is not None]
    return sorted({name for expression in expressions for name in expression.meta.root_names()})


def person(person_id: str = "p1", household_id: str | None = "h1", **known: Any) -> dict[str, Any]:
    """Make one person of whom nothing is known but what is given."""
    nothing = dict.fromkeys([*facts_read(need_rules(Thresholds())), *LAST_SEEN])
    rest = {
        "person_id": person_id,
        "household_id": household_id,
        "care_home": "no",
        "lived_here_from": date(2010, 1, 1),
        "place": "Ludlow",
        "known_to": [],
        "deprivation_decile": 5,
        "is_rural": 0.0,
        "risk": None,
        "risk_low": None,
        "risk_high": None,
        **dict.fromkeys(FLAGS, False),
    }
    return {**nothing, **rest, **known}


def people(*rows: dict[str, Any]) -> pl.DataFrame:
    numbers = [*facts_read(need_rules(Thresholds())), *LAST_SEEN, "risk", "risk_low", "risk_high"]
    dtypes: dict[str, Any] = dict.fromkeys(numbers, pl.Float64)
    dtypes |= {"household_id": pl.String, "known_to": pl.List(pl.String), "lived_here_from": pl.Date}
    return pl.DataFrame(rows, schema_overrides=dtypes, infer_schema_length=None)


def needs_of(*rows: dict[str, Any]) -> pl.DataFrame:
    return find_needs(people(*rows), rules=need_rules(Thresholds()), interventions=shipped_interventions())


def criteria(**known: Any) -> dict[str, str]:
    """Give the criterion of each need of one person of whom only this is known."""
    return dict(needs_of(person(**known)).select("need", "criterion").iter_rows())


def home_criteria(**known: Any) -> dict[str, str]:
    """Give the criterion of each need of a home that nobody is linked to."""
    homes = pl.DataFrame([{"household_id": "h9", **known}])
    needs = find_home_needs(homes, rules=need_rules(Thresholds()), interventions=shipped_interventions())
    return dict(needs.select("need", "criterion").iter_rows())


def contacts(*rows: tuple[str | None, str | None, date, str]) -> pl.DataFrame:
    """Make contacts, each (person, home, day, outcome), recorded the day after."""
    schema = {"person_id": pl.String, "household_id": pl.String, "contacted_on": pl.Date, "outcome": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        agency=pl.lit("fire"), recorded_on=pl.col("contacted_on") + pl.duration(days=1)
    )


def door(door_id: str, lead_agency: str, value: float, *, rank: int = 1, **more: Any) -> dict[str, Any]:
    """Make one offer: a door and an agency that could lead there."""
    rest = {
        "household_id": door_id,
        "place": "Ludlow",
        "person_ids": [f"person-of-{door_id}"],
        "joint_with": [],
        "not_coming": [],
        "urgent_met": 0,
        "is_urgent": False,
        "risk_reached": value,
        "previous_lead": None,
        "was_listed": False,
        "is_frozen": False,
        "is_unknown_to_every_service": False,
        "is_most_deprived_fifth": False,
        "is_rural": False,
    }
    return {"door_id": door_id, "lead_agency": lead_agency, "value": value, "rank": rank, **rest, **more}


def doors(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(
        rows,
        schema_overrides={
            "previous_lead": pl.String,
            "joint_with": pl.List(pl.String),
            "not_coming": pl.List(pl.String),
        },
        infer_schema_length=None,
    )
