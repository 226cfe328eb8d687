"""The lot at the margin: drawn anew each week, recorded, never twice for those who lost, never among urgent needs."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from helpers.outreach import NO_FLOORS, door, doors, places

from ageingwell.config.outreach import OutreachSettings
from ageingwell.outreach.allocate import allocate
from ageingwell.outreach.lot import LOT, NO_LOT, left_out, lot_number, lot_of, week_of, without_losers

FIRST = date(2026, 11, 22)
NOBODY = pl.Series("person_id", [], dtype=pl.String)


def night(on: date, lots: pl.DataFrame, *, seed: int = 1, n: int = 88, urgent: frozenset[str] = frozenset()):
    """One night as the library holds it: those who lost a lot are left out first, then the places are shared."""
    settings = OutreachSettings(random_share=0.5)
    table = doors(
        *(
            door(f"h{k:02}", "fire", 0.9 - k / 100, rank=k + 1, is_urgent=is_urgent, urgent_met=int(is_urgent))
            for k, is_urgent in ((k, f"h{k:02}" in urgent) for k in range(n))
        )
    )
    losers = left_out(lots, on=on)["person_id"]
    shared = allocate(
        without_losers(table, losers),
        capacity=places(fire=10),
        floors=NO_FLOORS,
        settings=settings,
        seed=seed,
        lot_week=week_of(on),
        never_drawn=NOBODY,
    )
    drawn = lot_of(shared.draw, on=on, left_out_days=settings.lot_left_out_days, week=week_of(on))
    return shared.visits, pl.concat([lots, drawn])


@pytest.fixture(scope="module")
def twelve_nights() -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """Twelve weekly nights, one after the other."""
    visits, lots = [], NO_LOT
    for week in range(12):
        came, lots = night(FIRST + timedelta(weeks=week), lots)
        visits.append(came)
    return visits, lots


def test_nobody_who_lost_is_visited_within_the_stated_time(twelve_nights) -> None:
    visits, lots = twelve_nights
    lost = lots.filter(~pl.col("is_won"))

    assert lost.height >= 12
    for week, came in enumerate(visits):
        on = FIRST + timedelta(weeks=week)
        waiting = lost.filter((pl.col("drawn_on") < on) & (pl.col("left_out_until") > on))["person_id"]
        assert set(came["person_ids"].explode()) & set(waiting) == set()
    assert (lost["left_out_until"] - lost["drawn_on"]).unique().to_list() == [timedelta(days=91)]


def test_nobody_takes_part_again_while_they_are_left_out(twelve_nights) -> None:
    _, lots = twelve_nights

    for (_,), draws in lots.sort("drawn_on").group_by("person_id"):
        for earlier, later in pairwise(draws.iter_rows(named=True)):
            assert earlier["is_won"] or later["drawn_on"] >= earlier["left_out_until"]


def test_every_lot_can_be_drawn_again_from_the_file(twelve_nights) -> None:
    _, lots = twelve_nights

    assert lots["drawn_on"].n_unique() == 12
    for (_, agency, _), lot in lots.group_by("drawn_on", "lead_agency", "team"):
        numbers = [lot_number(door, week=week, seed=1) for door, week in lot.select("door_id", "week").iter_rows()]
        assert lot["number"].to_list() == numbers, agency
        assert lot["is_won"].sum() * 2 == lot.height
        assert lot.filter("is_won")["number"].max() < lot.filter(~pl.col("is_won"))["number"].min()
    assert set(lots["chance"]) == {0.5}


def test_the_week_and_the_seed_decide_and_not_the_day() -> None:
    def winners(on: date, seed: int) -> list[str]:
        return night(on, NO_LOT, seed=seed)[1].filter("is_won")["door_id"].sort().to_list()

    monday = date(2026, 11, 23)

    assert winners(monday, 1) == winners(monday + timedelta(days=6), 1)
    assert winners(monday, 1) != winners(monday + timedelta(days=7), 1)
    assert winners(monday, 1) != winners(monday, 2)


def test_each_door_wins_half_the_time() -> None:
    weeks = [week_of(FIRST + timedelta(weeks=week)) for week in range(2_000)]
    numbers = np.array([[lot_number(f"h{k:02}", week=week, seed=1) for k in range(10)] for week in weeks])
    wins = (numbers.argsort(axis=1).argsort(axis=1) < 5).mean(axis=0)

    # Of 2,000 fair draws the share lies within 0.035 of a half in all but 1 of 600; ten doors are looked at.
    assert np.abs(wins - 0.5).max() < 0.04


def test_an_urgent_need_of_somebody_who_lost_comes_first_and_takes_part_in_no_lot() -> None:
    _, lots = night(FIRST, NO_LOT)
    lost = lots.filter(~pl.col("is_won"))["door_id"].sort().to_list()

    came, later = night(FIRST + timedelta(weeks=1), lots, urgent=frozenset(lost[:1]))

    assert lost[0] in came["door_id"].to_list()
    assert lost[1] not in came["door_id"].to_list()
    new = later.filter(pl.col("drawn_on") > FIRST)
    assert lost[0] not in new["door_id"].to_list()


def test_people_whom_the_group_keeps_out_are_not_drawn() -> None:
    table = doors(*(door(f"h{k:02}", "fire", 0.9 - k / 100, rank=k + 1) for k in range(20)))
    kept_out = pl.Series("person_id", ["person-of-h08", "person-of-h11"])

    shared = allocate(
        table,
        capacity=places(fire=10),
        floors=NO_FLOORS,
        settings=OutreachSettings(random_share=0.4),
        seed=1,
        lot_week="2026-W48",
        never_drawn=kept_out,
    )

    assert {"h08", "h11"} & set(shared.draw["door_id"]) == set()
    assert "h08" in shared.visits["door_id"].to_list()
    assert shared.draw.height > 0


def test_a_lot_of_couples_has_a_row_a_person() -> None:
    draw = pl.DataFrame(
        {
            "lead_agency": ["gp"],
            "team": [0],
            "door_id": ["h1"],
            "household_id": ["h1"],
            "person_ids": [["p1", "p2"]],
            "number": [0.7],
            "is_won": [False],
        }
    )

    lot = lot_of(draw, on=FIRST, left_out_days=91, week=week_of(FIRST))

    assert lot.schema == LOT
    assert lot["person_id"].to_list() == ["p1", "p2"]
    assert left_out(lot, on=FIRST + timedelta(days=90)).height == 2
    assert left_out(lot, on=FIRST + timedelta(days=91)).height == 0
