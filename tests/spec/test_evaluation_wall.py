"""The benchmark wall and its verdict."""

import numpy as np
import polars as pl
import pytest

from ageingwell.evaluation.discrimination import auroc, auroc_difference
from ageingwell.evaluation.wall import ADMISSIONS, AGE, FRAILTY, LOGISTIC, benchmark_wall, side_by_side, verdict

GENERATOR = np.random.default_rng(11)
N = 3000
RISK = GENERATOR.beta(1.2, 6, N)
OUTCOME = (GENERATOR.random(N) < RISK).astype(int)
YEARS = 65 + 30 * GENERATOR.random(N)


def scores(**changed):
    noise = np.random.default_rng(2).normal(size=(4, N))
    return {
        "model": RISK,
        LOGISTIC: np.clip(RISK + 0.01 * noise[0], 0, 1),
        AGE: YEARS,
        FRAILTY: RISK + 0.2 * noise[1],
        ADMISSIONS: (RISK + 0.3 * noise[2] > 0.6).astype(float),
        **changed,
    }


def wall_of(**changed):
    return benchmark_wall(scores(**changed), outcome=OUTCOME, age=YEARS, k=200, threshold=0.2, draws=20)


def test_every_score_is_measured_on_the_same_people_at_the_same_length():
    wall = wall_of()

    assert set(wall.filter(measure="auroc")["band"]) == {"all", "65 to 74", "75 to 84", "85 and over"}
    assert wall.filter(measure="auroc", band="all")["n"].to_list() == [N] * 5
    assert wall.filter(measure="ppv")["n"].to_list() == [200] * 5
    assert set(wall.filter(measure="slope")["name"]) == {"model", LOGISTIC}
    assert wall.filter(measure="net_benefit").height == 5


def test_the_paired_difference_is_the_models_area_less_the_rivals():
    wall = wall_of()

    told = wall.filter(measure="auroc_model_minus_rival", name=AGE).select("value", "low", "high").row(0)
    paired = auroc_difference(OUTCOME, RISK, YEARS)

    assert told == (paired.value, paired.low, paired.high)
    assert told[0] == pytest.approx(auroc(OUTCOME, RISK).value - auroc(OUTCOME, YEARS).value, abs=1e-12)


def test_a_model_that_beats_the_simple_rivals_and_is_level_with_logistic_regression_is_usable():
    told = verdict(wall_of())

    assert told.usable
    assert told.reason.startswith("better than age alone, frailty index and 2+ emergency admissions beyond chance")


def test_a_model_no_better_than_the_frailty_index_beyond_chance_is_not():
    told = verdict(wall_of(**{FRAILTY: RISK + 1e-9 * YEARS}))

    assert not told.usable
    assert told.reason == "not better than frailty index beyond chance"


def test_a_model_behind_logistic_regression_is_told_how_far():
    weak = RISK + 0.05 * np.random.default_rng(4).normal(size=N)
    behind = auroc(OUTCOME, RISK).value - auroc(OUTCOME, weak).value

    told = verdict(wall_of(model=np.clip(weak, 0, 1), **{LOGISTIC: RISK}))

    assert not told.usable
    assert f"AUROC {behind:.4f} below logistic regression, and 0.005 is allowed" in told.reason


@pytest.mark.parametrize(("gap", "usable"), [(-0.005, True), (-0.0051, False), (0.01, True)])
def test_half_a_point_below_logistic_regression_is_allowed_and_no_more(gap, usable):
    rows = [(name, "auroc_model_minus_rival", "all", 0.05, 0.01) for name in (AGE, FRAILTY, ADMISSIONS)]
    rows.append((LOGISTIC, "auroc_model_minus_rival", "all", gap, gap - 0.01))

    told = verdict(pl.DataFrame(rows, schema=["name", "measure", "band", "value", "low"], orient="row"))

    assert told.usable is usable


def test_a_rival_that_was_not_measured_was_not_beaten():
    wall = wall_of().filter(pl.col("name") != LOGISTIC)

    assert verdict(wall).reason == "not measured against logistic regression"


def test_side_by_side_each_score_has_a_column():
    shown = side_by_side(wall_of())

    assert shown.columns == ["measure", "band", "model", LOGISTIC, AGE, FRAILTY, ADMISSIONS]
    assert shown.filter(measure="slope")[AGE].item() is None
