"""Whom a person is compared with: the narrowest group that is large enough, and what that group is like."""

import numpy as np
import polars as pl
import pytest

from ageingwell.model.contributions import Contributions
from ageingwell.model.fitted import Explanation
from ageingwell.peers import compare, find_alike


def people(*groups):
    """So many people of a sex, an age, a place: `(3, "female", 82, "Ludlow")`, with `"yes"` for a care home."""
    rows = [(sex, age, place, (home or ("no",))[0]) for n, sex, age, place, *home in groups for _ in range(n)]
    frame = pl.DataFrame(rows, schema=["sex", "age", "place", "care_home"], orient="row")
    return frame.select(pl.format("p{}", pl.int_range(pl.len())).alias("person_id"), pl.all())


def who(spine, **more):
    alike = find_alike(spine, minimum_age=65, **more)
    told = alike.people.join(alike.cells, on="cell").select("person_id", "who", "n_peers").sort("person_id")
    return told.select("who", "n_peers").unique(maintain_order=True).rows()


def test_a_hundred_alike_are_compared_in_their_place():
    spine = people((100, "female", 82, "Ludlow"), (7, "male", 82, "Ludlow"), (300, "female", 82, "Oswestry"))

    assert ("women aged 80 to 84 in Ludlow", 100) in who(spine)


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ((1, "female", 84, "Oswestry"), ("women aged 80 to 84 in all places", 100)),
        ((1, "female", 79, "Oswestry"), ("women aged 75 to 84 in all places", 100)),
        ((1, "male", 82, "Ludlow"), ("everyone aged 65 and over in all places", 100)),
    ],
)
def test_with_one_too_few_first_the_place_is_widened_then_the_ages_then_everything(others, expected):
    assert expected in who(people((99, "female", 82, "Ludlow"), others))


def test_the_bands_of_age_are_open_at_the_top():
    told = who(people((3, "male", 93, "Ludlow"), (2, "male", 86, "Ludlow")), enough=4)

    assert told == [("men aged 85 and over in all places", 5)]
    assert who(people((3, "male", 93, "Ludlow")), enough=3) == [("men aged 90 and over in Ludlow", 3)]


def test_somebody_of_unknown_sex_is_compared_with_people_of_any():
    spine = people((2, "female", 82, "Ludlow"), (2, "male", 81, "Ludlow"), (1, "unknown", 80, "Ludlow"))

    told = who(spine, enough=2)

    assert ("people aged 80 to 84 in Ludlow", 5) in told
    assert ("women aged 80 to 84 in Ludlow", 2) in told


def test_an_unknown_place_is_no_place_to_compare_in():
    assert who(people((9, "female", 82, "not known")), enough=2) == [("women aged 80 to 84 in all places", 9)]


def test_people_in_care_homes_count_in_no_group_and_are_compared_all_the_same():
    spine = people((3, "female", 82, "Ludlow"), (2, "female", 82, "Ludlow", "yes"))

    assert who(spine, enough=3) == [("women aged 80 to 84 in Ludlow", 3)]
    assert find_alike(spine, minimum_age=65, enough=3).members("p4").to_list() == ["p0", "p1", "p2"]


class Doubles:
    """A model of one feature, which adds twice its value."""

    features = ("falls",)

    def explain(self, features, *, threads):
        return Explanation(self.features, np.zeros(features.height), 2 * features.select("falls").to_numpy())


def test_a_group_is_as_its_people_are_on_average_whatever_cells_it_is_made_of():
    # Two of Ludlow and one of Oswestry: falls 0, 1 and 5, so 2 on average, 4 in contributions; risks 0.1, 0.3, 0.2.
    spine = people((2, "female", 82, "Ludlow"), (1, "female", 83, "Oswestry"))
    features = spine.select("person_id", falls=pl.Series([0.0, 1.0, 5.0]))
    risks = spine.select("person_id", risk=pl.Series([0.1, 0.3, 0.2]))

    found = compare(find_alike(spine, minimum_age=65, enough=3), Contributions(Doubles(), features), risks)

    assert found.groups["peers_risk"].to_list() == pytest.approx([0.2] * 3)
    assert found.means_of(spine["person_id"]).ravel().tolist() == pytest.approx([4.0] * 3)


def test_a_group_of_which_somebody_has_no_features_is_left_out():
    spine = people((2, "female", 82, "Ludlow"), (2, "male", 82, "Ludlow"))
    features = spine.select("person_id", falls=pl.lit(1.0)).head(3)

    found = compare(
        find_alike(spine, minimum_age=65, enough=2),
        Contributions(Doubles(), features),
        spine.select("person_id", risk=pl.lit(0.1)),
    )

    assert found.groups["person_id"].to_list() == ["p0", "p1"]
