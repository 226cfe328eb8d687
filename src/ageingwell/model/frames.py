"""Any table a partner has, column by column: Polars, pandas, pyarrow, or rows of an array."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import issparse

from ageingwell.errors import FrameError
from ageingwell.evaluation.checked import missing_in
from ageingwell.model.cells import Cells, Labels, Numbers, Untyped, labels_of_places, mixed_labels

PLAIN = "give numbers, true or false, or categories as text"
DAY = "give days since a day you choose, as a number"
LENGTH = "give its length as a number, such as days"
TIME = "give hours since midnight, as a number"
ONE_VALUE = "give one value a row and column: a number, true or false, or a category as text"
BYTES = "decode it to text where it is a category, and give numbers as numbers"
PARTS = "give the real and the imaginary part as separate columns"
# In this order: a time stamp is a date too, and NumPy's time differences are whole numbers to Python.
OBJECTS: Sequence[tuple[tuple[type, ...], str]] = (
    ((dt.timedelta, np.timedelta64), LENGTH),
    ((dt.date, np.datetime64), DAY),
    ((dt.time,), TIME),
    ((bytes, bytearray, memoryview), BYTES),
    ((complex, np.complexfloating), PARTS),
    ((list, tuple, set, frozenset, Mapping, np.ndarray, pl.Series), ONE_VALUE),
)
OF_NUMPY = {"M": DAY, "m": LENGTH, "c": PARTS, "S": BYTES, "V": ONE_VALUE}
NUMBERS = (bool, int, float, Decimal, np.bool_, np.integer, np.floating)


@dataclass(frozen=True)
class Table:
    """The columns of a table by name, each read when it is asked for."""

    places: Mapping[str, int]
    height: int
    read: Callable[[int, str], Cells]

    def column(self, name: str) -> Cells:
        """One column's values; `FrameError` where they are of a type that is neither number nor category."""
        return self.read(self.places[name], name)


def checked_table(source: Any) -> Any:
    """The table as it can be read; `FrameError` for what is no table of rows and columns, with what to do instead."""
    if isinstance(source, pl.DataFrame):
        return source
    if isinstance(source, pl.LazyFrame):
        raise FrameError("a lazy frame was given", "collect it first")
    if issparse(source):
        raise FrameError("a sparse matrix was given, and only dense data can be read", "give `matrix.toarray()`")
    if isinstance(source, Mapping):
        raise FrameError("a dictionary was given", "make a frame of it, such as `polars.DataFrame(dictionary)`")
    if getattr(getattr(source, "dtype", None), "names", None):
        raise FrameError("a structured array was given", "make a frame of it, such as `polars.DataFrame(array)`")
    if _is_frame(source) or _is_arrow(source):
        return source
    if isinstance(source, pl.Series) or hasattr(source, "to_frame") or _is_of_arrow(source):
        raise FrameError(
            "a single column (a Series) was given", "give a frame: `series.to_frame()` of it, or the row of a frame"
        )
    if isinstance(source, np.ma.MaskedArray):
        # What stands behind a mask is not known; NumPy would let it through.
        return np.where(np.ma.getmaskarray(source), np.array(None, dtype=object), np.ma.getdata(source).astype(object))
    if isinstance(source, list | tuple):
        # Of numbers and text NumPy would make text alone.
        return np.array(source, dtype=object)
    if hasattr(source, "__arrow_c_stream__"):
        return pl.DataFrame(source)
    if hasattr(source, "columns"):
        raise FrameError(f"a table of type {type(source).__name__} was given", "give a Polars, pandas or pyarrow table")
    return source


def named_columns(table: Any) -> list[str] | None:
    """The column names of a data frame, None of an array; `FrameError` where one occurs twice or is not text.

    >>> named_columns(pl.DataFrame({"age": [70]})), named_columns([[70]])
    (['age'], None)
    """
    if not is_frame(table):
        return None
    names = list(table.column_names if _is_arrow(table) else table.columns)
    if not all(isinstance(name, str) for name in names):
        if any(isinstance(name, str) for name in names):
            raise FrameError("some column names are text and some are not", "name the columns by text only")
        return None
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FrameError(f"duplicate column names: {', '.join(twice[:5])}", "give each column a name of its own")
    return names


def is_frame(table: Any) -> bool:
    """Whether a table has columns of types of their own, as no array has."""
    return _is_frame(table) or _is_arrow(table)


def table_of(source: Any, names: Sequence[str]) -> Table:
    """The columns of a frame or an array (n, p) under `names`, in their order.

    Boolean counts as 0 and 1; NaN, None, NaT and NA as missing.
    """
    places = {name: place for place, name in enumerate(names)}
    if isinstance(source, pl.DataFrame):
        return Table(places, source.height, lambda place, name: of_polars(source.to_series(place), name))
    if _is_arrow(source):
        return Table(places, source.num_rows, lambda place, name: _of_arrow(source.column(place), name))
    if _is_frame(source):
        return Table(places, len(source), lambda place, name: _of_pandas(source.iloc[:, place], name))
    values = np.asarray(source)
    return Table(places, len(values), lambda place, name: _of_array(values[:, place], name))


