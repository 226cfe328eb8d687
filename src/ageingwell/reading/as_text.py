"""Typed columns as text, as a workbook's cells are written."""

from typing import Final

import polars as pl

# Above this a float no longer tells every whole number from its neighbour.
_LARGEST_WHOLE: Final = 2**53


def as_text(rows: pl.DataFrame) -> pl.DataFrame:
    """Write every column as text; columns of lists, structures or bytes cannot be, and are left out.

    >>> as_text(pl.DataFrame({"uprn": [100070000000.0], "alone": [True], "parts": [[1]]})).rows()
    [('100070000000', 'yes')]
    """
    return rows.select(_text(name, dtype).alias(name) for name, dtype in rows.schema.items() if not _is_opaque(dtype))


def _is_opaque(dtype: pl.DataType) -> bool:
    return dtype.is_nested() or dtype in (pl.Binary, pl.Object)


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column as text, as a workbook's cells are written: a day alone where the time of day is midnight."""
    column = pl.col(name)
    text = column.cast(pl.String)
    if dtype == pl.Boolean:
        return pl.when(column).then(pl.lit("yes")).when(~column).then(pl.lit("no"))
    if dtype == pl.Datetime:
        is_day = column.dt.time() == pl.time(0)
        return (
            pl.when(is_day).then(column.dt.date().cast(pl.String)).otherwise(column.dt.to_string("%Y-%m-%d %H:%M:%S"))
        )
    if dtype == pl.Float32:
        return _single_precision(column)
    if dtype.is_float():
        is_whole = (column == column.round()) & (column.abs() < _LARGEST_WHOLE)
        return pl.when(is_whole).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(text)
    return text


def _single_precision(column: pl.Expr) -> pl.Expr:
    # Above 2^24 a single holds no longer every whole number: 100070001739 comes out as 100070000000.0, which is another
    # home. An exponent says the same number, and no identifier is ever read from one.
    text = column.cast(pl.String)
    is_rounded = (column.abs() >= 2**24) & ~text.str.contains("[eE]")
    return pl.when(is_rounded).then(text + "e0").otherwise(text)
