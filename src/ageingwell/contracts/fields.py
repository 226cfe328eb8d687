"""The kinds of column a contract is made of, and the rules a row can break, each with its sentence.

A column helper returns a Pandera field whose metadata tell the reader how to parse it: `kind`, whether the column is
`required`, its `labels`, and the label that stands for a missing value. The rule names in `RULES` are the ones that
refused rows carry; the same sentences stand in error texts and in the data dictionary.
"""

from typing import Any

import pandera.polars as pa
import polars as pl

# Digits are written [0-9], for \d would let through the digits of every script.

# 32 letters without digits or vowels: no spreadsheet turns one into a number, no NHS number hides in one.
PSEUDONYM = r"^[bcdfghjklmnpqrst]{32}$"
LSOA21 = r"^[EW]01[0-9]{6}$"
PRACTICE_CODE = r"^[A-Z][0-9]{5}$"
BNF_CODE = r"^[0-9A-Z]{4,15}$"

RULES: dict[str, str] = {
    "missing": "a value is needed here and none was sent",
    "not_a_date": "the date is not a real day written year-month-day",
    "not_a_number": "the value is not a number",
    "not_a_whole_number": "the value is not a whole number",
    "unknown_label": "the label is not one of this column's labels",
    "wrong_shape": "the text does not have the shape this column promises",
    "out_of_range": "the value lies outside the range this column promises",
    "bad_check_digit": "the SNOMED CT identifier does not pass its check digit",
    "end_before_start": "the end lies before the start",
    "recorded_before_it_happened": "the record is older than what it records",
    "impossible_age": "the age on the day of the record is not between 0 and 115",
    "not_the_first": "a birth month is written as the first day of that month",
    "one_of_two_needed": "exactly one of two columns must hold a value",
    "tied_version": "two versions of one person were recorded on the same day",
    "wrong_number_of_fields": "the row does not have as many fields as the header",
}

# Pandera's own check names, in the words above.
BUILT_IN = {
    "not_nullable": "missing",
    "isin": "unknown_label",
    "str_matches": "wrong_shape",
    "greater_than_or_equal_to": "out_of_range",
    "less_than_or_equal_to": "out_of_range",
    "in_range": "out_of_range",
}


def _field(sentence: str, kind: str, *, required: bool, nullable: bool, more: dict[str, Any], **checks: Any) -> Any:
    metadata = {"kind": kind, "required": required, **more}
    return pa.Field(nullable=nullable, description=sentence, metadata=metadata, **checks)


def pseudonym(sentence: str, *, required: bool = True, nullable: bool = False) -> Any:
    """A pseudonym: 32 letters."""
    return _field(sentence, "text", required=required, nullable=nullable, more={}, str_matches=PSEUDONYM)


def day(sentence: str, *, required: bool = True, nullable: bool = False) -> Any:
    """A day, written year-month-day."""
    return _field(sentence, "date", required=required, nullable=nullable, more={})


def label(sentence: str, *labels: str, required: bool = True, nullable: bool = False) -> Any:
    """One of a fixed list of labels, matched after folding."""
    missing = "unknown" if "unknown" in labels and not required else None
    more = {"labels": labels, "missing": missing}
    return _field(
        sentence, "label", required=required, nullable=nullable and missing is None, more=more, isin=list(labels)
    )


def yes_no_unknown(sentence: str) -> Any:
    """`yes`, `no` or `unknown`; an empty cell and `not asked` are unknown, never no."""
    more = {"labels": ("yes", "no", "unknown"), "missing": "unknown", "also_missing": ("not_asked",)}
    return _field(sentence, "label", required=False, nullable=False, more=more, isin=["yes", "no", "unknown"])


def open_label(sentence: str, *, required: bool = False) -> Any:
    """A label from a national list that changes by year: folded, any label accepted."""
    return _field(sentence, "label", required=required, nullable=not required, more={"labels": (), "missing": None})


def text(sentence: str, *, shape: str | None = None, required: bool = False, nullable: bool = True) -> Any:
    """Text as sent, with a shape where the contract promises one."""
    checks = {} if shape is None else {"str_matches": shape}
    return _field(sentence, "text", required=required, nullable=nullable, more={}, **checks)


def whole(sentence: str, *, low: int, high: int, required: bool = False, nullable: bool = True) -> Any:
    """A whole number between `low` and `high`, both included."""
    return _field(sentence, "whole", required=required, nullable=nullable, more={}, ge=low, le=high)


def amount(sentence: str, *, low: float | None = None, high: float | None = None) -> Any:
    """A number, optional."""
    checks = {key: value for key, value in (("ge", low), ("le", high)) if value is not None}
    return _field(sentence, "number", required=False, nullable=True, more={}, **checks)


def holds(data: pa.PolarsData, rule: pl.Expr) -> pl.LazyFrame:
    """Whether each row keeps a rule across columns; a rule that meets a missing value is kept.

    Checks hang on one column (not on the frame), because Pandera writes the whole row into a frame's failure.
    """
    return data.lazyframe.select(rule.fill_null(value=True))


def not_before(later: str, earlier: str) -> pl.Expr:
    """`later` is on or after `earlier`."""
    return pl.col(later) >= pl.col(earlier)


def exactly_one(first: str, second: str) -> pl.Expr:
    """One of two columns holds a value, and only one."""
    return pl.col(first).is_null() != pl.col(second).is_null()
