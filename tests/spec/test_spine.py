"""One row a person of 65 or over who is registered and alive, as far as was known on the night."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from helpers.knowledge import CONFIG, known_on, spine_on
from helpers.tables import table

from ageingwell.spine import SPINE_COLUMNS, build_spine
from ageingwell.timeline import AsOf

NIGHT = date(2026, 11, 22)


def patients(drawing: str) -> pl.DataFrame:
    """Patients about whom nothing special is known but what is drawn."""
    drawn = table(drawing, like="gp_patients")
    return drawn.with_columns(
        pl.col("birth_month").fill_null(date(1940, 1, 1)),
        pl.col("registered_on").fill_null(date(2000, 1, 1)),
        pl.col("recorded_on").fill_null(date(2020, 1, 1)),
        sex=pl.lit("female"),
    )


def spine(people: str, **tables: pl.DataFrame) -> pl.DataFrame:
    return spine_on({"gp_patients": patients(people), **tables}, NIGHT)


def row(people: str, person_id: str = "p1", **tables: pl.DataFrame) -> dict[str, Any]:
    return spine(people, **tables).row(by_predicate=pl.col("person_id") == person_id, named=True)


# --- Who ---


@pytest.mark.parametrize(
    ("born", "age"),
    [("1961-11-01", 65), ("1961-12-01", None), ("1961-10-01", 65), ("1960-12-01", 65), ("1926-11-01", 100)],
)
def test_a_birthday_is_the_first_of_its_month(born: str, age: int | None) -> None:
    found = spine(f"person_id | birth_month\np1 | {born}")

    assert found["age"].to_list() == ([] if age is None else [age])


def test_the_night_before_the_month_of_the_65th_birthday_is_too_early() -> None:
    people = {"gp_patients": patients("person_id | birth_month\np1 | 1961-12-01")}

    assert spine_on(people, date(2026, 11, 30)).is_empty()
    assert spine_on(people, date(2026, 12, 1))["age"].to_list() == [65]


def test_the_minimum_age_can_be_set() -> None:
    people = {"gp_patients": patients("person_id | birth_month\np1 | 1961-12-01\np2 | 1930-01-01")}
    known = known_on(people, NIGHT)

    def of_age(age: int) -> list[str]:
        found = build_spine(known, AsOf(NIGHT), minimum_age=age, places=CONFIG.places)
        return found["person_id"].to_list()

    assert of_age(64) == ["p1", "p2"]
    assert of_age(97) == []


def test_who_has_left_or_died_is_off_the_spine_once_it_is_known() -> None:
    found = spine("""
        person_id  | left_on    | left_recorded_on | died_on    | died_recorded_on
        left       | 2026-10-01 | 2026-10-20       |            |
        left_unkn  | 2026-10-01 | 2026-11-22       |            |
        left_lag   | 2026-11-08 |                  |            |
        left_known | 2026-11-07 |                  |            |
        died       |            |                  | 2026-10-01 | 2026-11-21
        died_unkn  |            |                  | 2026-10-01 | 2026-11-22
        leaves_bye | 2026-12-24 | 2026-11-01       |            |
        here       |            |                  |            |
    """)

    # The register's lag is 14 days: 7 November and 14 days are the 21st, known on the night; the 8th is not.
    assert found["person_id"].to_list() == ["died_unkn", "here", "leaves_bye", "left_lag", "left_unkn"]


def test_the_newest_version_known_counts() -> None:
    found = row("""
        person_id | household_id | practice_code | recorded_on
        p1        | h1           | M82001        | 2020-01-01
        p1        | h2           | M82002        | 2024-05-06
        p1        | h3           | M82003        | 2026-11-22
    """)

    assert (found["household_id"], found["practice_code"]) == ("h2", "M82002")


def test_somebody_who_left_and_came_back_is_here() -> None:
    found = spine("""
        person_id | practice_code | left_on    | left_recorded_on | recorded_on
        p1        | M82001        | 2022-01-01 | 2022-01-05       | 2020-01-01
        p1        | M82002        |            |                  | 2023-01-01
        p2        | M82002        |            |                  | 2020-01-01
        p2        | M82002        | 2024-01-01 | 2024-01-05       | 2024-01-05
    """)

    assert found["person_id"].to_list() == ["p1"]


def test_nobody_at_all_is_a_spine_of_no_rows() -> None:
    found = spine_on({"gp_patients": patients("person_id\np1").clear()}, NIGHT)

    assert found.is_empty()
    assert tuple(found.columns) == SPINE_COLUMNS
    assert found.schema == spine("person_id\np1").schema


# --- The household ---


def test_a_household_is_everyone_registered_there_of_any_age() -> None:
    people = """
        person_id | household_id | birth_month | died_on
        p1        | h1           | 1940-01-01  |
        p2        | h1           | 1944-01-01  |
        p3        | h1           | 1990-01-01  |
        p4        | h1           | 1938-01-01  | 2026-01-01
        p5        | h2           | 1940-01-01  |
        p6        |              | 1940-01-01  |
        p7        |              | 1940-01-01  |
    """

    found = spine(people).select("person_id", "n_household_members", "n_household_65plus", "n_household_under_65")

    nobody_known = (None, None, None)
    assert found.rows() == [
        ("p1", 3, 2, 1),
        ("p2", 3, 2, 1),
        ("p5", 1, 1, 0),
        ("p6", *nobody_known),
        ("p7", *nobody_known),
    ]


@pytest.mark.parametrize(("moved_in", "since"), [("2024-05-01", date(2024, 5, 1)), ("", date(2024, 5, 6))])
def test_somebody_who_moved_lives_there_from_the_day_of_the_move_or_of_its_telling(moved_in: str, since: date) -> None:
    found = row(f"""
        person_id | household_id | moved_in_on | recorded_on
        p1        | h1           |             | 2020-01-01
        p1        | h2           | {moved_in}  | 2024-05-06
        p1        | h2           | {moved_in}  | 2025-01-01
    """)

    assert found["lived_here_from"] == since


@pytest.mark.parametrize("versions", ["h1", "h1,h1", ",h1", "h1,,h1"])
def test_a_home_that_is_merely_linked_later_is_no_move(versions: str) -> None:
    lines = [f"p1 | {home} | {2020 + number}-01-01" for number, home in enumerate(versions.split(","))]

    assert row("\n".join(["person_id | household_id | recorded_on", *lines]))["lived_here_from"] == date(2000, 1, 1)


def test_place_decile_and_rural_class_come_from_the_area() -> None:
    found = spine("""
        person_id | lsoa21
        p1        | E01028854
        p2        | E01999999
        p3        |
    """)

    assert found["place"].to_list()[1:] == ["not known", "not known"]
    assert found["place"][0] != "not known"
    assert found["deprivation_decile"].is_null().to_list() == [False, True, True]
    assert found["is_rural"].is_null().to_list() == [False, True, True]


# --- Care homes ---


@pytest.mark.parametrize(
    ("care", "care_home"),
    [
        ("service | long_term_support_residential_care | | ", "yes"),
        ("service | long_term_support_nursing_care | | ", "yes"),
        ("service | long_term_support_nursing_care | | 2025-06-01", "no"),
        ("service | long_term_support_community | | ", "no"),
        ("request | long_term_support_nursing_care | | ", "no"),
        ("review | | registered_care_home | ", "yes"),
        ("review | | registered_nursing_home | ", "yes"),
        ("review | | owner_occupier | ", "no"),
        ("review | | unknown | ", "no"),
        ("review | | | ", "no"),
    ],
)
def test_a_care_home_resident_is_found_from_social_care(care: str, care_home: str) -> None:
    events = table(
        f"""
        person_id | started_on | recorded_on | event_type | service_type | accommodation_status | ended_on
        p1        | 2025-01-01 | 2025-02-01  | {care}
        """,
        like="care_events",
        client_type="service_user",
    )

    assert row("person_id | household_id\np1 | h1", care_events=events)["care_home"] == care_home


def test_the_newest_status_counts_and_unknown_does_not_replace_it() -> None:
    events = table(
        """
        person_id | client_type  | event_type | started_on | recorded_on | accommodation_status
        home      | service_user | review     | 2024-01-01 | 2024-02-01  | registered_care_home
        home      | service_user | review     | 2025-01-01 | 2025-02-01  | owner_occupier
        home      | service_user | review     | 2026-01-01 | 2026-02-01  | unknown
        moved_in  | service_user | review     | 2024-01-01 | 2024-02-01  | owner_occupier
        moved_in  | service_user | review     | 2025-01-01 | 2025-02-01  | registered_nursing_home
        carer     | carer        | review     | 2025-01-01 | 2025-02-01  | registered_nursing_home
        """,
        like="care_events",
    )

    found = spine("person_id\nhome\nmoved_in\ncarer", care_events=events)

    assert dict(found.select("person_id", "care_home").rows()) == {"home": "no", "moved_in": "yes", "carer": "no"}


def test_a_home_told_to_be_a_care_home_makes_residents_and_a_crowd_prompts_a_check() -> None:
    homes = table(
        "household_id | source | property_type | recorded_on\nh1 | epc | care_home | 2020-01-01", like="homes"
    )
    crowd = "\n".join(f"c{number} | h2" for number in range(6))
    five = "\n".join(f"d{number} | h3" for number in range(5))

    found = spine(f"person_id | household_id\np1 | h1\n{crowd}\n{five}\nlost | ", homes=homes)

    by_home = {home: set(group["care_home"]) for (home,), group in found.group_by("household_id")}
    assert by_home == {"h1": {"yes"}, "h2": {"check"}, "h3": {"no"}, None: {"no"}}


def test_each_fact_of_a_home_is_the_newest_that_is_not_unknown() -> None:
    homes = table(
        """
        household_id | source   | property_type | recorded_on
        h1           | epc      | care_home     | 2020-01-01
        h1           | landlord | unknown       | 2024-01-01
        h1           | landlord | flat          | 2026-11-22
        h2           | epc      | care_home     | 2020-01-01
        h2           | epc      | house         | 2021-01-01
        """,
        like="homes",
    )

    found = spine("person_id | household_id\np1 | h1\np2 | h2", homes=homes)

    assert found["care_home"].to_list() == ["yes", "no"]


# --- Who knows them ---


def test_an_agency_knows_whom_it_met_in_the_past_three_years_while_they_lived_there() -> None:
    people = """
        person_id | household_id | moved_in_on
        p1        | h1           | 2025-01-01
        p2        | h1           | 2001-01-01
        p3        |              |
    """
    visits = table("household_id | visited_on | recorded_on\nh1 | 2024-12-31 | 2025-01-01", like="fire_visits")
    events = table("household_id | happened_on | recorded_on\nh1 | 2023-11-23 | 2025-01-01", like="housing_events")
    stays = table(
        """
        person_id | started_on | recorded_on
        p1        | 2023-11-23 | 2023-12-01
        p2        | 2023-11-22 | 2023-12-01
        p3        | 2026-11-21 | 2026-11-22
        """,
        like="hospital_events",
    )
    contacts = table(
        """
        person_id | household_id | agency      | contacted_on | recorded_on
        p1        |              | voluntary   | 2026-11-01   | 2026-11-02
                  | h1           | social_care | 2024-06-01   | 2024-06-02
        p3        |              | gp          | 2026-11-01   | 2026-11-02
        """,
        like="contacts",
    )

    found = spine(people, fire_visits=visits, housing_events=events, hospital_events=stays, contacts=contacts)

    # 23 November 2023 is 1,095 days before the night, the 22nd one day more.
    assert dict(found.select("person_id", "known_to").rows()) == {
        "p1": ["hospital", "voluntary"],
        "p2": ["fire", "housing", "social_care"],
        "p3": [],
    }


@pytest.mark.parametrize(
    ("event", "known_to"),
    [
        ("service | 2015-01-01 | ", ["social_care"]),
        ("service | 2015-01-01 | 2026-01-01", ["social_care"]),
        ("service | 2015-01-01 | 2020-01-01", []),
        ("request | 2015-01-01 | ", []),
        ("request | 2026-01-01 | ", ["social_care"]),
    ],
)
def test_care_that_has_run_for_years_is_contact(event: str, known_to: list[str]) -> None:
    care = table(
        f"person_id | recorded_on | event_type | started_on | ended_on\np1 | 2015-02-01 | {event}",
        like="care_events",
    )

    assert row("person_id\np1", care_events=care)["known_to"] == known_to
