"""Split a chunk of rows into good rows and refused rows by the table's contract.

Refused rows are named by file, row number, column and the rules they broke. No value is kept: Pandera's own error
text, which holds values, never leaves this file.
"""

import pandera.polars as pa
import polars as pl
from pandera.config import ValidationDepth, config_context

from ageingwell.contracts.fields import BUILT_IN
from ageingwell.contracts.registry import TABLES, Column
from ageingwell.sources.parse import parsed

REFUSED = pl.Schema(
    {"file": pl.String(), "row_number": pl.Int64(), "column": pl.String(), "rules": pl.List(pl.String)},
)
EMPTIED_CELLS = pl.Schema({"column": pl.String, "rule": pl.String, "n_cells": pl.Int64})
_FAULT = pl.Schema({"row": pl.Int64, "column": pl.String, "rule": pl.String})


def typed(
    raw: pl.DataFrame, columns: tuple[Column, ...], values: dict[str, dict[str, str]]
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Read every column as its contract means it.

    Returns the typed rows, the faults (row, column, rule), and the cells read as missing (column, rule, n_cells).
    """
    read = {column.name: parsed(raw, column, values.get(column.name, {})) for column in columns}
    faults = [
        _faults(rows.arg_true(), name, rule) for name, column in read.items() for rule, rows in column.faulty.items()
    ]
    emptied = [(name, rule, n) for name, column in read.items() for rule, n in column.n_emptied.items()]
    return (
        pl.DataFrame([column.read for column in read.values()]),
        pl.concat(faults) if faults else pl.DataFrame(schema=_FAULT),
        pl.DataFrame(emptied, schema=EMPTIED_CELLS, orient="row"),
    )


def broken_rules(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Every rule of the contract a row broke: row (from 0), column, rule."""
    # An environment variable can switch Pandera off, and a lazy frame gets no data checks; neither may happen here.
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        try:
            TABLES[table].validate(rows, lazy=True)
        except pa.errors.SchemaErrors as fault:
            failures: pl.DataFrame = fault.failure_cases
        else:
            return pl.DataFrame(schema=_FAULT)
    untested = failures.filter(pl.col("index").is_null())
    if not untested.is_empty():
        # A check that itself failed tells of no row; left alone, every row would count as good.
        columns = ", ".join(sorted(untested["column"].cast(pl.String).fill_null("the table").unique()))
        raise RuntimeError(f"{table}: the contract could not be tested on {columns}")
    rule = pl.col("check").str.extract(r"^(\w+)").replace(BUILT_IN)
    return failures.select(row=pl.col("index").cast(pl.Int64), column="column", rule=rule).unique()


def split(
    table: str, rows: pl.DataFrame, parse_faults: pl.DataFrame, ragged: pl.Series
) -> tuple[pl.Series, pl.DataFrame]:
    """Which rows are good, and the faults of the others.

    A value that could not be read is missing by now; it is reported once, as what it is. A ragged row is reported as
    that alone, for its cells stand in no column.
    """
    faults = broken_rules(table, rows)
    read_wrongly = parse_faults.select("row", "column", _read_wrongly=pl.lit(value=True))
    faults = faults.join(read_wrongly, on=["row", "column"], how="left", maintain_order="left")
    faults = faults.filter(~((pl.col("rule") == "missing") & pl.col("_read_wrongly").fill_null(value=False)))
    faults = pl.concat([parse_faults, faults.drop("_read_wrongly")])
    faults = faults.filter(~pl.col("row").is_in(ragged.implode()))
    faults = pl.concat([faults, _faults(ragged, None, "wrong_number_of_fields")])
    good = pl.int_range(rows.height, eager=True).is_in(faults["row"].unique().implode()).not_()
    return good, faults


def refused(faults: pl.DataFrame, *, file: str, first_row: int) -> pl.DataFrame:
    """The faults as they are published: one line a row and column, with every rule broken there."""
    return (
        faults.with_columns(file=pl.lit(file), row_number=pl.col("row") + first_row)
        .group_by("file", "row_number", "column")
        .agg(rules=pl.col("rule").unique().sort())
        .sort("file", "row_number", "column")
        .select(REFUSED.names())
        .cast(REFUSED)
    )


def _faults(rows: pl.Series, column: str | None, rule: str) -> pl.DataFrame:
    return pl.DataFrame({"row": rows.cast(pl.Int64)}).with_columns(
        column=pl.lit(column, dtype=pl.String), rule=pl.lit(rule)
    )
