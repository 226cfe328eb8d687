"""Which values of a column may be written down as they are: labels, and nothing that may name somebody."""

from collections.abc import Sequence
from typing import Final

import polars as pl

# From so many rows on a value is a label; in fewer it may be somebody's own words.
FEWEST_ROWS: Final = 8
_LONGEST: Final = 80
# Part of an NHS number, a UPRN, a telephone number or a date of birth; ages and bands have four digits at most.
_MOST_DIGITS: Final = 4
_POSTCODE: Final = r"(?i)(^|[^a-z0-9])[a-z]{1,2}[0-9][0-9a-z]?[ _]?[0-9][a-z]{2}([^a-z0-9]|$)"


def may_be_shown(value: pl.Expr, *, n_rows: pl.Expr) -> pl.Expr:
    """Tell which values may be shown: those of enough rows that hold no number, address or long text.

    >>> values = pl.DataFrame({"value": ["18 to 64", "smith 999 000 1006", "a@b.uk", "ZZ6 6AA", "no access"],
    ...                        "n": [9, 90, 90, 90, 7]})
    >>> values.select(may_be_shown(pl.col("value"), n_rows=pl.col("n")))["value"].to_list()
    [True, False, False, False, False]
    """
    is_plain = (
        (value.str.count_matches("[0-9]") <= _MOST_DIGITS)
        & (value.str.len_chars() <= _LONGEST)
        & ~value.str.contains("@", literal=True)
        & ~value.str.contains(_POSTCODE)
    )
    return is_plain & (n_rows >= FEWEST_ROWS)


def shown_headings(headings: Sequence[str]) -> tuple[str, ...]:
    """Headings as they may be told: one that looks like a value, as in a file without a header, by its place alone.

    >>> shown_headings(["UPRN", "9990001006", "ZZ6 6AA", "Apr-26"])
    ('UPRN', 'column 2', 'column 3', 'Apr-26')
    """
    names = pl.DataFrame({"name": list(headings)}, schema={"name": pl.String})
    shown = names.select(may_be_shown(pl.col("name"), n_rows=pl.lit(FEWEST_ROWS))).to_series()
    return tuple(name if may else f"column {at}" for at, (name, may) in enumerate(zip(headings, shown), start=1))
