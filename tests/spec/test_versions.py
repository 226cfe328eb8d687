"""One event is one event, however often and in however many versions it was sent."""

from datetime import date
from itertools import permutations

import polars as pl
import pytest
from helpers.knowledge import CONFIG, features_on, known_on, records_of, spine_on
from helpers.tables import table
from polars.testing import assert_frame_equal

from ageingwell.contracts.registry import EVENT_KEYS, TABLES
from ageingwell.outcomes import label_outcomes
from ageingwell.outreach.flags import _in_hospital
from ageingwell.spine import known_tables, last_contacts
from ageingwell.timeline import AsOf, Horizon

NIGHT = date(2026, 11, 22)
REGISTER = table(
    """
    person_id | household_id | birth_month | sex    | registered_on | moved_in_on | recorded_on
    p1        | h1           | 1940-03-01  | female | 2001-01-09    | 2001-01-09  | 2020-01-01
    p2        | h1           | 1938-03-01  | male   | 2001-01-09    | 2001-01-09  | 2020-01-01
    """,
    like="gp_patients",
    practice_code="M82041",
    lsoa21="E01028854",
)


def feature(name: str, person: str = "p1", register: pl.DataFrame = REGISTER, **tables: pl.DataFrame) -> float | None:
    _, features = features_on({"gp_patients": register, **tables}, NIGHT)
    return features.filter(pl.col("person_id") == person)[name].item()


def stays(drawing: str) -> pl.DataFrame:
    return table(drawing, like="hospital_events", person_id="p1", kind="emergency_admission")


def in_hospital(rows: pl.DataFrame) -> bool:
    return not _in_hospital(known_on({"hospital_events": rows}, NIGHT), AsOf(NIGHT), days=120).is_empty()


# --- Stays ---


def test_nobody_is_in_hospital_once_a_later_version_tells_of_the_discharge() -> None:
    twice = stays("""
        started_on | ended_on   | recorded_on
        2026-10-01 |            | 2026-10-02
        2026-10-01 | 2026-10-13 | 2026-10-13
    """)

    assert not in_hospital(twice)
    assert in_hospital(twice.head(1))


def test_a_version_without_an_end_takes_back_none() -> None:
    again = stays("""
        started_on | ended_on   | recorded_on
        2026-10-01 | 2026-10-05 | 2026-10-06
        2026-10-01 | 2026-10-13 | 2026-10-14
        2026-10-01 |            | 2026-11-20
    """)

    assert not in_hospital(again)
    # The end sent last: 12 nights.
    assert feature("n_emergency_bed_days_365d", hospital_events=again) == 12.0


def test_an_earlier_end_that_was_sent_later_is_the_end() -> None:
    corrected = stays("""
        started_on | ended_on   | recorded_on
        2026-10-01 | 2026-10-13 | 2026-10-14
        2026-10-01 | 2026-10-05 | 2026-10-20
    """)

    assert feature("n_emergency_bed_days_365d", hospital_events=corrected) == 4.0


def test_every_diagnosis_of_a_stay_counts_and_the_stay_counts_once() -> None:
    told = stays("""
        started_on | ended_on   | icd10 | recorded_on
        2026-10-01 |            | J18.9 | 2026-10-02
        2026-10-01 | 2026-10-09 | S72.0 | 2026-10-12
        2026-10-01 |            |       | 2026-10-03
    """)

    known = known_on({"hospital_events": told}, NIGHT)["hospital_events"].collect()

    assert sorted(known.select("icd10", "ended_on").rows()) == [
        ("J18.9", date(2026, 10, 9)),
        ("S72.0", date(2026, 10, 9)),
    ]
    assert feature("n_emergency_admissions_365d", hospital_events=told) == 1.0
    assert feature("has_fall_admission_1095d", hospital_events=told) == 1.0
    assert not in_hospital(told)


def test_a_discharge_told_in_its_own_row_is_known_that_day() -> None:
    home = stays("started_on | ended_on   | recorded_on\n2026-11-10 | 2026-11-20 | 2026-11-21")

    assert not in_hospital(home)
    assert feature("days_since_discharge", hospital_events=home) == 2.0


def test_a_version_that_is_not_known_yet_ends_nothing() -> None:
    later = stays("""
        started_on | ended_on   | recorded_on
        2026-11-01 |            | 2026-11-02
        2026-11-01 | 2026-11-13 | 2026-11-22
    """)

    assert in_hospital(later)


# --- Social care ---


def care(drawing: str, **constants: str) -> pl.DataFrame:
    return table(drawing, like="care_events", person_id="p1", client_type="service_user", **constants)


