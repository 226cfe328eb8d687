"""The Spark engine: a task for each item, on a cluster whose machines share a folder.

Spark decides where and how often a task runs; what a task does is the same function that the local engine runs. A fault
of the work comes back as a value, so that Spark neither tries again what will fail again, nor writes it into its logs.
`pyspark` is imported only when a session is asked for.
"""

import functools
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from ageingwell.engines.parcels import Job, failed, opened, packed, part_of
from ageingwell.engines.spark_faults import in_words
from ageingwell.errors import EngineError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

    from ageingwell.engines.engine import Item, Result

# Two versions of these need not give the same bytes.
_SAME_EVERYWHERE = ("ageingwell", "polars", "lightgbm", "numpy")
_OUTCOMES = "number long, outcome binary"


class SparkEngine:
    """Work on a Spark cluster, through a session that is there; `spark_session` gives one from the settings.

    The package, in the driver's version, has to be importable by the executors' Python, and what items name has to lie
    in a folder that has the same path on every machine.
    """

    name = "spark"

    def __init__(self, session: "SparkSession") -> None:
        self._session = session

    def map(self, work: "Callable[[Item], Result]", items: "Sequence[Item]") -> "list[Result]":
        """Run `work` on every item, one task each; see `Engine.map`. A task whose executor is lost is tried again."""
        n_items = len(items)
        if not n_items:
            return []
        task = functools.partial(_worked, parcel=packed(work, items), drivers=versions())
        # A range of n numbers in n partitions has one number, and so one item, in each task.
        numbers = self._session.range(0, n_items, 1, n_items)
        with in_words():
            rows = mapped(numbers, task, _OUTCOMES).collect()
        outcomes = {row.number: bytes(row.outcome) for row in rows}
        return [opened(outcomes[number], part=part_of(number, n_items)) for number in range(n_items)]


def mapped(frame: Any, task: "Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]", schema: str) -> Any:
    """Let executors run a task on the Arrow batches of a Spark frame."""
    with warnings.catch_warnings():
        # PySpark 4 says that it does not know pandas 3 yet; Arrow batches never become pandas frames.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        return frame.mapInArrow(task, schema)


def share_cores() -> None:
    """Let Polars and OpenMP have the cores of one task, where nobody said otherwise. Runs on an executor."""
    from pyspark import TaskContext

    context = TaskContext.get()
    cores = str(1 if context is None else context.cpus())
    for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, cores)


def versions() -> dict[str, str | None]:
    """The versions on which the bytes of a result depend."""
    return {name: _version(name) for name in _SAME_EVERYWHERE}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _other_versions(drivers: dict[str, str | None]) -> EngineError | None:
    """Say where the packages of this executor are not those of the driver."""
    here = versions()
    other = [f"{name} {here[name]} instead of {drivers[name]}" for name in drivers if here[name] != drivers[name]]
    if not other:
        return None
    return EngineError(
        f"the executors have other packages than the driver: {', '.join(other)}",
        "install the same wheel and versions on the whole cluster (docs/how-to/spark.md)",
    )


def _worked(
    batches: "Iterable[pa.RecordBatch]", *, parcel: bytes, drivers: dict[str, str | None]
) -> "Iterator[pa.RecordBatch]":
    """Do the items whose numbers are in the batches. Runs on an executor."""
    import pyarrow as pa

    share_cores()
    job, fault = Job(parcel), _other_versions(drivers)
    for batch in batches:
        for number in batch.column(0).to_pylist():
            outcome = job.done(number) if fault is None else failed(fault)
            yield pa.RecordBatch.from_pydict({"number": [number], "outcome": [outcome]})
