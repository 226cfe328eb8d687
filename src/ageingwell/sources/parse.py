"""From what an agency wrote to what the contract means: names, values, labels, days and numbers.

Parsing never guesses: a text that is not a day, a number or a known value stays a fault of that row and column. Words
that mean empty and days that stand for no day are read by the rules in `contracts.fields`, and counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time

import polars as pl

from ageingwell.contracts.fields import WORDS_FOR_EMPTY, Placeholder
from ageingwell.contracts.registry import Column

DAY = r"^\d{4}-\d{2}-\d{2}([ T]00:00:00(\.0+)?Z?)?$"
NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"


def folded(text: pl.Expr) -> pl.Expr:
    """Fold labels: lower case, every run of other than letters and digits becomes `_`, ends trimmed.

    >>> pl.DataFrame({"a": ["Long Term Support: Community", "NFA – Moved"]}).select(folded(pl.col("a")))["a"].to_list()
    ['long_term_support_community', 'nfa_moved']
    """
    return text.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", "_").str.strip_chars("_")


@dataclass(frozen=True)
class Parsed:
    """One column as the contract means it.

    `faulty` marks, by rule, the rows that hold something that could not be read: they are missing in `read`.
    `n_emptied` counts, by rule, the cells that were not empty and are read as missing.
    """

    read: pl.Series
    faulty: Mapping[str, pl.Series] = field(default_factory=dict)
    n_emptied: Mapping[str, int] = field(default_factory=dict)


def parsed(raw: pl.DataFrame, column: Column, values: Mapping[str, str]) -> Parsed:
    """Read one column of a chunk; the series has the contract's type and name."""
    if column.name not in raw.columns:
        return Parsed(pl.repeat(column.missing, raw.height, dtype=column.dtype, eager=True).alias(column.name))
    sent = _text_or_typed(raw[column.name])
    if sent.dtype.is_nested() or sent.dtype in (pl.Binary, pl.Object):
        # A list, a structure or bytes: nothing in it can be what the contract means.
        nothing = pl.repeat(None, raw.height, dtype=column.dtype, eager=True).alias(column.name)
        return Parsed(nothing, _where_any({FAULTS[column.kind]: sent.is_not_null()}))
    sent, n_words = _without_words(sent, column, values)
    read = _READERS[column.kind](sent, column, values)
    if column.kind == "label":
        # A label nobody knows stays as it is: the contract's own check names it.
        read = read if column.missing is None else read.fill_null(column.missing)
        return Parsed(read.alias(column.name), n_emptied=n_words)
    faulty = {FAULTS[column.kind]: sent.is_not_null() & read.is_null()}
    if column.placeholder is None:
        return Parsed(read.alias(column.name), _where_any(faulty), n_words)
    read, refused, emptied = _without_placeholders(read, column.placeholder)
    n_emptied = {"placeholder_day": int(emptied.sum())} if emptied.any() else {}
    return Parsed(read.alias(column.name), _where_any({**faulty, "placeholder_day": refused}), {**n_words, **n_emptied})


def _where_any(faulty: Mapping[str, pl.Series]) -> dict[str, pl.Series]:
    return {rule: rows for rule, rows in faulty.items() if rows.any()}


def _without_placeholders(read: pl.Series, rule: Placeholder) -> tuple[pl.Series, pl.Series, pl.Series]:
    """The days without those that stand for none, which rows such a day refuses, and which cells it empties."""
    nowhere = pl.repeat(value=False, n=len(read), eager=True)
    found = {"missing": nowhere, "refused": nowhere}
    for becomes, days in ((rule.low, rule.is_low(read)), (rule.far, rule.is_far(read))):
        found[becomes] = found[becomes] | days.fill_null(value=False)
    return read.set(found["missing"] | found["refused"], None), found["refused"], found["missing"]


def _without_words(sent: pl.Series, column: Column, values: Mapping[str, str]) -> tuple[pl.Series, dict[str, int]]:
    """An optional column without the words that mean empty, and how many cells held one.

    A word that the settings map, or that is a label of the column, is what they say. A pseudonym is never a word.
    """
    if column.required:
        return sent, {}
    if sent.dtype.is_float():
        # What a typed column holds in place of a missing number; as text it would be the word `nan`.
        sent = sent.set(sent.is_nan(), None)
    if sent.dtype != pl.String or column.is_pseudonym:
        return sent, {}
    words = set(WORDS_FOR_EMPTY) - {value.strip().lower() for value in values} - set(column.labels)
    holds_word = sent.str.to_lowercase().is_in(sorted(words)).fill_null(value=False)
    n_words = int(holds_word.sum())
    return (sent.set(holds_word, None), {"word_for_empty": n_words}) if n_words else (sent, {})


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
        # A column can hold days of the year 0 or 5,000,000, which no later step can reckon with.
        return sent.set(~sent.is_between(date.min, date.max), None)
    if isinstance(sent.dtype, pl.Datetime):
        return _as_date(sent.dt.date().set(sent.dt.time() != time(0), None), column, values)
    if sent.dtype != pl.String:
        return pl.repeat(None, len(sent), dtype=pl.Date, eager=True)
    looks_right = sent.str.contains(DAY)
    # MySQL's day of nought is no day of any calendar, and stands for none.
    days = sent.str.slice(0, 10).replace("0000-00-00", str(date.min))
    return _as_date(days.str.to_date("%Y-%m-%d", strict=False).set(~looks_right, None), column, values)


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