def home_care(drawing: str) -> pl.DataFrame:
    return care(drawing, event_type="service", service_type="long_term_support_community")


RETURNS = care(
    """
    unit_cost | cost_frequency | started_on | ended_on   | recorded_on
    100.0     | weekly         | 2025-06-01 |            | 2025-07-01
    100.0     | weekly         | 2025-06-01 |            | 2025-07-01
    100.0     | weekly         | 2025-06-01 | 2026-03-01 | 2025-07-01
    """,
    event_type="service",
    service_type="long_term_support_residential_care",
    service_component="long_term_residential",
)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_overlapping_returns_with_a_day_of_recording_that_was_made_end_a_placement(order: tuple[int, ...]) -> None:
    rows = RETURNS[list(order)]
    tables = {"gp_patients": REGISTER, "care_events": rows}
    records = records_of(tables)
    records.tables["care_events"] = type(records.tables["care_events"])(
        **{**vars(records.tables["care_events"]), "made_recorded_on": "started_on + 30d"}
    )

    known = known_tables(records, AsOf(NIGHT), CONFIG.tables)["care_events"].collect()

    assert known.select("ended_on", "unit_cost").rows() == [(date(2026, 3, 1), 100.0)]
    assert spine_on(tables, NIGHT).filter(pl.col("person_id") == "p1")["care_home"].item() == "no"


def test_support_that_runs_is_paid_once() -> None:
    rows = home_care("""
        service_component | unit_cost | cost_frequency | started_on | la_person_id | recorded_on
        home_support      | 90.0      | weekly         | 2026-01-05 | a            | 2026-02-01
        home_support      | 100.0     | weekly         | 2026-01-05 | b            | 2026-05-01
        home_support      |           |                | 2026-01-05 | b            | 2026-08-01
                          | 90.0      | weekly         | 2026-01-05 | a            | 2026-02-01
    """)

    # The newest cost that was told; the version without a component is a version of the one that has one.
    assert feature("weekly_care_cost_gbp", care_events=rows) == 100.0


def test_a_review_sent_with_three_returns_is_one_review() -> None:
    rows = care(
        """
        started_on | la_person_id | recorded_on
        2026-01-09 | a            | 2026-02-01
        2026-01-09 | b            | 2026-05-01
        2026-01-09 |              | 2026-08-01
        """,
        event_type="review",
        review_reason="unplanned_review",
    )

    assert feature("n_unplanned_reviews_365d", care_events=rows) == 1.0


def test_a_cost_is_never_put_together_from_two_versions() -> None:
    rows = home_care("""
        unit_cost | cost_frequency | planned_units_per_week | started_on | recorded_on
        20.0      | hourly         | 10.0                   | 2026-01-05 | 2026-02-01
        150.0     | weekly         |                        | 2026-01-05 | 2026-05-01
    """)

    known = known_on({"care_events": rows}, NIGHT)["care_events"].collect()

    assert known.select("unit_cost", "cost_frequency", "planned_units_per_week").rows() == [(150.0, "weekly", None)]


def test_a_row_without_a_component_stays_an_event_where_two_could_be_meant() -> None:
    rows = home_care("""
        service_component | started_on | recorded_on
        home_support      | 2026-01-05 | 2026-02-01
        equipment         | 2026-01-05 | 2026-02-01
                          | 2026-01-05 | 2026-02-01
    """)

    assert known_on({"care_events": rows}, NIGHT)["care_events"].collect().height == 3


def test_an_outcome_told_without_an_end_counts() -> None:
    declined = care(
        "event_type | event_outcome        | started_on | recorded_on\n"
        "request    | nfa_support_declined | 2026-01-05 | 2026-02-01"
    )

    assert feature("n_support_declined_1095d", care_events=declined) == 1.0


def test_labels_see_one_placement_and_one_start() -> None:
    cut_off = date(2025, 8, 1)
    again = pl.concat([RETURNS, RETURNS.with_columns(recorded_on=pl.lit(date(2026, 4, 1)))])
    spine = pl.DataFrame({"person_id": ["p1"], "care_home": ["no"]})
    no_stays = stays("started_on | recorded_on\n2026-01-01 | 2026-01-02").clear()

    def labels(care_events: pl.DataFrame) -> pl.DataFrame:
        tables = {"gp_patients": REGISTER, "care_events": care_events, "hospital_events": no_stays}
        settled = known_on(tables, date(2026, 10, 30))
        return label_outcomes(settled, spine, AsOf(cut_off), horizon=Horizon(365), codelists=CONFIG.codelists)

    assert_frame_equal(labels(RETURNS), labels(again))


