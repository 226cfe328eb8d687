"""Fire: CHARLIE-P, oxygen or emollient with smoking, and missing alarms."""

import pytest
from helpers.outreach import criteria, home_criteria, needs_of, person


def test_three_factors_besides_age_make_a_need_and_all_of_them_are_named():
    found = criteria(age=80.0, has_alcohol_concern=1.0, lives_alone_probability=0.7, someone_smokes=1.0)

    assert found == {
        "fire_safety": "a concern about alcohol (alcohol); very likely lives alone (lives alone); "
        "someone in this home smokes (smoking); aged 65 or over (age)"
    }


@pytest.mark.parametrize(
    "known",
    [
        {"age": 80.0, "has_alcohol_concern": 1.0, "lives_alone_probability": 0.9},  # two, and age does not count
        {"age": 80.0, "has_alcohol_concern": 1.0, "lives_alone_probability": 0.69, "someone_smokes": 1.0},
        {"age": 80.0, "has_alcohol_concern": 1.0, "lives_alone_probability": 0.9, "someone_smokes": None},
        {"clutter_rating": 5.0},  # 4 points: possible
        {"mobility_level": 2.0, "care_support_level": 2.0},  # two factors of 4 points each
    ],
)
def test_two_factors_are_not_enough(known):
    assert "fire_safety" not in criteria(**known)


@pytest.mark.parametrize(
    ("known", "points"),
    [
        ({"clutter_rating": 6.0}, 8),
        ({"mobility_level": 3.0}, 8),
        ({"care_support_level": 4.0}, 10),
        ({"clutter_rating": 8.0, "mobility_level": 0.0}, 11),  # 10 for clutter, 1 for full mobility
    ],
)
def test_one_line_with_eight_points_is_enough_alone(known, points):
    needs = needs_of(person(**known))

    assert needs["need"].to_list() == ["fire_safety"]
    assert needs["points"].to_list() == [points]
    assert f"fire risk score {points} (" in needs["criterion"][0]


def test_without_a_column_that_supplies_them_there_are_no_points():
    needs = needs_of(person(has_alcohol_concern=1.0, someone_smokes=1.0, n_fire_incidents_1095d=1.0))

    assert needs["points"].to_list() == [None]
    assert "points" not in needs["criterion"][0]


def test_oxygen_with_smoking_is_urgent_and_says_which():
    needs = needs_of(person(has_oxygen=1.0, someone_smokes=1.0, has_oxygen_or_emollient_with_smoking=1.0))

    assert needs.select("need", "criterion", "urgency", "lead_agency").rows() == [
        ("oxygen_or_emollient_smoking", "home oxygen, and someone in this home smokes", "urgent", "fire")
    ]


def test_emollient_with_smoking_is_found_from_the_combined_fact_too():
    assert criteria(has_oxygen_or_emollient_with_smoking=1.0) == {
        "oxygen_or_emollient_smoking": "oxygen or emollient, and someone in this home smokes"
    }


@pytest.mark.parametrize("smokes", [0.0, None])
def test_oxygen_without_known_smoking_is_no_such_need(smokes):
    assert criteria(has_oxygen=1.0, has_emollient_or_airflow=1.0, someone_smokes=smokes) == {}


@pytest.mark.parametrize(("missing", "found"), [(1.0, ["no_working_alarm"]), (0.0, []), (None, [])])
def test_an_alarm_counts_as_missing_only_where_a_visit_found_none(missing, found):
    assert list(criteria(is_alarm_missing=missing)) == found


def test_near_the_end_of_life_fire_needs_go_to_the_care_team_and_stay_on_the_books():
    needs = needs_of(person(is_alarm_missing=1.0, is_end_of_life=True), person("p2", "h2", is_alarm_missing=1.0))

    assert needs.select("person_id", "lead_agency").rows() == [("p1", "social_care"), ("p2", "fire")]


def test_a_home_without_linked_people_is_judged_by_the_home_rules_alone():
    found = home_criteria(is_alarm_missing=1.0, clutter_rating=9.0)

    assert list(found) == ["fire_safety", "no_working_alarm"]
    assert "aged" not in found["fire_safety"]


def test_the_fire_rules_read_no_health_fact():
    needs = needs_of(person(mobility_level=4.0, someone_smokes=1.0, has_oxygen=1.0, is_alarm_missing=1.0, age=70.0))

    assert needs.height == 3
    assert "health" not in needs["themes"].explode().to_list()
