"""The one door through which counts of people leave: small ones hidden, the rest rounded.

The group's own rows need no such door, for the group reads them; every count of people who are *not* on its list does,
and every count in a page for commissioners.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

SUPPRESS_BELOW: Final = 8  # NHS England HES disclosure rule: 1 to 7 hidden, the rest to the nearest 5
ROUND_TO: Final = 5

SMALL: Final = f"1 to {SUPPRESS_BELOW - 1}"
HIDDEN: Final = "not shown"


def disclose(count: pl.Expr) -> pl.Expr:
    """Hide a small count and round the rest, so that no table points at one person.

    >>> pl.DataFrame({"n": [0, 7, 8, 13]}).select(disclose(pl.col("n")))["n"].to_list()
    [0, None, 10, 15]
    """
    rounded = ((count / ROUND_TO).round(mode="half_away_from_zero") * ROUND_TO).cast(pl.Int64)
    return pl.when(~count.is_between(1, SUPPRESS_BELOW - 1)).then(rounded)


def in_words(count: int) -> str:
    """Say one count as a page may show it.

    >>> in_words(0), in_words(3), in_words(1_234)
    ('0', '1 to 7', '1,235')
    """
    shown = pl.select(disclose(pl.lit(count))).item()
    return SMALL if shown is None else f"{shown:,}"


def disclose_table(counts: pl.DataFrame, *, count: str = "n", within: Sequence[str] = ()) -> pl.DataFrame:
    """Give the counts of a table as a page may show them, in the text column `shown`; the count itself is dropped.

    `within` names the columns whose values share one published total. Where just one cell under a total is hidden, it
    could be worked out from the total and the others: the next smallest cell that is not zero is then hidden too
    (secondary suppression), the first one where two are equal. Row order stays.

    >>> counts = pl.DataFrame({"step": ["a", "a", "a", "b"], "reason": ["x", "y", "z", "x"], "n": [3, 12, 41, 9]})
    >>> disclose_table(counts, within=["step"]).rows()
    [('a', 'x', '1 to 7'), ('a', 'y', 'not shown'), ('a', 'z', '40'), ('b', 'x', '10')]
    """
    group: list[pl.Expr] = [pl.col(name) for name in within] or [pl.lit(1)]
    n = pl.col(count)
    is_small = n.is_between(1, SUPPRESS_BELOW - 1)
    marked = counts.with_row_index("_row").with_columns(_small=is_small, _open=pl.when((n > 0) & ~is_small).then(n))
    is_next = (pl.col("_open") == pl.col("_open").min().over(group)).fill_null(value=False)
    first = pl.when(is_next).then("_row").min().over(group)
    is_second = (pl.col("_small").sum().over(group) == 1) & is_next & (pl.col("_row") == first)
    words = (
        pl.when("_small")
        .then(pl.lit(SMALL))
        .when(is_second)
        .then(pl.lit(HIDDEN))
        .otherwise(disclose(n).map_elements(lambda shown: f"{shown:,}", return_dtype=pl.String))
    )
    return marked.with_columns(shown=words).drop(count, "_row", "_small", "_open")