def of_polars(column: pl.Series, name: str) -> Cells:
    """The values of a Polars column."""
    dtype = column.dtype
    if dtype.is_numeric() or dtype == pl.Boolean:
        return Numbers(np.asarray(column.cast(pl.Float64).to_numpy(), dtype=float))
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return Labels(column.cast(pl.String))
    if column.null_count() == len(column):
        return _nothing(len(column))
    if dtype == pl.Object:
        return of_objects(np.fromiter(column.to_list(), dtype=object, count=len(column)), name)
    raise FrameError(f"column {name} is of type {dtype}", _remedy_of_polars(dtype))


def _remedy_of_polars(dtype: pl.DataType) -> str:
    of_type = {pl.Duration: LENGTH, pl.Time: TIME, pl.Binary: BYTES}
    if dtype.base_type() in of_type:
        return of_type[dtype.base_type()]
    return DAY if dtype.is_temporal() else ONE_VALUE if dtype.is_nested() else PLAIN


def _of_pandas(column: Any, name: str) -> Cells:
    dtype, kind = column.dtype, str(column.dtype)
    if kind == "category":
        return labels_of_places(list(column.cat.categories), column.cat.codes.to_numpy().astype(np.int64))
    if kind.startswith("dictionary"):
        values = column.astype(object).to_numpy()
        return replace(mixed_labels(values, missing=missing_in(values)), is_typed=True)
    if getattr(dtype, "kind", "O") in "biuf":
        return Numbers(column.to_numpy(dtype=float, na_value=np.nan))
    if getattr(dtype, "kind", "O") in OF_NUMPY or kind.startswith(("period", "interval")):
        if column.isna().all():
            return _nothing(len(column))
        raise FrameError(
            f"column {name} is of type {kind}", OF_NUMPY.get(dtype.kind, DAY if "period" in kind else PLAIN)
        )
    return of_objects(column.astype(object).to_numpy(), name)


def _of_arrow(column: Any, name: str) -> Cells:
    if str(column.type).startswith("decimal256"):
        # Polars has no decimals so wide, and panics.
        return of_objects(np.fromiter(column.to_pylist(), dtype=object, count=len(column)), name)
    if not hasattr(column.type, "index_type"):
        return of_polars(_polars_of(column, name), name)
    values = _polars_of(column.cast(column.type.value_type), name)
    if values.dtype == pl.String:
        return Labels(values)
    distinct = values.unique().drop_nulls()
    place = pl.Series(np.arange(len(distinct)), dtype=pl.Int64)
    places = values.replace_strict(distinct, place, default=-1, return_dtype=pl.Int64).to_numpy()
    return labels_of_places(distinct.to_list(), places)


def _polars_of(column: Any, name: str) -> pl.Series:
    try:
        return pl.Series(name, column)
    except (pl.exceptions.PolarsError, TypeError, ValueError, NotImplementedError):
        raise FrameError(f"column {name} is of type {column.type}", PLAIN) from None


def _of_array(values: NDArray[Any], name: str) -> Cells:
    kind = values.dtype.kind
    if kind in "biuf":
        return Numbers(values.astype(float))
    if kind in OF_NUMPY:
        if kind in "mM" and np.isnat(values).all():
            return _nothing(len(values))
        raise FrameError(f"column {name} is of type {values.dtype}", OF_NUMPY[kind])
    return of_objects(values.astype(object), name)


def of_objects(values: NDArray[np.object_], name: str) -> Cells:
    """The values of a column without a type: labels where there is text among them, else numbers or labels."""
    kinds = set(map(type, values.tolist()))
    if kinds <= {str, type(None)}:
        return Labels(pl.Series(values.tolist(), dtype=pl.String))
    missing = missing_in(values)
    kinds = set(map(type, values[~missing].tolist()))
    for kind in sorted(kinds, key=lambda kind: kind.__name__):
        remedy = _remedy(kind)
        if remedy:
            raise FrameError(f"column {name} is of type {kind.__name__}", remedy)
    if not any(issubclass(kind, str) for kind in kinds):
        return Untyped(values, missing)
    if all(issubclass(kind, str) for kind in kinds):
        return Labels(pl.Series([None if gone else str(text) for text, gone in zip(values, missing)], dtype=pl.String))
    return mixed_labels(values, missing=missing)


def _remedy(kind: type) -> str | None:
    for kinds, remedy in OBJECTS:
        if issubclass(kind, kinds):
            return remedy
    return None if issubclass(kind, (str, *NUMBERS)) else DAY if kind.__name__ == "Period" else PLAIN


def _nothing(n: int) -> Cells:
    return Numbers(np.full(n, np.nan))


def _is_frame(table: Any) -> bool:
    return isinstance(table, pl.DataFrame) or all(hasattr(table, name) for name in ("columns", "dtypes", "iloc"))


def _is_of_arrow(table: Any) -> bool:
    return type(table).__module__.partition(".")[0] == "pyarrow"


def _is_arrow(table: Any) -> bool:
    """Whether it is a table or a record batch of pyarrow, which need not be installed."""
    return _is_of_arrow(table) and hasattr(table, "column_names")
