"""Sharing the week's places: what it chooses, whom it keeps, and what it tells commissioners."""

import pytest
from helpers.outreach import NO_FLOORS, door, doors, places

from ageingwell.config.outreach import Floors, OutreachSettings
from ageingwell.errors import ConfigError
from ageingwell.outreach.allocate import allocate

SETTINGS = OutreachSettings()


def share(table, week, floors=NO_FLOORS, **changed):
    return allocate(table, capacity=week, floors=floors, settings=OutreachSettings(**changed), seed=7)


def pairs(shared):
    return dict(shared.visits.select("door_id", "lead_agency").iter_rows())


def test_the_best_single_door_gives_way_where_together_more_is_reached():
    # fire at h1 alone reaches 0.50; gp at h1 and fire at h2 reach 0.45 + 0.40
    table = doors(door("h1", "fire", 0.50), door("h1", "gp", 0.45), door("h2", "fire", 0.40, rank=2))

    assert pairs(share(table, places(fire=1, gp=1))) == {"h1": "gp", "h2": "fire"}


LUDLOW_TEAM = [{"agency": "fire", "places": ["Ludlow"], "visits": 1}]


def test_a_team_serves_its_places_and_the_rest_of_the_agency_every_other():
    table = doors(
        door("h1", "fire", 0.9),
        door("h2", "fire", 0.8, rank=2),
        door("h3", "fire", 0.3, rank=3, place="Totnes"),
        door("h4", "fire", 0.2, rank=4, place="Totnes"),
    )

    # Without the team the two of the highest worth, both in Ludlow.
    assert set(pairs(share(table, places(fire=2)))) == {"h1", "h2"}
    assert set(pairs(share(table, places(fire=1, place_teams=LUDLOW_TEAM)))) == {"h1", "h3"}


def test_one_more_place_is_told_of_the_team_where_it_reaches_most():
    table = doors(
        door("h1", "fire", 0.9),
        door("h2", "fire", 0.2, rank=2),
        door("h3", "fire", 0.7, rank=3, place="Totnes"),
        door("h4", "fire", 0.5, rank=4, place="Totnes"),
    )

    marginal = share(table, places(fire=1, place_teams=LUDLOW_TEAM)).marginal.filter(lead_agency="fire")

    # A second place in Totnes reaches h4 (0.5), one in Ludlow h2 (0.2).
    assert marginal.select("places", "used", "extra_value", "extra_doors").row(0) == (2, 2, 0.5, ["h4"])


def test_visits_agreed_in_a_place_count_for_the_team_of_that_place():
    agreed = {"is_frozen": True, "was_listed": True, "previous_lead": "fire"}
    table = doors(door("h1", "fire", 0.4, **agreed), door("h2", "fire", 0.3, rank=2, **agreed))

    shared = share(table, places(fire=9, place_teams=LUDLOW_TEAM))

    assert set(pairs(shared)) == {"h1", "h2"}
    assert shared.messages == ("agreed visits beyond the week of `fire`, all of which stay on the list: 1",)


def test_among_equal_doors_the_better_rank_wins():
    table = doors(*(door(f"h{n}", "fire", 0.4, rank=9 - n) for n in range(5)))

    assert pairs(share(table, places(fire=2))) == {"h4": "fire", "h3": "fire"}


@pytest.mark.parametrize(("newcomer", "listed"), [(0.45, "h1"), (0.47, "h2")])
def test_a_newcomer_takes_a_place_only_when_clearly_worth_more(newcomer, listed):
    # listed last time at 0.40, and a margin of 15%: 0.46
    table = doors(door("h1", "fire", 0.40, previous_lead="fire", was_listed=True), door("h2", "fire", newcomer, rank=2))

    assert list(pairs(share(table, places(fire=1)))) == [listed]


def test_a_floor_keeps_a_place_for_a_home_nobody_knows():
    table = doors(
        *(door(f"h{n}", "fire", 0.9 - n / 10, rank=n + 1) for n in range(3)),
        door("h9", "fire", 0.1, rank=9, is_unknown_to_every_service=True),
    )
    floors = Floors(unknown_to_every_service=0.5, most_deprived_fifth=0, rural=0)

    assert list(pairs(share(table, places(fire=2), floors))) == ["h0", "h9"]


def test_a_floor_that_cannot_be_filled_is_told_and_the_night_goes_on():
    floors = Floors(unknown_to_every_service=0, most_deprived_fifth=0, rural=1)

    shared = share(doors(door("h1", "fire", 0.9), door("h2", "fire", 0.1, is_rural=True)), places(fire=2), floors)

    assert set(pairs(shared)) == {"h1", "h2"}
    assert shared.messages == ("the floor `rural` keeps 2 places and only 1 could be filled",)


def test_what_a_meeting_agreed_keeps_its_place_and_its_lead():
    frozen = {"previous_lead": "gp", "is_frozen": True, "was_listed": True}
    table = doors(
        door("h1", "gp", 0.1, **frozen),
        door("h1", "fire", 0.9, **{**frozen, "was_listed": False}),
        door("h2", "gp", 0.9),
    )

    assert pairs(share(table, places(gp=1, fire=1))) == {"h1": "gp"}


