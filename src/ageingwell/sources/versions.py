"""Rows sent twice, and versions of one person that contradict each other."""

import polars as pl

from ageingwell.contracts.registry import VERSION_KEYS, recorded_column
from ageingwell.sources.check import REFUSED

# What a row says but for the day of recording, as one number; two rows that differ have one number once in 10^19.
SAYS = "_says"
# Numbers are counted so many rows at a time, so that memory does not grow with the table.
_ROWS_AT_ONCE = 5_000_000


def with_what_it_says(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """The rows with one more column, the same number for rows equal in every column but the day of recording."""
    return rows.with_columns(rows.drop(recorded_column(table)).hash_rows().alias(SAYS))


def n_repeated(rows: pl.LazyFrame, n_rows: int) -> int:
    """How many rows repeat an earlier one in every column but the day of recording."""
    parts = 1 + n_rows // _ROWS_AT_ONCE
    distinct = (rows.filter(pl.col(SAYS) % parts == part).select(pl.col(SAYS).n_unique()) for part in range(parts))
    return n_rows - sum(int(found.collect().item()) for found in distinct)


def without_ties(rows: pl.LazyFrame, table: str) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """One row for each version of a person, and the versions that cannot be told apart.

    A version sent twice counts once. Versions of one person recorded on the same day that differ are all taken out:
    none of them can be trusted above the others.
    """
    keys = VERSION_KEYS.get(table)
    if keys is None:
        return rows, pl.DataFrame()
    index = rows.select(*keys, "_file", "_row", SAYS).collect().sort("_file", "_row")
    index = index.filter(pl.struct(keys).is_duplicated())
    if index.is_empty():
        return rows, index
    is_tied = pl.col(SAYS).n_unique().over(keys) > 1
    tied = index.filter(is_tied)
    again = index.filter(~is_tied & ~pl.struct(keys).is_first_distinct())
    out = pl.concat([tied, again]).lazy().select("_file", "_row")
    return rows.join(out, on=["_file", "_row"], how="anti"), tied


def ties_refused(tied: pl.DataFrame) -> pl.DataFrame:
    """The tied versions as refused rows."""
    if tied.is_empty():
        return pl.DataFrame(schema=REFUSED)
    return tied.select(
        file="_file", row_number="_row", column=pl.lit("recorded_on"), rules=pl.concat_list(pl.lit("tied_version"))
    )
