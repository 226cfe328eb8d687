"""What was known on a day: rows by their day of recording, endings by theirs."""

from datetime import date

import polars as pl
import pytest
from helpers.tables import table

from ageingwell.timeline import ENDINGS, AsOf, Ending, Horizon, Lookback, known

NIGHT = AsOf(date(2026, 11, 22))
END_OF_CARE = [ending for ending in ENDINGS["care_events"] if ending.column == "ended_on"]


def test_a_row_counts_from_the_day_after_its_recording() -> None:
    rows = table("""
        id     | happened_on | recorded_on
        before | 2026-01-01  | 2026-11-21
        on_it  | 2026-01-01  | 2026-11-22
        after  | 2026-01-01  | 2026-11-23
        never  | 2026-01-01  |
    """)

    assert known(rows.lazy(), NIGHT).collect()["id"].to_list() == ["before"]


def test_an_ending_is_known_from_its_own_recording_else_from_its_day_and_the_lag() -> None:
    rows = table("""
        id            | ended_on   | ended_recorded_on | event_outcome | recorded_on
        told_before   | 2026-11-01 | 2026-11-21        | a             | 2026-01-01
        told_that_day | 2026-11-01 | 2026-11-22        | b             | 2026-01-01
        lag_over      | 2026-11-11 |                   | c             | 2026-01-01
        lag_runs      | 2026-11-12 |                   | d             | 2026-01-01
        told_at_once  | 2026-11-20 | 2026-11-20        | e             | 2026-01-01
        still_open    |            |                   |               | 2026-01-01
        no_day        |            | 2026-11-21        | f             | 2026-01-01
    """)

    found = known(rows.lazy(), NIGHT, endings=END_OF_CARE, lag_days=10).collect()

    # 11 November and ten days are the 21st: known on the 22nd. The 12th and ten days are the 22nd itself: not yet.
    assert found.select("id", "ended_on", "event_outcome").rows() == [
        ("told_before", date(2026, 11, 1), "a"),
        ("told_that_day", None, None),
        ("lag_over", date(2026, 11, 11), "c"),
        ("lag_runs", None, None),
        ("told_at_once", date(2026, 11, 20), "e"),
        ("still_open", None, None),
        ("no_day", None, "f"),
    ]
    assert found["ended_recorded_on"].is_not_null().to_list() == [True, False, False, False, True, False, True]


@pytest.mark.parametrize(("is_made", "outcome"), [(False, "declined"), (True, None)])
def test_an_outcome_without_an_end_is_told_by_its_row_unless_the_day_of_the_row_was_made(
    is_made: bool, outcome: str | None
) -> None:
    rows = table("id | ended_on | ended_recorded_on | event_outcome | recorded_on\na | | | declined | 2020-01-01")
    typed = rows.cast({"ended_on": pl.Date, "ended_recorded_on": pl.Date})

    found = known(typed.lazy(), NIGHT, endings=END_OF_CARE, recorded_on_is_made=is_made).collect()

    assert found["event_outcome"].to_list() == [outcome]


@pytest.mark.parametrize(
    ("ended", "recorded", "is_made", "is_known"),
    [
        ("2026-11-19", "2026-11-20", False, True),
        ("2026-11-20", "2026-11-20", False, True),
        # The row was recorded before the end it tells: somebody wrote the end into it later.
        ("2026-11-20", "2026-11-19", False, False),
        # The settings made the day of recording: it says nothing of when the end was told.
        ("2026-11-19", "2026-11-20", True, False),
        # The lag is over.
        ("2026-11-11", "2026-11-01", False, True),
        ("2026-11-11", "2026-11-20", True, True),
    ],
)
@pytest.mark.parametrize(
    ("name", "ending"), [(name, ending) for name, endings in ENDINGS.items() for ending in endings]
)
def test_a_row_recorded_on_its_ending_or_after_it_tells_the_ending(
    name: str, ending: Ending, ended: str, recorded: str, is_made: bool, is_known: bool
) -> None:
    rows = table(f"person_id | {ending.column} | recorded_on\np1 | {ended} | {recorded}", like=name)

    found = known(rows.lazy(), NIGHT, endings=ENDINGS[name], lag_days=10, recorded_on_is_made=is_made).collect()

    assert found[ending.column].is_not_null().item() is is_known


def test_the_day_on_which_an_ending_was_recorded_goes_before_the_day_of_the_row() -> None:
    rows = table(
        """
        person_id | died_on    | died_recorded_on | recorded_on
        p1        | 2026-11-01 | 2026-11-22       | 2026-11-05
        """,
        like="gp_patients",
    )

    found = known(rows.lazy(), NIGHT, endings=ENDINGS["gp_patients"], lag_days=0).collect()

    assert found["died_on"].to_list() == [None]


def test_a_death_and_a_leaving_are_known_each_from_its_own_day() -> None:
    rows = table(
        """
        person_id | left_on    | left_recorded_on | died_on    | died_recorded_on | recorded_on
        p1        | 2026-10-01 | 2026-10-02       | 2026-11-20 | 2026-11-25       | 2020-01-01
        p2        | 2026-11-20 | 2026-11-25       | 2026-10-01 |                  | 2020-01-01
        """,
        like="gp_patients",
    )

    found = known(rows.lazy(), NIGHT, endings=ENDINGS["gp_patients"], lag_days=14).collect()

    assert found.select("left_on", "died_on").rows() == [(date(2026, 10, 1), None), (None, date(2026, 10, 1))]


def test_a_row_without_endings_keeps_every_column() -> None:
    rows = table("id | recorded_on\na | 2020-01-01", like=None)

    assert known(rows.lazy(), NIGHT, endings=()).collect().equals(rows)


def test_no_rows_are_no_fault() -> None:
    none = table("person_id | recorded_on\np1 | 2020-01-01", like="care_events").clear()

    found = known(none.lazy(), NIGHT, endings=[Ending("ended_on")], lag_days=3).collect()

    assert found.schema == none.schema
    assert found.is_empty()


@pytest.mark.parametrize(
    ("days_before", "in_lookback"), [(-1, False), (0, False), (1, True), (365, True), (366, False)]
)
def test_a_look_back_ends_the_day_before_the_cut_off(days_before: int, in_lookback: bool) -> None:
    day = pl.DataFrame({"day": [NIGHT.minus(days_before).day]})

    assert day.select(Lookback(365).holds(pl.col("day"), NIGHT)).item() is in_lookback


@pytest.mark.parametrize(("days_after", "in_horizon"), [(-1, False), (0, True), (364, True), (365, False)])
def test_a_horizon_starts_on_the_cut_off(days_after: int, in_horizon: bool) -> None:
    day = pl.DataFrame({"day": [NIGHT.plus(days_after).day]})

    assert day.select(Horizon(365).holds(pl.col("day"), NIGHT)).item() is in_horizon


def test_look_back_and_horizon_share_no_day_and_leave_none_out() -> None:
    days = pl.DataFrame({"day": pl.date_range(NIGHT.minus(30).day, NIGHT.plus(29).day, eager=True)})

    found = days.select(before=Lookback(30).holds(pl.col("day"), NIGHT), after=Horizon(30).holds(pl.col("day"), NIGHT))

    assert found["before"].sum() == found["after"].sum() == 30
    assert (found["before"] != found["after"]).all()


def test_a_missing_day_lies_nowhere() -> None:
    day = pl.DataFrame({"day": [None]}, schema={"day": pl.Date})

    assert day.select(Lookback(None).holds(pl.col("day"), NIGHT)).item() is None
    assert day.select(Horizon(365).holds(pl.col("day"), NIGHT)).item() is None
