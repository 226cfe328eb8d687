"""What the fire and rescue service promises: home fire-safety visits and incidents."""

from collections.abc import Mapping

import pandera.polars as pa
import polars as pl

from ageingwell.contracts import known_labels
from ageingwell.contracts.fields import (
    day,
    holds,
    household_match,
    label,
    not_before,
    open_label,
    pseudonym,
    whole,
    yes_no_unknown,
)
from ageingwell.events import EventKey


class FireVisits(pa.DataFrameModel):
    """Home fire-safety (safe-and-well) visits, one row a visit.

    Owner: the fire and rescue service. Delivery lag: days. Coverage: homes visited or tried; the people least in
    touch with services are visited least. Known defects: many questions are not asked at every visit; a fact about a
    person is about "someone in this home", and about nobody who moved in later.
    """

    household_id: str = pseudonym("pseudonym of the home's UPRN")
    visited_on: pl.Date = day("the day of the visit")
    visit_outcome: str = label("how it ended", "completed", "refused", "no_access", "not_suitable")
    referral_source: str = open_label("who asked for the visit", known=known_labels.REFERRAL_SOURCES)
    recorded_on: pl.Date = day("the day it was entered")
    lives_alone: str = yes_no_unknown("one person lives there")
    smoke_alarm_working: str = yes_no_unknown("a working smoke alarm was found")
    smoker: str = yes_no_unknown("someone smokes in the home")
    home_oxygen: str = yes_no_unknown("oxygen is used in the home")
    emollient: str = yes_no_unknown("someone uses emollient creams")
    airflow_mattress: str = yes_no_unknown("someone sleeps on an airflow mattress")
    electric_blanket: str = yes_no_unknown("an electric blanket is used")
    portable_heater: str = yes_no_unknown("a portable heater is used")
    cooking_concern: str = yes_no_unknown("cooking gave cause for concern")
    alcohol_concern: str = yes_no_unknown("alcohol gave cause for concern")
    telecare: str = yes_no_unknown("the home has telecare")
    fire_in_last_year: str = yes_no_unknown("there was a fire in the year before the visit")
    sensory_impairment: str = yes_no_unknown("someone has impaired sight or hearing")
    memory_concern: str = yes_no_unknown("someone's memory gave cause for concern")
    clutter_rating: int = whole("clutter image rating, 1 to 9", low=1, high=9)
    mobility: str = label(
        "the least mobile person's mobility",
        "independent",
        "equipment",
        "equipment_unsafe",
        "equipment_and_person",
        "hoist_or_bed",
        required=False,
        nullable=True,
    )
    care_support: str = label(
        "care and support in place",
        "none_needed",
        "adequate",
        "inadequate",
        "none_concern",
        "none_serious_concern",
        required=False,
        nullable=True,
    )
    household_match: str = household_match()

    @pa.check("recorded_on", name="recorded_before_it_happened")
    def _recorded_after(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("recorded_on", "visited_on"))


class FireIncidents(pa.DataFrameModel):
    """Incidents the service attended, one row an incident and home.

    Owner: the fire and rescue service. Delivery lag: days. Coverage: incidents with a known address.
    """

    household_id: str = pseudonym("pseudonym of the home's UPRN")
    incident_type: str = label(
        "what it was", "accidental_dwelling_fire", "deliberate_fire", "false_alarm", "special_service"
    )
    happened_on: pl.Date = day("the day of the incident")
    household_match: str = household_match()
    recorded_on: pl.Date = day("the day it was entered")

    @pa.check("recorded_on", name="recorded_before_it_happened")
    def _recorded_after(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("recorded_on", "happened_on"))


# Of answers at a fire visit that two versions of one day tell differently, the one of concern counts.
_ANSWERS = {
    column: ("no", "yes")
    for column, field in FireVisits.to_schema().columns.items()
    if (field.metadata or {}).get("labels") == ("yes", "no", "unknown")
}
_LEVELS = {column: FireVisits.to_schema().columns[column].metadata["labels"] for column in ("mobility", "care_support")}

# What makes rows one event.
EVENT_KEYS: Mapping[str, EventKey] = {
    "fire_visits": EventKey(
        ("household_id", "visited_on", "visit_outcome"),
        "Rows of one home, day and outcome are one visit. Of each question the newest answer counts; of two recorded "
        "on one day, the one of concern.",
        in_doubt=_ANSWERS | {"smoke_alarm_working": ("yes", "no")} | _LEVELS | {"clutter_rating": ()},
    ),
    "fire_incidents": EventKey(
        ("household_id", "incident_type", "happened_on"),
        "Rows that agree in all but `recorded_on` are one incident.",
    ),
}
