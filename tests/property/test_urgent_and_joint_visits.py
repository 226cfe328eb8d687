"""Urgent needs first, and every agency that comes to a home on a place of its own, for drawn homes and capacities.

The doors are those that `one_knock_a_door` makes of drawn people and needs; every choice is listed by brute force.
"""

import itertools
from datetime import date

import polars as pl
import pytest
from helpers.laws import examples
from helpers.outreach import NO_FLOORS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ageingwell.config.outreach import Capacity, Floors, OutreachSettings
from ageingwell.outreach.allocate import allocate, offers_that_matter
from ageingwell.outreach.household import one_knock_a_door
from ageingwell.outreach.listing import list_rows
from ageingwell.register import LEAD_AGENCIES

SETTINGS = OutreachSettings()
AS_OF = date(2026, 11, 22)
LAWS = settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])
AGENCIES = ("gp", "fire", "housing")
WEEKS = st.builds(Capacity, **{agency: st.integers(0, 2) for agency in LEAD_AGENCIES})
TEAMS = st.lists(
    st.tuples(st.sampled_from(["gp", "fire"]), st.sampled_from(["Ludlow", "Totnes"]), st.integers(0, 2)),
    max_size=2,
    unique_by=lambda team: team[:2],
).map(lambda teams: [{"agency": agency, "places": [place], "visits": n} for agency, place, n in teams])
WEEKS_WITH_TEAMS = st.builds(Capacity, place_teams=TEAMS, **{agency: st.integers(0, 2) for agency in LEAD_AGENCIES})
URGENCIES = st.sampled_from(["urgent", "soon", "soon", "routine"])
RISKS = st.integers(0, 60).map(lambda step: step / 100)


@st.composite
def people_and_needs(draw, *, most=5):
    """People, one or two at a home, as `rank_people` gives them; and their needs."""
    people, needs = [], []
    for number in range(draw(st.integers(1, most))):
        home = f"h{draw(st.integers(0, most - 1))}"
        agreed = draw(st.sampled_from([None, None, None, *AGENCIES]))
        people.append(
            {
                "person_id": f"p{number}",
                "household_id": draw(st.sampled_from([home, home, home, None])),
                "risk": draw(RISKS),
                "previous_lead": agreed,
                "previous_status": None if agreed is None else draw(st.sampled_from(["proposed", "agreed", "overdue"])),
            }
        )
        for name in draw(st.lists(st.integers(0, 5), max_size=3, unique=True)):
            needs.append(
                {
                    "person_id": f"p{number}",
                    "need": f"need {name}",
                    "lead_agency": AGENCIES[name % len(AGENCIES)],
                    "urgency": draw(URGENCIES),
                    "action": f"step {name}",
                }
            )
    place_of = {f"h{n}": draw(st.sampled_from(["Ludlow", "Totnes"])) for n in range(most)}
    frame = pl.DataFrame(people, schema_overrides=dict.fromkeys(TEXTS, pl.String)).sort("risk", descending=True)
    ranked = frame.with_columns(
        rank=pl.int_range(1, pl.len() + 1),
        why=pl.lit("both"),
        place=pl.col("household_id").replace_strict(place_of, default="Clun", return_dtype=pl.String),
        known_to=pl.lit([], dtype=pl.List(pl.String)),
        deprivation_decile=pl.lit(5),
        is_rural=pl.lit(0.0),
        is_frozen=(pl.col("previous_status") != "proposed").fill_null(value=False),
        has_staff_safety_marker=pl.lit(value=False),
        care_home=pl.lit("no"),
        risk_low=pl.col("risk"),
        risk_high=pl.col("risk"),
        band=pl.lit("top 20"),
    )
    return ranked, pl.DataFrame(needs, schema=dict.fromkeys(NEED_COLUMNS, pl.String))


TEXTS = ("household_id", "previous_lead", "previous_status")
NEED_COLUMNS = ("person_id", "need", "lead_agency", "urgency", "action")


