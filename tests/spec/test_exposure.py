"""A model does not learn from its own outreach: those who were helped are followed until help came, and stood for."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from helpers.knowledge import known_on
from helpers.tables import table
from numpy.testing import assert_allclose

from ageingwell.learning.exposure import is_exposed, left_alone, weights_without_help
from ageingwell.model.columns import columns_of, to_matrix
from ageingwell.model.fitting import fit_risk
from ageingwell.outcomes import first_contacts
from ageingwell.timeline import AsOf, Horizon

CUT_OFF = date(2025, 8, 1)
LATER = date(2026, 10, 30)
ALIKE = np.zeros(6, dtype=np.int64)


def test_weights_are_those_of_hand_arithmetic() -> None:
    # Day 1: somebody's outcome, nobody helped yet: 1. Day 2: one of the five left is helped: 4/5 go on without help.
    # Day 4: one of the three left (day 3 took another) is helped: 4/5 x 2/3. The two who stay count for 15/8 each.
    helped = np.array([365.0, 2.0, 365.0, 4.0, 365.0, 365.0])
    ended = np.array([1.0, 365.0, 3.0, 365.0, 365.0, 365.0])

    weight = weights_without_help(helped, ended, ALIKE)

    assert_allclose(weight, [1.0, 0.0, 5 / 4, 0.0, 15 / 8, 15 / 8])
    assert weight.sum() == pytest.approx(6.0)


def test_help_on_the_day_of_the_outcome_comes_after_it() -> None:
    weight = weights_without_help(np.array([7.0, 365.0]), np.array([7.0, 365.0]), ALIKE[:2])

    assert weight.tolist() == [1.0, 1.0]


def test_nobody_stands_for_more_than_twenty() -> None:
    helped = np.append(np.full(99, 5.0), 365.0)

    weight = weights_without_help(helped, np.full(100, 365.0), np.zeros(100, dtype=np.int64))

    assert weight[-1] == 20.0


HEAD = "person_id | household_id | agency | outcome | contacted_on | recorded_on"


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("p1 | | fire | completed | 2025-08-01 | 2025-08-02", date(2025, 8, 1)),
        ("p1 | | gp | accepted | 2025-12-24 | 2025-12-25", date(2025, 12, 24)),
        ("| h1 | housing | accepted | 2025-12-24 | 2025-12-25", date(2025, 12, 24)),
        ("| h2 | housing | accepted | 2025-12-24 | 2025-12-25", None),
        ("p1 | | gp | declined_help | 2025-12-24 | 2025-12-25", None),
        ("p1 | | gp | no_access | 2025-12-24 | 2025-12-25", None),
        ("p1 | | gp | accepted | 2025-07-31 | 2025-08-01", None),
        ("p1 | | gp | accepted | 2026-08-01 | 2026-08-02", None),
    ],
    ids=["on the cut-off", "inside", "at home", "elsewhere", "declined", "no access", "before", "after the horizon"],
)
def test_help_counts_when_it_was_taken_up_inside_the_horizon(row: str, found: date | None) -> None:
    tables = known_on({"contacts": table(f"{HEAD}\n{row}", like="contacts")}, LATER)
    spine = pl.DataFrame({"person_id": ["p1"], "household_id": ["h1"]})

    contacts = first_contacts(tables, spine, AsOf(CUT_OFF), horizon=Horizon(365))

    assert contacts.rows() == ([] if found is None else [("p1", found)])


def test_without_a_table_of_contacts_nobody_was_helped() -> None:
    spine = pl.DataFrame({"person_id": ["p1"], "household_id": ["h1"]})

    assert first_contacts({}, spine, AsOf(CUT_OFF), horizon=Horizon(365)).is_empty()


# Three groups of people: the frailer, the more risk when left alone, and only the frailest are visited.
FRAILTY = (0.0, 1.0, 2.0)
RISK_LEFT_ALONE = (0.10, 0.28, 0.36)
NEVER = 1e6


def visited_county(n: int, *, seed: int) -> pl.DataFrame:
    """Of the frailest, nine in ten would be visited within three months; a visit halves the hazard from then on."""
    draw = np.random.default_rng(seed)
    group = draw.integers(3, size=n)
    rate = -np.log(1 - np.array(RISK_LEFT_ALONE))[group] / 365
    visit = np.where((group == 2) & (draw.random(n) < 0.9), draw.uniform(1, 90, n), NEVER)
    left_alone_until = draw.exponential(1 / rate)
    after_visit = visit + 2 * (left_alone_until - visit)
    happens = np.where(left_alone_until < visit, left_alone_until, after_visit)
    visit = np.where(visit < happens, visit, NEVER)

    def on(days: np.ndarray) -> pl.Series:
        return pl.Series([CUT_OFF + timedelta(days=int(day)) if day < 365 else None for day in days], dtype=pl.Date)

    frame = pl.DataFrame({"frailty": np.array(FRAILTY)[group], "contacted_on": on(visit), "death_on": on(happens)})
    return frame.with_columns(
        cut_off=pl.lit(CUT_OFF),
        death=pl.col("death_on").is_not_null().cast(pl.Int8),
        other=pl.Series(draw.normal(size=n)),
    )


def shares(rows: pl.DataFrame, weight: np.ndarray) -> list[float]:
    died, frailty = rows["death"].to_numpy(), rows["frailty"].to_numpy()
    return [float(np.average(died[frailty == level], weights=weight[frailty == level])) for level in FRAILTY]


def test_outreach_that_halves_the_risk_does_not_hide_who_is_at_risk() -> None:
    rows = visited_county(12_000, seed=1)

    weight = left_alone(rows, "death", horizon_days=365, features=["frailty", "other"])

    naive = shares(rows, np.ones(rows.height))
    # Naively the frailest, nine in ten of whom were helped, stand below the middle group.
    assert naive[2] < naive[1]
    # 4,000 people a group: a share of 0.36 is known to about 0.008, of those left a third stand for all to about 0.02.
    assert_allclose(shares(rows, weight), RISK_LEFT_ALONE, atol=0.05)


def test_leaving_helped_people_out_would_not_do() -> None:
    rows = visited_county(12_000, seed=1)

    never_helped = (~is_exposed(rows, "death", horizon_days=365)).astype(float)

    # Who died early had no time to be helped: among those never helped the dead are far too many.
    assert shares(rows, never_helped)[2] > RISK_LEFT_ALONE[2] + 0.1


@pytest.mark.parametrize("weighted", [True, False])
def test_the_model_ranks_helped_people_by_their_risk_when_left_alone(weighted: bool) -> None:
    rows = visited_county(6_000, seed=2)
    weight = left_alone(rows, "death", horizon_days=365, features=["frailty", "other"]) if weighted else np.ones(6_000)
    kept = weight > 0
    facts = rows.select("frailty", "other")
    columns = columns_of(facts)

    model = fit_risk(
        to_matrix(facts, columns)[kept],
        rows["death"].to_numpy()[kept],
        columns=columns,
        signs=[0, 0],
        weight=weight[kept] / weight[kept].mean(),
    )

    people = pl.DataFrame({"frailty": FRAILTY, "other": [0.0] * 3})
    risk = model.risk(model.score(people))
    assert (risk[2] > risk[1]) == weighted


def test_without_contacts_everybody_counts_once() -> None:
    rows = visited_county(300, seed=3).with_columns(contacted_on=pl.lit(None, dtype=pl.Date))

    assert left_alone(rows, "death", horizon_days=365, features=["frailty"]).tolist() == [1.0] * 300
