"""Whoever moves on the very day of the extracts: no record may name a home that no extract tells of."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from ageingwell.synthetic.living import Where, make_part
from ageingwell.synthetic.part import Part
from ageingwell.synthetic.permission_records import contacts, permissions
from ageingwell.synthetic.places import fill_places

AS_OF = (date(2026, 11, 22) - date(1970, 1, 1)).days


@pytest.fixture(scope="module")
def everybody_moves() -> Part:
    """A part of a county in which everybody moved lately, each to a home that no extract tells of."""
    where = Where(fill_places(2_000), seed=1, chunk=0, as_of=AS_OF, years=6, shift=0.0)
    part = make_part(where, n_people_before=0, n_homes_before=0)
    untold = np.flatnonzero(~part.is_used & ~part.is_unlinked)
    people = len(part.people)
    moved = np.where(np.arange(people) % 2 == 0, 0, -400)
    return replace(part, house_move=(moved, untold[np.arange(people) % len(untold)]))


@pytest.mark.parametrize("make", [permissions, contacts])
def test_every_marker_and_contact_names_a_person_or_a_home(make, everybody_moves: Part) -> None:
    rows = make(everybody_moves, rng=np.random.default_rng(1))
    assert rows.height > 0
    assert rows.filter(pl.col("person_id").is_null() == pl.col("household_id").is_null()).is_empty()