def share(people, needs, week, floors=NO_FLOORS):
    doors = one_knock_a_door(people, needs, settings=SETTINGS)
    return doors, allocate(doors, capacity=week, floors=floors, settings=SETTINGS)


def comes(visit):
    return [visit["lead_agency"], *visit["joint_with"]]


def used(visits, week):
    """Places used by team, an agency's own number for the places that no team of it serves."""
    counts = dict.fromkeys([*LEAD_AGENCIES, *range(len(week.place_teams))], 0)
    for visit in visits:
        for agency in comes(visit):
            teams = [
                n for n, team in enumerate(week.place_teams) if team.agency == agency and visit["place"] in team.places
            ]
            counts[teams[0] if teams else agency] += 1
    return counts


def limits(week, doors=None):
    """The places of each team; of one with more agreed visits than places, as many as these: none is dropped."""
    places = {agency: getattr(week, agency) for agency in LEAD_AGENCIES} | {
        n: team.visits for n, team in enumerate(week.place_teams)
    }
    if doors is None:
        return places
    agreed = [visit | {"joint_with": []} for visit in agreed_doors_of(doors).to_dicts()]
    return {team: max(n, used(agreed, week)[team]) for team, n in places.items()}


def agreed_doors_of(doors):
    return doors.filter(pl.col("is_frozen") & (pl.col("lead_agency") == pl.col("previous_lead"))).unique("door_id")


def is_within(visits, week, doors=None):
    room = limits(week, doors)
    return all(n <= room[team] for team, n in used(visits, week).items())


@LAWS
@given(people_and_needs(most=12), WEEKS_WITH_TEAMS, st.sampled_from([NO_FLOORS, Floors()]))
def test_no_agency_and_no_team_has_more_visits_than_places_joint_ones_included(drawn, week, floors):
    doors, shared = share(*drawn, week, floors)
    visits = shared.visits.to_dicts()

    assert is_within(visits, week, doors)
    # An agency goes beyond its places with agreed visits alone, and then with no other.
    for team, n in used(visits, week).items():
        if n > limits(week)[team]:
            alone = [visit | {"joint_with": []} for visit in agreed_doors_of(doors).to_dicts()]
            assert n == used(alone, week)[team]
    assert shared.visits["door_id"].is_unique().all()
    of_agency = {name: sum(name in comes(visit) for visit in visits) for name in LEAD_AGENCIES}
    assert dict(shared.marginal.select("lead_agency", "used").iter_rows()) == of_agency


@LAWS
@given(people_and_needs(most=12), WEEKS_WITH_TEAMS)
def test_whoever_is_needed_and_does_not_come_has_no_place_left(drawn, week):
    _, needs = drawn
    doors, shared = share(*drawn, week)
    visits = shared.visits.to_dicts()
    taken, room = used(visits, week), limits(week, doors)

    for visit in visits:
        there = set(needs.filter(pl.col("person_id").is_in(visit["person_ids"]))["lead_agency"])
        if visit["household_id"] is not None:
            assert set(visit["not_coming"]) == there - set(comes(visit))
        for agency in visit["not_coming"] if visit["household_id"] is not None else []:
            [team] = [
                n for n, team in enumerate(week.place_teams) if team.agency == agency and visit["place"] in team.places
            ] or [agency]
            assert taken[team] == room[team]


def every_choice(doors, week):
    """Every way to send some agencies to each door, or none, within the week's places and as agreed."""
    by_door = [group.to_dicts() for _, group in doors.group_by("door_id", maintain_order=True)]
    for picks in itertools.product(*([None, *offers] for offers in by_door)):
        chosen = [pick for pick in picks if pick is not None]
        if is_within(chosen, week):
            yield chosen


def urgency_met(chosen):
    """Agencies that come for an urgent need of theirs."""
    return sum(pick["urgent_met"] for pick in chosen)


