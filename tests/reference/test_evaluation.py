"""Figures of evaluation against other people's: scikit-learn, a bootstrap, and published examples."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from ageingwell.evaluation.calibration import calibration_curve, calibration_line
from ageingwell.evaluation.discrimination import auroc, auroc_difference

linear_model = pytest.importorskip("sklearn.linear_model")
metrics = pytest.importorskip("sklearn.metrics")

Array = NDArray[np.float64]


def people(n: int, seed: int, *, decimals: int = 8) -> tuple[Array, Array, Array]:
    """Outcomes, a score that tells something of them, and a weaker one like it; few decimals make ties."""
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n)
    rival = 0.5 * score + rng.normal(size=n)
    outcome = (rng.random(n) < 1 / (1 + np.exp(2 - score))).astype(float)
    return outcome, score.round(decimals), rival.round(decimals)


@pytest.mark.parametrize("decimals", [8, 1, 0])
@pytest.mark.parametrize("n", [20, 300, 5000])
def test_the_area_is_that_of_scikit_learn_ties_or_not(n: int, decimals: int) -> None:
    outcome, score, _ = people(n, seed=n + decimals, decimals=decimals)

    assert auroc(outcome, score).value == pytest.approx(metrics.roc_auc_score(outcome, score), abs=1e-12)


def pairwise(outcome: Array, score: Array) -> tuple[float, list[float], list[int]]:
    """The area and the two parts of DeLong's variance as DeLong wrote them: every case against every control."""
    cases, controls = score[outcome == 1], score[outcome == 0]
    wins = (cases[:, None] > controls[None, :]) + 0.5 * (cases[:, None] == controls[None, :])
    parts = [float(wins.mean(axis=1).var(ddof=1)) / cases.size, float(wins.mean(axis=0).var(ddof=1)) / controls.size]
    return float(wins.mean()), parts, [cases.size, controls.size]


def student(parts: list[float], sizes: list[int]) -> float:
    """Student's t at 97.5% with the degrees of freedom of Welch and Satterthwaite."""
    freedom = sum(parts) ** 2 / sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))
    return float(stats.t.ppf(0.975, freedom))


@pytest.mark.parametrize("decimals", [8, 1])
def test_the_interval_is_the_wider_of_delongs_on_the_log_odds_and_newcombes(decimals: int) -> None:
    outcome, score, _ = people(400, seed=2, decimals=decimals)
    area, parts, sizes = pairwise(outcome, score)
    odds = np.log(area / (1 - area))
    margin = student(parts, sizes) * np.sqrt(sum(parts)) / (area * (1 - area))
    low, high = (1 / (1 + np.exp(-end)) for end in (odds - margin, odds + margin))

    found = auroc(outcome, score)

    def newcombe(true: float) -> float:
        """How many of its own standard errors (method 5) an area lies from the one that was found."""
        half = sum(sizes) / 2 - 1
        spread = true * (1 - true) * (1 + half * ((1 - true) / (2 - true) + true / (1 + true)))
        return float(abs(true - area) / np.sqrt(spread / np.prod(sizes)))

    assert (found.n, found.n_events) == (400, int(outcome.sum()))
    assert found.value == pytest.approx(area, abs=1e-12)
    ends = [(found.low, low, min), (found.high, high, max)]
    for end, delong, wider in ends:
        # Newcombe's end lies 1.96 of its own standard errors away; DeLong's is the one where that is nearer.
        assert newcombe(end) >= 1.959963
        assert wider(end, delong) == end or end == pytest.approx(delong, abs=1e-12)
        assert newcombe(end) == pytest.approx(1.959964, abs=1e-5) or end == pytest.approx(delong, abs=1e-12)


def test_the_interval_is_close_to_that_of_a_bootstrap() -> None:
    outcome, score, _ = people(800, seed=3)
    rng = np.random.default_rng(1)
    drawn = [rng.integers(0, 800, 800) for _ in range(600)]
    spread = np.std([auroc(outcome[rows], score[rows]).value for rows in drawn])

    found = auroc(outcome, score)

    # 600 draws give a spread to within about 3 in 100 (1 / sqrt(2 * 600)); 10 in 100 is more than three times that.
    assert (found.high - found.low) / 2 / 1.96 == pytest.approx(spread, rel=0.10)


def test_a_worked_example() -> None:
    # Hanley and McNeil, Radiology 1982;143:29, Table I: 109 scans rated 1 to 5; area 0.893.
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    ratings = np.repeat([1, 2, 3, 4, 5] * 2, normal + abnormal)
    outcome = np.repeat([0, 1], [sum(normal), sum(abnormal)])

    found = auroc(outcome, ratings)

    assert round(found.value, 3) == 0.893
    assert (found.n, found.n_events) == (109, 51)


