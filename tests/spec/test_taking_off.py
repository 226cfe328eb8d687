"""Who is taken off a night, out of which frames: drawn as small tables."""

import polars as pl
import pytest
from helpers.tables import pseudonym, table

from ageingwell.contracts.services import schema_of
from ageingwell.kept.frames import CONTRACTS, NightFrames
from ageingwell.kept.reading import usable
from ageingwell.night.taking_off import Withdrawn, is_mass_move, without_moves, without_withdrawn

NOBODY = pl.DataFrame(schema={"person_id": pl.String, "household_id": pl.String, "reason": pl.String})
NONE_GONE = Withdrawn(
    people=NOBODY.drop("household_id"),
    homes=NOBODY.drop("person_id"),
    now_at=NOBODY.drop("reason"),
    lived_in=NOBODY.select("household_id"),
    guarded=NOBODY.drop("reason"),
)


def rows(drawing, like):
    drawn = table(drawing)
    return drawn.cast({name: kind for name, kind in like.schema.items() if name in drawn.columns})


def night(**drawings):
    """A night of the frames drawn; all others hold nobody."""
    empty = {name: pl.DataFrame(schema=schema_of(model)) for name, model in CONTRACTS.items()}
    return NightFrames(**empty | {name: rows(drawing, empty[name]) for name, drawing in drawings.items()})


def gone(**drawings):
    return Withdrawn(**vars(NONE_GONE) | {name: rows(d, getattr(NONE_GONE, name)) for name, d in drawings.items()})


LISTED = """
    person_id | household_id
    p1        | h1
    p2        | h2
"""
HOME_NEEDS = """
    person_id | household_id | need  | outcome
              | h7           | alarm | no_person_linked
              | h8           | alarm | no_person_linked
    p1        | h1           | alarm | allocated
"""


def test_a_night_that_nobody_is_taken_off_comes_back_as_it_was():
    frames = night(listed=LISTED, needs=HOME_NEEDS)

    assert without_withdrawn(frames, NONE_GONE) is frames


@pytest.mark.parametrize("who", ["opted out", "dead", "moved away", "a child"])
def test_a_home_that_the_register_has_somebody_at_is_no_home_that_nobody_is_linked_to(who):
    # Whoever it is: the register's homes come with every newest version.
    there = gone(lived_in="household_id\nh7")

    kept = without_withdrawn(night(listed=LISTED, needs=HOME_NEEDS), there).needs

    assert kept["household_id"].to_list() == ["h8", "h1"]


def test_a_home_that_objects_is_off_the_sheet_of_homes():
    objects = gone(homes="household_id | reason\nh8 | objection")

    assert without_withdrawn(night(needs=HOME_NEEDS), objects).needs["household_id"].to_list() == ["h7", "h1"]


def test_whoever_lived_in_a_home_that_objects_is_off_though_no_person_is_named():
    objects = gone(homes="household_id | reason\nh1 | objection")

    reasons = "person_id\np1\np2"

    kept = without_withdrawn(night(listed=LISTED, needs=HOME_NEEDS, reasons=reasons), objects)

    assert kept.listed["person_id"].to_list() == ["p2"]
    assert kept.needs["person_id"].to_list() == [None, None]
    # What is said of a person names no home: they have to be known to live there.
    assert kept.reasons["person_id"].to_list() == ["p2"]


def test_a_home_under_safeguarding_is_left_to_the_safeguarding_lead_whoever_lives_there():
    marked = gone(homes="household_id | reason\nh7 | safeguarding", lived_in="household_id\nh7")

    kept = without_withdrawn(night(needs=HOME_NEEDS), marked).needs

    assert kept.select("household_id", "outcome").rows() == [
        ("h7", "safeguarding"), ("h8", "no_person_linked"), ("h1", "allocated"),
    ]  # fmt: skip


SAFEGUARDED = """
    person_id | household_id | reason
    p3        | h3           | safeguarding
    p4        | h3           | safeguarding_at_home
              | h5           | home
"""


def test_who_opted_out_and_is_under_a_marker_stays_with_the_safeguarding_lead_and_is_nowhere_else():
    frames = night(safeguarded=SAFEGUARDED, people="person_id | household_id\np3 | h3", residents=LISTED)
    opted = gone(people="person_id | reason\np3 | objection\np4 | objection", guarded="person_id | household_id\np3 |")

    kept = without_withdrawn(frames, opted)

    assert kept.safeguarded["person_id"].to_list() == ["p3", None]
    assert kept.people.is_empty()


def test_a_marked_home_that_objects_stays_with_the_safeguarding_lead():
    opted = gone(homes="household_id | reason\nh5 | objection", guarded="person_id | household_id\n | h5")

    assert without_withdrawn(night(safeguarded=SAFEGUARDED, listed=LISTED), opted).safeguarded.height == 3


