"""Of people who are alike in everything not the same ones win every night; the same night draws the same order."""

from datetime import date, timedelta

import polars as pl
from helpers.tables import pseudonym

from ageingwell.config.outreach import OutreachSettings
from ageingwell.outreach.rank import rank_people
from ageingwell.pseudonyms import Key, row_key

NIGHT = date(2026, 11, 22)
ALIKE = pl.DataFrame(
    {
        "person_id": sorted(pseudonym(number) for number in range(40)),
        "risk": [0.2] * 40,
        "days_since_gp_contact": [30.0] * 40,
        "days_since_discharge": [None] * 40,
        "days_since_fire_visit": [None] * 40,
    },
    schema_overrides={"days_since_discharge": pl.Float64, "days_since_fire_visit": pl.Float64},
)
NO_NEEDS = pl.DataFrame(schema={"person_id": pl.String, "need": pl.String, "urgency": pl.String})


def first_five(night: date, people: pl.DataFrame = ALIKE) -> list[str]:
    lot = row_key(pl.col("person_id"), recipient="lot", as_of=night, key=Key.made_up(0))
    ranked = rank_people(people, NO_NEEDS, previous=None, settings=OutreachSettings(), lot=lot)
    return ranked["person_id"].head(5).to_list()


def test_the_same_night_draws_the_same_order_whatever_the_order_of_the_rows() -> None:
    assert (
        first_five(NIGHT)
        == first_five(NIGHT, ALIKE.reverse())
        == first_five(NIGHT, ALIKE.sample(40, seed=3, shuffle=True))
    )


def test_over_many_nights_nearly_everybody_comes_first_once() -> None:
    nights = [first_five(NIGHT + timedelta(days=n)) for n in range(40)]

    # 40 nights of 5 in 40 leave one person out with a chance of (7/8) to the power of 40: one in 200.
    assert len({person for five in nights for person in five}) >= 38
    assert ALIKE["person_id"].head(5).to_list() not in nights


def test_a_lot_decides_among_equals_alone() -> None:
    higher = ALIKE.with_columns(risk=pl.when(pl.int_range(pl.len()) == 39).then(0.3).otherwise("risk"))

    assert {first_five(NIGHT + timedelta(days=n), higher)[0] for n in range(10)} == {ALIKE["person_id"][39]}
