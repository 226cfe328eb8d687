"""The open labels: which of them we know, and how many rows and people stand behind those we do not."""

from fnmatch import fnmatchcase
from functools import cache

import polars as pl

from ageingwell.contracts.registry import columns, open_labels
from ageingwell.spine import Tables

NEW_LABELS = pl.Schema(
    {"table": pl.String, "column": pl.String, "label": pl.String, "n_rows": pl.Int64, "n_subjects": pl.Int64}
)


_LABELS = pl.Schema([*NEW_LABELS.items(), ("is_known", pl.Boolean)])


def new_labels(tables: Tables) -> pl.DataFrame:
    """The labels whose meaning nobody here knows: table, column, label, rows, and people or homes (`n_subjects`)."""
    return nobody_knows(labels_of_every_column(tables))


def nobody_knows(labels: pl.DataFrame) -> pl.DataFrame:
    """Those of the labels of every column whose meaning nobody here knows (`NEW_LABELS`), in order."""
    return in_order(labels.filter(~pl.col("is_known")).select(NEW_LABELS.names()).cast(NEW_LABELS))


def in_order(labels: pl.DataFrame) -> pl.DataFrame:
    """The labels by table and column, the most frequent first."""
    return labels.sort("table", "column", "n_rows", "label", descending=[False, False, True, False])


def labels_of_every_column(tables: Tables) -> pl.DataFrame:
    """Each label of each open column that came: `NEW_LABELS`, and whether we know it (is_known)."""
    columns_of: dict[str, list[str]] = {}
    for table, column in open_labels():
        if table in tables:
            columns_of.setdefault(table, []).append(column)
    found = [_labels_of(tables[table], table, asked) for table, asked in columns_of.items()]
    return pl.concat([pl.DataFrame(schema=_LABELS), *(part for parts in found for part in parts)])


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


def _labels_of(rows: pl.LazyFrame, table: str, asked: list[str]) -> list[pl.DataFrame]:
    """The labels of some columns of one table, in one pass over its rows."""
    subject = "person_id" if "person_id" in {found.name for found in columns(table)} else "household_id"
    counts = pl.collect_all(_counts(rows, subject, column) for column in asked)
    return [_told(labels, table, column) for labels, column in zip(counts, asked, strict=True)]


def _counts(rows: pl.LazyFrame, subject: str, column: str) -> pl.LazyFrame:
    told = rows.filter(pl.col(column).is_not_null()).group_by(label=pl.col(column))
    return told.agg(n_rows=pl.len(), n_subjects=pl.col(subject).n_unique())


def _told(labels: pl.DataFrame, table: str, column: str) -> pl.DataFrame:
    known = [is_known_label(table, column, label) for label in labels["label"]]
    named = labels.with_columns(table=pl.lit(table), column=pl.lit(column), is_known=pl.Series(known, dtype=pl.Boolean))
    return named.select(list(_LABELS)).cast(_LABELS)
