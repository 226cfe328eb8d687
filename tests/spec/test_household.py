"""One knock a door: who is visited together, who could lead, and what each lead would be worth."""

import pytest
from helpers.outreach import needs_of, people, person

from ageingwell.config.outreach import OutreachSettings
from ageingwell.outreach.household import one_knock_a_door
from ageingwell.outreach.rank import rank_people


def knock(*rows, theme=None, **changed):
    settings = OutreachSettings(**changed)
    needs = needs_of(*rows)
    ranked = rank_people(people(*rows), needs, previous=None, settings=settings)
    if theme is not None:
        ranked = ranked.with_columns(top_theme=people(person(theme))["person_id"])
    return one_knock_a_door(ranked, needs, settings=settings)


def test_a_couple_is_one_door_and_a_need_they_share_counts_once():
    doors = knock(person("p1", risk=0.2, is_alarm_missing=1.0), person("p2", risk=0.1, is_alarm_missing=1.0))

    # 0.2 + 0.1 of risk, and one missing alarm: 0.10
    assert doors.select("door_id", "lead_agency", "person_ids", "value").rows() == [("h1", "fire", ["p1", "p2"], 0.4)]


def test_every_agency_that_leads_a_need_could_come_alone_or_together():
    doors = knock(person("p1", risk=0.2, is_alarm_missing=1.0), person("p2", n_medicines_90d=12.0))

    # the lead's own need counts 0.10, the other's half of 0.10
    assert doors.select("lead_agency", "value", "joint_with", "not_coming").rows() == [
        ("fire", pytest.approx(0.30), [], ["gp"]),
        ("gp", pytest.approx(0.30), [], ["fire"]),
        ("gp", pytest.approx(0.35), ["fire"], []),
    ]


def test_no_more_than_two_risks_count_at_one_door():
    rows = [person(f"p{n}", risk=0.5 - n / 10, is_alarm_missing=1.0) for n in range(4)]

    doors = knock(*rows)

    assert doors["risk_reached"].to_list() == [0.9]  # 0.5 + 0.4
    assert doors["person_ids"].to_list() == [["p0", "p1", "p2", "p3"]]


def test_someone_without_need_or_high_risk_is_not_listed_with_the_other():
    # 5% of 2 people, rounded up, is 1 high risk
    doors = knock(person("p1", risk=0.5), person("p2", risk=0.01))

    assert doors["person_ids"].to_list() == [["p1"]]


@pytest.mark.parametrize(("theme", "lead"), [(None, "gp"), ("home", "housing"), ("everyday_life", "voluntary")])
def test_where_the_model_alone_speaks_the_lead_follows_the_theme(theme, lead):
    assert knock(person("p1", risk=0.5), theme=theme)["lead_agency"].to_list() == [lead]


def test_a_person_without_a_home_is_their_own_door_and_the_practice_writes():
    doors = knock(person("p1", None, risk=0.5, is_alarm_missing=1.0), person("p2", None, n_medicines_90d=10.0))

    assert doors.select("door_id", "household_id", "lead_agency").rows() == [("p1", None, "gp"), ("p2", None, "gp")]


def test_a_home_is_unknown_to_every_service_only_if_everyone_in_it_is():
    alarm = {"is_alarm_missing": 1.0}
    doors = knock(
        person("p1", "h1", **alarm, known_to=[]),
        person("p2", "h1", known_to=["fire"]),
        person("p3", "h3", **alarm, known_to=[]),
    )

    assert dict(doors.select("door_id", "is_unknown_to_every_service").iter_rows()) == {"h1": False, "h3": True}


def test_the_groups_with_a_floor_are_marked():
    doors = knock(
        person("p1", "h1", is_alarm_missing=1.0, deprivation_decile=2, is_rural=1.0),
        person("p2", "h2", is_alarm_missing=1.0, deprivation_decile=3, is_rural=None),
        person("p3", "h3", is_alarm_missing=1.0, deprivation_decile=None, is_rural=0.0),
    )

    assert doors.sort("door_id").select("is_most_deprived_fifth", "is_rural").rows() == [
        (True, True),
        (False, False),
        (False, False),
    ]
