"""Made-up deliveries that lose something between two nights: for demonstrations, and to see that a night stops."""

from io import BytesIO
from pathlib import Path

import polars as pl

from ageingwell.contracts.registry import TABLES, columns
from ageingwell.disk import DISK
from ageingwell.errors import ArgumentError


def lose(county: str | Path, table: str, *, keep: float, column: str | None = None, seed: int = 1) -> None:
    """Rewrite one table of a made-up county as if its delivery had lost rows, or the cells of one column.

    Parameters
    ----------
    county
        The folder that `synthesise` made; its Parquet file of the table is written anew.
    table, column
        The table and, where cells are lost and not rows, the column.
    keep
        The share of rows, or of the column's cells, that is left: between 0 and 1.
    seed
        Of the draw of which ones.

    Raises
    ------
    ArgumentError
        There is no such table or column, or `keep` is no share.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "homes.parquet"
    ...     pl.DataFrame({"household_id": ["h1", "h2"], "tenure": ["owner", "rented"]}).write_parquet(path)
    ...     lose(folder, "homes", keep=0.5)
    ...     lose(folder, "homes", keep=0.0, column="tenure")
    ...     pl.read_parquet(path)["tenure"].to_list()
    [None]
    """
    if table not in TABLES:
        raise ArgumentError(f"there is no table {table}", f"the tables are {', '.join(TABLES)}")
    if column is not None and column not in (one.name for one in columns(table)):
        raise ArgumentError(f"{table} has no column {column}", "give one of its contract")
    if not 0 <= keep <= 1:
        raise ArgumentError("keep is a share between 0 and 1", "give 0.5 to lose half")
    path = Path(county) / f"{table}.parquet"
    rows = pl.read_parquet(path)
    chosen = pl.int_range(rows.height, eager=True).sample(round(keep * rows.height), seed=seed)
    is_kept = pl.int_range(pl.len()).is_in(chosen.implode())
    left = rows.filter(is_kept) if column is None else rows.with_columns(pl.when(is_kept).then(column).alias(column))
    content = BytesIO()
    left.write_parquet(content)
    DISK.write(path, content.getvalue())
