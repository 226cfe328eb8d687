"""Intervals that draw people draw their whole households: a couple who share a fate count as one."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from ageingwell.evaluation.brier import brier
from ageingwell.evaluation.discrimination import average_precision, average_precision_difference
from ageingwell.evaluation.drift import population_stability
from ageingwell.evaluation.estimate import Estimate, resampled
from ageingwell.evaluation.ici import calibration_index

PEOPLE = np.random.default_rng(7)
RISK = PEOPLE.uniform(0.05, 0.6, 80)
HAPPENED = (PEOPLE.random(80) < RISK).astype(int)
TWICE = np.repeat(np.arange(80), 2)


def _ends(found: Estimate | pl.DataFrame) -> NDArray[np.float64]:
    if isinstance(found, pl.DataFrame):
        return found.select("value", "low", "high").to_numpy().astype(float)
    return np.array([found.value, found.low, found.high])


@pytest.mark.parametrize(
    "measure",
    [
        lambda y, x, **how: average_precision(y, x, **how),
        lambda y, x, **how: average_precision_difference(y, x, x**2 - x, **how),
        lambda y, x, **how: brier(y, x, groups=5, **how),
    ],
    ids=["average precision", "its difference", "Brier"],
)
def test_couples_who_share_everything_tell_as_much_as_one_of_them(
    measure: Callable[..., Estimate | pl.DataFrame],
) -> None:
    alone = measure(HAPPENED, RISK, draws=40, seed=3)

    as_couples = measure(HAPPENED[TWICE], RISK[TWICE], draws=40, seed=3, households=TWICE)
    as_if_apart = measure(HAPPENED[TWICE], RISK[TWICE], draws=40, seed=3)

    assert_allclose(_ends(as_couples), _ends(alone), atol=1e-12)
    width = np.diff(_ends(as_if_apart).reshape(-1, 3)[:, 1:]).sum()
    assert width < 0.85 * np.diff(_ends(alone).reshape(-1, 3)[:, 1:]).sum()


def test_the_calibration_index_draws_households() -> None:
    alone = calibration_index(HAPPENED, RISK, draws=30)

    as_couples = calibration_index(HAPPENED[TWICE], RISK[TWICE], draws=30, households=TWICE)

    assert_allclose(_ends(as_couples), _ends(alone), atol=0.01)


def test_drift_draws_households() -> None:
    then, now = pl.DataFrame({"risk": RISK}), pl.DataFrame({"risk": RISK[:60] + 0.05})
    homes = (TWICE, TWICE[:120])

    alone = population_stability(then, now, bins=4, draws=50)
    as_couples = population_stability(then[TWICE], now[TWICE[:120]], bins=4, draws=50, households=homes)

    assert_allclose(_ends(as_couples), _ends(alone), atol=1e-12)
    assert as_couples["by_chance"].item() == pytest.approx(alone["by_chance"].item())


def test_every_member_of_a_household_is_drawn_as_often_as_the_others() -> None:
    homes = np.array(["oak", "elm", "oak", "ash", "elm"])

    drawn = resampled(lambda times: times.astype(float), 5, draws=20, seed=2, households=homes)

    assert (drawn[:, 0] == drawn[:, 2]).all()
    assert (drawn[:, 1] == drawn[:, 4]).all()
    # Three households are drawn each time, so oak, elm and ash together come up three times.
    assert (drawn[:, 0] + drawn[:, 1] + drawn[:, 3] == 3).all()


def test_households_of_other_people_are_refused() -> None:
    with pytest.raises(ValueError, match="do not belong together"):
        resampled(lambda times: 0.0, 3, draws=1, seed=1, households=["oak", "elm"])
    with pytest.raises(ValueError, match="do not belong together"):
        population_stability(pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [1]}), draws=2, households=([1], [1]))
