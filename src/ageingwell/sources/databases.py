"""The rows of a database query: SQLite through Python's own driver, every other database through connectorx.

SQLite keeps any value in any column; connectorx refuses the whole table when one day is written wrongly or the first
row of a column is empty. Python's driver hands over what is there, and the contract refuses the one bad row.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import polars as pl

from ageingwell.errors import SourceError
from ageingwell.reading.limits import KB, MB, USUAL, beyond


def database_frames(name: str, uri: str, query: str, *, rows_at_once: int) -> Iterator[pl.DataFrame]:
    """Yield the rows of a query, at least one frame; raises `SourceError` where it fails.

    `name` stands in the errors. The driver's text may hold the password of the URI or a value of a row: only the kind
    of its fault is told.
    """
    frames = _sqlite if urlsplit(uri).scheme == "sqlite" else _others
    try:
        yield from frames(name, uri, query, rows_at_once)
    except (SourceError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as fault:  # a panic of connectorx is no `Exception`
        raise SourceError(
            f"{name}: the query failed ({type(fault).__name__})",
            "check the URI, the query and the rights of the account",
        ) from None


def _sqlite(name: str, uri: str, query: str, rows_at_once: int) -> Iterator[pl.DataFrame]:
    parts = urlsplit(uri)
    path = unquote(parts.netloc + parts.path)
    path = "/" + path.lstrip("/") if path.startswith("/") else path
    # Read only: a wrong path is a fault, not a new and empty database.
    with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)) as connection:
        # A row of a few bytes in the file may stand for a thousand million; SQLite stops there itself.
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, int(USUAL.row_mb * MB))
        # A query reads, and writes no other file.
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description or ()]
        if len(set(names)) < len(names):
            raise SourceError(f"{name}: two columns have the same name", "give each column a name of its own")
        rows = cursor.fetchmany(rows_at_once)
        yield _frame(names, rows)
        while rows := cursor.fetchmany(rows_at_once):
            yield _frame(names, rows)


def _frame(names: list[str], rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    columns = list(zip(*rows)) if rows else [() for _ in names]
    return pl.DataFrame([_series(name, values) for name, values in zip(names, columns)])


def _series(name: str, values: tuple[Any, ...]) -> pl.Series:
    """A column of one type as it is; of several types as the texts a person would write."""
    if (longest := max((len(one) for one in values if isinstance(one, str | bytes)), default=0)) > USUAL.cell_kb * KB:
        raise beyond(f"the database, column {name}", f"a cell of {longest / KB:,.0f} kB", "cell_kb")
    types = {type(value) for value in values if value is not None}
    if len(types) > 1:
        values = tuple(value if value is None else str(value) for value in values)
    return pl.Series(name, values)


def _others(name: str, uri: str, query: str, rows_at_once: int) -> Iterator[pl.DataFrame]:
    try:
        import connectorx  # noqa: F401 - an extra, needed only here
    except ImportError:
        raise SourceError(f"{name}: reading a database needs an extra", "pip install 'ageingwell[database]'") from None
    frame = pl.read_database_uri(query, uri, engine="connectorx")
    for start in range(0, max(frame.height, 1), rows_at_once):
        yield frame.slice(start, rows_at_once)
