"""How many rows of a column hold a label that is none of its closed list. The labels themselves are never told: a label
that nobody knows may be a name, a number or a remark about somebody."""

from collections.abc import Iterable

import polars as pl

from ageingwell.sources.check import UNKNOWN_LABELS

TOLD_LABELS = pl.Schema({"column": pl.String(), "n_rows": pl.Int64(), "n_labels": pl.Int64()})


def told_labels(unknown: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The rows of each column whose label nobody knows, and how many different labels they hold.

    >>> rows = pl.DataFrame({"column": ["sex"] * 3, "label": ["f_m", "x", "ms_smith"], "n_rows": [9, 3, 1]})
    >>> told_labels([rows]).rows()
    [('sex', 13, 3)]
    """
    every = pl.concat([pl.DataFrame(schema=UNKNOWN_LABELS), *unknown])
    told = every.group_by("column").agg(pl.col("n_rows").sum(), n_labels=pl.col("label").n_unique())
    return told.select(list(TOLD_LABELS)).sort("column").cast(TOLD_LABELS)


def label_notes(told: pl.DataFrame) -> list[str]:
    """The rows whose label nobody knows in words, a sentence a column.

    >>> label_notes(pl.DataFrame([("sex", 13, 3)], schema=TOLD_LABELS, orient="row"))
    ['sex: a label that is not known in 13 rows (3 different; `ageingwell connect` at the agency names them)']
    """
    return [
        f"{row['column']}: a label that is not known in {_counted(row['n_rows'], 'row')} "
        f"({row['n_labels']:,} different; `ageingwell connect` at the agency names them)"
        for row in told.to_dicts()
    ]


def _counted(n: int, what: str) -> str:
    return f"1 {what}" if n == 1 else f"{n:,} {what}s"
