"""From what an agency wrote to what the contract means: names, values, labels, days and numbers.

Parsing never guesses: a text that is not a day, a number or a known value stays a fault of that row and column.
"""

from collections.abc import Mapping
from datetime import date, time

import polars as pl

from ageingwell.contracts.registry import Column

DAY = r"^\d{4}-\d{2}-\d{2}([ T]00:00:00(\.0+)?Z?)?$"
NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"


def folded(text: pl.Expr) -> pl.Expr:
    """Fold labels: lower case, every run of other than letters and digits becomes `_`, ends trimmed.

    >>> pl.DataFrame({"a": ["Long Term Support: Community", "NFA – Moved"]}).select(folded(pl.col("a")))["a"].to_list()
    ['long_term_support_community', 'nfa_moved']
    """
    return text.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", "_").str.strip_chars("_")


def parsed(raw: pl.DataFrame, column: Column, values: Mapping[str, str]) -> tuple[pl.Series, pl.Series | None]:
    """One column as the contract means it, and which rows hold something that could not be read (or `None`: no row).

    The first series has the contract's type; a row that could not be read is missing in it.
    """
    if column.name not in raw.columns:
        return pl.repeat(column.missing, raw.height, dtype=column.dtype, eager=True).alias(column.name), None
    sent = _text_or_typed(raw[column.name])
    if sent.dtype.is_nested() or sent.dtype in (pl.Binary, pl.Object):
        # A list, a structure or bytes: nothing in it can be what the contract means.
        return pl.repeat(None, raw.height, dtype=column.dtype, eager=True).alias(column.name), sent.is_not_null()
    read = _READERS[column.kind](sent, column, values)
    if column.kind == "label":
        # A label nobody knows stays as it is: the contract's own check names it.
        return (read if column.missing is None else read.fill_null(column.missing)).alias(column.name), None
    faulty = sent.is_not_null() & read.is_null()
    return read.alias(column.name), faulty if faulty.any() else None


def _text_or_typed(sent: pl.Series) -> pl.Series:
    """Text without surrounding blanks, an empty text as missing; other types as they are."""
    if isinstance(sent.dtype, pl.Categorical | pl.Enum):
        sent = sent.cast(pl.String)
    if sent.dtype != pl.String:
        return sent
    trimmed = sent.str.strip_chars()
    return trimmed.set(trimmed == "", None)


def _as_text(sent: pl.Series, column: Column, values: Mapping[str, str]) -> pl.Series:
    text = sent if sent.dtype == pl.String else sent.cast(pl.String)
    return text.replace(dict(values)) if values else text


def _as_label(sent: pl.Series, column: Column, values: Mapping[str, str]) -> pl.Series:
    """Folded labels, worked out once for each distinct text: a column of millions holds a few dozen."""
    text = sent.cast(pl.String)
    if sent.dtype == pl.Boolean:
        text = text.replace({"true": "yes", "false": "no"})
    distinct = text.unique().drop_nulls()
    frame = pl.DataFrame({"sent": distinct}).with_columns(label=folded(pl.col("sent")))
    renamed = {**dict(column.also), **{_fold_one(theirs): ours for theirs, ours in values.items()}}
    frame = frame.with_columns(pl.col("label").replace(renamed)) if renamed else frame
    missing = ("", *column.also_missing)
    frame = frame.with_columns(pl.when(~pl.col("label").is_in(missing)).then("label").alias("label"))
    if frame.is_empty():
        return text
    return text.replace_strict(frame["sent"], frame["label"], default=None, return_dtype=pl.String)


def _fold_one(text: str) -> str:
    return str(pl.select(folded(pl.lit(text))).item())


def _as_date(sent: pl.Series, column: Column, values: Mapping[str, str]) -> pl.Series:
    if sent.dtype == pl.Date:
        # A typed column can hold days of the year 5,000,000, which no later step can reckon with.
        return sent.set(~sent.is_between(date.min, date.max), None)
    if isinstance(sent.dtype, pl.Datetime):
        return _as_date(sent.dt.date().set(sent.dt.time() != time(0), None), column, values)
    if sent.dtype != pl.String:
        return pl.repeat(None, len(sent), dtype=pl.Date, eager=True)
    looks_right = sent.str.contains(DAY)
    return sent.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).set(~looks_right, None)


def _as_number(sent: pl.Series, column: Column, values: Mapping[str, str]) -> pl.Series:
    if sent.dtype == pl.String:
        number = sent.set(~sent.str.contains(NUMBER), None).cast(pl.Float64, strict=False)
    elif sent.dtype.is_numeric():
        number = sent.cast(pl.Float64, strict=False)
    else:
        return pl.repeat(None, len(sent), dtype=pl.Float64, eager=True)
    return number.set(~number.is_finite(), None)


def _as_whole(sent: pl.Series, column: Column, values: Mapping[str, str]) -> pl.Series:
    number = _as_number(sent, column, values)
    return number.set(number != number.round(), None).cast(pl.Int64, strict=False)


_READERS = {"text": _as_text, "label": _as_label, "date": _as_date, "number": _as_number, "whole": _as_whole}
FAULTS = {
    "text": "wrong_shape",
    "label": "unknown_label",
    "date": "not_a_date",
    "number": "not_a_number",
    "whole": "not_a_whole_number",
}
