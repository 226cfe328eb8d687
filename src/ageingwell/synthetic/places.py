"""Where the made-up people live: real areas of Shropshire and South Hams, with real counts of older people.

The areas, their shares of homes and tenures and their deprivation come from `data/places.csv` (see the note beside
it). Nobody in the county is real; only the map is.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

DATA = Path(__file__).parent / "data"

AGE_BANDS = ("age65_69", "age70_74", "age75_79", "age80_84", "age85_89", "age90plus")
# The town of Church Stretton: the two areas of its ward that are the town itself.
CHURCH_STRETTON = ("E01028997", "E01028998")
TOTNES_WARD = "Totnes"
# Older people for each practice code; a practice looks after roughly 2,500 people aged 65 and over.
PEOPLE_A_PRACTICE = 2_500


def read_places() -> pl.DataFrame:
    """Read the 247 areas in the order the county is filled: Church Stretton, Totnes, then by ward and code.

    >>> read_places().select("lsoa21", "ward").head(1).row(0)
    ('E01028997', 'Church Stretton and Craven Arms')
    """
    turn = (
        pl.when(pl.col("lsoa21").is_in(CHURCH_STRETTON))
        .then(0)
        .when(pl.col("ward") == TOTNES_WARD)
        .then(1)
        .otherwise(2)
    )
    return pl.read_csv(DATA / "places.csv").sort(turn, "ward", "lsoa21")


def fill_places(people: int) -> pl.DataFrame:
    """Share `people` aged 65+ out over the areas: whole areas in turn, or all of them scaled up.

    Adds `n_people` (never nought) and `practice` (the number of the nearest practice).

    >>> fill_places(2_010)["n_people"].sum()
    2010
    >>> fill_places(300_000).select(pl.len(), pl.col("n_people").sum()).row(0)
    (247, 300000)
    """
    places = read_places()
    real = places.select(pl.sum_horizontal(AGE_BANDS).round(0).cast(pl.Int64)).to_series().to_numpy()
    before = np.cumsum(real) - real
    counts = np.clip(people - before, 0, real) if people <= real.sum() else _scaled(real, people)
    practice = (np.cumsum(counts) - counts) // PEOPLE_A_PRACTICE
    filled = places.with_columns(n_people=pl.Series(counts), practice=pl.Series(practice))
    return filled.filter(pl.col("n_people") > 0)


def in_chunks(places: pl.DataFrame, *, people: int) -> Iterator[pl.DataFrame]:
    """Yield neighbouring areas in groups of about `people`; an area larger than that is split.

    >>> [chunk["n_people"].sum() for chunk in in_chunks(fill_places(2_500), people=1_000)]
    [1000, 55, 956, 489]
    """
    parts = []
    for row in places.iter_rows(named=True):
        left = row["n_people"]
        while left > 0:
            parts.append({**row, "n_people": min(left, people)})
            left -= people
    split = pl.DataFrame(parts, schema=places.schema)
    held, start = 0, 0
    for end, count in enumerate(split["n_people"].to_list()):
        if held and held + count > people:
            yield split[start:end]
            held, start = 0, end
        held += count
    yield split[start:]


def _scaled(real: np.ndarray, people: int) -> np.ndarray:
    exact = real * (people / real.sum())
    counts: np.ndarray = np.floor(exact).astype(np.int64)
    largest = np.argsort(-(exact - counts), kind="stable")[: people - counts.sum()]
    counts[largest] += 1
    return counts
