"""Where places lie: one point a place, from the group's own table; nobody's home is ever located."""

from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.config.files import MOST_TABLE_BYTES, file_bytes, rows_in
from ageingwell.errors import ConfigError

COLUMNS: Final = ("place", "district", "latitude", "longitude", "source")
# The United Kingdom and its waters: swapped or missing coordinates (0, 0) lie outside.
LATITUDES: Final = (49.0, 61.0)
LONGITUDES: Final = (-9.0, 2.5)


def read_positions(path: Path) -> pl.DataFrame:
    """Read the positions of places: place, district, latitude, longitude.

    Raises `ConfigError` naming file and row where a column is missing, a place stands twice or a point lies outside
    the United Kingdom.
    """
    return _positions_in(path.name, file_bytes(path, most=MOST_TABLE_BYTES))


@lru_cache(maxsize=1)  # every page of a night asks for them
def _positions_in(name: str, content: bytes) -> pl.DataFrame:
    table = rows_in(name, content)
    if absent := [name for name in COLUMNS if name not in table.columns]:
        raise ConfigError(f"{name}: no column {', '.join(absent)}", f"it needs {', '.join(COLUMNS)}")
    read = table.select(
        "place", "district", pl.col("latitude", "longitude").cast(pl.Float64, strict=False)
    ).with_row_index("row", offset=1)
    inside = pl.col("latitude").is_between(*LATITUDES) & pl.col("longitude").is_between(*LONGITUDES)
    wrong = read.filter(~inside.fill_null(value=False) | pl.col("place").is_duplicated() | pl.col("place").is_null())
    if not wrong.is_empty():
        rows = ", ".join(str(row) for row in wrong["row"].head(5))
        raise ConfigError(
            f"{name}: row {rows}: the place is missing or named twice, or the point is outside the United Kingdom",
            "write each place once, with latitude and longitude in degrees",
        )
    return read.drop("row")
