"""Any table a partner has, as a Polars frame of numbers and texts: Polars, pandas, or rows of an array."""

from typing import Any

import numpy as np
import polars as pl

from ageingwell.errors import FrameError


def named_columns(table: Any) -> list[str] | None:
    """The column names of a data frame, None of an array; `FrameError` where one occurs twice or is not text.

    >>> named_columns(pl.DataFrame({"age": [70]})), named_columns([[70]])
    (['age'], None)
    """
    if isinstance(table, pl.LazyFrame):
        raise FrameError("a lazy frame was given", "collect it first")
    if not hasattr(table, "columns") or not hasattr(table, "dtypes"):
        return None
    names = list(table.columns)
    if not all(isinstance(name, str) for name in names):
        if any(isinstance(name, str) for name in names):
            raise FrameError("some column names are text and some are not", "name the columns by text only")
        return None
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FrameError(f"duplicate column names: {', '.join(twice[:5])}", "give each column a name of its own")
    return names


def frame_of(table: Any, names: list[str]) -> pl.DataFrame:
    """A frame of Float64 and String columns under `names`; Boolean counts as 0 and 1, NaN and None as missing.

    Columns of dates or lists are refused with `FrameError`.
    """
    if isinstance(table, pl.DataFrame):
        return pl.DataFrame([_plain(table[name]) for name in names]) if names else pl.DataFrame()
    if hasattr(table, "iloc"):
        return pl.DataFrame([_from_pandas(name, table.iloc[:, place]) for place, name in enumerate(names)])
    values = np.asarray(table)
    return pl.DataFrame([_from_values(name, values[:, place]) for place, name in enumerate(names)])


def _plain(column: pl.Series) -> pl.Series:
    dtype = column.dtype
    if dtype == pl.Null:
        return column
    if dtype.is_numeric() or dtype == pl.Boolean:
        return column.cast(pl.Float64).fill_nan(None)
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    if dtype == pl.Object:
        return _from_values(column.name, np.array(column.to_list(), dtype=object))
    raise FrameError(f"column {column.name} is of type {dtype}", "give numbers, true or false, or categories as text")


def _from_pandas(name: str, column: Any) -> pl.Series:
    kind = str(column.dtype)
    if kind.startswith(("datetime", "timedelta", "period", "interval", "complex")):
        raise FrameError(f"column {name} is of type {kind}", "give numbers, true or false, or categories as text")
    if getattr(column.dtype, "kind", "O") in "biuf":
        return _numbers(name, column.to_numpy(dtype=float, na_value=np.nan))
    if kind == "category":
        # A category of numbers is a category all the same.
        return _texts(name, column.astype(object).to_numpy(), missing=column.isna().to_numpy())
    return _from_values(name, column.astype(object).to_numpy())


def _from_values(name: str, values: np.ndarray) -> pl.Series:
    if values.dtype.kind in "biuf":
        return _numbers(name, values.astype(float))
    if values.dtype.kind not in "OUS":
        raise FrameError(f"column {name} is of type {values.dtype}", "give numbers, or categories as text")
    missing = missing_in(values)
    known = [value for value, gone in zip(values, missing) if not gone]
    if any(not isinstance(value, str | bool | int | float | np.generic) for value in known):
        raise TypeError(f"column {name}: a value is not a number or text; argument must be a string or a real number")
    if not any(isinstance(value, str) for value in known):
        return _numbers(name, np.array([np.nan if gone else float(v) for v, gone in zip(values, missing)]))
    return _texts(name, values, missing=missing)


def missing_in(values: np.ndarray) -> np.ndarray:
    """Which of the values (n,) are missing: None, NaN, NaT and the NA of pandas.

    >>> missing_in(np.array([1.0, np.nan])).tolist(), missing_in(np.array(["a", None], dtype=object)).tolist()
    ([False, True], [False, True])
    """
    # pandas' NA has no truth value, so that it can't be compared with itself, as NaN can.
    return np.array(
        [value is None or type(value).__name__ == "NAType" or value != value for value in values.tolist()], dtype=bool
    )


def _numbers(name: str, values: np.ndarray) -> pl.Series:
    return pl.Series(name, values, dtype=pl.Float64).fill_nan(None)


def _texts(name: str, values: np.ndarray, *, missing: np.ndarray) -> pl.Series:
    return pl.Series(name, [None if gone else str(v) for v, gone in zip(values, missing)], dtype=pl.String)
