"""The labels that are none of a closed list, as they may be told: small numbers hidden."""

from collections.abc import Iterable

import polars as pl

from ageingwell.reading.showable import FEWEST_ROWS, may_be_shown
from ageingwell.sources.check import UNKNOWN_LABELS

ROWS_TO_NAME = FEWEST_ROWS
TOLD_LABELS = pl.Schema([*UNKNOWN_LABELS.items(), ("n_labels", pl.Int64())])


def told_labels(unknown: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Each label that nobody knows, folded, where it may be shown (8 rows or more): column, label, n_rows, n_labels.

    The others of a column are one line without label and rows.

    >>> rows = pl.DataFrame({"column": ["sex"] * 3, "label": ["f_m", "x", "ms_smith"], "n_rows": [9, 3, 1]})
    >>> told_labels([rows]).rows()
    [('sex', 'f_m', 9, 1), ('sex', None, None, 2)]
    """
    every = pl.concat([pl.DataFrame(schema=UNKNOWN_LABELS), *unknown])
    counted = every.group_by("column", "label").agg(pl.col("n_rows").sum())
    is_named = may_be_shown(pl.col("label"), n_rows=pl.col("n_rows"))
    shown = pl.when(is_named)
    told = counted.with_columns(label=shown.then("label"), n_rows=shown.then("n_rows"))
    told = told.group_by("column", "label", "n_rows").agg(n_labels=pl.len().cast(pl.Int64))
    order = ("column", "n_rows", "label")
    return (
        told.select(list(TOLD_LABELS)).sort(order, descending=[False, True, False], nulls_last=True).cast(TOLD_LABELS)
    )


def label_notes(told: pl.DataFrame) -> list[str]:
    """The labels that nobody knows in words, a sentence a column.

    >>> rows = [("sex", "f_m", 9, 1), ("sex", None, None, 2)]
    >>> label_notes(pl.DataFrame(rows, schema=TOLD_LABELS, orient="row"))
    ['labels of sex that are not known: `f_m` (9 rows), and 2 others of fewer than 8 rows each or not shown']
    """
    return [
        f"labels of {column} that are not known: {_listed(rows)}"
        for (column,), rows in told.partition_by("column", as_dict=True, maintain_order=True).items()
    ]


def _listed(rows: pl.DataFrame) -> str:
    named = [f"`{row['label']}` ({row['n_rows']:,} rows)" for row in rows.drop_nulls("label").to_dicts()]
    n = int(rows.filter(pl.col("label").is_null())["n_labels"].sum())
    if not n:
        return ", ".join(named)
    if not named:
        return f"{n:,}, of fewer than {ROWS_TO_NAME} rows each or not shown"
    return (
        f"{', '.join(named)}, and {n:,} other{'s' if n > 1 else ''} of fewer than {ROWS_TO_NAME} rows each or not shown"
    )
