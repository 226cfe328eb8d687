"""What Spark's executors do to put a table into the shared folder: write one part, or copy one file.

Each try writes under a name of its own and renames: what a lost executor leaves behind counts for nothing.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ageingwell.disk import DISK

if TYPE_CHECKING:
    import pyarrow as pa

# The rows of a row group, which has to fit into a task's memory beside the batch that Spark sends.
ROWS_A_GROUP = 100_000
TOLD = "file string, n long"


def part_name(part: int) -> str:
    """Name a part as Spark does, without what differs from run to run.

    >>> part_name(7)
    'part-00007.parquet'
    """
    return f"part-{part:05d}.parquet"


def file_name(uri: str) -> str:
    """The name of a file of which Spark tells the place.

    >>> file_name("abfss://records@store.dfs.core.windows.net/gp/events%20of%20May.csv")
    'events of May.csv'
    """
    return unquote(PurePosixPath(urlsplit(uri).path).name)


def part_written(batches: "Iterable[pa.RecordBatch]", *, folder: Path) -> "Iterator[pa.RecordBatch]":
    """Write the rows of this task as one part, and tell its name and how many they are; a part without rows is none."""
    from pyarrow import parquet

    number, attempt = _task()
    path = folder / part_name(number)
    unfinished = path.with_name(f".{path.name}.{attempt}")
    writer, n_rows = None, 0
    with ExitStack() as until_written:
        for table in in_groups(batches, n_rows=ROWS_A_GROUP):
            if writer is None:
                file = until_written.enter_context(DISK.new_file(unfinished))
                writer = until_written.enter_context(parquet.ParquetWriter(file, table.schema, compression="zstd"))
            writer.write_table(table, row_group_size=ROWS_A_GROUP)
            n_rows += table.num_rows
    if writer is not None:
        DISK.replace(unfinished, path)
        yield _told(path.name, n_rows)


def in_groups(batches: "Iterable[pa.RecordBatch]", *, n_rows: int) -> "Iterator[pa.Table]":
    """Gather batches, whose size is a setting of Spark, into groups of one size: the same rows give the same bytes."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch.replace_schema_metadata(None))
        while sum(one.num_rows for one in waiting) >= n_rows:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, n_rows)
            waiting = table.slice(n_rows).to_batches()
    if waiting:
        yield pa.Table.from_batches(waiting)


def file_copied(batches: "Iterable[pa.RecordBatch]", *, folder: Path) -> "Iterator[pa.RecordBatch]":
    """Write files, of which a row holds the place and the bytes, and tell each one's name and how long it is."""
    _, attempt = _task()
    for batch in batches:
        for row in batch.to_pylist():
            path = folder / file_name(row["path"])
            unfinished = path.with_name(f".{path.name}.{attempt}")
            DISK.write(unfinished, row["content"])
            DISK.replace(unfinished, path)
            yield _told(path.name, len(row["content"]))


def nothing_written(columns: list[str], folder: Path) -> None:
    """Write a table without rows: it still has its headings."""
    import pyarrow as pa
    from pyarrow import parquet

    headings = pa.schema([(column, pa.string()) for column in columns])
    with DISK.new_file(folder / part_name(0)) as file:
        parquet.write_table(headings.empty_table(), file)


def _task() -> tuple[int, int]:
    """The number of this task among those of the job, and of this try among all tries."""
    from pyspark import TaskContext

    context = TaskContext.get()
    if context is None:
        raise RuntimeError("this runs in a task of Spark")
    return context.partitionId(), context.taskAttemptId()


def _told(file: str, n: int) -> "pa.RecordBatch":
    import pyarrow as pa

    return pa.RecordBatch.from_pydict({"file": [file], "n": [n]})
