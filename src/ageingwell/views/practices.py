"""The list for all GP practices, parted into one for each practice: a practice reads of its own patients alone."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import polars as pl

from ageingwell.pseudonyms.digests import row_key
from ageingwell.pseudonyms.keys import Key
from ageingwell.views.columns import AgencyView

_OF_PRACTICES: Final = "gp"


def practice_views(view: AgencyView, people: pl.DataFrame, *, key: Key) -> Iterator[AgencyView]:
    """Give the part of the GP list that each practice works from, in the order of the practices' codes.

    `people` is the spine of those listed (person_id, practice_code). The rows, their order and their keys are those of
    the whole list. A practice without anybody on it has no part, and no other recipient's list is parted.
    """
    if view.recipient != _OF_PRACTICES:
        return
    keyed = people.select(
        "practice_code",
        row_key=row_key(pl.col("person_id"), recipient=view.recipient, as_of=view.as_of, key=key),
    )
    of_row = view.frame.select("row_key").join(keyed, on="row_key", how="left", maintain_order="left")["practice_code"]
    for practice in sorted(of_row.drop_nulls().unique()):
        yield replace(view, frame=view.frame.filter(of_row == practice), practice=practice)
