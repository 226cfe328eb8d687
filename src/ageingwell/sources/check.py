"""Split a chunk of rows into good rows and refused rows by the table's contract.

A cell of an optional column that breaks a rule of its own is emptied, and its row is tested as if it had been empty.
Both are told by file, row number, column and the rules that were broken. No value is kept: Pandera's own error text,
which holds values, never leaves this file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandera.polars as pa
import polars as pl
from pandera.config import ValidationDepth, config_context

from ageingwell.config.score import ReaderSettings
from ageingwell.contracts.fields import BUILT_IN, CELL_RULES
from ageingwell.contracts.registry import TABLES, Column, columns
from ageingwell.sources.doubtful import doubtful_rows
from ageingwell.sources.parse import parsed

REFUSED = pl.Schema(
    {"file": pl.String(), "row_number": pl.Int64(), "column": pl.String(), "rules": pl.List(pl.String)},
)
EMPTIED_CELLS = pl.Schema({"column": pl.String, "rule": pl.String, "n_cells": pl.Int64})
UNKNOWN_LABELS = pl.Schema({"column": pl.String, "label": pl.String, "n_rows": pl.Int64})
NOTHING_KNOWN: Mapping[str, pl.Series] = {}
_FAULT = pl.Schema({"row": pl.Int64, "column": pl.String, "rule": pl.String})
_CELL = pl.Schema([*_FAULT.items(), ("holds", pl.Boolean())])


@dataclass(frozen=True)
class Typed:
    """Rows as their contract means them, and what was found on the way.

    `faults` (row, column, rule) refuse their row. `emptied` (row, column, rule, holds) are the cells read as missing,
    and whether their person is held for it. `n_sent` counts the cells of each column that were sent, `unknown` the rows
    of each label that is none of its column's (column, label, n_rows). `distinct` holds the texts of some columns: all
    that are in the rows, and others.
    """

    rows: pl.DataFrame
    faults: pl.DataFrame
    emptied: pl.DataFrame
    n_sent: dict[str, int]
    unknown: pl.DataFrame
    distinct: Mapping[str, pl.Series] = field(default_factory=dict)


def typed(
    raw: pl.DataFrame,
    wanted: tuple[Column, ...],
    values: Mapping[str, Mapping[str, str]],
    reader: ReaderSettings,
) -> Typed:
    """Read every column as its contract means it."""
    read = {column.name: parsed(raw, column, values.get(column.name, {}), reader) for column in wanted}
    faults = [
        _faults(rows.arg_true(), name, rule) for name, found in read.items() for rule, rows in found.faulty.items()
    ]
    emptied = [
        _cells(rows.arg_true(), name, rule, found.holds)
        for name, found in read.items()
        for rule, rows in found.emptied.items()
    ]
    unknown = [found.unknown.with_columns(column=pl.lit(name)) for name, found in read.items() if found.unknown.height]
    return Typed(
        rows=pl.DataFrame([found.read for found in read.values()]),
        faults=pl.concat([pl.DataFrame(schema=_FAULT), *faults]),
        emptied=pl.concat([pl.DataFrame(schema=_CELL), *emptied]),
        n_sent={name: found.n_sent for name, found in read.items()},
        unknown=pl.concat(
            [pl.DataFrame(schema=UNKNOWN_LABELS), *(one.select(list(UNKNOWN_LABELS)) for one in unknown)]
        ),
        distinct={name: found.distinct for name, found in read.items() if found.distinct is not None},
    )


def broken_rules(table: str, rows: pl.DataFrame, distinct: Mapping[str, pl.Series] = NOTHING_KNOWN) -> pl.DataFrame:
    """Every rule of the contract a row broke: row (from 0), column, rule; in the order of the rows.

    `distinct` may hold the texts of a column, for what was found out before need not be found out twice.
    """
    doubtful = doubtful_rows(table, rows, distinct)
    if doubtful.is_empty():
        return pl.DataFrame(schema=_FAULT)
    broken = pandera_faults(table, rows if len(doubtful) == rows.height else rows[doubtful])
    return broken.with_columns(row=doubtful.gather(broken["row"])).sort("row", "column", "rule")


def pandera_faults(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Every rule of the contract that Pandera finds broken: row (from 0), column, rule; in any order."""
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


def split(table: str, read: Typed, ragged: pl.Series) -> tuple[Typed, pl.Series, pl.DataFrame]:
    """The rows with every cell emptied that can be, which of them are good, and the faults of the others.

    A value that could not be read is missing by now; it is reported once, as what it is. A ragged row is reported as
    that alone, for its cells stand in no column.
    """
    faults = broken_rules(table, read.rows, read.distinct)
    if faults.is_empty() and read.faults.is_empty() and ragged.is_empty():
        return read, pl.repeat(value=True, n=read.rows.height, eager=True), faults
    read, faults = _with_cells_emptied(table, read, faults)
    read_wrongly = read.faults.select("row", "column", _read_wrongly=pl.lit(value=True))
    faults = faults.join(read_wrongly, on=["row", "column"], how="left", maintain_order="left")
    faults = faults.filter(~((pl.col("rule") == "missing") & pl.col("_read_wrongly").fill_null(value=False)))
    faults = pl.concat([read.faults, faults.drop("_read_wrongly")])
    faults = faults.filter(~pl.col("row").is_in(ragged.implode()))
    faults = pl.concat([faults, _faults(ragged, None, "wrong_number_of_fields")])
    good = pl.int_range(read.rows.height, eager=True).is_in(faults["row"].unique().implode()).not_()
    return read, good, faults


def _with_cells_emptied(table: str, read: Typed, faults: pl.DataFrame) -> tuple[Typed, pl.DataFrame]:
    """Empty the cells that break a rule of their own, where their column allows it, and test these rows once more.

    Every other row was tested as it is: nothing is tested twice that holds no such cell.
    """
    ours = {column.name: column for column in columns(table) if column.is_emptied}
    cells = faults.filter(pl.col("column").is_in(list(ours)) & pl.col("rule").is_in(CELL_RULES))
    if cells.is_empty():
        return read, faults
    rows = read.rows.with_columns(
        _emptied(read.rows[name], found["row"], ours[name].missing)
        for (name,), found in cells.partition_by("column", as_dict=True).items()
    )
    again = cells["row"].unique().sort()
    still = broken_rules(table, rows[again])
    still = still.with_columns(row=again.gather(still["row"]))
    holding = [name for name, column in ours.items() if column.unreadable == "held"]
    told = cells.with_columns(holds=pl.col("column").is_in(holding)).select(list(_CELL))
    emptied = pl.concat([read.emptied, told])
    others = faults.filter(~pl.col("row").is_in(again.implode()))
    return replace(read, rows=rows, emptied=emptied), pl.concat([others, still])


def _emptied(column: pl.Series, rows: pl.Series, missing: str | None) -> pl.Series:
    return column.clone().scatter(rows, missing)


def refused(faults: pl.DataFrame, *, file: str, row_numbers: pl.Series) -> pl.DataFrame:
    """The faults as they are published: one line a row and column, with every rule broken there."""
    if faults.is_empty():
        return pl.DataFrame(schema=REFUSED)
    return (
        faults.with_columns(file=pl.lit(file), row_number=row_numbers.gather(faults["row"]))
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


def _cells(rows: pl.Series, column: str, rule: str, holds: pl.Series | None) -> pl.DataFrame:
    held = pl.repeat(value=False, n=len(rows), eager=True) if holds is None else holds.gather(rows)
    return _faults(rows, column, rule).with_columns(holds=held)
