"""What visits changed: by lot, or beside people like those visited, or not told at all."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from ageingwell.errors import NoComparisonError
from ageingwell.evaluation.alike import match_nearest
from ageingwell.evaluation.effect import effect_by_lot, effect_of_visits, needed_for

Array = np.ndarray


def people(generator: np.random.Generator, n: int, *, how: str, effect: float = 0.0) -> dict[str, Array]:
    """People whose admissions of two years come of one rate each; risk sees the past, so the top tenth comes down.

    `how`: `most` of the top tenth are visited, `all` of it, or those whom somebody `knows` to be worse than told.
    """
    age = generator.uniform(65, 95, n)
    rate = generator.gamma(0.6, 1 / 0.6, n) * np.exp(0.03 * (age - 78)) * 0.25
    prior, year_before = generator.poisson(rate), generator.poisson(rate)
    mean = (0.6 + prior) / (0.6 / 0.25 / np.exp(0.03 * (age - 78)) + 1)
    risk = np.clip(1 - np.exp(-mean * np.exp(generator.normal(0, 0.15, n))), 0.005, 0.95)
    top = risk >= np.quantile(risk, 0.9)
    chance = {"most": 0.8, "all": 1.0, "knows": expit(3 * np.log((rate + 0.05) / (mean + 0.05)))}[how]
    visited = top & (generator.random(n) < chance)
    after = generator.poisson(rate * np.exp(effect * visited))
    true = float((rate * (np.exp(effect) - 1))[visited].mean())
    return {
        "after": after, "visited": visited, "risk": risk, "prior": prior, "year_before": year_before, "true": true
    }  # fmt: skip


def found(world: dict[str, Array]):
    return effect_of_visits(
        world["after"],
        world["visited"],
        risk=world["risk"],
        prior=world["prior"],
        unchanged={"admissions of the year before": world["year_before"]},
    )


@pytest.mark.parametrize("effect", [0.0, -0.3], ids=["no effect", "a true effect"])
def test_with_most_of_the_top_tenth_visited_the_interval_holds_what_the_visits_did(effect: float) -> None:
    generator = np.random.default_rng(21)
    errors, held = [], []
    for _ in range(60):
        world = people(generator, 4_000, how="most", effect=effect)
        told = found(world).estimate
        errors.append(told.value - world["true"])
        held.append(told.low <= world["true"] <= told.high)

    # Of 60 true 95% intervals, 52 or fewer hold in 1 of 100 runs; the mean of the errors is within three of its own.
    assert sum(held) >= 53
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(60) + 1e-9


def test_where_all_of_the_top_tenth_was_visited_nothing_is_told() -> None:
    generator = np.random.default_rng(22)

    reasons = [found(people(generator, 3_000, how="all")).why_not for _ in range(5)]

    assert all(reason is not None for reason in reasons)
    assert "nobody unvisited like them" in reasons[0]


def test_where_visitors_knew_more_than_the_records_the_check_gives_it_away() -> None:
    generator = np.random.default_rng(23)

    told = [found(people(generator, 12_000, how="knows")) for _ in range(5)]

    assert all("no record tells" in (effect.why_not or "") for effect in told)
    assert all(effect.hidden > 0.1 for effect in told)


def test_no_two_people_are_compared_whose_past_or_risk_differs() -> None:
    world = people(np.random.default_rng(24), 2_000, how="most")
    matched, weight = match_nearest(visited=world["visited"], risk=world["risk"], prior=world["prior"])
    reach = 0.2 * logit(world["risk"][world["visited"]]).std()

    for person in np.flatnonzero(weight):
        same = matched & (np.minimum(world["prior"], 4) == min(world["prior"][person], 4))
        assert not world["visited"][person]
        assert np.abs(logit(world["risk"][same]) - logit(world["risk"][person])).min() <= reach
    assert weight.sum() == pytest.approx(matched.sum())
    assert not (matched & ~world["visited"]).any()


def test_a_lot_without_traits_is_the_difference_of_means_with_welchs_interval() -> None:
    generator = np.random.default_rng(5)
    drawn = np.arange(80) < 30
    after = generator.poisson(np.where(drawn, 1.0, 1.5))

    told = effect_by_lot(after, drawn)

    gap = after[drawn].mean() - after[~drawn].mean()
    welch = stats.ttest_ind(after[drawn], after[~drawn], equal_var=False).confidence_interval()
    assert told.value == pytest.approx(gap)
    # HC3 divides each side's spread by n - 1 once more than Welch.
    assert told.high - told.low == pytest.approx(welch.high - welch.low, rel=0.03)
    assert (told.n, told.n_events) == (80, 30)


def test_traits_narrow_the_interval_of_a_lot_and_couples_widen_it() -> None:
    generator = np.random.default_rng(6)
    past = generator.gamma(2, 1, 400)
    after, drawn = generator.poisson(past), generator.random(400) < 0.5

    alone = effect_by_lot(after, drawn)
    with_past = effect_by_lot(after, drawn, traits={"admissions before": past})
    homes = np.repeat(np.arange(200), 2)
    as_couples = effect_by_lot(np.repeat(after[:200], 2), np.repeat(drawn[:200], 2), households=homes)
    as_if_apart = effect_by_lot(np.repeat(after[:200], 2), np.repeat(drawn[:200], 2))

    def width(told):
        return told.high - told.low

    assert width(with_past) < 0.85 * width(alone)
    assert width(as_couples) > 1.3 * width(as_if_apart)


def test_a_lot_with_unequal_chances_is_weighted_back() -> None:
    """Those worse off are drawn more often; without weights the draw would look harmful."""
    generator = np.random.default_rng(7)
    worse = generator.random(20_000) < 0.5
    chance = np.where(worse, 0.8, 0.2)
    drawn = generator.random(20_000) < chance
    after = worse + generator.normal(0, 0.5, 20_000)

    told = effect_by_lot(after, drawn, chance=chance)

    assert effect_by_lot(after, drawn).value > 0.5
    assert told.low < 0 < told.high


@pytest.mark.parametrize(
    ("drawn", "chance", "says"),
    [
        ([1, 1, 1, 0], None, "fewer than two households"),
        ([1, 1, 0, 0], [0.5, 1.0, 0.5, 0.5], "sure to be"),
    ],
)
def test_a_lot_that_cannot_be_compared_is_refused(drawn, chance, says) -> None:
    with pytest.raises(NoComparisonError, match=says):
        effect_by_lot([1, 2, 3, 4], drawn, chance=chance)


def test_the_number_needed_finds_the_effect_in_four_of_five_trials() -> None:
    generator = np.random.default_rng(9)
    n = needed_for(0.25, spread=1.0)
    finds = []
    for _ in range(400):
        drawn = np.arange(n) < n // 2
        told = effect_by_lot(generator.normal(np.where(drawn, 0.25, 0), 1.0), drawn)
        finds.append(told.low > 0)

    # 400 trials of 4 in 5 lie within 6 in 100 of it in all but 1 of 300 runs.
    assert np.mean(finds) == pytest.approx(0.8, abs=0.06)
