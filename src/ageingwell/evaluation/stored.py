"""Tidy tables as JSON: columns with their types, and rows."""

import json
from collections.abc import Mapping
from typing import Any

import polars as pl

Tables = Mapping[str, Mapping[str, pl.DataFrame]]
TYPES: Mapping[str, pl.DataType] = {
    str(kind): kind for kind in (pl.String(), pl.Float64(), pl.Int64(), pl.Boolean(), pl.Date())
}
# More digits would only tell one processor from another.
DIGITS = 9


def as_text(tables: Tables) -> str:
    """Every outcome's tables as JSON: `{outcome: {table: {"columns": [[name, type], …], "rows": [[…], …]}}}`.

    Figures keep nine digits, whole numbers all of theirs. `ValueError` for a column that is neither text, number, truth
    nor date.

    >>> as_text({"death": {"wall": pl.DataFrame({"name": ["age"], "value": [0.1234567891234]})}}).split()[-1]
    '{"columns":[["name","String"],["value","Float64"]],"rows":[["age",0.123456789]]}}}'
    """
    lines = [
        json.dumps(outcome) + ": {\n" + ",\n".join(f"{json.dumps(name)}: {_of(table)}" for name, table in named.items())
        + "}" for outcome, named in tables.items()
    ]  # fmt: skip
    return "{" + ",\n".join(lines) + "}\n"


def from_text(text: str) -> dict[str, dict[str, pl.DataFrame]]:
    """The tables that `as_text` wrote."""
    return {
        outcome: {name: _frame(table) for name, table in named.items()} for outcome, named in json.loads(text).items()
    }


def _of(table: pl.DataFrame) -> str:
    plain = table.with_columns(pl.selectors.integer().cast(pl.Int64))
    columns = [[name, str(kind)] for name, kind in plain.schema.items()]
    unknown = [name for name, kind in columns if kind not in TYPES]
    if unknown:
        raise ValueError(f"a table cannot be stored with columns of this type: {', '.join(unknown)}")
    rows = [[_cell(value) for value in row] for row in plain.rows()]
    return json.dumps({"columns": columns, "rows": rows}, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    return value if value is None or isinstance(value, str | int) else value.isoformat()


def _frame(table: Mapping[str, Any]) -> pl.DataFrame:
    columns = {name: TYPES[kind] for name, kind in table["columns"]}
    days = [name for name, kind in columns.items() if kind == pl.Date()]
    read = {name: pl.String() if name in days else kind for name, kind in columns.items()}
    frame = pl.DataFrame(table["rows"], schema=read, orient="row")
    return frame.with_columns(pl.col(name).str.to_date() for name in days)
