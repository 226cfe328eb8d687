"""What a list of a given length is worth, ties included, and who is missed by it."""

import numpy as np
import pytest
from helpers.tables import table

from ageingwell.evaluation.brier import brier
from ageingwell.evaluation.calibration import calibration, observed_over_expected
from ageingwell.evaluation.discrimination import auroc, average_precision
from ageingwell.evaluation.groups import AT_THE_CUT, by_group, false_negative_rate
from ageingwell.evaluation.ici import calibration_index
from ageingwell.evaluation.utility import as_risk, at_capacities, at_list_length, net_benefit, spend_ceiling

PEOPLE = table("""
    outcome | score
    --------+------
    1       | 0.56
    0       | 0.55
    1       | 0.50
    0       | 0.50
    0       | 0.30
""")


def test_a_tie_at_the_cut_is_told_at_its_worst_its_best_and_as_expected():
    told = at_list_length(PEOPLE["outcome"], PEOPLE["score"], k=3)

    # Two are in for certain, one of them with the event; the third place goes to one of two, one with the event.
    ppv, sensitivity, lift, listed = told.iter_rows(named=True)
    assert (ppv["worst"], ppv["value"], ppv["best"]) == pytest.approx((1 / 3, 1.5 / 3, 2 / 3))
    assert (sensitivity["worst"], sensitivity["value"], sensitivity["best"]) == pytest.approx((1 / 2, 1.5 / 2, 2 / 2))
    assert (lift["worst"], lift["value"], lift["best"]) == pytest.approx((1 / 1.2, 1.5 / 1.2, 2 / 1.2))
    assert listed["value"] == pytest.approx(3 / 5)


def test_without_a_tie_at_the_cut_there_is_one_answer():
    ppv = at_list_length(PEOPLE["outcome"], PEOPLE["score"], k=2).row(0, named=True)

    assert (ppv["worst"], ppv["value"], ppv["best"], ppv["n"], ppv["n_events"]) == (0.5, 0.5, 0.5, 2, 1)


def test_a_list_longer_than_the_people_is_everybody():
    ppv, sensitivity, *_ = at_list_length(PEOPLE["outcome"], PEOPLE["score"], k=50).iter_rows(named=True)

    assert (ppv["value"], ppv["k"], sensitivity["value"]) == (0.4, 5, 1.0)


def test_each_agency_is_told_what_its_own_capacity_would_capture_and_all_together():
    told = at_capacities(PEOPLE["outcome"], PEOPLE["score"], capacities={"fire": 1, "housing": 0, "gp": 1})

    captured = told.filter(measure="sensitivity")
    assert captured.select("agency", "k", "value").rows() == [("fire", 1, 0.5), ("gp", 1, 0.5), ("all", 2, 0.5)]


def test_where_nobody_had_the_event_nothing_can_be_captured():
    told = at_list_length([0, 0, 0], [0.3, 0.2, 0.1], k=1)

    assert told.select("measure", "value").rows() == [("ppv", 0.0), ("sensitivity", None), ("listed", 1 / 3)]


def test_a_score_that_is_no_risk_is_refused_for_net_benefit():
    with pytest.raises(ValueError, match="as_risk"):
        net_benefit([0, 1], {"age": [70, 80]}, thresholds=[0.2])


def test_a_score_becomes_a_risk_with_the_people_s_own_share():
    risk = as_risk([0, 1, 0, 1, 1, 0], [70, 75, 80, 85, 90, 72])

    assert risk.mean() == pytest.approx(0.5)
    assert (np.diff(risk[np.argsort([70, 75, 80, 85, 90, 72])]) > 0).all()


def test_the_higher_band_may_cost_more_and_the_bands_above_are_taken_together():
    told = spend_ceiling([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], cost_gbp=1000, effects=[0.2], bands=3)

    # Bands of two hold 0, 1 and 2 events: 0, 0.5 and 1 x £1,000 x 0.2; from the second band on 3 of 4.
    assert told.filter(scope="band")["value"].to_list() == pytest.approx([0, 100, 200])
    assert told.filter(scope="band and above")["value"].to_list() == pytest.approx([100, 150, 200])


def test_the_share_missed_is_counted_in_each_group_at_the_actual_cut():
    people = table("""
        sex    | outcome | listed
        -------+---------+-------
        female | 1       | 1
        female | 1       | 0
        female | 1       | 0
        male   | 1       | 1
        male   | 0       | 1
               | 1       | 0
    """)

    told = by_group(
        {"missed": false_negative_rate}, people["outcome"], people["listed"], groupings={"sex": people["sex"]}
    )

    assert told.select("group", "value", "n", "n_events").rows() == [
        ("female", pytest.approx(2 / 3), 3, 2),
        ("male", 0.0, 1, 0),
        ("not known", 1.0, 1, 1),
    ]
    # The rest of the women: two with the event, one of them missed.
    assert told["difference"][0] == pytest.approx(2 / 3 - 1 / 2)
    assert told["is_small"].all()


def test_a_figure_on_counts_below_eight_on_either_side_is_marked_small():
    sex = ["f"] * 40 + ["m"] * 40
    outcome = ([1] * 20 + [0] * 20) * 2
    listed = [1] * 10 + [0] * 30 + [1] * 4 + [0] * 36

    told = by_group(AT_THE_CUT, outcome, listed, groupings={"sex": sex}).filter(group="f")

    # Of 20 women with the event 10 were missed; of the men, 16 were missed and 4 found: 4 are too few to print.
    assert told.filter(measure="event rate")["is_small"].item() is False
    assert told.filter(measure="false-negative rate")["is_small"].item() is True


def test_a_group_of_everybody_has_no_rest_to_differ_from():
    told = by_group({"missed": false_negative_rate}, [1, 1], [1, 0], groupings={"place": ["here", "here"]})

    assert told.select("value", "difference", "difference_low").rows() == [(0.5, None, None)]


@pytest.mark.parametrize(
    ("outcome", "score", "said"),
    [
        ([0, 1, 1], [0.1, 0.2], "do not belong together"),
        ([0, 1], [0.1, float("nan")], "a score is missing"),
        ([0, 2], [0.1, 0.2], "0 and 1"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused_without_a_value(outcome, score, said):
    for measure in (auroc, average_precision, brier):
        with pytest.raises(ValueError, match=said):
            measure(outcome, score)


def test_a_risk_beyond_one_is_refused():
    for measure in (brier, observed_over_expected, calibration_index):
        with pytest.raises(ValueError, match="between 0 and 1"):
            measure([0, 1], [0.2, 1.2])


def test_with_one_outcome_only_figures_are_empty_and_counts_are_told():
    told = calibration([0, 0, 0], [-2.0, -1.0, -1.5]).filter(measure="slope")

    assert told.select("value", "low", "high", "n", "n_events").row(0) == (None, None, None, 3, 0)
    assert np.isnan(auroc([0, 0, 0], [0.1, 0.2, 0.3]).value)
