"""A fact of the home holds for whoever lives there now; one about people only for those who lived there then."""

import polars as pl
import pytest
from helpers.known import Features, features_of, needs_found
from helpers.tables import table

from ageingwell.features.build import FEATURES, HOME_SOURCES

Frames = dict[str, pl.DataFrame]
BEFORE, AFTER = "2026-08-15", "2026-10-15"  # p1 moved in between the two, on 1 October 2026
MOVED_IN = """
    person_id | household_id | moved_in_on | birth_month | registered_on | recorded_on
    p1        | h1           | 2026-10-01  | 1940-01-01  | 2000-01-01    | 2026-10-01
    p2        | h1           | 2000-01-01  | 1942-01-01  | 2000-01-01    | 2000-01-02
"""


def register() -> Frames:
    return {"gp_patients": table(MOVED_IN, like="gp_patients", sex="female")}


def visit(day: str, **answers: str) -> Frames:
    head, cells = " | ".join(answers), " | ".join(answers.values())
    rows = f"household_id | visited_on | recorded_on | {head}\nh1 | {day} | {day} | {cells}"
    return {**register(), "fire_visits": table(rows, like="fire_visits")}


def event(name: str, day: str, **cells: str) -> Frames:
    head, told = " | ".join(cells), " | ".join(cells.values())
    rows = f"household_id | happened_on | recorded_on | {head}\nh1 | {day} | {day} | {told}"
    return {**register(), name: table(rows, like=name)}


ANSWERED = {"visit_outcome": "completed"}
OF_THE_HOME = {
    "is_alarm_missing": lambda day: visit(day, **ANSWERED, smoke_alarm_working="no"),
    "has_fire_before_visit_1095d": lambda day: visit(day, **ANSWERED, fire_in_last_year="yes"),
    "n_hazards_1095d": lambda day: event("housing_events", day, event_type="hazard_found"),
    "has_category_1_hazard": lambda day: event("housing_events", day, event_type="hazard_found", category="1"),
    "n_repairs_365d": lambda day: event("housing_events", day, event_type="repair_requested"),
    "has_adaptation_completed_1095d": lambda day: event("housing_events", day, event_type="adaptation_completed"),
    "n_fire_incidents_1095d": lambda day: event("fire_incidents", day, incident_type="accidental_dwelling_fire"),
}
OF_PEOPLE = {
    **{
        feature: lambda day, question=question: visit(day, **ANSWERED, **{question: "yes"})
        for feature, question in {
            "someone_smokes": "smoker",
            "has_oxygen": "home_oxygen",
            "has_emollient_or_airflow": "emollient",
            "has_memory_concern": "memory_concern",
            "has_sensory_impairment": "sensory_impairment",
            "has_alcohol_concern": "alcohol_concern",
            "has_cooking_concern": "cooking_concern",
            "has_heater_or_blanket": "electric_blanket",
            "has_telecare": "telecare",
            "visit_says_alone": "lives_alone",
        }.items()
    },
    "has_oxygen_or_emollient_with_smoking": lambda day: visit(day, **ANSWERED, smoker="yes", emollient="yes"),
    "clutter_rating": lambda day: visit(day, **ANSWERED, clutter_rating="6"),
    "mobility_level": lambda day: visit(day, **ANSWERED, mobility="hoist_or_bed"),
    "care_support_level": lambda day: visit(day, **ANSWERED, care_support="inadequate"),
    "has_fire_visit_1825d": lambda day: visit(day, **ANSWERED),
    "n_fire_visits_refused_1095d": lambda day: visit(day, visit_outcome="refused"),
    "days_since_fire_visit": lambda day: visit(day, **ANSWERED),
    "has_arrears_365d": lambda day: event("housing_events", day, event_type="arrears_letter"),
    "has_adaptation_waiting": lambda day: event("housing_events", day, event_type="adaptation_requested"),
    "days_adaptation_waiting": lambda day: event("housing_events", day, event_type="adaptation_requested"),
}


def found(frames: Frames) -> tuple[Features, Features]:
    made = features_of(frames)
    return made["p1"], made["p2"]


@pytest.mark.parametrize("feature", OF_THE_HOME)
def test_a_fact_of_the_home_holds_for_who_moved_in_later(feature: str) -> None:
    newcomer, settled = found(OF_THE_HOME[feature](BEFORE))

    assert newcomer[feature] == settled[feature] == 1.0


@pytest.mark.parametrize("feature", OF_PEOPLE)
def test_a_fact_about_people_is_unknown_of_who_moved_in_later(feature: str) -> None:
    newcomer, settled = found(OF_PEOPLE[feature](BEFORE))
    newcomer_after, _ = found(OF_PEOPLE[feature](AFTER))

    assert newcomer[feature] is None
    assert settled[feature] > 0
    assert newcomer_after[feature] > 0


@pytest.mark.parametrize("feature", ["has_arrears_365d", "n_fire_visits_refused_1095d", "has_fire_visit_1825d"])
def test_of_the_time_before_they_came_there_is_no_no(feature: str) -> None:
    other_rows = {
        **event("housing_events", AFTER, event_type="repair_requested"),
        **{"fire_visits": visit(AFTER, visit_outcome="no_access")["fire_visits"]},
    }

    newcomer, settled = found(other_rows)

    assert newcomer[feature] is None
    assert settled[feature] == 0.0


def test_a_death_in_an_earlier_home_is_not_denied() -> None:
    newcomer, settled = found(register())

    assert (newcomer["is_bereaved_730d"], settled["is_bereaved_730d"]) == (None, 0.0)


def test_every_feature_of_a_homes_records_says_whose_fact_it_is() -> None:
    of_homes = {feature.name: feature.about for feature in FEATURES if feature.source in HOME_SOURCES}
    of_rows = {name for name, about in of_homes.items() if about == "home" and name in OF_THE_HOME}
    # Of what is told of a home, only who pays its council tax is about people.
    told = {feature.name for feature in FEATURES if feature.source == "home_facts"} - {"discount_says_alone"}

    assert of_rows | told == {name for name, about in of_homes.items() if about == "home"}
    others = {"is_bereaved_730d", "discount_says_alone"}
    assert set(OF_PEOPLE) | others == {name for name, about in of_homes.items() if about == "person"}


def test_needs_of_the_home_are_found_for_who_moved_in_later() -> None:
    frames = OF_THE_HOME["is_alarm_missing"](BEFORE)

    assert ("p1", "no_working_alarm") in needs_found(frames)
