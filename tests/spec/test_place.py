"""A place moves its parent's calibration as far as its own events can say, and no farther."""

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, logit

from ageingwell.evaluation.calibration import Line, calibration_line
from ageingwell.model.bend import Bend
from ageingwell.model.columns import columns_of, to_matrix
from ageingwell.model.fitted import FittedRisk
from ageingwell.model.fitting import fit_risk
from ageingwell.model.place import move_of_place, moved
from ageingwell.model.ranges import Range


def place(n: int, *, height: float, slope: float = 1.0, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A place of n people whose log-odds are the parent's moved by a line: outcome and the parent's log-odds."""
    draw = np.random.default_rng(seed)
    odds = draw.normal(-2.5, 1.0, n)
    return (draw.random(n) < expit(height + slope * odds)).astype(float), odds


@pytest.mark.parametrize(("n", "share"), [(100, 0.5), (400, 0.8), (40, 2 / 7)])
def test_height_is_shrunk_as_hand_arithmetic_says(n: int, share: float) -> None:
    # All were told one half: each person tells 1/4, n people n/4, and the expected height tells 1 / 0.2² = 25.
    # 100 people: 25 / (25 + 25). 400: 100 / 125. 40: 10 / 35. A few more than half had the event.
    events = n // 2 + n // 20
    outcome = np.repeat([1.0, 0.0], [events, n - events])

    move = move_of_place(outcome, np.zeros(n))

    alone = logit(events / n)
    assert move.height == pytest.approx(share * alone, rel=0.02)
    assert move.height_share == pytest.approx(share, abs=0.01)
    # The condition that Newton's method solves, to the last digit: what is left of the events is the pull of the prior.
    assert events - n * expit(move.height) == pytest.approx(move.height / 0.2**2, abs=1e-6)


def test_a_town_with_few_events_hardly_moves() -> None:
    outcome, odds = place(90, height=0.8)

    move = move_of_place(outcome, odds)

    assert outcome.sum() < 20
    assert abs(move.height) < 0.45
    assert move.slope == pytest.approx(1.0, abs=0.1)


def test_a_county_moves_to_its_own_line() -> None:
    outcome, odds = place(200_000, height=0.4, slope=0.9)

    move = move_of_place(outcome, odds)

    own = calibration_line(outcome, odds)
    assert move.line.slope == pytest.approx(own.slope, abs=0.01)
    assert_allclose(move.line.intercept + move.line.slope * odds[:9], own.intercept + own.slope * odds[:9], atol=0.01)
    assert move.height_share > 0.99


def test_nobody_moves_nothing() -> None:
    move = move_of_place(np.empty(0), np.empty(0))

    assert (move.height, move.slope, move.height_share) == (0.0, 1.0, 0.0)


def test_people_of_no_weight_are_not_there() -> None:
    outcome, odds = place(500, height=0.3)
    weight = np.repeat([1.0, 0.0], [300, 200])

    assert move_of_place(outcome, odds, weight=weight) == move_of_place(outcome[:300], odds[:300])


def parent() -> tuple[FittedRisk, pl.DataFrame]:
    draw = np.random.default_rng(5)
    facts = pl.DataFrame({"age": draw.uniform(65, 95, 800), "falls": draw.poisson(0.4, 800).astype(float)})
    died = (draw.random(800) < expit((facts["age"].to_numpy() - 88) / 6 + facts["falls"].to_numpy())).astype(int)
    columns = columns_of(facts)
    return fit_risk(to_matrix(facts, columns), died, columns=columns, signs=[1, 1]), facts


def test_order_stays_and_contributions_add_up_exactly() -> None:
    model, facts = parent()
    outcome, odds = place(3_000, height=0.5, slope=0.9)

    ours = moved(model, move_of_place(outcome, odds))

    score = ours.score(facts)
    told = ours.explain(facts)
    assert_allclose(logit(ours.risk(score)), told.base + told.contributions.sum(axis=1), atol=1e-9)
    assert np.array_equal(np.argsort(ours.risk(score)), np.argsort(model.risk(model.score(facts))))
    assert ours.risk(score).mean() > model.risk(score).mean()


def test_the_range_moves_along_and_widens_by_what_is_unknown_of_the_move() -> None:
    model, _ = parent()
    model = FittedRisk(
        **{**vars_of(model), "line": Line(0.0, 1.0), "spread": Range((-1.0, 0.0), (0.3, 0.3), (0.4, 0.4))}
    )
    move = move_of_place(np.repeat([1.0, 0.0], [60, 40]), np.zeros(100))

    ours = moved(model, move)

    # Height about 0.2, its error 1 / sqrt(25 + 100 / 4 of what 0.2 leaves of it): about 0.1414; 1.96 of it is 0.277.
    assert move.height_error == pytest.approx(
        1 / np.sqrt(25 + 100 * expit(move.height) * expit(-move.height)), abs=1e-6
    )
    assert ours.spread.log_odds[1] == pytest.approx(move.height)
    assert ours.spread.below[1] == pytest.approx(np.hypot(0.3, 1.959964 * move.height_error), abs=1e-6)
    assert ours.spread.above[1] == pytest.approx(np.hypot(0.4, 1.959964 * move.height_error), abs=1e-6)


def test_a_bend_moves_along_and_the_sum_stays_exact() -> None:
    model, facts = parent()
    odds = model.log_odds(model.score(facts))
    bent = FittedRisk(**{**vars_of(model), "bend": Bend(float(np.quantile(odds, 0.8)), 0.5)})

    ours = moved(bent, move_of_place(np.repeat([1.0, 0.0], [60, 40]), np.zeros(100)))

    told = ours.explain(facts)
    assert_allclose(logit(ours.risk(ours.score(facts))), told.base + told.contributions.sum(axis=1), atol=1e-9)
    move = ours.line.slope / model.line.slope
    apart = np.diff(np.sort(ours.log_odds(ours.score(facts)))) / np.diff(np.sort(bent.log_odds(bent.score(facts))))
    assert_allclose(apart[np.isfinite(apart)], move, rtol=1e-6)


def vars_of(model: FittedRisk) -> dict[str, object]:
    return {name: getattr(model, name) for name in FittedRisk.__dataclass_fields__}
