"""output-files.md: what a night leaves behind."""

from typing import Any

import pandera.polars as pa
import polars as pl

from ageingwell.contracts import made
from tools.reference.markdown import prose, table

OUTPUT_TABLES: dict[str, type[pa.DataFrameModel]] = {
    "list.parquet": made.OutreachList,
    "needs.parquet": made.Needs,
    "attrition.parquet": made.Attrition,
    "scores.parquet": made.Scores,
    "reasons.parquet": made.Reasons,
}


def output_files() -> str:
    """The columns of each file that other programs read."""
    return "\n\n".join(map(_output, OUTPUT_TABLES))


def _output(name: str) -> str:
    model = OUTPUT_TABLES[name]
    rows = (
        (f"`{column}`", _made_type(field.dtype.type), "yes" if field.nullable else "no", field.description or "")
        for column, field in model.to_schema().columns.items()
    )
    return f"## {name}\n\n{prose(model.__doc__)}\n\n" + table(("column", "type", "may be empty", "what it is"), rows)


def _made_type(dtype: Any) -> str:
    names = {
        pl.String: "text",
        pl.Int64: "whole number",
        pl.Float64: "number",
        pl.Boolean: "true or false",
        pl.Date: "date",
    }
    return "list of texts" if dtype.base_type() is pl.List else names[dtype.base_type()]
