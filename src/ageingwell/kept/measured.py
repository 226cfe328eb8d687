"""The figures of a night's deliveries, in a file of the night: what the next delivery is held against."""

from io import BytesIO
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.publish import write_bytes
from ageingwell.sources.measures import MEASURES

MEASURED_FILE: Final = "deliveries.parquet"


def save_measured(measures: pl.DataFrame, folder: Path) -> None:
    """Write the figures (`MEASURES`) into a night's folder."""
    content = BytesIO()
    measures.cast(MEASURES).write_parquet(content, compression="zstd")
    write_bytes(folder / MEASURED_FILE, content.getvalue())


def read_measured(folder: Path) -> pl.DataFrame | None:
    """The figures that a published night holds; None where it has none that can be used."""
    try:
        frame = pl.read_parquet(folder / MEASURED_FILE)
        return frame.select(pl.col(name).cast(dtype) for name, dtype in MEASURES.items())
    # A file that is damaged inside makes the Parquet reader panic, which is no `Exception`.
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
