"""One column of a partner's table as it was read: numbers, labels, or values that suit either kind.

A column without a single value suits either kind, whatever its type: of one person whose tenure is not known, pandas
makes a column of numbers. What its kind is, the model knows; it is read off the values in training alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
TRUTHS = {"True": 1, "False": 0}


class Cells(Protocol):
    """The values of one column, (n,)."""

    @property
    def is_empty(self) -> bool:
        """Whether there is not a single value."""

    def numbers(self) -> Floats | None:
        """The values as numbers, NaN where missing; None where they are categories."""

    def labels(self) -> "Labels | None":
        """The values as categories; None where they are numbers."""


@dataclass(frozen=True)
class Numbers:
    """A column whose type says that it holds numbers."""

    values: Floats

    @property
    def is_empty(self) -> bool:
        """Whether all are missing."""
        return bool(np.isnan(self.values).all())

    def numbers(self) -> Floats | None:
        """The values themselves."""
        return self.values

    def labels(self) -> "Labels | None":
        """None, unless all are missing."""
        return Labels(pl.Series([None] * len(self.values), dtype=pl.String)) if self.is_empty else None


@dataclass(frozen=True)
class Labels:
    """Categories as text, null where missing.

    `is_number` (n,) tells which labels were numbers or truths, written as `written` writes them; None where none was.
    `is_typed` tells whether the column's type said that it holds categories, and not its values.
    """

    text: pl.Series
    is_number: Bools | None = None
    is_typed: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether all are missing."""
        return self.text.null_count() == len(self.text)

    def numbers(self) -> Floats | None:
        """None, unless all are missing."""
        return np.full(len(self.text), np.nan) if self.is_empty else None

    def labels(self) -> "Labels | None":
        """The labels themselves."""
        return self


@dataclass(frozen=True)
class Untyped:
    """Numbers and truths in a column without a type, such as an array of objects: categories, if the model says so."""

    values: NDArray[np.object_]
    missing: Bools

    @property
    def is_empty(self) -> bool:
        """Whether all are missing."""
        return bool(self.missing.all())

    def numbers(self) -> Floats | None:
        """The values as numbers."""
        return self._numbers

    @cached_property
    def _numbers(self) -> Floats:
        found = np.full(len(self.values), np.nan)
        found[~self.missing] = [_float(value) for value in self.values[~self.missing]]
        return found

    def labels(self) -> Labels | None:
        """The values as they are written."""
        return mixed_labels(self.values, missing=self.missing)


def mixed_labels(values: NDArray[np.object_], *, missing: Bools) -> Labels:
    """Labels of any values, numbers among them, in a column without a type."""
    of_value = [(None, False) if gone else written(value) for value, gone in zip(values, missing)]
    is_number = np.array([number for _, number in of_value], dtype=bool)
    text = pl.Series([text for text, _ in of_value], dtype=pl.String)
    return Labels(text, is_number if is_number.any() else None, is_typed=False)


def labels_of_places(distinct: list[Any], places: NDArray[np.int64]) -> Labels:
    """Labels of a column that holds each row's place (n,) among distinct values, -1 where it is missing.

    >>> labels_of_places([0.0, 1.0], np.array([1, -1, 0])).text.to_list()
    ['1', None, '0']
    """
    of_value = [*(written(value) for value in distinct), (None, False)]
    is_number = np.array([number for _, number in of_value], dtype=bool)
    text = pl.Series([text for text, _ in of_value], dtype=pl.String)
    # The last stands for missing, in the texts as in -1.
    return Labels(text[places % len(of_value)], is_number[places] if is_number.any() else None)


def written(value: Any) -> tuple[str, bool]:
    """A label as text, and whether it is a number or a truth: numbers of one value are written alike.

    >>> [written(value)[0] for value in (1, 1.0, Decimal("1.00"), 0.5, "1.0", True)]
    ['1', '1', '1', '0.5', '1.0', 'True']
    """
    if isinstance(value, bool | np.bool_):
        return str(bool(value)), True
    if isinstance(value, int | np.integer) and not isinstance(value, np.timedelta64):
        return str(int(value)), True
    if isinstance(value, float | np.floating | Decimal):
        # A narrow number is the one that is written so: 0.1 in 32 bits is 0.1.
        number = value if isinstance(value, float) else float(str(value))
        exact = Decimal(value) if isinstance(value, Decimal | float) else Decimal(str(value))
        return (str(int(exact)) if exact.is_finite() and exact == exact.to_integral_value() else repr(number)), True
    return str(value), False


def rewritten(text: str) -> str:
    """A text that is a number, as `written` writes that number; any other text as it is.

    >>> rewritten("1.0"), rewritten("01"), rewritten("owned"), rewritten(" 1")
    ('1', '1', 'owned', ' 1')
    """
    return written(Decimal(text))[0] if NUMBER.fullmatch(text) else text


def spellings(text: str) -> Iterator[str]:
    """Other ways in which the number or truth that a text stands for may have been written; the likeliest first.

    >>> list(spellings("1")), list(spellings("False")), list(spellings("owned"))
    (['1', '1.0', 'True'], ['0', '0.0', 'False'], [])
    """
    plain = str(TRUTHS[text]) if text in TRUTHS else rewritten(text)
    if NUMBER.fullmatch(plain):
        yield plain
        yield repr(float(plain))
        yield from (truth for truth, number in TRUTHS.items() if str(number) == plain)


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        # A whole number beyond the greatest float: refused with the infinite ones.
        return float("inf")
