"""The columns a model knows: their names and kinds, and one matrix of numbers for the fit and for every prediction.

A number stays a number, a missing one is NaN. A category becomes the number of its level; a level that was not seen
in training becomes -1, a missing one has a number of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ageingwell.errors import FrameError

Floats = NDArray[np.float64]
UNSEEN = -1.0


@dataclass(frozen=True)
class Column:
    """One feature: its name and, of a category, its levels in order; the number after the last stands for missing."""

    name: str
    levels: tuple[str, ...] | None = None

    @property
    def is_category(self) -> bool:
        """Whether it holds categories."""
        return self.levels is not None

    @property
    def n_codes(self) -> int:
        """Numbers its levels take, missing included; 0 of a number."""
        return 0 if self.levels is None else len(self.levels) + 1


def is_number(dtype: pl.DataType) -> bool:
    """Whether a column of this type is read as numbers."""
    return dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)


def columns_of(frame: pl.DataFrame) -> tuple[Column, ...]:
    """The columns of a training frame, the levels of each category in alphabetical order.

    >>> columns_of(pl.DataFrame({"age": [70, 80], "tenure": ["rented", "owned"]}))
    (Column(name='age', levels=None), Column(name='tenure', levels=('owned', 'rented')))
    """
    return tuple(
        Column(name)
        if is_number(dtype)
        else Column(name, tuple(frame[name].cast(pl.String).drop_nulls().unique().sort().to_list()))
        for name, dtype in frame.schema.items()
    )


def to_matrix(frame: pl.DataFrame, columns: Sequence[Column]) -> Floats:
    """The named columns of a frame as an (n, p) matrix in the model's order, whatever the frame's own.

    Raises `FrameError` where a column is missing or is of another kind than in training, or holds an infinite value.
    """
    absent = [column.name for column in columns if column.name not in frame.columns]
    if absent:
        raise FrameError(f"the model needs features that were not given: {', '.join(absent[:5])}")
    wrong = [column.name for column in columns if _is_wrong(column, frame.schema[column.name])]
    if wrong:
        raise FrameError(
            f"of another type than in training: {', '.join(wrong[:5])}", "give numbers as numbers, categories as text"
        )
    matrix = np.empty((frame.height, len(columns)), order="F")
    for place, column in enumerate(columns):
        values = frame[column.name]
        matrix[:, place] = _codes(values, column) if column.is_category else _numbers(values)
    infinite = [column.name for place, column in enumerate(columns) if np.isinf(matrix[:, place]).any()]
    if infinite:
        raise FrameError(f"infinite values in: {', '.join(infinite[:5])}", "leave unknown values empty")
    return matrix


def _is_wrong(column: Column, dtype: pl.DataType) -> bool:
    # A column without a single value has no type of its own (Null) and suits either kind.
    return dtype != pl.Null and is_number(dtype) == column.is_category


def _numbers(values: pl.Series) -> Floats:
    return np.asarray(values.cast(pl.Float64).to_numpy(), dtype=float)


def _codes(values: pl.Series, column: Column) -> Floats:
    levels = column.levels or ()
    known = pl.DataFrame(
        {"level": pl.Series(levels, dtype=pl.String), "code": pl.Series(np.arange(len(levels), dtype=float))}
    )
    text = pl.DataFrame({"level": values.cast(pl.String)})
    found = text.join(known, on="level", how="left", maintain_order="left")
    code = pl.when(pl.col("level").is_null()).then(float(len(levels))).otherwise(pl.col("code").fill_null(UNSEEN))
    return np.asarray(found.select(code).to_series().to_numpy(), dtype=float)
