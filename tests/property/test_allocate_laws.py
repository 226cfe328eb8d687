"""Laws that every sharing of places obeys, on random weeks, and the optimum against trying every choice."""

import itertools

import polars as pl
import pytest
from helpers.laws import examples
from helpers.outreach import NO_FLOORS, door, doors, places
from hypothesis import given, settings
from hypothesis import strategies as st

from ageingwell.config.outreach import Capacity, Floors, OutreachSettings
from ageingwell.outreach.allocate import Allocation, allocate, offers_that_matter
from ageingwell.register import LEAD_AGENCIES

SETTINGS = OutreachSettings()
LAWS = settings(max_examples=examples(12), deadline=None)
VALUES = st.integers(1, 9_999).map(lambda step: step / 10_000)
WEEKS = st.builds(Capacity, **{agency: st.integers(0, 3) for agency in LEAD_AGENCIES})
# One or two teams, each for one of the places that `offers` draws; the rest of the agency serves the other.
TEAMS = st.lists(
    st.tuples(st.sampled_from(["gp", "fire"]), st.sampled_from(["Ludlow", "Totnes"]), st.integers(0, 3)),
    min_size=1,
    max_size=2,
    unique_by=lambda team: team[:2],
).map(lambda teams: [{"agency": agency, "places": [place], "visits": n} for agency, place, n in teams])
WEEKS_WITH_TEAMS = st.builds(Capacity, place_teams=TEAMS, **{agency: st.integers(0, 3) for agency in LEAD_AGENCIES})
FLOORS = st.builds(
    Floors, **{name: st.sampled_from([0.0, 0.2, 0.5]) for name in ("unknown_to_every_service", "most_deprived_fifth")}
)


@st.composite
def offers(draw: st.DrawFn, *, agencies: tuple[str, ...] = LEAD_AGENCIES, most: int = 12) -> pl.DataFrame:
    """Draw doors with the agencies that could lead there."""
    rows = []
    for number in range(draw(st.integers(1, most))):
        group = {
            "is_unknown_to_every_service": draw(st.booleans()),
            "is_most_deprived_fifth": draw(st.booleans()),
            "was_listed": False,
            "place": draw(st.sampled_from(["Ludlow", "Totnes"])),
        }
        for agency in sorted(draw(st.sets(st.sampled_from(agencies), min_size=1))):
            rows.append(door(f"h{number:02}", agency, draw(VALUES), rank=number + 1, **group))
    return doors(*rows)


def share(table: pl.DataFrame, week: Capacity, floors: Floors = NO_FLOORS, **changed: object) -> Allocation:
    return allocate(table, capacity=week, floors=floors, settings=SETTINGS.model_copy(update=changed), seed=7)


def within(week: Capacity, visits: list[dict]) -> bool:
    """Whether each team, and what is left of each agency for the other places, makes no more visits than it can."""
    left = list(visits)
    for team in week.place_teams:
        theirs = [visit for visit in left if visit["lead_agency"] == team.agency and visit["place"] in team.places]
        left = [visit for visit in left if visit not in theirs]
        if len(theirs) > team.visits:
            return False
    return all(
        sum(visit["lead_agency"] == agency for visit in left) <= getattr(week, agency) for agency in LEAD_AGENCIES
    )


def every_choice(table: pl.DataFrame, week: Capacity) -> list[list[dict]]:
    """Every way to give each door one of its leads or none, within the week's places."""
    by_door = [group.to_dicts() for _, group in table.group_by("door_id", maintain_order=True)]
    found = []
    for picks in itertools.product(*([None, *leads] for leads in by_door)):
        chosen = [pick for pick in picks if pick is not None]
        if within(week, chosen):
            found.append(chosen)
    return found


@pytest.mark.slow
@LAWS
@given(offers(agencies=("gp", "fire", "voluntary"), most=5), WEEKS)
def test_no_other_choice_reaches_more(table: pl.DataFrame, week: Capacity) -> None:
    best = max(sum(pick["value"] for pick in chosen) for chosen in every_choice(table, week))

    assert abs(share(table, week).total_value - best) < 1e-9


