"""One table of counts that is published with its totals, and shares of counts as they are shown."""

from collections.abc import Mapping

import polars as pl

from ageingwell.governance.crosses import TOTAL, hidden_counts
from ageingwell.governance.disclosure import HIDDEN
from ageingwell.governance.pages import Counted, publish

__all__ = ["TOTAL", "disclose_cross", "hidden_counts", "share_words"]


def disclose_cross(
    counts: pl.DataFrame,
    *,
    rows: str,
    columns: str,
    count: str = "n",
    groups: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Give a table of counts with its totals as a page may show them: the columns `rows`, `columns` and `shown`.

    `counts` is one row a cell; an absent cell is 0. The result holds every cell, the total of each row and column and
    of all (`All`), and, where `groups` names a group for each column, the group's total in each row.

    >>> counts = pl.DataFrame({"place": ["a", "a", "b", "b"], "need": ["x", "y"] * 2, "n": [3, 20, 30, 40]})
    >>> shown = disclose_cross(counts, rows="place", columns="need")
    >>> shown.filter(pl.col("place") == "a").rows()
    [('a', 'x', 'not shown'), ('a', 'y', 'not shown'), ('a', 'All', '25')]
    """
    cells = counts.select(pl.col(rows).alias("one"), pl.col(columns).alias("other"), pl.col(count).alias("n"))
    shown = publish([Counted("table", cells, groups)])
    return shown.select(pl.col("one").alias(rows), pl.col("other").alias(columns), "shown")


def share_words(part: str, whole: str) -> str:
    """Say a share from two counts as they are shown, never from the counts behind them.

    >>> share_words("15", "60"), share_words("1 to 7", "60"), share_words("0", "0")
    ('25 in 100', 'not shown', 'nobody')
    """
    try:
        top, bottom = (int(shown.replace(",", "")) for shown in (part, whole))
    except ValueError:
        return HIDDEN
    return f"{min(int(100 * top / bottom + 0.5), 100)} in 100" if bottom else "nobody"
