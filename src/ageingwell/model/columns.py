"""The columns a model knows: their names and kinds, and one matrix of numbers for the fit and for every prediction.

A number stays a number, a missing one is NaN. A category becomes the number of its level; a level that was not seen
in training becomes -1, a missing one has a number of its own. Levels are matched by value: where numbers were levels
in training, 1, 1.0 and the text "1.0" are one level; text is matched as it is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ageingwell.errors import FrameError
from ageingwell.model.cells import Cells, Labels, rewritten, spellings
from ageingwell.model.frames import Table, table_of

Floats = NDArray[np.float64]
UNSEEN = -1.0


@dataclass(frozen=True)
class Column:
    """One feature: its name and, of a category, its levels in order; the number after the last stands for missing.

    `of_numbers` tells that some levels were numbers, so that text is read as numbers too. A column that was wholly
    missing in training is of neither kind (`kind_is_known`): it takes either later, and adds nothing.
    """

    name: str
    levels: tuple[str, ...] | None = None
    of_numbers: bool = False
    kind_is_known: bool = True

    @property
    def is_category(self) -> bool:
        """Whether it holds categories."""
        return self.levels is not None

    @property
    def n_codes(self) -> int:
        """Numbers its levels take, missing included; 0 of a number."""
        return 0 if self.levels is None else len(self.levels) + 1


def columns_of(features: pl.DataFrame | Table) -> tuple[Column, ...]:
    """The columns of a training frame, the levels of each category in alphabetical order.

    >>> [(column.name, column.levels) for column in columns_of(pl.DataFrame({"age": [70], "tenure": ["rented"]}))]
    [('age', None), ('tenure', ('rented',))]
    """
    table = _table(features)
    return tuple(_column(name, table.column(name)) for name in table.places)


def _column(name: str, cells: Cells) -> Column:
    if cells.is_empty:
        return Column(name, kind_is_known=False)
    labels = cells.labels()
    if cells.numbers() is not None or labels is None:
        return Column(name)
    levels = labels.text.drop_nulls().unique().to_list()
    if labels.is_number is None:
        return Column(name, tuple(sorted(levels)))
    return Column(name, tuple(sorted({rewritten(level) for level in levels})), of_numbers=True)


def to_matrix(features: pl.DataFrame | Table, columns: Sequence[Column]) -> Floats:
    """The named columns of a frame as an (n, p) matrix in the model's order, whatever the frame's own.

    Raises `FrameError` where a column is missing or is of another kind than in training, or holds an infinite value.
    """
    table = _table(features)
    absent = [column.name for column in columns if column.name not in table.places]
    if absent:
        raise FrameError(f"the model needs features that were not given: {', '.join(absent[:5])}")
    matrix = np.full((table.height, len(columns)), np.nan, order="F")
    wrong, infinite = [], []
    for place, column in enumerate(columns):
        values = _values(table, column)
        if values is None:
            wrong.append(column.name)
            continue
        matrix[:, place] = values
        if np.isinf(values).any():
            infinite.append(column.name)
    if wrong:
        raise FrameError(
            f"of another type than in training: {', '.join(wrong[:5])}", "give numbers as numbers, categories as text"
        )
    if infinite:
        raise FrameError(f"infinite values in: {', '.join(infinite[:5])}", "leave unknown values empty")
    return matrix


def decoded(codes: Floats, column: Column) -> pl.Series:
    """One column of a matrix as it would be read: numbers, or the names of levels; missing is null.

    >>> decoded(np.array([0.0, -1.0, 1.0]), Column("tenure", ("owned",))).to_list()
    ['owned', 'other', None]
    """
    if column.levels is None:
        return pl.Series(column.name, codes, dtype=pl.Float64).fill_nan(None)
    names = [*column.levels, None, "other"]  # the number -1 of a level that was not seen is the last place
    return pl.Series(column.name, [names[place] for place in codes.astype(int)], dtype=pl.String)


def shares_unseen(codes: Floats, columns: Sequence[Column]) -> dict[str, tuple[int, int]]:
    """Of each category how many of its values in a matrix (n, p) were never seen in training, and of how many.

    >>> shares_unseen(np.array([[0.0], [-1.0], [2.0]]), [Column("tenure", ("owned", "rented"))])
    {'tenure': (1, 2)}
    """
    counts = {}
    for place, column in enumerate(columns):
        if column.levels is not None:
            ours = codes[:, place]
            counts[column.name] = int((ours == UNSEEN).sum()), int((ours != len(column.levels)).sum())
    return counts


def _table(features: pl.DataFrame | Table) -> Table:
    return features if isinstance(features, Table) else table_of(features, features.columns)


def _values(table: Table, column: Column) -> Floats | None:
    """The column's part of the matrix, or None where it is of the other kind."""
    if not column.kind_is_known:
        return np.full(table.height, np.nan)
    cells = table.column(column.name)
    if not column.is_category:
        return cells.numbers()
    labels = cells.labels()
    return None if labels is None else _codes(labels, column)


def _codes(labels: Labels, column: Column) -> Floats | None:
    """The number of each label's level; None where a column without a type holds numbers, and all levels were text."""
    levels = column.levels or ()
    known = pl.DataFrame(
        {"level": pl.Series(levels, dtype=pl.String), "code": pl.Series(np.arange(len(levels), dtype=float))}
    )
    found = pl.DataFrame({"level": labels.text}).join(known, on="level", how="left", maintain_order="left")
    code = pl.when(pl.col("level").is_null()).then(float(len(levels))).otherwise(pl.col("code").fill_null(UNSEEN))
    codes = np.array(found.select(code).to_series().to_numpy(), dtype=float)
    by_value = (
        np.full(len(codes), column.of_numbers) if labels.is_number is None else labels.is_number | column.of_numbers
    )
    lost = np.flatnonzero((codes == UNSEEN) & by_value)
    if lost.size:
        codes[lost] = _codes_by_value(labels.text[lost], {level: place for place, level in enumerate(levels)})
        if not (labels.is_typed or column.of_numbers) and (codes[lost] == UNSEEN).any():
            return None
    return codes


def _codes_by_value(texts: pl.Series, places: Mapping[str, int]) -> Floats:
    """The number of the level that has the value of each text, however it was written; `UNSEEN` where none has."""
    distinct = texts.unique().to_list()
    codes = [next((float(places[spelt]) for spelt in spellings(text) if spelt in places), UNSEEN) for text in distinct]
    return np.asarray(texts.replace_strict(distinct, codes, return_dtype=pl.Float64).to_numpy(), dtype=float)
