"""The kinds of column a contract is made of, and the rules a row can break, each with its sentence.

A column helper returns a Pandera field whose metadata tell the reader how to parse it: `kind`, whether the column is
`required`, its `labels`, the label that stands for a missing value, which days stand for no day, and what becomes of a
cell that cannot be read. The rule names in `RULES` are the ones that a row or a cell can break. Those in `EMPTIED` say
of one cell alone why it is read as missing: they refuse the row in a required column only. The same sentences stand in
error texts and in the data dictionary.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import pandera.polars as pa
import polars as pl

# Digits are written [0-9], for \d would let through the digits of every script.

# 32 letters without digits or vowels: no spreadsheet turns one into a number, no NHS number hides in one.
PSEUDONYM = r"^[bcdfghjklmnpqrst]{32}$"
LSOA21 = r"^[EW]01[0-9]{6}$"
PRACTICE_CODE = r"^[A-Z][0-9]{5}$"
BNF_CODE = r"^[0-9A-Z]{4,15}$"
# One code of the classification, its dot written or not: one of several in a cell, so without a beginning and an end.
ICD10_CODE = r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,3})?"

RULES: dict[str, str] = {
    "missing": "a value is needed here and none was sent",
    "not_a_date": "the date is not a real day, written year-month-day or as the settings declare",
    "placeholder_day": "the day is one that systems write where they know none, such as 1900-01-01 or 9999-12-31",
    "not_a_number": "the value is not a number",
    "not_a_whole_number": "the value is not a whole number",
    "unknown_label": "the label is not one of this column's labels",
    "wrong_shape": "the text does not have the shape this column promises",
    "out_of_range": "the value is outside the range this column promises",
    "bad_check_digit": "the SNOMED CT identifier does not pass its check digit",
    "end_before_start": "the end is before the start",
    "recorded_before_it_happened": "the record is older than what it records",
    "recorded_without_its_day": "the day of recording is sent, and the day of what it records is not",
    "impossible_age": "the age on the day of the record is not between 0 and 115",
    "not_the_first": "a birth month is written as the first day of that month",
    "one_of_two_needed": "exactly one of two columns must hold a value",
    "tied_version": "two versions of one person were recorded on the same day",
    "wrong_number_of_fields": "the row does not have as many fields as the header",
}

# The rules of one cell, whatever the rest of its row says.
CELL_RULES = (
    "not_a_date",
    "placeholder_day",
    "not_a_number",
    "not_a_whole_number",
    "unknown_label",
    "wrong_shape",
    "out_of_range",
    "bad_check_digit",
)
# Why a cell that was not empty is read as missing.
EMPTIED: dict[str, str] = {
    **{rule: RULES[rule] for rule in CELL_RULES},
    "word_for_empty": "the cell holds a word that means empty: NULL, NA, N/A, #N/A, NaN, NaT, or one of the settings",
}
# In these the sender wrote that there is no value; in all others there was one, and it could not be read.
SAY_NOTHING = ("placeholder_day", "word_for_empty")
# In small letters. "None" is not among them: as a label it is an answer (no communication need).
WORDS_FOR_EMPTY = ("null", "na", "n/a", "#n/a", "nan", "nat")

# The lowest day of .NET and SQL Server's datetime2 (0001-01-01), of SQL Server's datetime (1753-01-01), TPP's
# 1801-01-01, and nought in a spreadsheet (1899-12-30 and 1900-01-01).
LAST_LOW_DAY = date(1900, 1, 1)
# Nought seconds of Unix time. In a required column it may be a day on which something happened.
UNIX_NOUGHT = date(1970, 1, 1)
# 9999-12-31 is TPP's end of a registration that has not ended; 2099-12-31 and 3000-01-01 are as common elsewhere.
FIRST_FAR_DAY = date(2099, 1, 1)
# No opt-out scheme is older than this: type 1 opt-outs began in 2013.
NO_OPT_OUT_BEFORE = date(2000, 1, 1)

# A `held` day is read as missing, and the person whose row it is is held off the list.
Becomes = Literal["missing", "refused", "held"]
# What becomes of a cell that cannot be read: its row is refused, or it is emptied, or emptied and its person held.
Unreadable = Literal["refused", "emptied", "held"]


@dataclass(frozen=True)
class Placeholder:
    """Which days of a column stand for no day, and what becomes of them.

    Days before `low_before`, and those of `also_low`, are low; days from `FIRST_FAR_DAY` on are far. A `missing` one is
    read as an empty cell and counted; a `held` one too, and its person is held; a `refused` one refuses its row.
    """

    low: Becomes
    far: Becomes
    low_before: date = LAST_LOW_DAY + timedelta(days=1)
    also_low: tuple[date, ...] = ()

    def is_low(self, day: pl.Series) -> pl.Series:
        """Which days are low."""
        return (day < self.low_before) | day.is_in(list(self.also_low))

    def is_far(self, day: pl.Series) -> pl.Series:
        """Which days are far."""
        return day >= FIRST_FAR_DAY

    @property
    def sentence(self) -> str:
        """The rule in words.

        >>> Placeholder(low="refused", far="missing").sentence
        'days up to 1900-01-01 are refused; days from 2099-01-01 on are read as empty'
        """
        words = {
            "missing": "are read as empty",
            "refused": "are refused",
            "held": "are read as empty and hold the person",
        }
        low = f"days up to {self.low_before - timedelta(days=1)}" + "".join(f" and {day}" for day in self.also_low)
        if self.low == self.far:
            return f"{low}, and from {FIRST_FAR_DAY} on, {words[self.low]}"
        return f"{low} {words[self.low]}; days from {FIRST_FAR_DAY} on {words[self.far]}"


# A required day that is none says nothing of its row: the row is refused. An optional one is read as missing.
REFUSED_DAY = Placeholder(low="refused", far="refused")
MISSING_DAY = Placeholder(low="missing", far="missing", also_low=(UNIX_NOUGHT,))
# A far end is no end yet. A low one may be a death of unknown day: the person is held, and never counted as alive.
ENDING_DAY = Placeholder(low="held", far="missing", also_low=(UNIX_NOUGHT,))
# A low end of an opt-out would end it before it began: it has no end, which keeps it in force.
OPT_OUT_END = Placeholder(low="missing", far="missing", low_before=NO_OPT_OUT_BEFORE)

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


def pseudonym(
    sentence: str, *, required: bool = True, nullable: bool = False, unreadable: Unreadable | None = None
) -> Any:
    """A pseudonym: 32 letters. `unreadable` says what becomes of one that is none where that is not the usual."""
    more = {"is_pseudonym": True, "unreadable": unreadable}
    return _field(sentence, "text", required=required, nullable=nullable, more=more, str_matches=PSEUDONYM)


def day(
    sentence: str,
    *,
    required: bool = True,
    nullable: bool = False,
    placeholder: Placeholder | None = None,
    unreadable: Unreadable | None = None,
) -> Any:
    """A day, written year-month-day; days that stand for none are refused where one is needed, else missing.

    `unreadable` says what becomes of a day that cannot be read where that is not the usual.
    """
    rule = placeholder or (REFUSED_DAY if required else MISSING_DAY)
    more = {"placeholder": rule, "unreadable": unreadable}
    return _field(sentence, "date", required=required, nullable=nullable, more=more)


def birth_month(sentence: str) -> Any:
    """A birth month: its own rules, of the first day and of the age, refuse every day that stands for none."""
    return _field(sentence, "date", required=True, nullable=False, more={"placeholder": None})


def label(
    sentence: str,
    *labels: str,
    required: bool = True,
    nullable: bool = False,
    also: Mapping[str, str] | None = None,
) -> Any:
    """One of a fixed list of labels, matched after folding; `also` are other spellings, each with our label."""
    missing = "unknown" if "unknown" in labels and not required else None
    more = {"labels": labels, "missing": missing, "also": dict(also or {})}
    return _field(
        sentence, "label", required=required, nullable=nullable and missing is None, more=more, isin=list(labels)
    )


def yes_no_unknown(sentence: str) -> Any:
    """`yes`, `no` or `unknown`; an empty cell and `not asked` are unknown, never no."""
    more = {"labels": ("yes", "no", "unknown"), "missing": "unknown", "also_missing": ("not_asked",)}
    return _field(sentence, "label", required=False, nullable=False, more=more, isin=["yes", "no", "unknown"])


# How sure the matching of an address to its UPRN was, as ASSIGN and council gazetteers grade it.
MATCHES = ("exact", "high", "low", "unknown")
LOW_MATCH = "low"


def household_match() -> Any:
    """How sure it is that `household_id` is the right home; without the column it is taken as sure."""
    return label(
        "how sure the match of the address to the home is; `low`: not used as their home", *MATCHES, required=False
    )


def open_label(
    sentence: str, *, required: bool = False, known: tuple[str, ...] = (), also: Mapping[str, str] | None = None
) -> Any:
    """A label from a national list that changes by year: folded, and carried where our list or the settings name it.

    `known` are the labels whose meaning we know (`*` stands for any text, which is not carried). Any other is read as
    `other_not_listed`, from which nothing may be concluded. `also` are other spellings, each with our label.
    """
    more = {"labels": (), "missing": None, "known": known, "also": dict(also or {})}
    return _field(sentence, "label", required=required, nullable=not required, more=more)


# An id or a code of a system has no blank in it, and a remark has.
NO_BLANK = r"^\S{1,64}$"


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
