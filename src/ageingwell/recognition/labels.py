"""The open labels: which of them we know, and how many rows and people stand behind those we do not."""

from fnmatch import fnmatchcase
from functools import cache

import polars as pl

from ageingwell.contracts.registry import columns, open_labels
from ageingwell.spine import Tables

NEW_LABELS = pl.Schema(
    {"table": pl.String, "column": pl.String, "label": pl.String, "n_rows": pl.Int64, "n_subjects": pl.Int64}
)


def new_labels(tables: Tables) -> pl.DataFrame:
    """The labels whose meaning nobody here knows: table, column, label, rows, and people or homes (`n_subjects`)."""
    found = [pl.DataFrame(schema=NEW_LABELS)]
    for table, column in open_labels():
        if table in tables:
            rows = labels_of(tables, table, column).filter(~pl.col("is_known"))
            named = rows.select(table=pl.lit(table), column=pl.lit(column), label=column, n_rows="n", n_subjects="who")
            found.append(named.cast(NEW_LABELS))
    return pl.concat(found).sort("table", "column", "n_rows", "label", descending=[False, False, True, False])


def is_known_label(table: str, column: str, label: str) -> bool:
    """Whether we know what a label means.

    >>> is_known_label("care_events", "review_reason", "unplanned_hospital")
    True
    >>> is_known_label("care_events", "service_type", "package_of_care")
    False
    """
    return any(fnmatchcase(label, pattern) for pattern in _known(table, column))


@cache
def _known(table: str, column: str) -> tuple[str, ...]:
    return next(found.known for found in columns(table) if found.name == column)


def labels_of(tables: Tables, table: str, column: str) -> pl.DataFrame:
    """Each label of an open column: rows (n), people or homes (who), and whether we know it (is_known)."""
    subject = "person_id" if "person_id" in {found.name for found in columns(table)} else "household_id"
    counts = (
        tables[table]
        .filter(pl.col(column).is_not_null())
        .group_by(column)
        .agg(n=pl.len().cast(pl.Int64), who=pl.col(subject).n_unique().cast(pl.Int64))
        .collect()
    )
    known = [is_known_label(table, column, label) for label in counts[column]]
    return counts.with_columns(is_known=pl.Series(known, dtype=pl.Boolean))
