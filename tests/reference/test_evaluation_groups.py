"""Shares and their differences against published figures, statsmodels 0.15.0 and scikit-learn."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import precision_score, recall_score

from ageingwell.evaluation.estimate import difference, proportion
from ageingwell.evaluation.groups import AT_THE_CUT, by_group

# statsmodels: proportion_confint(k, 10, method=...) for k = 1 and 3.
PUBLISHED = {
    "wilson": [(0.01787621, 0.40415003), (0.10779127, 0.60322185)],
    "clopper_pearson": [(0.00252858, 0.44501612), (0.06673951, 0.65245285)],
    "jeffreys": [(0.01101167, 0.38131477), (0.09269459, 0.60581832)],
}


@pytest.mark.parametrize("method", PUBLISHED)
def test_intervals_of_a_share_are_statsmodels(method):
    told = [proportion(events, 10, method=method) for events in (1, 3)]

    assert [(share.low, share.high) for share in told] == [pytest.approx(ends, abs=6e-8) for ends in PUBLISHED[method]]


@pytest.mark.parametrize(("method", "scipys"), [("wilson", "wilson"), ("clopper_pearson", "exact")])
@pytest.mark.parametrize(("events", "n"), [(0, 5), (5, 5), (7, 40), (1, 1000)])
def test_intervals_of_a_share_are_scipys(method, scipys, events, n):
    expected = stats.binomtest(events, n).proportion_ci(method=scipys)

    told = proportion(events, n, method=method)

    assert (told.low, told.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(
    ("ours", "theirs", "published"),
    [
        ((56, 70), (48, 80), (0.2, 0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.6, 0.1705, 0.8090)),
        ((5, 56), (0, 29), (0.0893, -0.0381, 0.1926)),
        ((10, 10), (0, 10), (1.0, 0.6075, 1.0)),
    ],
)
def test_differences_of_shares_are_newcombes_published_ones(ours, theirs, published):
    """Statistics in Medicine 1998;17:873, table II, method 10."""
    told = difference(proportion(*ours), proportion(*theirs))

    assert (told.value, told.low, told.high) == pytest.approx(published, abs=5e-5)


def test_rates_at_the_cut_are_scikit_learns_in_each_group():
    generator = np.random.default_rng(4)
    outcome, listed = generator.integers(0, 2, 300), generator.integers(0, 2, 300)
    place = generator.choice(["north", "south", "west"], 300)

    told = by_group(AT_THE_CUT, outcome, listed, groupings={"place": place})

    for name in ("north", "south", "west"):
        found = dict(told.filter(group=name).select("measure", "value").iter_rows())
        y, on_list = outcome[place == name], listed[place == name]
        assert found["false-negative rate"] == pytest.approx(1 - recall_score(y, on_list), abs=1e-12)
        assert found["false-positive rate"] == pytest.approx(1 - recall_score(y, on_list, pos_label=0), abs=1e-12)
        assert found["positive predictive value"] == pytest.approx(precision_score(y, on_list), abs=1e-12)
        assert found["share listed"] == pytest.approx(on_list.mean(), abs=1e-12)
        assert found["event rate"] == pytest.approx(y.mean(), abs=1e-12)
