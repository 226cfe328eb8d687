"""People drawn for pictures and comparisons: the same ones however the people are split, by their pseudonyms alone.

A pseudonym is as good as random, so the first people in the order of their pseudonyms, read from a place that the seed
says, are a draw; and the first of all are among the first of each part.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

# More people would sharpen nothing that a reader can see, and a county's night should not wait for it.
FACTS_COMPARED: Final = 20_000
PEOPLE_DRAWN: Final = 400  # more dots hide one another, and each is a line of the page
_LETTERS: Final = 32


def first_drawn(people: pl.DataFrame, n: int, *, seed: int) -> pl.DataFrame:
    """The first `n` of these people (person_id) in the order of the draw, each once.

    >>> people = pl.DataFrame({"person_id": ["ab", "ba", "bb"]})
    >>> first_drawn(people, 2, seed=1)["person_id"].to_list()
    ['ba', 'ab']
    """
    start = seed % _LETTERS
    turned = pl.col("person_id").str.slice(start) + pl.col("person_id").str.slice(0, start)
    return people.select("person_id").unique().sort(turned, "person_id").head(n)


def drawn_of_all(parts: Sequence[pl.DataFrame], n: int, *, seed: int) -> pl.Series:
    """The first `n` people of all from the first `n` of each part: person_id, sorted."""
    return first_drawn(pl.concat(parts), n, seed=seed)["person_id"].sort()
