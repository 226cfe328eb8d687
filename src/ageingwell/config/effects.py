"""What visits changed, as `ageingwell impact` leaves it (`effects.parquet`), where the settings of costs name it."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.config.files import file_bytes
from ageingwell.errors import ConfigError

MOST_BYTES: Final = 5_000_000
# What visits may prevent, as `ageingwell impact` names it, and one of each in words. Days at home are no event: more of
# them are better.
EVENTS: Final[Mapping[str, str]] = {
    "emergency_admissions": "emergency admission",
    "emergency_bed_days": "night in hospital in an emergency",
    "falls_admissions": "emergency admission after a fall",
    "new_long_term_care": "start of long-term care",
    "deaths": "death",
}
# One row a group, method, time and outcome: the change for each person offered a visit, with its 95% interval, or why
# there is none.
EFFECTS: Final = pl.Schema(
    {
        "by": pl.String,
        "name": pl.String,
        "method": pl.String,
        "days": pl.Int64,
        "outcome": pl.String,
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "n_visited": pl.Int64,
        "why_not": pl.String,
    }
)


def read_effects(path: Path) -> pl.DataFrame:
    """Read the effects of visits (`EFFECTS`); raises `ConfigError` where the file is of no use."""
    try:
        read = pl.read_parquet(io.BytesIO(file_bytes(path, most=MOST_BYTES)))
        return read.select(pl.col(name).cast(kind) for name, kind in EFFECTS.items())
    # A file that is damaged inside makes the Parquet reader panic, which is no `Exception`.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        raise ConfigError(
            f"{path.name}: this is not a table of effects that `ageingwell impact` wrote",
            "name its file effects.parquet, or leave the line out",
        ) from None