@pytest.mark.slow
@LAWS
@given(offers(agencies=("gp", "fire", "voluntary"), most=5), WEEKS_WITH_TEAMS)
def test_with_teams_no_other_choice_within_every_teams_places_reaches_more(table: pl.DataFrame, week: Capacity) -> None:
    best = max(sum(pick["value"] for pick in chosen) for chosen in every_choice(table, week))
    shared = share(table, week)

    assert within(week, shared.visits.to_dicts())
    assert abs(shared.total_value - best) < 1e-9


@LAWS
@given(offers(most=12), WEEKS_WITH_TEAMS, st.sampled_from([0.0, 0.5]))
def test_no_team_makes_more_visits_than_it_can_and_the_account_of_each_agency_is_right(
    table: pl.DataFrame, week: Capacity, random_share: float
) -> None:
    shared = share(table, week, random_share=random_share)

    assert within(week, shared.visits.to_dicts())
    assert dict(shared.marginal.select("lead_agency", "places").iter_rows()) == week.places()
    used = {agency: shared.visits.filter(lead_agency=agency).height for agency in LEAD_AGENCIES}
    assert dict(shared.marginal.select("lead_agency", "used").iter_rows()) == used


@LAWS
@given(offers(agencies=("gp", "fire"), most=5), WEEKS, FLOORS)
def test_floors_come_first_and_then_no_other_choice_reaches_more(
    table: pl.DataFrame, week: Capacity, floors: Floors
) -> None:
    usable = max(len(chosen) for chosen in every_choice(table, week))
    wanted = {name: -(-round(part * usable * 10) // 10) for name, part in floors.shares().items()}

    def worth(chosen: list[dict]) -> tuple[int, float]:
        kept = sum(min(sum(pick[f"is_{name}"] for pick in chosen), floor) for name, floor in wanted.items())
        return kept, round(sum(pick["value"] for pick in chosen), 6)

    assert worth(share(table, week, floors).visits.to_dicts()) == max(map(worth, every_choice(table, week)))


@LAWS
@given(offers(most=30), WEEKS, FLOORS, st.sampled_from([0.0, 0.5]))
def test_no_agency_exceeds_its_places_and_no_door_gets_two_knocks(
    table: pl.DataFrame, week: Capacity, floors: Floors, random_share: float
) -> None:
    visits = share(table, week, floors, random_share=random_share).visits

    assert visits["door_id"].is_unique().all()
    used = dict(visits.group_by("lead_agency").len().iter_rows())
    assert all(used.get(agency, 0) <= limit for agency, limit in week.places().items())
    could = set(table.select("door_id", "lead_agency").iter_rows())
    assert set(visits.select("door_id", "lead_agency").iter_rows()) <= could


@pytest.mark.slow
@LAWS
@given(offers(most=20), WEEKS, FLOORS, st.randoms(use_true_random=False), st.sampled_from([0.0, 0.4]))
def test_the_order_of_rows_changes_nothing(
    table: pl.DataFrame, week: Capacity, floors: Floors, random, random_share: float
) -> None:
    rows = table.to_dicts()
    random.shuffle(rows)

    one = share(table, week, floors, random_share=random_share)
    other = share(doors(*rows), week, floors, random_share=random_share)

    for name in ("visits", "just_missed", "marginal", "draw"):
        assert getattr(one, name).equals(getattr(other, name))
    assert one.messages == other.messages


@pytest.mark.slow
@LAWS
@given(offers(most=20), WEEKS, st.sampled_from(LEAD_AGENCIES))
def test_one_more_place_never_lowers_what_is_reached_and_the_marginal_table_says_by_how_much(
    table: pl.DataFrame, week: Capacity, agency: str
) -> None:
    now = share(table, week)
    more = share(table, week.model_copy(update={agency: getattr(week, agency) + 1}))

    gain = more.total_value - now.total_value
    assert gain >= -1e-9
    assert abs(now.marginal.filter(lead_agency=agency)["extra_value"].item() - gain) < 1e-6


@pytest.mark.slow
@LAWS
@given(offers(most=12), WEEKS, FLOORS, st.sampled_from(LEAD_AGENCIES), st.integers(1, 40))
def test_places_that_no_door_can_use_change_nothing(
    table: pl.DataFrame, week: Capacity, floors: Floors, agency: str, spare: int
) -> None:
    could = table.filter(lead_agency=agency)["door_id"].n_unique()
    plenty = week.model_copy(update={agency: max(could, getattr(week, agency))})

    now = share(table, plenty, floors)
    more = share(table, plenty.model_copy(update={agency: getattr(plenty, agency) + spare}), floors)

    assert more.visits.equals(now.visits)


@pytest.mark.slow
@LAWS
@given(offers(most=12), WEEKS, FLOORS, st.sampled_from(LEAD_AGENCIES))
def test_the_marginal_table_names_the_doors_that_a_week_with_one_more_place_takes(
    table: pl.DataFrame, week: Capacity, floors: Floors, agency: str
) -> None:
    now = share(table, week, floors)
    more = share(table, week.model_copy(update={agency: getattr(week, agency) + 1}), floors)

    told = now.marginal.filter(lead_agency=agency)["extra_doors"].item().to_list()
    assert told == sorted(set(more.visits["door_id"]) - set(now.visits["door_id"]))


@pytest.mark.slow
@LAWS
@given(offers(most=20), WEEKS)
def test_nobody_who_just_missed_is_worth_more_than_a_visit_of_the_same_agency(
    table: pl.DataFrame, week: Capacity
) -> None:
    shared = share(table, week)

    for agency in LEAD_AGENCIES:
        visited = shared.visits.filter(lead_agency=agency)["value"]
        missed = shared.just_missed.filter(lead_agency=agency)["value"]
        if len(missed) and len(visited):
            assert missed.max() <= visited.min()
        if len(missed):
            assert len(visited) == getattr(week, agency)  # a place is never left empty while a door waits


@pytest.mark.slow
@LAWS
@given(offers(most=30), WEEKS, FLOORS)
def test_looking_only_at_the_most_worthy_offers_loses_nothing(
    table: pl.DataFrame, week: Capacity, floors: Floors
) -> None:
    # Doors of every kind that are worth less than every other: hundreds of them, of which a few can come to count.
    tail = doors(*(door(f"z{n:03}", agency, 0.00005, rank=500 + n) for n in range(50) for agency in LEAD_AGENCIES))
    everything = pl.concat([table, tail.select(table.columns)])

    kept = offers_that_matter(everything, capacity=week, floors=floors, settings=SETTINGS)

    assert share(kept, week, floors).visits.rows() == share(everything, week, floors).visits.rows()


@pytest.mark.slow
@LAWS
@given(offers(most=15), WEEKS)
def test_with_the_margin_a_list_that_is_best_tonight_is_kept_tomorrow(table: pl.DataFrame, week: Capacity) -> None:
    last = share(table, week).visits.select("door_id", pl.col("lead_agency").alias("previous_lead"))

    again = (
        table.drop("previous_lead")
        .join(last, on="door_id", how="left", maintain_order="left")
        .with_columns(was_listed=(pl.col("lead_agency") == pl.col("previous_lead")).fill_null(value=False))
    )

    assert (
        share(again, week).visits.select("door_id", "lead_agency").sort("door_id").rows()
        == share(table, week).visits.select("door_id", "lead_agency").sort("door_id").rows()
    )


def test_a_week_without_places_or_without_doors_is_empty_and_no_error() -> None:
    assert share(doors(door("h1", "gp", 0.5)), places()).visits.is_empty()
    nobody = share(doors(door("h1", "gp", 0.5)).clear(), places(gp=3))
    assert nobody.visits.is_empty()
    assert nobody.just_missed.is_empty()