def test_agreed_visits_beyond_the_week_all_stay_and_are_told_and_nobody_new_gets_a_place():
    frozen = {"previous_lead": "gp", "is_frozen": True, "was_listed": True}
    table = doors(
        door("h1", "gp", 0.1, rank=2, **frozen),
        door("h2", "gp", 0.9, rank=1, **frozen),
        door("h3", "gp", 0.95, rank=3),
    )

    shared = share(table, places(gp=1))

    assert pairs(shared) == {"h1": "gp", "h2": "gp"}
    assert shared.messages == ("agreed visits beyond the week of `gp`, all of which stay on the list: 1",)
    gp = shared.marginal.filter(lead_agency="gp").to_dicts()[0]
    assert (gp["places"], gp["used"], gp["extra_value"]) == (1, 2, 0.0)


def test_commissioners_see_who_just_missed_and_what_one_more_visit_would_reach():
    table = doors(*(door(f"h{n}", "fire", 0.9 - n / 10, rank=n + 1) for n in range(4)), door("h9", "gp", 0.2))

    shared = share(table, places(fire=2, gp=1), just_missed_shown=1)

    assert shared.just_missed.select("lead_agency", "position", "door_id").rows() == [("fire", 1, "h2")]
    by_agency = {row["lead_agency"]: row for row in shared.marginal.to_dicts()}
    assert by_agency["fire"] == {
        "lead_agency": "fire",
        "places": 2,
        "used": 2,
        "extra_value": 0.7,
        "extra_risk": 0.7,
        "extra_doors": ["h2"],
    }
    assert by_agency["gp"]["extra_value"] == 0.0


def test_one_more_visit_of_one_agency_can_free_another():
    # with a second gp visit, gp takes h1 and fire goes on to h3
    table = doors(
        door("h1", "fire", 0.5), door("h1", "gp", 0.5), door("h2", "gp", 0.6), door("h3", "fire", 0.3, rank=3)
    )

    gp = share(table, places(fire=1, gp=1)).marginal.filter(lead_agency="gp")

    assert gp.select("extra_value", "extra_doors").rows() == [(0.3, ["h3"])]


def test_the_lot_at_the_margin_is_even_repeatable_and_off_by_default():
    table = doors(*(door(f"h{n:02}", "fire", 0.9 - n / 100, rank=n + 1) for n in range(20)))

    assert share(table, places(fire=10)).draw.is_empty()
    drawn = share(table, places(fire=10), random_share=0.4)

    # 4 of 10 places: the last 4 who got one and the first 4 who missed, half of them drawn
    assert drawn.draw["door_id"].to_list() == [f"h{n:02}" for n in range(6, 14)]
    assert drawn.draw["is_won"].sum() == 4
    assert drawn.visits.height == 10
    assert drawn.visits.filter("is_drawn")["door_id"].to_list() == sorted(drawn.draw.filter("is_won")["door_id"])
    assert share(table, places(fire=10), random_share=0.4).visits.equals(drawn.visits)


def test_a_lot_without_a_seed_is_refused():
    with pytest.raises(ConfigError, match="no seed"):
        allocate(
            doors(door("h1", "fire", 0.5)),
            capacity=places(fire=1),
            floors=NO_FLOORS,
            settings=OutreachSettings(random_share=0.2),
        )


def together(door_id, lead, partner, value, **more):
    return door(door_id, lead, value, joint_with=[partner], **more)


def test_a_joint_visit_uses_a_place_of_each_agency_that_comes():
    # fire and gp together at h1 are worth 0.50; apart they reach 0.45 at h1 and 0.20 at h2
    table = doors(
        door("h1", "fire", 0.45, not_coming=["gp"]),
        together("h1", "fire", "gp", 0.50),
        door("h2", "gp", 0.20, rank=2),
    )

    apart = share(table, places(fire=1, gp=1))
    enough = share(table, places(fire=1, gp=2))

    assert apart.visits.select("door_id", "joint_with", "not_coming").rows() == [("h1", [], ["gp"]), ("h2", [], [])]
    assert enough.visits.select("door_id", "joint_with", "not_coming").rows() == [("h1", ["gp"], []), ("h2", [], [])]
    assert dict(enough.marginal.select("lead_agency", "used").iter_rows())["gp"] == 2


def test_an_urgent_need_takes_the_place_of_its_agency_whatever_else_is_worth_more():
    urgent = {"urgent_met": 1, "is_urgent": True}
    table = doors(door("h1", "fire", 0.9), door("h2", "fire", 0.1, rank=2, **urgent))

    assert pairs(share(table, places(fire=1))) == {"h2": "fire"}


def test_who_comes_along_to_an_agreed_visit_uses_a_place_and_the_visit_stays_whole():
    agreed = {"is_frozen": True, "previous_lead": "fire", "was_listed": True, "is_most_deprived_fifth": True}
    table = doors(
        door("h1", "fire", 0.30, risk_reached=0.2, not_coming=["gp"], **agreed),
        together("h1", "fire", "gp", 0.40, risk_reached=0.2, **agreed),
        door("h2", "gp", 0.05, rank=2),
    )

    shared = share(table, places(fire=1, gp=1), Floors(unknown_to_every_service=0, most_deprived_fifth=0.5))

    # gp adds 0.10 at h1 and would add 0.05 at h2
    assert shared.visits.select("door_id", "joint_with", "value", "risk_reached").rows() == [("h1", ["gp"], 0.40, 0.2)]
    assert shared.messages == ()