def test_the_difference_of_two_areas_on_the_same_people_is_delongs() -> None:
    outcome, score, rival = people(500, seed=5)
    happened = outcome == 1

    def placements(values: Array) -> tuple[Array, Array]:
        wins = (values[happened][:, None] > values[~happened][None, :]).astype(float)
        return wins.mean(axis=1), wins.mean(axis=0)

    (a1, b1), (a2, b2) = placements(score), placements(rival)
    cases, controls = np.cov(a1, a2), np.cov(b1, b2)
    parts = [
        float(part[0, 0] + part[1, 1] - 2 * part[0, 1]) / size for part, size in ((cases, a1.size), (controls, b1.size))
    ]

    found = auroc_difference(outcome, score, rival)

    expected = metrics.roc_auc_score(outcome, score) - metrics.roc_auc_score(outcome, rival)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert (found.high - found.low) / 2 == pytest.approx(
        student(parts, [a1.size, b1.size]) * np.sqrt(sum(parts)), abs=1e-12
    )


@pytest.mark.parametrize("outcome", [[0, 0, 0], [1, 1, 1]])
def test_without_both_outcomes_there_is_no_area(outcome: list[int]) -> None:
    found = auroc(outcome, [0.1, 0.2, 0.3])

    assert np.isnan([found.value, found.low, found.high]).all()
    assert (found.n, found.n_events) == (3, sum(outcome))


def test_one_case_and_the_ends_of_the_scale_make_no_trouble() -> None:
    assert (auroc([0, 0, 1], [1, 2, 3]).value, auroc([0, 0, 1], [3, 2, 1]).value) == (1.0, 0.0)
    assert auroc([0, 1], [1, 1]).value == 0.5
    found = auroc([0, 0, 0, 1, 1], [1, 2, 3, 2.5, 4])
    assert 0 <= found.low <= found.value <= found.high <= 1


# --- Calibration ---


@pytest.mark.parametrize(("spread", "shift"), [(1.0, 0.0), (0.001, 0.0), (1.0, -4.0), (30.0, 5.0)])
def test_the_calibration_line_is_scikit_learns_logistic_regression(spread: float, shift: float) -> None:
    outcome, score, _ = people(3000, seed=7)
    log_odds = score * spread + shift
    other = linear_model.LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    other.fit(log_odds[:, None], outcome)

    found = calibration_line(outcome, log_odds)

    assert found.slope == pytest.approx(other.coef_[0, 0], rel=1e-6)
    assert found.intercept == pytest.approx(other.intercept_[0], rel=1e-6)


def test_right_risks_have_the_line_through_nought_with_slope_one() -> None:
    rng = np.random.default_rng(9)
    log_odds = rng.normal(-2, 1, 200_000)
    outcome = rng.random(200_000) < 1 / (1 + np.exp(-log_odds))

    found = calibration_line(outcome, log_odds)

    # With 200,000 people and a share of about 0.16 the standard errors are below 0.013.
    assert found.slope == pytest.approx(1, abs=0.04)
    assert found.intercept == pytest.approx(0, abs=0.04)


@pytest.mark.parametrize(
    ("outcome", "log_odds"),
    [
        ([0, 0, 0], [1.0, 2.0, 3.0]),
        ([1, 1, 1], [1.0, 2.0, 3.0]),
        ([0, 1, 0], [1.0, 1.0, 1.0]),
        ([0, 0, 1, 1], [1.0, 2.0, 3.0, 4.0]),
        ([1, 1, 0, 0], [1.0, 2.0, 3.0, 4.0]),
        ([0, 1, 0, 1], [1.0, 1.0, 1.0, 2.0]),
    ],
)
def test_where_no_line_fits_it_is_said(outcome: list[int], log_odds: list[float]) -> None:
    with pytest.raises(ValueError, match="calibration line"):
        calibration_line(outcome, log_odds)


def test_the_calibration_curve_counts_everybody_once_with_jeffreys_intervals() -> None:
    outcome, score, _ = people(1003, seed=11)

    found = calibration_curve(outcome, score, groups=20)

    assert (found.n.sum(), found.n_events.sum()) == (1003, int(outcome.sum()))
    assert set(found.n.tolist()) == {50, 51}
    assert (np.diff(found.log_odds) > 0).all()
    share = found.n_events / found.n
    assert ((found.low <= share) & (share <= found.high)).all()
    for group in (0, 10, 19):
        events, n = int(found.n_events[group]), int(found.n[group])
        low, high = stats.beta(events + 0.5, n - events + 0.5).interval(0.95)
        assert found.low[group] == (0 if events == 0 else pytest.approx(low))
        assert found.high[group] == (1 if events == n else pytest.approx(high))


def test_fewer_people_than_groups_make_fewer_groups() -> None:
    found = calibration_curve([0, 1, 0], [0.3, 0.1, 0.2], groups=20)

    assert found.n.tolist() == [1, 1, 1]
    assert found.n_events.tolist() == [1, 0, 0]