@pytest.mark.slow
@LAWS
@given(people_and_needs(most=4), WEEKS_WITH_TEAMS)
def test_no_other_choice_meets_more_urgent_need_and_then_none_reaches_more(drawn, week):
    people, needs = drawn
    nobody_agreed = people.with_columns(
        is_frozen=pl.lit(value=False), previous_lead=pl.lit(None, dtype=pl.String), previous_status=pl.lit("proposed")
    )
    doors, shared = share(nobody_agreed, needs, week)

    best = max(
        (urgency_met(chosen), round(sum(pick["value"] for pick in chosen), 6)) for chosen in every_choice(doors, week)
    )

    visits = shared.visits.to_dicts()
    assert urgency_met(visits) == best[0]
    assert abs(shared.total_value - best[1]) < 1e-6


@LAWS
@given(people_and_needs(most=10), WEEKS_WITH_TEAMS)
def test_an_agreed_visit_keeps_its_lead_and_its_place_before_any_urgent_need(drawn, week):
    doors, shared = share(*drawn, week)
    agreed = agreed_doors_of(doors)
    kept = shared.visits.join(agreed.select("door_id", agreed_lead="lead_agency"), on="door_id")

    assert (kept["lead_agency"] == kept["agreed_lead"]).all()
    assert kept.height == agreed.height


@LAWS
@given(people_and_needs(most=10), WEEKS, st.integers(2, 4))
def test_parting_the_doors_into_shards_changes_nothing(drawn, week, n_shards):
    doors, shared = share(*drawn, week)
    numbers = doors["door_id"].unique().sort()
    shard = pl.col("door_id").replace_strict({door: at % n_shards for at, door in enumerate(numbers)})
    parts = [doors.filter(shard == at) for at in range(n_shards)]

    kept = pl.concat(
        offers_that_matter(part, capacity=week, floors=NO_FLOORS, settings=SETTINGS)
        for part in parts
        if not part.is_empty()
    )

    again = allocate(kept, capacity=week, floors=NO_FLOORS, settings=SETTINGS)
    assert again.visits.equals(shared.visits)
    assert again.marginal.equals(shared.marginal)


@LAWS
@given(people_and_needs(most=12), WEEKS)
def test_no_list_places_a_home_without_an_urgent_need_above_one_with_it_and_homes_stand_together(drawn, week):
    people, needs = drawn
    _, shared = share(people, needs, week)

    rows = list_rows(shared.visits, ranked=people, needs=needs, settings=SETTINGS, as_of=AS_OF)

    door = pl.coalesce("household_id", "person_id")
    by_home = rows.with_columns(door=door).group_by("door", maintain_order=True).agg(
        is_late=(pl.col("status") == "overdue").any(),
        urgency=pl.col("urgency").first(), n=pl.col("urgency").n_unique(),
        first=pl.col("position").min(), last=pl.col("position").max(), people=pl.len(), best=pl.col("rank").min(),
    )  # fmt: skip
    assert rows["position"].to_list() == list(range(1, rows.height + 1))
    assert (by_home["last"] - by_home["first"] + 1 == by_home["people"]).all()
    assert (by_home["n"] == 1).all()
    keys = [
        (not late, urgency != "urgent", best)
        for late, urgency, best in by_home.select("is_late", "urgency", "best").rows()
    ]
    assert keys == sorted(keys)
    # The urgency of a home is that of the most urgent need of anybody listed there.
    ranks = {"urgent": 0, "soon": 1, "routine": 2}
    listed = needs.join(rows.select("person_id", door=door), on="person_id")
    for home, urgency in by_home.select("door", "urgency").rows():
        found = [ranks[one] for one in listed.filter(door=home)["urgency"]]
        assert ranks[urgency] == min(found, default=2)
    assert (rows["act_by"].is_null() == (rows["urgency"] == "routine")).all()
