"""A council tax discount for one adult: what it says of who lives alone, of whom, and since when."""

import polars as pl
import pytest
from helpers.known import features_of
from helpers.tables import table

from ageingwell.features import everyday_life

Frames = dict[str, pl.DataFrame]


def night(
    discount: str, *, told: str = "2026-01-09", others: tuple[str, ...] = (), moved_in: str = "2020-01-01"
) -> Frames:
    """p1 and others born in these months at one home, and what council tax tells of it on a day."""
    people = "\n".join(
        f"p{n} | h1 | {moved_in} | {born} | 2000-01-01 | 2020-01-02"
        if n == 1
        else f"p{n} | h1 | 2020-01-01 | {born} | 2019-01-01 | 2020-01-02"
        for n, born in enumerate(("1940-01-01", *others), start=1)
    )
    head = "person_id | household_id | moved_in_on | birth_month | registered_on | recorded_on"
    homes = f"household_id | source | single_adult_discount | recorded_on\nh1 | council_tax | {discount} | 2026-01-09"
    return {
        "gp_patients": table(f"{head}\n{people}", like="gp_patients", sex="female"),
        "homes": table(homes, like="homes"),
    }


@pytest.mark.parametrize(
    ("discount", "others", "says"),
    [
        ("yes", (), 1.0),
        ("no", (), 0.0),
        ("unknown", (), None),
        ("yes", ("2015-03-01",), 1.0),  # a child is no adult
        # A partner with dementia does not count for the tax; and the register may hold somebody who left.
        ("yes", ("1941-01-01",), None),
        ("yes", ("1990-01-01",), None),
        ("no", ("1941-01-01",), 0.0),
    ],
)
def test_a_discount_says_who_lives_alone_unless_the_register_contradicts_it(
    discount: str, others: tuple[str, ...], says: float | None
) -> None:
    assert features_of(night(discount, others=others))["p1"]["discount_says_alone"] == says


@pytest.mark.parametrize(("moved_in", "says"), [("2026-01-09", 1.0), ("2026-01-10", None)])
def test_it_says_nothing_of_who_came_later(moved_in: str, says: float | None) -> None:
    made = features_of(night("yes", moved_in=moved_in))["p1"]

    assert made["discount_says_alone"] == says


def test_the_newest_answer_counts_and_unknown_is_no_answer() -> None:
    frames = night("yes")
    more = table(
        """
        household_id | source      | single_adult_discount | recorded_on
        h1           | council_tax | unknown               | 2026-05-01
        h1           | council_tax | no                    | 2025-05-01
        """,
        like="homes",
    )
    frames["homes"] = pl.concat([frames["homes"], more])

    assert features_of(frames)["p1"]["discount_says_alone"] == 1.0


def test_it_moves_the_chance_of_living_alone_both_ways_and_unknown_not_at_all() -> None:
    chance = {
        discount: features_of(night(discount))["p1"]["lives_alone_probability"] for discount in ("yes", "unknown", "no")
    }

    # Registered alone: odds of 3; times 4 with a discount, halved without one.
    assert (everyday_life.DISCOUNT_RATIO, everyday_life.NO_DISCOUNT_RATIO) == (4.0, 0.5)
    assert chance == {"yes": 12 / 13, "unknown": 3 / 4, "no": 1.5 / 2.5}


def test_without_the_column_it_is_unknown() -> None:
    frames = night("unknown")

    assert (
        features_of(frames, untold={"homes": frozenset({"single_adult_discount"})})["p1"]["discount_says_alone"] is None
    )
