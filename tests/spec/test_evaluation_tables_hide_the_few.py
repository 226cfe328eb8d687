"""No table that travels with a bundle lets the events among a few people be worked out."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest

from ageingwell.evaluation.wall import MODEL
from ageingwell.learning.measuring import THRESHOLDS, Held, measure

N = 240
GENERATOR = np.random.default_rng(4)
RISK = np.round(GENERATOR.beta(1, 6, N), 3)
OUTCOME = (GENERATOR.random(N) < RISK).astype(np.int8)
AGE = GENERATOR.integers(65, 95, N).astype(float)


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    held = Held(
        outcome=OUTCOME,
        age=AGE,
        scores={MODEL: RISK, "age alone": AGE},
        groupings={"sex": pl.Series(["female", "male"] * (N // 2))},
        places={"gp": 20, "fire": 24, "housing": 33},
        households=np.arange(N).astype(str),
        alike=np.zeros(N).astype(str),
    )
    return measure(held, cost_gbp=1_000.0, draws=20, seed=1)


def test_net_benefit_does_not_tell_the_events_among_a_few_visited(tables: dict[str, pl.DataFrame]) -> None:
    """From the benefit, everybody's number and the visited: events = (n * value + odds * visited) / (1 + odds)."""
    n_hidden = 0
    for threshold in THRESHOLDS:
        visited = threshold <= RISK
        events, others = int(OUTCOME[visited].sum()), int((1 - OUTCOME[visited]).sum())
        row = tables["net_benefit"].filter(threshold=threshold, strategy=MODEL).row(0, named=True)
        gain = tables["net_benefit_gain"].filter(threshold=threshold, rival="visit nobody").row(0, named=True)
        if 0 < events < 8 or 0 < others < 8:
            n_hidden += 1
            assert (row["value"], row["low"], row["high"], gain["value"], gain["low"]) == (None,) * 5
        else:
            # Whatever is told is a whole number of fives, the visited too.
            assert row["value"] * N / 5 == pytest.approx(round(row["value"] * N / 5), abs=1e-9)
            assert row["n_visited"] % 5 == 0
    assert 0 < n_hidden < len(THRESHOLDS)


@pytest.mark.parametrize("table", ["capacity", "spend_ceiling"])
def test_two_lists_one_within_the_other_do_not_tell_the_events_between_them(
    tables: dict[str, pl.DataFrame], table: str
) -> None:
    told = tables[table]
    counts = told.drop_nulls("n_events")["n_events"].unique().to_list()

    assert all(one % 5 == 0 for one in counts)
    assert all(one == other or abs(one - other) >= 5 for one, other in combinations(counts, 2))
    for row in told.drop_nulls("value").iter_rows(named=True):
        share = row["share"] if table == "spend_ceiling" else row["value"] if row.get("measure") == "ppv" else None
        if share is not None:
            assert share * row["n"] == pytest.approx(row["n_events"], abs=1e-6)
