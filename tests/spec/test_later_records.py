"""What is counted of people after a night: stays, their nights, new care, deaths, days at home, and time followed."""

from datetime import date, timedelta

import polars as pl
import pytest

from ageingwell.learning.later_records import PRIOR, YEAR_BEFORE, later_records

NIGHT = date(2025, 6, 1)
CODES = {"icd10_fall": ("W19",), "icd10_fracture": ("S72",)}


def on(days: int) -> date:
    return NIGHT + timedelta(days=days)


def tables(*, stays=(), care=(), died=None, left=None):
    """The tables of one person, p1; stays are (day, days long or None, main diagnosis)."""
    register = {"person_id": ["p1"], "recorded_on": [date(2020, 1, 1)], "died_on": [died], "left_on": [left]}
    days = {"died_on": pl.Date, "left_on": pl.Date}
    hospital = [
        ("p1", "emergency_admission", code, None, on(day), None if long is None else on(day + long))
        for day, long, code in stays
    ]
    columns = ["person_id", "kind", "icd10", "other_icd10", "started_on", "ended_on"]
    services = [("p1", "service", "service_user", kind, part, on(day), end, None) for kind, part, day, end in care]
    of_care = ["person_id", "event_type", "client_type", "service_type", "service_component", "started_on", "ended_on"]
    text = dict.fromkeys(("person_id", "kind", "icd10", "other_icd10"), pl.String)
    texts = dict.fromkeys(of_care[:5], pl.String)
    both = {"started_on": pl.Date, "ended_on": pl.Date}
    return {
        "gp_patients": pl.LazyFrame(register, schema_overrides=days),
        "hospital_events": pl.LazyFrame(hospital, schema={**text, **both}, orient="row").select(columns),
        "care_events": pl.LazyFrame(services, schema={**texts, **both, "died_on": pl.Date}, orient="row"),
    }


def told(**facts):
    people = pl.DataFrame({"person_id": ["p1"], "index_on": [NIGHT]})
    found = later_records(tables(**facts), people, days=100, codelists=CODES)
    return found.row(0, named=True) if found.height else None


HOME, HOME_CARE = ("long_term_support_residential_care", None), ("long_term_support_community", "home_support")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, {"emergency_admissions": 0, "days_at_home": 100, "followed": 1.0, "deaths": 0}),
        # The day of the night counts, the day the days end does not, nor the day before the night.
        ({"stays": [(0, 2, "J18"), (100, 2, "J18"), (-1, 0, "J18")]}, {"emergency_admissions": 1, PRIOR: 1}),
        ({"stays": [(10, 5, "W19"), (30, 0, "J18")]}, {"falls_admissions": 1, "emergency_bed_days": 5}),
        # Two main diagnoses of one stay are one stay; a stay inside another adds no nights.
        ({"stays": [(10, 5, "J18"), (10, 5, "S72")]}, {"emergency_admissions": 1, "falls_admissions": 1}),
        ({"stays": [(10, 10, "J18"), (12, 3, "J18")]}, {"emergency_admissions": 2, "emergency_bed_days": 10}),
        ({"stays": [(90, 40, "J18")]}, {"emergency_bed_days": 10, "days_at_home": 90}),
        ({"stays": [(90, None, "J18")]}, {"emergency_bed_days": 10}),
        # Nights of a stay that began before the night count from the night on.
        ({"stays": [(-5, 15, "J18")]}, {"emergency_admissions": 0, "emergency_bed_days": 10, "days_at_home": 90}),
        ({"died": on(40)}, {"deaths": 1, "days_at_home": 40, "followed": 1.0}),
        ({"died": on(100)}, {"deaths": 0, "days_at_home": 100}),
        ({"left": on(40)}, {"followed": 0.4, "days_at_home": 40}),
        ({"left": on(40), "stays": [(50, 2, "J18")]}, {"emergency_admissions": 0}),
        ({"care": [(*HOME, 30, None)]}, {"new_long_term_care": 1, "days_at_home": 30}),
        ({"care": [(*HOME, 30, None)], "stays": [(20, 20, "J18")]}, {"days_at_home": 20, "emergency_bed_days": 20}),
        ({"care": [(*HOME_CARE, 30, None)]}, {"new_long_term_care": 1, "days_at_home": 100}),
        ({"care": [(*HOME_CARE, -90, None), (*HOME_CARE, 30, None)]}, {"new_long_term_care": 0}),
        ({"care": [(*HOME_CARE, -90, None), (*HOME, 30, None)]}, {"new_long_term_care": 1}),
        (
            {"stays": [(-365, 1, "J18"), (-366, 1, "J18"), (-730, 1, "J18"), (-731, 1, "J18")]},
            {PRIOR: 1, YEAR_BEFORE: 2},
        ),
    ],
)
def test_what_is_counted(facts, expected):
    found = told(**facts)

    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("ending", ["died", "left"])
def test_who_had_gone_before_the_night_is_absent(ending):
    assert told(**{ending: on(-1)}) is None


def test_without_hospital_records_nothing_is_said_of_stays():
    there = tables()
    del there["hospital_events"]
    people = pl.DataFrame({"person_id": ["p1"], "index_on": [NIGHT]})

    found = later_records(there, people, days=100, codelists=CODES).row(0, named=True)

    assert found["emergency_admissions"] is None
    assert found["days_at_home"] is None
    assert found["deaths"] == 0
