"""Tonight's list: its rows, who is off it and why, and what has changed since the last one."""

from datetime import date

import polars as pl
from helpers.outreach import AS_OF, NO_FLOORS, needs_of, people, person, places, shipped_interventions

from ageingwell.config.outreach import OutreachSettings
from ageingwell.outreach.allocate import allocate
from ageingwell.outreach.household import one_knock_a_door
from ageingwell.outreach.listing import LIST_COLUMNS, compare_with_previous, list_rows, unplaced
from ageingwell.outreach.rank import rank_people

SETTINGS = OutreachSettings()
ACTIONS = {name: table.action for name, table in shipped_interventions().needs.items()}


def night(*rows, week, previous=None):
    needs = needs_of(*rows)
    ranked = rank_people(people(*rows), needs, previous=previous, settings=SETTINGS)
    doors = one_knock_a_door(ranked, needs, settings=SETTINGS)
    shared = allocate(doors, capacity=week, floors=NO_FLOORS, settings=SETTINGS)
    return list_rows(shared.visits, ranked=ranked, needs=needs, settings=SETTINGS, as_of=AS_OF), ranked


def actions(*rows, week):
    return dict(night(*rows, week=week)[0].select("person_id", "action").iter_rows())


def test_a_row_is_proposed_and_names_needs_lead_and_next_step():
    rows, _ = night(person("p1", risk=0.3, is_alarm_missing=1.0, known_to=["housing", "fire"]), week=places(fire=1))

    assert rows.columns == list(LIST_COLUMNS)
    assert rows.select("rank", "lead_agency", "needs", "why", "known_to", "action", "status").rows() == [
        (1, "fire", ["no_working_alarm"], "both", ["fire", "housing"], ACTIONS["no_working_alarm"], "proposed")
    ]


def test_the_most_urgent_need_of_the_lead_gives_the_action_and_the_partner_is_named():
    told = actions(
        person("p1", is_alarm_missing=1.0, has_oxygen=1.0, someone_smokes=1.0, n_medicines_90d=12.0),
        week=places(fire=1, gp=1),
    )

    assert told["p1"] == f"{ACTIONS['oxygen_or_emollient_smoking']}. Joint visit with: GP practices"


def test_where_a_partner_has_no_place_left_the_lead_comes_alone_and_the_row_says_who_is_full():
    home = person("p1", is_alarm_missing=1.0, n_medicines_90d=12.0)

    rows, _ = night(home, week=places(fire=1))

    assert rows.select("lead_agency", "joint_with", "partners_full").rows() == [("fire", [], ["gp"])]
    assert rows["action"].item() == f"{ACTIONS['no_working_alarm']}. Needed here, with no place left: GP practices"


def test_urgent_homes_stand_first_with_the_day_by_which_to_act_and_who_lives_together_stands_together():
    urgent = {"has_oxygen": 1.0, "someone_smokes": 1.0}
    rows, _ = night(
        person("p1", "h1", risk=0.9, is_isolated_social_care=1.0),
        person("p2", "h2", risk=0.1, **urgent),
        person("p3", "h3", risk=0.8, is_alarm_missing=1.0),
        person("p4", "h2", risk=0.7, is_alarm_missing=1.0),
        week=places(fire=3, voluntary=3),
    )

    # h2 first, though p1 and p3 have higher risks; act_by is 7 and 28 days after the 22nd of November
    assert rows.select("position", "person_id", "rank", "urgency", "act_by").rows() == [
        (1, "p4", 3, "urgent", date(2026, 11, 29)),
        (2, "p2", 4, "urgent", date(2026, 11, 29)),
        (3, "p1", 1, "routine", None),
        (4, "p3", 2, "soon", date(2026, 12, 20)),
    ]


def test_what_the_visitor_has_to_know_comes_first():
    told = actions(
        person("p1", is_alarm_missing=1.0, has_staff_safety_marker=True, care_home="check"), week=places(fire=1)
    )

    assert told["p1"] == (
        f"{SETTINGS.staff_safety_note}. {SETTINGS.care_home_check_note}. {ACTIONS['no_working_alarm']}"
    )


def test_without_a_need_by_rule_the_step_is_to_ask_and_without_a_home_to_write():
    assert actions(person("p1", risk=0.5), week=places(gp=1)) == {"p1": SETTINGS.high_risk_action}
    assert actions(person("p1", None, risk=0.5), week=places(gp=1)) == {"p1": SETTINGS.no_door_action}


def test_both_of_a_couple_have_their_row_with_the_same_lead():
    rows, _ = night(
        person("p1", risk=0.3, is_alarm_missing=1.0), person("p2", n_medicines_90d=12.0), week=places(fire=9, gp=9)
    )

    assert rows["person_id"].to_list() == ["p1", "p2"]
    assert rows["lead_agency"].n_unique() == 1


def test_whoever_is_not_listed_says_where_they_left():
    rows, ranked = night(
        person("p1", "h1", risk=0.5, is_alarm_missing=1.0),
        person("p2", "h2", risk=0.2, is_alarm_missing=1.0),
        person("p3", "h3", risk=0.1),
        week=places(fire=1),
    )

    assert unplaced(ranked, listed=rows["person_id"]).select("person_id", "step", "reason").rows() == [
        ("p2", "allocate", "no_place_this_week"),
        ("p3", "rank", "no_need_or_high_risk"),
    ]


def test_new_since_last_and_gone_since_last_with_why():
    rows = pl.DataFrame({"person_id": ["p1", "p2"]})
    last = pl.DataFrame(
        {"person_id": ["p1", "p3", "p4"], "household_id": ["h1", "h3", "h4"], "lead_agency": ["gp", "gp", "fire"]}
    )
    left = pl.DataFrame(
        {"person_id": ["p3"], "step": ["eligible"], "reason": ["deceased"], "re_enters_on": [None]},
        schema_overrides={"re_enters_on": pl.Date},
    )

    marked, gone = compare_with_previous(rows, previous=last, left=left)

    assert marked["new_since_last"].to_list() == [False, True]
    assert gone.select("person_id", "lead_agency", "reason").rows() == [
        ("p3", "gp", "deceased"),
        ("p4", "fire", "no_longer_in_the_records"),
    ]


def test_on_the_first_night_everyone_is_new():
    marked, gone = compare_with_previous(
        pl.DataFrame({"person_id": ["p1"]}),
        previous=None,
        left=pl.DataFrame(schema={"person_id": pl.String, "reason": pl.String, "re_enters_on": pl.Date}),
    )

    assert marked["new_since_last"].to_list() == [True]
    assert gone.is_empty()


def test_what_the_group_agreed_stays_with_its_status_and_its_lead():
    before = pl.DataFrame({"person_id": ["p2"], "lead_agency": ["voluntary"], "why": ["rule"], "status": ["agreed"]})

    rows, _ = night(
        person("p1", "h1", risk=0.9, is_isolated_social_care=1.0),
        person("p2", "h2", risk=0.1),
        week=places(voluntary=1),
        previous=before,
    )

    assert rows.select("person_id", "lead_agency", "status").rows() == [("p2", "voluntary", "agreed")]
