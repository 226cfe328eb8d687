"""Rows sent twice, and versions of one person that contradict each other: counted and found within bounded memory.

What a table has of them is only known once all of it is read. Each part of a table leaves a small file beside its rows:
the numbers of what its rows say, in order, and for a table of versions whose version each row is. These are gone
through a slice at a time, so that memory does not grow with the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from ageingwell.contracts.registry import VERSION_KEYS, recorded_column
from ageingwell.disk import DISK
from ageingwell.sources.check import REFUSED

# So many rows are gone through at a time.
_NUMBERS_AT_ONCE = 5_000_000
_VERSIONS_AT_ONCE = 1_000_000
_NUMBER = np.dtype("<u8")


def what_they_say(rows: pl.DataFrame, table: str) -> pl.Series:
    """What each row says but for the day of recording, as one number.

    Rows that say the same have the same number; two rows that differ have one number once in 10^19.
    """
    return rows.drop(recorded_column(table)).hash_rows()


def put_numbers_aside(numbers: pl.Series, path: Path) -> None:
    """Keep the numbers of a part in order, eight bytes each."""
    DISK.write(path, np.sort(numbers.to_numpy()).astype(_NUMBER, copy=False).tobytes())


def n_repeated(parts: Sequence[Path], n_rows: int) -> int:
    """How many rows repeat an earlier one in every column but the day of recording, by the numbers of all parts."""
    slices = 1 + n_rows // _NUMBERS_AT_ONCE
    edges = np.array([at * 2**64 // slices for at in range(1, slices)], dtype=_NUMBER)
    cuts = [_cuts(path, edges) for path in parts]
    return n_rows - sum(_n_distinct(parts, cuts, at) for at in range(slices))


def _cuts(path: Path, edges: np.ndarray) -> list[int]:
    """Where the slices of a file of numbers start and end."""
    numbers = np.fromfile(path, dtype=_NUMBER)
    return [0, *map(int, np.searchsorted(numbers, edges)), len(numbers)]


def _n_distinct(parts: Sequence[Path], cuts: Sequence[Sequence[int]], at: int) -> int:
    numbers = np.concatenate([_slice(path, cut[at], cut[at + 1]) for path, cut in zip(parts, cuts, strict=True)])
    numbers.sort()
    return int(min(len(numbers), 1) + np.count_nonzero(numbers[1:] != numbers[:-1]))


def _slice(path: Path, start: int, end: int) -> np.ndarray:
    return np.fromfile(path, dtype=_NUMBER, offset=start * _NUMBER.itemsize, count=end - start)


def put_versions_aside(
    rows: pl.DataFrame, table: str, *, says: pl.Series, file: str, numbers: pl.Series, path: Path
) -> None:
    """Keep whose version each row of a part is, of which day, what it says, and where it stands."""
    kept = rows.select(VERSION_KEYS[table]).with_columns(
        pl.lit(file).alias("_file"),
        numbers.alias("_row"),
        says.alias("_says"),
        pl.int_range(rows.height, dtype=pl.Int64, eager=True).alias("_place"),
    )
    DISK.write_frame(path, kept, compression="lz4", statistics=False)


@dataclass(frozen=True)
class Ties:
    """The versions that cannot be told apart (`tied`), and every row that is not to count (`out`).

    `tied` stands in the order of file and row; `out` says by `_part` and `_place` where the rows were put aside.
    """

    tied: pl.DataFrame
    out: pl.DataFrame


def ties_among(parts: Sequence[Path], table: str, n_rows: int) -> Ties:
    """The versions of a table that are not to count, by what its parts have put aside.

    A version sent twice counts once. Versions of one person recorded on the same day that differ are all taken out:
    none of them can be trusted above the others.
    """
    keys = VERSION_KEYS[table]
    slices = 1 + n_rows // _VERSIONS_AT_ONCE
    found = [_ties(_versions(parts, keys[0], at, slices), keys) for at in range(slices)]
    return Ties(pl.concat([one.tied for one in found]).sort("_file", "_row"), pl.concat([one.out for one in found]))


def _versions(parts: Sequence[Path], person: str, at: int, slices: int) -> pl.DataFrame:
    scans = [
        pl.scan_parquet(path, glob=False).with_columns(pl.lit(place, dtype=pl.Int64).alias("_part"))
        for place, path in enumerate(parts)
    ]
    if slices > 1:
        scans = [scan.filter(pl.col(person).hash() % slices == at) for scan in scans]
    return pl.concat(scans).collect().sort("_file", "_row")


def _ties(index: pl.DataFrame, keys: tuple[str, ...]) -> Ties:
    index = index.filter(pl.struct(keys).is_duplicated())
    is_tied = pl.col("_says").n_unique().over(keys) > 1
    tied = index.filter(is_tied)
    again = index.filter(~is_tied & ~pl.struct(keys).is_first_distinct())
    return Ties(tied, pl.concat([tied, again]))


def ties_refused(tied: pl.DataFrame) -> pl.DataFrame:
    """The tied versions as refused rows."""
    if tied.is_empty():
        return pl.DataFrame(schema=REFUSED)
    return tied.select(
        file="_file", row_number="_row", column=pl.lit("recorded_on"), rules=pl.concat_list(pl.lit("tied_version"))
    )
