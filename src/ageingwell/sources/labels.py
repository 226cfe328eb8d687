"""How many rows of a column hold a label that is none of its closed list. The labels themselves are never told: a label
that nobody knows may be a name, a number or a remark about somebody."""

from collections.abc import Iterable

import polars as pl

from ageingwell.reading.listed import NOT_LISTED
from ageingwell.sources.check import UNKNOWN_LABELS

# A source on no list that says that a home is a care home.
SAYS_CARE_HOME = f"{NOT_LISTED}_care_home"
TOLD_LABELS = pl.Schema({"column": pl.String(), "n_rows": pl.Int64(), "n_labels": pl.Int64()})


def told_labels(unknown: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The rows of each column whose label nobody knows, and how many different labels they hold.

    >>> rows = pl.DataFrame({"column": ["sex"] * 3, "label": ["f_m", "x", "ms_smith"], "n_rows": [9, 3, 1]})
    >>> told_labels([rows]).rows()
    [('sex', 13, 3)]
    """
    some = list(unknown)
    if not some:
        return pl.DataFrame(schema=TOLD_LABELS)
    every = pl.concat([pl.DataFrame(schema=UNKNOWN_LABELS), *some])
    told = every.group_by("column").agg(pl.col("n_rows").sum(), n_labels=pl.col("label").n_unique())
    return told.select(list(TOLD_LABELS)).sort("column").cast(TOLD_LABELS)


def sources_apart(homes: pl.DataFrame) -> pl.DataFrame:
    """The rows of homes, in which no source on no list takes back what may be another's word.

    A home is a care home where the newest row of a source says so. Sources on no list go under one name.

    >>> homes = pl.DataFrame({"source": ["other_not_listed", "other_not_listed", "epc"],
    ...                       "property_type": ["care_home", "house", "care_home"]})
    >>> sources_apart(homes)["source"].to_list()
    ['other_not_listed_care_home', 'other_not_listed', 'epc']
    """
    says_so = (pl.col("source") == NOT_LISTED) & (pl.col("property_type") == "care_home")
    return homes.with_columns(source=pl.when(says_so).then(pl.lit(SAYS_CARE_HOME)).otherwise("source"))


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
