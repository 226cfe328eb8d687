"""Calibration by age: what it adds, that sums stay exact and nobody's risk falls with age, and that places need it."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy.special import expit, logit

from ageingwell.errors import BundleError
from ageingwell.evaluation.calibration import Line, calibration_line
from ageingwell.evaluation.discrimination import AGE_BANDS, auroc_difference
from ageingwell.model.bend import Bend
from ageingwell.model.by_age import ByAge
from ageingwell.model.calibrating import ages_of, calibrate
from ageingwell.model.columns import columns_of, to_matrix
from ageingwell.model.compiled import compile_risk
from ageingwell.model.fitted import FittedRisk
from ageingwell.model.fitting import Recipe, fit_risk
from ageingwell.model.margin import Curve
from ageingwell.model.place import move_of_place, move_to_place, moved
from ageingwell.model.saving import load_folder, save_folder

Floats = NDArray[np.float64]


def people_of(n: int, *, seed: int, shift: float = 0.0) -> tuple[pl.DataFrame, Floats]:
    """People whose risk rises with age more than with their falls, and what happened to them."""
    draw = np.random.default_rng(seed)
    age, falls, cold = draw.uniform(65, 98, n).round(), draw.poisson(0.7, n).astype(float), draw.random(n) < 0.3
    true = expit(-3.3 + shift + 0.09 * (age - 80) + 0.5 * falls + 0.4 * cold)
    facts = pl.DataFrame({"age": age, "falls": falls, "is_cold": cold.astype(float)})
    return facts, (draw.random(n) < true).astype(float)


@pytest.fixture(scope="module")
def parent() -> FittedRisk:
    """A model that knows little of age and too much of falls, as a fit does that has too many facts for its events."""
    facts, happened = people_of(2_000, seed=3)
    columns = columns_of(facts)
    fitted = fit_risk(to_matrix(facts, columns), happened, columns=columns, signs=[1, 1, 1], recipe=Recipe(age="age"))
    age, *others = fitted.margin.curves
    flatter = Curve(age.at, tuple(0.6 * add for add in age.adds), age.missing)
    steeper = (Curve(curve.at, tuple(1.4 * add for add in curve.adds), curve.missing) for curve in others)
    margin = replace(fitted.margin, curves=(flatter, *steeper))
    return replace(fitted, margin=margin, by_age=None, line=Line(0.0, 1.0))


def slopes(model: FittedRisk, facts: pl.DataFrame, happened: Floats) -> dict[str, float]:
    odds, age = model.log_odds(model.score(facts)), facts["age"].to_numpy()
    inside = {band: (age >= first) & (age < end) for band, (first, end) in AGE_BANDS.items()}
    return {band: calibration_line(happened[rows], odds[rows]).slope for band, rows in inside.items()}


def test_a_place_mends_slopes_within_age_bands_that_one_line_leaves_wrong(parent: FittedRisk) -> None:
    facts, happened = people_of(20_000, seed=11, shift=0.3)
    held, later = people_of(60_000, seed=12, shift=0.3)
    by_line = moved(parent, move_of_place(happened, parent.log_odds(parent.score(facts))))

    by_age = moved(parent, move_to_place(parent, parent.matrix(facts), happened))

    assert all(slope < 0.9 for slope in slopes(by_line, held, later).values())
    assert all(0.9 <= slope <= 1.1 for slope in slopes(by_age, held, later).values())
    gain = auroc_difference(later.astype(int), *(one.risk(one.score(held)) for one in (by_age, by_line)))
    assert gain.low > 0


def test_a_place_without_evidence_keeps_what_it_had(parent: FittedRisk) -> None:
    facts, happened = people_of(60, seed=5)
    aged = replace(parent, by_age=ByAge("age", 0.1, -0.03, -3.0, -5.0, 0.0))

    few = moved(aged, move_to_place(aged, aged.matrix(facts), happened))
    none = moved(aged, move_to_place(aged, aged.matrix(facts[:0]), happened[:0]))

    assert few.by_age is not None
    assert few.by_age.height == pytest.approx(0.1, abs=0.1)
    assert few.by_age.slope == pytest.approx(-0.03, abs=0.05)
    assert_allclose(none.log_odds(none.score(facts)), aged.log_odds(aged.score(facts)))


def test_a_model_of_an_earlier_version_has_no_term_and_scores_as_it_did(parent: FittedRisk) -> None:
    facts, _ = people_of(50, seed=6)

    straight = parent.log_odds(parent.ageless_score(parent.matrix(facts)))

    assert_allclose(parent.log_odds(parent.score(facts)), straight, rtol=0, atol=0)
    later, happened = people_of(400, seed=7)
    assert calibrate(parent, later, happened.astype(np.int8)).by_age is None


@given(
    st.floats(-1, 1),
    st.floats(-1, 1),
    st.floats(-4, 0),
    st.sampled_from([Bend(0.0, 1.0), Bend(-2.0, 0.4)]),
    st.sampled_from([Line(0.0, 1.0), Line(-0.4, 0.7)]),
)
@settings(max_examples=8, deadline=None)
def test_sums_are_exact_and_risks_rise_as_they_did(
    parent: FittedRisk, height: float, slope: float, centre: float, bend: Bend, line: Line
) -> None:
    term = ByAge("age", height, slope, centre, centre - 1.5, centre + 1.5).rising(parent.margin.curves[0])
    model = replace(parent, by_age=term, bend=bend, line=line)
    facts, _ = people_of(15, seed=8)
    of_all_ages = facts.drop("age").join(pl.DataFrame({"age": np.linspace(60.0, 104.0, 23)}), how="cross")
    of_all_ages = of_all_ages.select("age", "falls", "is_cold")

    told, compiled = model.explain(of_all_ages), compile_risk(model)
    odds = model.log_odds(model.score(of_all_ages))

    assert_allclose(told.base + told.contributions.sum(axis=1), odds, atol=1e-9)
    assert_allclose(compiled.explain(of_all_ages).contributions, told.contributions, atol=1e-9)
    assert_allclose(compiled.log_odds(of_all_ages), odds, atol=1e-9)
    assert_allclose(compiled.score(odds), model.score(of_all_ages), atol=1e-9)
    assert (np.diff(odds.reshape(15, 23), axis=1) > -1e-9).all()
    more = model.score(of_all_ages.with_columns(pl.col("falls") + 1))
    assert (model.log_odds(more) - odds > -1e-9).all()


def test_contributions_of_other_facts_are_scaled_alike_and_age_takes_the_rest() -> None:
    # At 90 a slope of -0.05 in ten years leaves 0.95 of each: 0.4 and -0.2 become 0.38 and -0.19. The score, -3 + 0.6,
    # lies 0.6 above the centre: it gains 0.1 - 0.05 * 0.6 = 0.07. So age has 0.67 - 0.38 + 0.19 = 0.48 of the sum.
    term = ByAge("age", 0.1, -0.05, -3.0, -5.0, 0.0)

    made = term.contributions(-3.0, np.array([[0.4, 0.4, -0.2]]), np.array([90.0]), place=0)

    assert_allclose(made, [[0.48, 0.38, -0.19]])
    assert made.sum() - 3.0 == pytest.approx(term.score(np.array([-2.4]), np.array([90.0]))[0])


def test_who_has_no_age_has_no_more_by_age() -> None:
    assert ByAge("age", 0.3, 0.1, -3.0, -5.0, 0.0).score(np.array([-2.0]), np.array([np.nan])).tolist() == [-2.0]


def test_a_saved_term_comes_back_and_one_of_nothing_is_refused(parent: FittedRisk, tmp_path) -> None:
    aged = replace(parent, by_age=ByAge("age", 0.1, -0.03, -3.0, -5.0, 0.0))
    save_folder(aged, tmp_path / "aged")
    save_folder(replace(aged, by_age=replace(aged.by_age, feature="height")), tmp_path / "other")
    save_folder(replace(aged, by_age=replace(aged.by_age, centre="-3")), tmp_path / "text")

    assert load_folder(tmp_path / "aged")[0].by_age == aged.by_age
    for damaged in ("other", "text"):
        with pytest.raises(BundleError):
            load_folder(tmp_path / damaged)


def test_a_fit_learns_the_term_from_people_it_was_not_fitted_on_and_the_same_each_time() -> None:
    facts, happened = people_of(1_500, seed=21)
    columns = columns_of(facts)
    recipe = Recipe(age="age", most_trees=10)

    first, second = (
        fit_risk(to_matrix(facts, columns), happened, columns=columns, signs=[1, 1, 1], recipe=recipe) for _ in range(2)
    )

    assert first.by_age is not None
    assert (first.by_age, first.line) == (second.by_age, second.line)
    assert ages_of(first, first.matrix(facts)).term == replace(first.by_age, height=0.0, slope=0.0)  # type: ignore[union-attr]
    plain = fit_risk(
        to_matrix(facts, columns), happened, columns=columns, signs=[1, 1, 1], recipe=Recipe(most_trees=10)
    )
    assert plain.by_age is None
    assert logit(first.risk(first.score(facts))).mean() == pytest.approx(logit(happened.mean()), abs=1.0)