# --- The register ---


def test_a_death_that_was_corrected_bereaves_nobody() -> None:
    dead = {"died_on": date(2026, 9, 20), "recorded_on": date(2026, 10, 13)}
    alive = {"recorded_on": date(2026, 11, 2)}
    told = REGISTER.filter(pl.col("person_id") == "p2")
    corrected = pl.concat(
        [REGISTER, *(told.with_columns(**{name: pl.lit(day) for name, day in new.items()}) for new in (dead, alive))]
    )

    assert [feature("is_bereaved_730d", person, corrected) for person in ("p1", "p2")] == [0.0, 0.0]
    assert feature("is_bereaved_730d", "p1", corrected.head(3)) == 1.0


# --- Homes ---


def visits(drawing: str) -> pl.DataFrame:
    return table(drawing, like="fire_visits", household_id="h1", visit_outcome="completed")


def test_a_corrected_answer_takes_the_place_of_the_old_one() -> None:
    corrected = visits("""
        visited_on | smoke_alarm_working | smoker  | clutter_rating | recorded_on
        2026-06-01 | no                  | yes     | 7              | 2026-06-02
        2026-06-01 | yes                 | unknown | 3              | 2026-06-20
    """)

    assert feature("is_alarm_missing", fire_visits=corrected) == 0.0
    assert feature("clutter_rating", fire_visits=corrected) == 3.0
    # What the correction does not tell stays as it was told.
    assert feature("someone_smokes", fire_visits=corrected) == 1.0


def test_of_two_answers_recorded_on_one_day_the_one_of_concern_counts() -> None:
    both = visits("""
        visited_on | smoke_alarm_working | smoker | clutter_rating | mobility      | recorded_on
        2026-06-01 | yes                 | no     | 7              | hoist_or_bed  | 2026-06-02
        2026-06-01 | no                  | yes    | 3              | independent   | 2026-06-02
    """)

    known = known_on({"fire_visits": both}, NIGHT)["fire_visits"].collect()

    assert known.select("smoke_alarm_working", "smoker", "clutter_rating", "mobility").rows() == [
        ("no", "yes", 7, "hoist_or_bed")
    ]


def test_a_refusal_sent_twice_is_one_refusal_and_a_hazard_sent_twice_one_hazard() -> None:
    refused = table(
        "household_id | visited_on | visit_outcome | recorded_on\nh1 | 2026-06-01 | refused | 2026-06-02",
        like="fire_visits",
    )
    hazard = table(
        """
        household_id | event_type   | hazard      | category | happened_on | recorded_on
        h1           | hazard_found | excess_cold | 1        | 2026-06-01  | 2026-06-10
        h1           | hazard_found |             |          | 2026-06-01  | 2026-07-10
        """,
        like="housing_events",
    )

    assert feature("n_fire_visits_refused_1095d", fire_visits=pl.concat([refused, refused])) == 1.0
    assert feature("n_hazards_1095d", housing_events=hazard) == 1.0


# --- When somebody was last met ---


def test_the_newest_event_of_somebody_whose_support_still_runs_is_the_last_contact() -> None:
    rows = care("""
        event_type | service_type                | service_component | started_on | recorded_on
        service    | long_term_support_community | home_support      | 2022-01-30 | 2022-02-10
        review     |                             |                   | 2022-09-24 | 2022-10-10
    """)
    tables = {"gp_patients": REGISTER, "care_events": rows}

    told = last_contacts(known_on(tables, NIGHT), spine_on(tables, NIGHT), AsOf(NIGHT))

    assert told.rows() == [("p1", "social_care", date(2022, 9, 24))]


def test_an_agency_that_met_somebody_too_long_ago_is_no_contact() -> None:
    rows = care("event_type | started_on | recorded_on\nreview | 2022-09-24 | 2022-10-10")
    tables = {"gp_patients": REGISTER, "care_events": rows}

    assert last_contacts(known_on(tables, NIGHT), spine_on(tables, NIGHT), AsOf(NIGHT)).is_empty()


def test_every_table_of_events_says_what_one_event_is() -> None:
    assert set(EVENT_KEYS) == set(TABLES) - {"gp_patients", "homes", "permissions"}
    for name, key in EVENT_KEYS.items():
        named = {*key.columns, *key.several, *key.in_doubt, *(column for group in key.together for column in group)}
        assert named <= set(TABLES[name].to_schema().columns)
        assert set(key.may_be_missing) <= set(key.columns)
        assert key.sentence.endswith(".")
