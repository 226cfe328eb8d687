"""The lot can be rebuilt from the files of a night; lot, ledger and manifest agree, or it is told."""

import shutil
from datetime import UTC, date, datetime, time, timedelta

import polars as pl
import pytest
from helpers.outreach import NO_FLOORS, door, doors, places
from hypothesis import given, settings
from hypothesis import strategies as st

from ageingwell.config.outreach import OutreachSettings
from ageingwell.decisions.ledger import append, read_ledger
from ageingwell.errors import LotError
from ageingwell.night import lot_kept
from ageingwell.night.lot_kept import keep_lot, stop_on_other_lot
from ageingwell.outreach.allocate import allocate
from ageingwell.outreach.lot import NO_LOT, left_out, lot_number, lot_of, week_of, without_losers

FIRST = date(2026, 11, 22)
PEOPLE = pl.Series("person_id", [f"person-of-h{k:02}" for k in range(60)])


def night(on: date, lots: pl.DataFrame, *, seed: int, share: float, days: int, first: int, n: int) -> pl.DataFrame:
    """A night's lot with all before, as the library holds it; each night has other homes near the margin."""
    order = [(first + k) % n for k in range(n)]
    table = doors(*(door(f"h{k:02}", "fire", 0.9 - at / 100, rank=at + 1) for at, k in enumerate(order)))
    outreach = OutreachSettings(random_share=share, lot_left_out_days=days)
    shared = allocate(
        without_losers(table, left_out(lots, on=on)["person_id"]),
        capacity=places(fire=8),
        floors=NO_FLOORS,
        settings=outreach,
        seed=seed,
        lot_week=week_of(on),
        never_drawn=pl.Series("person_id", [], dtype=pl.String),
    )
    return pl.concat([lots, lot_of(shared.draw, on=on, left_out_days=days, week=week_of(on))])


schedules = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**31),
        "share": st.sampled_from([0.25, 0.4, 0.5]),
        "days": st.sampled_from([7, 28, 91]),
        "first": st.integers(0, 11),
        "n": st.sampled_from([20, 44]),
    }
)


@settings(max_examples=3, deadline=None)
@given(schedule=schedules)
def test_twelve_nights_can_be_drawn_again_and_nobody_who_lost_is_drawn_too_soon(schedule):
    lots = NO_LOT
    for week in range(12):
        lots = night(FIRST + timedelta(weeks=week), lots, **schedule)

    numbers = [
        lot_number(home, week=week, seed=schedule["seed"]) for home, week in lots.select("door_id", "week").iter_rows()
    ]
    assert lots["number"].to_list() == numbers
    for _, lot in lots.group_by("drawn_on", "lead_agency", "team"):
        ours = lot.unique("door_id").sort("number")
        assert ours["is_won"].to_list() == [True] * (ours.height // 2) + [False] * (ours.height // 2)
    lost = lots.filter(~pl.col("is_won"))
    again = lost.join(lots, on="person_id", suffix="_then").filter(pl.col("drawn_on_then") > pl.col("drawn_on"))
    assert (again["drawn_on_then"] >= again["left_out_until"]).all()


@pytest.fixture
def three_nights(made, tmp_path):
    """Three nights' lots, and a ledger of one's own that tells them."""
    lots, place = made
    shutil.copytree(place, tmp_path / "out")
    return lots, tmp_path / "out" / "decisions.sqlite"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("lots")
    lots, ledger = NO_LOT, place / "decisions.sqlite"
    for week in range(3):
        on = FIRST + timedelta(weeks=week)
        lots = night(on, lots, seed=1, share=0.5, days=91, first=0, n=60)
        keep_lot(ledger, lots, on=on, people=PEOPLE)
    return lots, place


def test_ledger_and_lot_agree_and_the_same_night_again_adds_nothing(three_nights):
    lots, ledger = three_nights

    stop_on_other_lot(lots, read_ledger(ledger))
    before = read_ledger(ledger)
    keep_lot(ledger, lots, on=FIRST + timedelta(weeks=2), people=PEOPLE)

    assert read_ledger(ledger).height == before.height == lots.height
    told = before.filter(lot="lost").select("night", "person_id", "left_out_until")
    lost = lots.filter(~pl.col("is_won")).select(pl.col("drawn_on").alias("night"), "person_id", "left_out_until")
    assert told.sort("night", "person_id").equals(lost.sort("night", "person_id"))


def test_a_run_that_died_before_the_ledger_was_written_is_made_good_by_the_next(three_nights, tmp_path):
    lots, _ = three_nights
    ledger = tmp_path / "new.sqlite"

    stop_on_other_lot(lots, read_ledger(ledger))
    keep_lot(ledger, lots, on=FIRST + timedelta(weeks=2), people=PEOPLE)

    assert read_ledger(ledger).height == lots.height


def flipped(lots, at):
    return lots.with_columns(is_won=pl.when(pl.int_range(pl.len()) == at).then(~pl.col("is_won")).otherwise("is_won"))


TAMPERED = {
    "somebody's side": lambda lots, at: flipped(lots, at),
    "the day until which they are left off": lambda lots, at: lots.with_columns(
        left_out_until=pl.when((pl.int_range(pl.len()) == at) | pl.col("left_out_until").is_not_null()).then(
            pl.lit(FIRST)
        )
    ),
    "whose places": lambda lots, at: lots.with_columns(lead_agency=pl.lit("gp")),
    "the numbers": lambda lots, at: lots.with_columns(number=1 - pl.col("number")),
    "the week": lambda lots, at: lots.with_columns(week=pl.lit("2026-W01")),
    "somebody put in": lambda lots, at: pl.concat(
        [lots, lots.filter("is_won").tail(1).with_columns(person_id=pl.lit("person-of-h99"))]
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_lot_that_was_changed_stops(three_nights, what):
    lots, ledger = three_nights
    for at in (0, lots.height - 1):
        with pytest.raises(LotError, match="lot of 2026"):
            stop_on_other_lot(TAMPERED[what](lots, at), read_ledger(ledger))


def test_numbers_that_seed_and_week_do_not_give_stop(three_nights, tmp_path, monkeypatch):
    lots, ledger = three_nights
    entries = read_ledger(ledger)
    for told, fault in (({"seed": 2, "week": "2026-W47"}, "other numbers"), ({}, "not in the manifest")):
        monkeypatch.setattr(lot_kept, "_manifest", lambda nights, night, told=told: {"lot": told})
        with pytest.raises(LotError, match=fault):
            stop_on_other_lot(lots, entries, tmp_path)


def test_a_night_made_again_with_another_draw_is_told_anew(three_nights):
    lots, ledger = three_nights
    last = FIRST + timedelta(weeks=2)
    gone = lots.filter(drawn_on=last)["door_id"][0]
    again = lots.filter((pl.col("drawn_on") != last) | (pl.col("door_id") != gone))

    keep_lot(ledger, again, on=last, people=PEOPLE)

    stop_on_other_lot(again, read_ledger(ledger))
    assert read_ledger(ledger).filter(lot="none").height == 1


def test_what_lists_said_is_not_touched_by_a_lot(three_nights):
    from ageingwell.decisions.entry import Entry, entries_of

    _, ledger = three_nights
    said = Entry(FIRST, "fire", "listed", "person-of-h01", None, decision="contact_now", led_by="fire")
    append(ledger, [said], role="chair", recorded_at=datetime.combine(FIRST, time(9), UTC), file_sha256="0" * 64)

    assert entries_of(read_ledger(ledger)) == [said]
