"""What each fact adds for everybody, asked for some people and for groups of people."""

import numpy as np
import polars as pl
import pytest
from helpers.risk import drawn_people

from ageingwell.errors import FrameError
from ageingwell.model import contributions
from ageingwell.model.contributions import Contributions
from ageingwell.model.estimator import RiskModel

PEOPLE, DIED = drawn_people(300)
FEATURES = PEOPLE.select(pl.Series("person_id", [f"p{n}" for n in range(300)]), pl.all())


@pytest.fixture(scope="module")
def everybody() -> Contributions:
    model = RiskModel(warn_on_few_events=False, max_trees=30).fit(PEOPLE, DIED)
    return Contributions(model.fitted_, FEATURES)


def test_the_contributions_of_some_people_are_theirs_in_the_order_they_were_asked_for(everybody):
    all_of_them = everybody.model.explain(FEATURES)

    some = everybody.of(pl.Series(["p200", "p3", "p7"]))

    assert some.contributions.tobytes() == all_of_them.contributions[[200, 3, 7]].tobytes()
    assert some.base.tobytes() == all_of_them.base[[200, 3, 7]].tobytes()


def test_the_means_of_groups_are_those_of_their_people_and_leave_out_who_has_no_label(everybody, monkeypatch):
    label = pl.Series(["old" if age > 80 else None if age > 75 else "young" for age in FEATURES["age"]])
    all_of_them = everybody.model.explain(FEATURES).contributions

    means = everybody.means_by(label)
    monkeypatch.setattr(contributions, "PEOPLE_IN_A_CHUNK", 7)
    in_small_chunks = everybody.means_by(label)

    assert means["label"].to_list() == ["old", "young"]
    assert means["n"].to_list() == [(label == "old").sum(), (label == "young").sum()]
    for place, word in enumerate(["old", "young"]):
        theirs = all_of_them[(label == word).fill_null(value=False).to_numpy()].mean(axis=0)
        np.testing.assert_allclose(means.row(place)[2:], theirs, atol=2**-33)
        np.testing.assert_allclose(in_small_chunks.row(place)[2:], theirs, atol=2**-33)


def test_somebody_without_features_and_labels_of_another_length_are_refused(everybody):
    with pytest.raises(FrameError, match="1 people were asked for"):
        everybody.of(pl.Series(["p1", "nobody"]))
    with pytest.raises(FrameError, match="2 labels were given for 300 people"):
        everybody.means_by(pl.Series(["a", "b"]))
