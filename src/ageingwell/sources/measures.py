"""What a delivery looks like in figures: rows, filled cells, labels, medians and newest days of every table and column.

The next delivery is held against them. They are kept beside a night, so every count has been through the door that
hides small ones, and no median stands on fewer than eight values.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Final

import polars as pl

from ageingwell.contracts.registry import Column, columns
from ageingwell.sources.checked import CheckedTable

# `value` is empty where a count is 1 to 7, or where fewer than eight values stand behind a median. `column` is empty
# for the table, `level` for everything that is no label.
MEASURES = pl.Schema(
    {"table": pl.String, "column": pl.String, "measure": pl.String, "level": pl.String, "value": pl.Float64}
)
QUARTILES: Final = {"lower_quarter": 0.25, "median": 0.5, "upper_quarter": 0.75}
HIDE_BELOW: Final = 8
ROUND_TO: Final = 5
_EPOCH: Final = date(1970, 1, 1)
# Medians of longer tables are those of every so-many-th row: they need not fit into memory.
_ROWS_FOR_MEDIANS: Final = 2_000_000


def shown(count: int) -> float | None:
    """A count as it may be kept: 1 to 7 hidden, others to the nearest 5.

    >>> [shown(count) for count in (0, 3, 8, 13)]
    [0.0, None, 10.0, 15.0]
    """
    if 0 < count < HIDE_BELOW:
        return None
    return float((count + ROUND_TO // 2) // ROUND_TO * ROUND_TO)


def measure_tables(tables: Mapping[str, CheckedTable], *, on: date) -> pl.DataFrame:
    """Measure every table (`MEASURES`), as it was sent; `on` is the day of the night."""
    parts = [pl.DataFrame(_of_table(table, on), schema=MEASURES, orient="row") for table in tables.values()]
    return pl.concat([pl.DataFrame(schema=MEASURES), *parts]).sort(
        "table", "column", "measure", "level", nulls_last=False
    )


Row = tuple[str, str | None, str, str | None, float | None]


def _of_table(table: CheckedTable, on: date) -> Iterable[Row]:
    name = table.name
    known = table.newest_known(on if name == "permissions" else on - timedelta(days=1))
    yield name, None, "rows", None, shown(table.n_good)
    yield name, None, "newest", None, None if known is None else float((known - _EPOCH).days)
    wanted = [column for column in columns(name) if column.name in table.rows.collect_schema().names()]
    counts = table.rows.select(_counts(wanted)).collect(engine="streaming").row(0, named=True)
    for column in wanted:
        yield name, column.name, "filled", None, shown(counts[column.name])
        for label in _labels(column):
            yield name, column.name, "label", label, shown(counts[f"{column.name}={label}"])
    measured = [column for column in wanted if column.kind in ("number", "whole", "date")]
    if measured:
        yield from _quarters(table, measured, counts)


def _counts(wanted: Iterable[Column]) -> list[pl.Expr]:
    asked = []
    for column in wanted:
        cell = pl.col(column.name)
        is_filled = cell.is_not_null() & (cell != "unknown") if "unknown" in column.labels else cell.is_not_null()
        asked.append(is_filled.sum().alias(column.name))
        asked += [(cell == label).sum().alias(f"{column.name}={label}") for label in _labels(column)]
    return asked


def _labels(column: Column) -> list[str]:
    """The labels that are counted: of an open list those that we know, so that no text of a sender's is kept."""
    if column.kind != "label":
        return []
    known = column.labels or tuple(label for label in column.known if "*" not in label)
    return [label for label in known if label != "unknown"]


def _quarters(table: CheckedTable, measured: Iterable[Column], counts: Mapping[str, int]) -> Iterable[Row]:
    every = 1 + table.n_good // _ROWS_FOR_MEDIANS
    asked = [
        (pl.col(column.name).to_physical() if column.kind == "date" else pl.col(column.name))
        .cast(pl.Float64)
        .quantile(at, interpolation="nearest")
        .alias(f"{column.name}:{name}")
        for column in measured
        for name, at in QUARTILES.items()
    ]
    rows = table.rows.select(column.name for column in measured)
    if every > 1:
        rows = rows.with_row_index("_row").filter(pl.col("_row") % every == 0)
    found = rows.select(asked).collect(engine="streaming")
    for column in measured:
        for name in QUARTILES:
            is_told = counts[column.name] >= HIDE_BELOW
            yield table.name, column.name, name, None, found[f"{column.name}:{name}"][0] if is_told else None