def test_who_left_and_opted_out_is_in_no_frame():
    frames = night(left_list="person_id | household_id | lead_agency | reason\np9 | h9 | gp | moved", listed=LISTED)

    assert without_withdrawn(frames, gone(people="person_id | reason\np9 | objection")).left_list.is_empty()


def test_a_door_is_gone_with_its_person_though_the_night_does_not_say_any_more_where_that_was():
    frames = night(just_missed="lead_agency | door_id\ngp | h1\nfire | h2", listed=LISTED)
    lost = NightFrames(**vars(frames) | {"listed": frames.listed.drop("household_id")})
    died = gone(people="person_id | reason\np1 | deceased", now_at="person_id | household_id\np1 | h1")

    assert without_withdrawn(lost, died).just_missed["door_id"].to_list() == ["h2"]
    assert without_withdrawn(lost, died).listed["person_id"].to_list() == ["p2"]


def test_a_frame_that_does_not_say_where_people_lived_makes_nobody_a_mover():
    frames = night(listed=LISTED)
    lost = NightFrames(**vars(frames) | {"listed": frames.listed.drop("household_id")})

    assert without_withdrawn(lost, gone(now_at="person_id | household_id\np1 | h9")) is lost


@pytest.mark.parametrize("column", [["p1", None, "p9"], [["p2", "p1"], [], ["p2"]]])
def test_a_column_of_a_later_version_that_names_somebody_loses_the_row(column):
    drawn = night(listed="person_id | household_id\np2 | h2\np5 | h5\np6 | h6").listed
    frames = NightFrames(**vars(night(scores=LISTED)) | {"listed": drawn.with_columns(lives_with=pl.Series(column))})

    kept = without_withdrawn(frames, gone(people="person_id | reason\np1 | objection"))

    assert kept.listed["person_id"].to_list() == ["p5", "p6"]


def test_moves_alone_are_left_when_there_are_too_many():
    everybody = pl.DataFrame({"person_id": [f"p{n}" for n in range(40)]}).with_columns(household_id="person_id")
    frames = NightFrames(**vars(night()) | {"listed": everybody})
    left = everybody.head(9).select("person_id", reason=pl.lit("moved"))
    told = gone(people="person_id | reason\np38 | deceased\np39 | objection")
    both = Withdrawn(**vars(told) | {"people": pl.concat([told.people, left])})

    assert not is_mass_move(frames, both, share=0.2)
    nobody_home = everybody.with_columns(household_id=pl.lit(None, dtype=pl.String))
    emptied = Withdrawn(**vars(both) | {"now_at": nobody_home})
    assert is_mass_move(frames, emptied, share=0.9)
    kept = without_withdrawn(frames, without_moves(emptied))
    assert kept.listed["person_id"].to_list() == [f"p{n}" for n in range(38)]


P, H = pseudonym(1), pseudonym(2)


@pytest.mark.parametrize(
    ("name", "frame", "people"),
    [
        ("listed", pl.DataFrame({"person_id": pl.Series([P], dtype=pl.Categorical)}), [P]),
        ("listed", pl.DataFrame({"person_id": [P, None], "rank": ["1", "2"]}), [P]),
        ("needs", pl.DataFrame({"person_id": [P, None]}), [P]),
        ("needs", pl.DataFrame({"person_id": [P, None], "household_id": [None, H]}), [P, None]),
        ("attrition", pl.DataFrame({"person_id": [P, None]}), [P, None]),
    ],
)
def test_rows_that_say_whose_they_are_are_kept_whatever_the_types(name, frame, people):
    assert usable(frame, name)["person_id"].to_list() == people


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("listed", pl.DataFrame({"Person_ID": [P]})),
        ("listed", pl.DataFrame({"person_id": [4711]})),
        ("listed", pl.DataFrame({"person_id": [P.upper()]})),
        ("listed", pl.DataFrame({"person_id": [[P]]})),
        ("listed", pl.DataFrame({"person_id": [b"\xff"]})),
        ("just_missed", pl.DataFrame({"household_id": [H]})),
        ("marginal", pl.DataFrame({"extra_doors": [["h1"]]})),
    ],
)
def test_a_frame_that_does_not_say_whose_its_rows_are_is_of_no_use(name, frame):
    from ageingwell.errors import PublishError

    with pytest.raises(PublishError):
        usable(frame, name)


def test_a_nested_column_of_a_later_version_is_left_out():
    frame = pl.DataFrame({"person_id": [P], "plan": [{"with": P}], "steps": [["call"]]})

    assert usable(frame, "listed").columns == ["person_id", "steps"]
