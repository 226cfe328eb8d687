"""Nothing that a measure is given is guessed: what is no outcome and no score stops every measure, with a count."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pytest

from ageingwell import evaluation
from ageingwell.evaluation.alike import match_nearest
from ageingwell.evaluation.brier import brier
from ageingwell.evaluation.calibration import (
    calibration,
    calibration_curve,
    calibration_groups,
    calibration_intercept,
    calibration_line,
    calibration_slope,
    observed_over_expected,
)
from ageingwell.evaluation.coverage import held_by_group, holds, holds_truth
from ageingwell.evaluation.discrimination import (
    auroc,
    auroc_by_band,
    auroc_difference,
    average_precision,
    average_precision_difference,
    paired_differences,
)
from ageingwell.evaluation.drift import calibration_drift, mean_risk_shift, population_stability
from ageingwell.evaluation.effect import effect_by_lot, effect_of_visits
from ageingwell.evaluation.estimate import proportion, resampled
from ageingwell.evaluation.evaluated import evaluate_risk
from ageingwell.evaluation.groups import (
    AT_THE_CUT,
    by_group,
    event_rate,
    false_negative_rate,
    false_positive_rate,
    positive_predictive_value,
    selection_rate,
)
from ageingwell.evaluation.ici import calibration_index, smoothed
from ageingwell.evaluation.rank_stability import chance_in_top, rank_stability, redrawn_scores
from ageingwell.evaluation.sample_size import minimum_sample_size, r_squared_of_area
from ageingwell.evaluation.utility import (
    as_risk,
    at_capacities,
    at_list_length,
    chance_listed,
    net_benefit,
    net_benefit_gain,
    spend_ceiling,
)
from ageingwell.evaluation.wall import benchmark_wall, verdict

N = 20
OUTCOME = [0, 1, 1, 0] * 5
RISK = [0.1, 0.3, 0.6, 0.4] * 5
LISTED = [0, 0, 1, 0] * 5
ALIKE = [0.25] * N
SEX = ["F", "M"] * 10
SCORES = {"age": RISK}

# Each measure as a call with an outcome, and as a call with a score; None where it takes none.
OF_OUTCOME: dict[str, Callable] = {
    "auroc": lambda y: auroc(y, RISK),
    "auroc_by_band": lambda y: auroc_by_band(y, RISK, [70] * N),
    "auroc_difference": lambda y: auroc_difference(y, RISK, RISK),
    "average_precision": lambda y: average_precision(y, RISK, draws=2),
    "average_precision_difference": lambda y: average_precision_difference(y, RISK, RISK, draws=2),
    "paired_differences": lambda y: paired_differences(y, {"model": RISK, **SCORES}, model="model", draws=2),
    "brier": lambda y: brier(y, RISK, draws=2),
    "calibration": lambda y: calibration(y, RISK),
    "calibration_line": lambda y: calibration_line(y, RISK),
    "calibration_curve": lambda y: calibration_curve(y, RISK, groups=2),
    "calibration_groups": lambda y: calibration_groups(y, RISK),
    "observed_over_expected": lambda y: observed_over_expected(y, RISK),
    "evaluate_risk": lambda y: evaluate_risk(y, RISK),
    "calibration_index": lambda y: calibration_index(y, RISK, draws=2),
    "smoothed": lambda y: smoothed(y, RISK, at=[0.2]),
    "holds": lambda y: holds(y, RISK, RISK, RISK, groups=2),
    "held_by_group": lambda y: held_by_group(y, RISK, RISK, RISK, groups=2),
    "calibration_drift": lambda y: calibration_drift(OUTCOME, RISK, y, RISK),
    "at_list_length": lambda y: at_list_length(y, RISK, k=5),
    "at_capacities": lambda y: at_capacities(y, RISK, capacities={"fire": 5}),
    "calibration_slope": lambda y: calibration_slope(y, RISK),
    "calibration_intercept": lambda y: calibration_intercept(y, RISK),
    "net_benefit": lambda y: net_benefit(y, {"model": RISK}, thresholds=[0.2]),
    "net_benefit_gain": lambda y: net_benefit_gain(y, {"model": RISK}, model="model", thresholds=[0.2]),
    "as_risk": lambda y: as_risk(y, RISK),
    "spend_ceiling": lambda y: spend_ceiling(y, RISK, cost_gbp=100.0),
    "benchmark_wall": lambda y: benchmark_wall({"model": RISK}, outcome=y, age=[70] * N, k=5, threshold=0.2, draws=2),
    "by_group": lambda y: by_group(AT_THE_CUT, y, LISTED, groupings={"sex": SEX}),
    "event_rate": lambda y: event_rate(y),
    "selection_rate": lambda y: selection_rate(y, LISTED),
    "false_negative_rate": lambda y: false_negative_rate(y, LISTED),
    "false_positive_rate": lambda y: false_positive_rate(y, LISTED),
    "positive_predictive_value": lambda y: positive_predictive_value(y, LISTED),
    "list in false_negative_rate": lambda y: false_negative_rate(OUTCOME, y),
    "list in false_positive_rate": lambda y: false_positive_rate(OUTCOME, y),
    "list in positive_predictive_value": lambda y: positive_predictive_value(OUTCOME, y),
    "list in selection_rate": lambda y: selection_rate(OUTCOME, y),
    "match_nearest": lambda y: match_nearest(visited=y, risk=ALIKE, prior=ALIKE),
    "effect_of_visits": lambda y: effect_of_visits(RISK, y, risk=ALIKE, prior=ALIKE),
    "effect_by_lot": lambda y: effect_by_lot(RISK, y),
}
OF_SCORE: dict[str, Callable] = {
    "auroc": lambda x: auroc(OUTCOME, x),
    "auroc_by_band": lambda x: auroc_by_band(OUTCOME, RISK, x),
    "auroc_difference": lambda x: auroc_difference(OUTCOME, RISK, x),
    "average_precision": lambda x: average_precision(OUTCOME, x, draws=2),
    "average_precision_difference": lambda x: average_precision_difference(OUTCOME, RISK, x, draws=2),
    "paired_differences": lambda x: paired_differences(OUTCOME, {"model": x, **SCORES}, model="model", draws=2),
    "brier": lambda x: brier(OUTCOME, x, draws=2),
    "calibration": lambda x: calibration(OUTCOME, x),
    "calibration_line": lambda x: calibration_line(OUTCOME, x),
    "calibration_curve": lambda x: calibration_curve(OUTCOME, x, groups=2),
    "calibration_groups": lambda x: calibration_groups(OUTCOME, x),
    "observed_over_expected": lambda x: observed_over_expected(OUTCOME, x),
    "evaluate_risk": lambda x: evaluate_risk(OUTCOME, x),
    "calibration_index": lambda x: calibration_index(OUTCOME, x, draws=2),
    "smoothed": lambda x: smoothed(OUTCOME, x, at=[0.2]),
    "holds": lambda x: holds(OUTCOME, RISK, x, RISK, groups=2),
    "holds_truth": lambda x: holds_truth(x, RISK, RISK, RISK, groups=2),
    "calibration_drift": lambda x: calibration_drift(OUTCOME, RISK, OUTCOME, x),
    "at_list_length": lambda x: at_list_length(OUTCOME, x, k=5),
    "at_capacities": lambda x: at_capacities(OUTCOME, x, capacities={"fire": 5}),
    "calibration_slope": lambda x: calibration_slope(OUTCOME, x),
    "calibration_intercept": lambda x: calibration_intercept(OUTCOME, x),
    "net_benefit": lambda x: net_benefit(OUTCOME, {"model": x}, thresholds=[0.2]),
    "net_benefit_gain": lambda x: net_benefit_gain(OUTCOME, {"model": x}, model="model", thresholds=[0.2]),
    "as_risk": lambda x: as_risk(OUTCOME, x),
    "spend_ceiling": lambda x: spend_ceiling(OUTCOME, x, cost_gbp=100.0),
    "benchmark_wall": lambda x: benchmark_wall(
        {"model": x}, outcome=OUTCOME, age=[70] * N, k=5, threshold=0.2, draws=2
    ),
    "by_group": lambda x: by_group({"auroc": auroc}, OUTCOME, x, groupings={"sex": ["a"] * N}),
    "match_nearest": lambda x: match_nearest(visited=LISTED, risk=x, prior=ALIKE),
    "effect_of_visits": lambda x: effect_of_visits(x, LISTED, risk=ALIKE, prior=ALIKE),
    "effect_by_lot": lambda x: effect_by_lot(x, LISTED),
    "rank_stability": lambda x: rank_stability(x, [RISK, RISK], k=5),
}
# Scores that stand alone, so that no other array says how many people there are.
ALONE: dict[str, Callable] = {
    "chance_listed": lambda x: chance_listed(x, k=5),
    "mean_risk_shift": lambda x: mean_risk_shift(RISK, x),
    "chance_in_top": lambda x: chance_in_top([x, x], k=5),
    "redrawn_scores": lambda x: redrawn_scores(lambda rows: x, n=3, draws=2),
}
NO_OUTCOME = {
    "None": ([None, *OUTCOME[1:]], "1 of 20 are missing"),
    "NaN": ([np.nan, np.nan, *OUTCOME[2:]], "2 of 20 are missing"),
    "NA of pandas": (pd.Series([pd.NA, *OUTCOME[1:]], dtype="Int64"), "1 of 20 are missing"),
    "null of Polars": (pl.Series([None, *(value == 1 for value in OUTCOME[1:])]), "1 of 20 are missing"),
    "behind a mask": (np.ma.masked_array(OUTCOME, mask=[True] + [False] * 19), "1 of 20 are missing"),
    "text": ([str(value) for value in OUTCOME], "20 of 20 are something else"),
    "text and a gap": (["1", np.nan, *OUTCOME[2:]], "1 of 20 are missing"),
    "words": (["yes", "no"] * 10, "20 of 20 are something else"),
    "another number": ([2, -1, *OUTCOME[2:]], "2 of 20 are something else"),
    "a share": ([0.5, *OUTCOME[1:]], "1 of 20 are something else"),
    "an infinite one": ([np.inf, *OUTCOME[1:]], "1 of 20 are something else"),
    "days": (np.array(["2026-11-22"] * 20, dtype="datetime64[D]"), "20 of 20 are something else"),
    "two columns": (np.column_stack([OUTCOME, OUTCOME]), r"shape \(20, 2\)"),
    "nobody": ([], "nobody was given"),
}
NO_SCORE = {
    "None": ([None, *RISK[1:]], "missing for 1 of 20 people"),
    "NaN": ([np.nan, np.nan, *RISK[2:]], "missing for 2 of 20 people"),
    "NA of pandas": (pd.Series([pd.NA, *RISK[1:]], dtype="Float64"), "missing for 1 of 20 people"),
    "null of Polars": (pl.Series([None, *RISK[1:]]), "missing for 1 of 20 people"),
    "behind a mask": (np.ma.masked_array(RISK, mask=[True] + [False] * 19), "missing for 1 of 20 people"),
    "infinite": ([np.inf, -np.inf, *RISK[2:]], "infinite for 2 of 20 people"),
    "text": ([str(value) for value in RISK], "must be a number"),
    "complex": (np.array(RISK) + 0j, "must be a number"),
    "both classes": (np.column_stack([RISK, RISK]), r"shape \(20, 2\)"),
    "nobody": ([], "nobody was given"),
}


@pytest.mark.parametrize("fault", NO_OUTCOME)
@pytest.mark.parametrize("measure", OF_OUTCOME)
def test_what_is_no_outcome_stops_every_measure_and_says_how_many_there_are(measure, fault):
    given, said = NO_OUTCOME[fault]

    with pytest.raises(ValueError, match=said):
        OF_OUTCOME[measure](given)


@pytest.mark.parametrize("fault", NO_SCORE)
@pytest.mark.parametrize("measure", OF_SCORE | ALONE)
def test_what_is_no_score_stops_every_measure_and_says_how_many_there_are(measure, fault):
    given, said = NO_SCORE[fault]
    if measure == "by_group" and fault == "nobody":
        said = "do not belong together"

    with pytest.raises(ValueError, match=said):
        (OF_SCORE | ALONE)[measure](given)


@pytest.mark.parametrize("measure", [*OF_OUTCOME, *(f"score of {name}" for name in OF_SCORE)])
def test_arrays_of_other_people_stop_every_measure(measure):
    if measure in ("event_rate",):
        return
    call, given = (
        (OF_SCORE[measure.removeprefix("score of ")], RISK[1:])
        if measure.startswith("score of ")
        else (OF_OUTCOME[measure], OUTCOME[1:])
    )

    with pytest.raises(ValueError, match=r"do not belong together|labels, and arrays of|redrawn scores are of"):
        call(given)


@pytest.mark.parametrize(
    "same",
    [
        np.array(OUTCOME, dtype=np.int8),
        np.array(OUTCOME, dtype=float),
        np.array(OUTCOME, dtype=bool),
        np.array(OUTCOME, dtype=object),
        pl.Series(OUTCOME, dtype=pl.Boolean, strict=False),
        pd.Series(OUTCOME, dtype="Int64"),
        pd.Series(OUTCOME, dtype="boolean"),
    ],
    ids=lambda same: f"{type(same).__name__} {same.dtype}",
)
@pytest.mark.parametrize("measure", OF_OUTCOME)
def test_every_carrier_of_the_same_outcomes_gives_the_same_figures(measure, same):
    told, again = OF_OUTCOME[measure](OUTCOME), OF_OUTCOME[measure](same)

    assert repr(again) == repr(told)


def test_the_tables_above_name_every_measure_that_takes_an_outcome_or_a_score():
    takes = {"outcome", "score", "risk", "visited", "true_risk", "redrawn", "log_odds", "risk_now", "outcome_now"}
    # They check, or work on what is checked, or on tables of counts.
    not_measures = {"outcome_and", "outcome_and_risk", "outcome_and_listed"}
    not_measures |= {"share_interval", "gap_interval", "distance_interval"}
    # Refuse so few people; they work on what `match_nearest` and `effect_of_visits` check.
    not_measures |= {"before_after", "effects_of_visits"}
    found = set()
    for module in pkgutil.iter_modules(evaluation.__path__, f"{evaluation.__name__}."):
        for name, function in inspect.getmembers(importlib.import_module(module.name), inspect.isfunction):
            is_own = function.__module__ == module.name and not name.startswith("_")
            if is_own and takes & set(inspect.signature(function).parameters):
                found.add(name)

    assert found - not_measures == found & {*OF_OUTCOME, *OF_SCORE, *ALONE}


def test_a_message_holds_no_outcome_and_no_score_of_anybody():
    with pytest.raises(ValueError, match="something else") as outcome:
        auroc(["housebound", *OUTCOME[1:]], RISK)
    with pytest.raises(ValueError, match="must be a number") as score:
        auroc(OUTCOME, ["0.7391", *RISK[1:]])

    assert "housebound" not in str(outcome.value)
    assert "7391" not in str(score.value)
    assert "What to do" in str(outcome.value)


def test_an_outcome_that_is_not_known_is_no_event_in_any_group():
    outcome = [1, 0, float("nan"), float("nan")]

    with pytest.raises(ValueError, match="2 of 4 are missing"):
        by_group({"event rate": event_rate}, outcome, groupings={"sex": ["F", "F", "M", "M"]})


@pytest.mark.parametrize(
    "labels",
    [
        ["F", "F", None, None],
        ["F", "F", float("nan"), float("nan")],
        np.array(["F", "F", np.nan, np.nan], dtype=object),
        pd.Series(["F", "F", pd.NA, None], dtype="string"),
        pd.Categorical(["F", "F", None, None]),
        pl.Series(["F", "F", None, None]),
        pl.Series(["F", "F", None, None], dtype=pl.Enum(["F"])),
    ],
    ids=lambda labels: f"{type(labels).__name__} {getattr(labels, 'dtype', '')}",
)
def test_people_of_no_known_group_are_a_group_of_their_own_called_so(labels):
    told = by_group({"event rate": event_rate}, [1, 0, 1, 1], groupings={"sex": labels})

    assert told.select("group", "value", "n").rows() == [("F", 0.5, 2), ("not known", 1.0, 2)]


@pytest.mark.parametrize("labels", [[1, 1, 2, None], pl.Series([1, 1, 2, None]), pd.Series([1.0, 1.0, 2.0, None])])
def test_whole_numbers_with_a_gap_are_the_groups_they_were_without(labels):
    told = by_group({"event rate": event_rate}, [1, 0, 1, 1], groupings={"fifth": labels})

    assert told["group"].to_list() == ["1", "2", "not known"]


def test_people_of_unknown_homes_are_not_one_household():
    homes = ["oak", "oak", None, None]

    for measure in (
        lambda: resampled(lambda drawn: 0.0, 4, draws=1, seed=1, households=homes),
        lambda: brier([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], draws=1, households=homes),
        lambda: population_stability(
            pl.DataFrame({"a": [1, 2, 3, 4]}), pl.DataFrame({"a": [1]}), draws=1, households=(homes, ["oak"])
        ),
    ):
        with pytest.raises(ValueError, match="household is missing for 2 of 4 people"):
            measure()


@pytest.mark.parametrize("k", [0, -1, 2.5, True])
def test_a_list_is_a_whole_number_of_people(k):
    for measure in (
        lambda: at_list_length(OUTCOME, RISK, k=k),
        lambda: chance_listed(RISK, k=k),
        lambda: rank_stability(RISK, [RISK], k=k),
    ):
        with pytest.raises(ValueError, match="a list holds at least one person"):
            measure()


@pytest.mark.parametrize(
    "call",
    [
        lambda: proportion(5, 3),
        lambda: proportion(-1, 3),
        lambda: proportion(float("nan"), 3),
        lambda: minimum_sample_size(n_parameters=10, event_share=float("nan")),
        lambda: minimum_sample_size(n_parameters=10, event_share=0.2, optimism=0.0),
        lambda: minimum_sample_size(n_parameters=10, event_share=0.2, margin=float("nan")),
        lambda: r_squared_of_area(float("nan"), 0.2),
        lambda: spend_ceiling(OUTCOME, RISK, cost_gbp=float("nan")),
        lambda: spend_ceiling(OUTCOME, RISK, cost_gbp=100.0, effects=[-0.1]),
        lambda: net_benefit(OUTCOME, {"model": RISK}, thresholds=[float("nan")]),
    ],
)
def test_figures_that_cannot_be_stop(call):
    with pytest.raises(ValueError, match=r"between|lies|is of|is 0 pounds"):
        call()


def test_a_gain_that_is_no_number_beats_nobody():
    gain = {"name": ["age alone"], "measure": ["auroc_model_minus_rival"], "band": ["all"]}
    wall = pl.DataFrame({**gain, "value": [float("nan")], "low": [float("nan")]})

    told = verdict(wall, to_beat=[], level_with="age alone")

    assert not told.usable
