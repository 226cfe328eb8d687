"""Tables that Spark reads, put into the shared folder as files for the ordinary check.

A Delta or catalogue table is written anew: rows go to parts by a hash of all they hold, and lie in a part in the order
of all they hold. So a part has the same bytes however Spark had cut the table up, and a row number in a list of refused
rows means the same row every time. Parquet and CSV files are copied byte for byte: a Parquet file tells which key it
was made with, and Spark's reader of CSV writes a broken row into its log, where ours refuses it.
"""

import functools
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ageingwell.disk import DISK
from ageingwell.engines.spark import mapped
from ageingwell.engines.spark_faults import condition, spark_error
from ageingwell.engines.spark_parts import TOLD, file_copied, file_name, nothing_written, part_written
from ageingwell.errors import AgeingWellError, ConfigError, EngineError, PublishError, SourceError
from ageingwell.room import gone_afterwards

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

KINDS = ("delta", "table", "parquet", "csv")
_COPIED = ("parquet", "csv")
ROWS_A_PART = 1_000_000
_IN_A_CELL = ("array", "map", "struct", "variant", "interval")


def is_for_spark(location: str) -> bool:
    """Whether a table's location is one that Spark alone can read.

    >>> [is_for_spark(text) for text in ("table:health.gp.events", "delta:/mnt/gp/events", "gp_events.csv")]
    [True, True, False]
    """
    kind, _, place = location.partition(":")
    return kind in KINDS and place != ""


def spark_tables(
    session: "SparkSession", sources: Mapping[str, str], folder: Path, *, rows_a_part: int = ROWS_A_PART
) -> dict[str, Path]:
    """Put each table into `<folder>/<table>/`, and give that folder by the table's name.

    Parameters
    ----------
    sources
        For each table `delta:<path>`, `table:<catalogue>.<schema>.<name>`, `parquet:<path>` or `csv:<path>`. The paths
        are Spark's, of a file or a folder, and may lie in a store that only Spark reaches.
    folder
        A folder with the same path on every machine, which holds none of the tables yet.
    rows_a_part
        About how many rows go into a part.

    Raises
    ------
    ConfigError
        A source is written in another way.
    SourceError
        Spark cannot read a table, or a column holds lists or structures.
    PublishError
        The folder holds a table already.
    EngineError
        Spark could not write a table. What it wrote of it is gone.
    """
    return {name: _put(session, name, source, folder, rows_a_part) for name, source in sources.items()}


def _put(session: "SparkSession", name: str, source: str, folder: Path, rows_a_part: int) -> Path:
    kind, _, place = source.partition(":")
    if not is_for_spark(source):
        kinds = ", ".join(f"{kind}:" for kind in KINDS)
        raise ConfigError(f"{name}: its location is none that Spark reads", f"begin it with one of {kinds}")
    target = folder / name
    if target.exists():
        raise PublishError(f"{name}: the shared folder holds the table already", "give each run its own folder")
    DISK.make_folders(folder)
    # A name of this run's own: an executor of a killed run may still write into the folder of that run.
    make = functools.partial(DISK.make_scratch, folder, prefix=f".{name}.")
    with gone_afterwards(make, "the shared folder cannot be written", place="that folder") as unfinished:
        with _in_words(name):
            if kind in _COPIED:
                _copy(session, name, place, unfinished)
            else:
                _write(_frame(session, name, kind, place), name, unfinished, rows_a_part)
        DISK.rename(unfinished, target)
    return target


def _frame(session: "SparkSession", name: str, kind: str, place: str) -> "DataFrame":
    frame = session.read.table(place) if kind == "table" else session.read.format(kind).load(place)
    types = dict(frame.dtypes)
    if inside := sorted(column for column, written in types.items() if written.startswith(_IN_A_CELL)):
        raise SourceError(
            f"{name}: lists or structures in the cells of {', '.join(f'`{column}`' for column in inside)}",
            "give Spark a view of the table without them, or with one value in each cell",
        )
    return frame.select(*(_as_shown(column, written) for column, written in types.items()))


def _as_shown(column: str, written: str) -> "Column":
    """A moment as the session shows it: its day is then the day that people who look at the table see."""
    found = _column(column)
    return found.cast("timestamp_ntz").alias(column) if written == "timestamp" else found


def _column(name: str) -> "Column":
    from pyspark.sql import functions

    return functions.col(f"`{name.replace('`', '``')}`")


def _write(frame: "DataFrame", name: str, folder: Path, rows_a_part: int) -> None:
    n_rows = frame.count()
    columns = [_column(column) for column in frame.columns]
    parts = frame.repartition(max(1, math.ceil(n_rows / rows_a_part)), *columns).sortWithinPartitions(*columns)
    told = mapped(parts, functools.partial(part_written, folder=folder), TOLD).collect()
    if not told:
        nothing_written(frame.columns, folder)
    _stop_unless_whole(name, folder, told, wanted=n_rows, what="rows")


def _copy(session: "SparkSession", name: str, place: str, folder: Path) -> None:
    found = session.read.format("binaryFile").load(place).select("path", "length", "content")
    files = found.select("path", "length").collect()
    names = [file_name(file.path) for file in files]
    if not names or len(set(names)) < len(names):
        what = "two files have the same name" if names else "there is no file"
        raise SourceError(f"{name}: {what} at the place that Spark was given", "correct its place in agencies.toml")
    # Spread well, for a task holds its files in memory, and two may meet in one.
    spread = found.drop("length").repartition(4 * len(names), "path")
    told = mapped(spread, functools.partial(file_copied, folder=folder), TOLD).collect()
    _stop_unless_whole(name, folder, told, wanted=sum(file.length for file in files), what="bytes")


def _stop_unless_whole(name: str, folder: Path, told: list[Any], *, wanted: int, what: str) -> None:
    """Stop where the folder is another one on an executor, or the table changed while it was read."""
    written = sum(row.n for row in told if (folder / row.file).is_file())
    if written != wanted:
        raise EngineError(
            f"{name}: Spark read {wanted} {what}, and {written} came into the shared folder",
            "see that the folder is the same on every machine, and that nobody changes the table meanwhile; run again",
        )
    for left in folder.glob(".*"):
        DISK.remove_file(left)


@contextmanager
def _in_words(name: str) -> Iterator[None]:
    """Tell a fault of the table, for which Spark has a name, apart from one of the cluster."""
    try:
        yield
    except (AgeingWellError, OSError):
        raise
    except Exception as fault:
        named = condition(fault)
        if named is None:
            raise spark_error(fault) from None
        raise SourceError(
            f"{name}: Spark cannot read the table ({named})",
            "check its place in agencies.toml, that the job may read it, and that the cluster knows its kind",
        ) from None
