"""A night that lists nobody, or lost far more people than leave in a night, does not become current by itself."""

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from ageingwell.errors import ChangeError
from ageingwell.governance.night_facts import NightFacts
from ageingwell.night.change import count_population, population_of, stop_on_change

THEN = {"people": 1_000, "homes": 700, "practices": {"M82001": 400, "M82002": 300}}


def tonight(*, eligible: int = 900, places: int = 82, **changes: Any) -> NightFacts:
    return NightFacts(
        date(2026, 11, 22),
        population={**THEN, **changes},
        steps=[
            {"step": "spine", "reason": "under_the_age", "n": 5_000},
            {"step": "allocate", "reason": "no_place_this_week", "n": eligible},
        ],
        capacity={"gp": places},
    )


def stop(facts: NightFacts, *, before: dict[str, Any] | None = None, n_listed: int = 82) -> None:
    then = {"population": THEN} if before is None else before
    stop_on_change(facts, before=then, n_listed=n_listed, max_lost_share=0.2)


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ({"people": 799}, "people: 1,000 before, 799 now"),
        ({"homes": 559}, "homes of people: 700 before, 559 now"),
        ({"practices": {"M82001": 319, "M82002": 300}}, "patients of practice M82001: 400 before, 319 now"),
        ({"practices": {"M82001": 400}}, "patients of practice M82002: 300 before, fewer than 20 now"),
    ],
)
def test_losing_more_than_a_fifth_stops_and_names_what_was_lost(lost: dict[str, Any], told: str) -> None:
    with pytest.raises(ChangeError, match=told) as stopped:
        stop(tonight(**lost))

    assert "--accept-change" in str(stopped.value)


def test_losing_a_fifth_or_less_is_a_night_like_any_other() -> None:
    stop(tonight(people=800, homes=560, practices={"M82001": 320, "M82002": 240}))
    stop(tonight(people=3_000, practices={"M82001": 400, "M82002": 300, "M82003": 2_000}))


def test_of_few_people_any_share_may_leave() -> None:
    few = {"population": {"people": 49, "homes": 40, "practices": {}}}

    stop(tonight(people=3, homes=2, practices={}), before=few)


def test_the_first_night_and_one_after_an_older_version_have_nothing_to_compare() -> None:
    stop_on_change(tonight(people=1), before=None, n_listed=1, max_lost_share=0.2)
    stop(tonight(people=1), before={"as_of": "2026-11-21"})


def test_a_night_that_lists_nobody_of_many_stops_also_on_the_first_night() -> None:
    with pytest.raises(ChangeError, match="nobody would be on the list"):
        stop_on_change(tonight(), before=None, n_listed=0, max_lost_share=0.2)


def test_nobody_listed_of_few_or_without_a_place_is_no_fault() -> None:
    stop(tonight(eligible=99), n_listed=0)
    stop(tonight(places=0), n_listed=0)


def test_records_under_another_key_than_last_nights_stop_whatever_their_number() -> None:
    with pytest.raises(ChangeError, match="another key"):
        stop(replace(tonight(), key_fingerprint="ddd"), before={"population": THEN, "key_fingerprint": "bbb"})
    # Of tables without a fingerprint nothing can be told.
    stop(replace(tonight(), key_fingerprint=None), before={"population": THEN, "key_fingerprint": "bbb"})


def test_people_who_died_or_left_are_not_of_the_night() -> None:
    people = pl.DataFrame(
        {
            "person_id": [f"p{number}" for number in range(24)],
            "household_id": [f"h{number // 2}" for number in range(24)],
            "practice_code": ["M82001"] * 23 + ["M82002"],
            "is_deceased": [True, *[False] * 23],
            "has_moved": [False, True, *[False] * 22],
            "born": [date(1940, 1, 1)] * 24,
        }
    )

    # h0 is left by both; 21 of 22 are patients of the first practice, and of a practice of one nothing is kept.
    assert population_of(count_population(people)) == {"people": 22, "homes": 11, "practices": {"M82001": 21}}
