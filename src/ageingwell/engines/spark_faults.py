"""What Spark says of a fault, in words: its own text holds stack traces of Java, and may hold values of records."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from ageingwell.errors import AgeingWellError, EngineError

_ON_THE_CLUSTER = "install the wheel of ageingwell, with what it needs, on the whole cluster (docs/how-to/spark.md)"
_LOOK = "look at the job in Spark's own pages or logs, and run again"
# What stands in Spark's text, what was found, what to do; the first that fits is told.
_SAYINGS = (
    (r"PYTHON_VERSION_MISMATCH", "the executors have another version of Python than the driver", _ON_THE_CLUSTER),
    (r"No module named|ModuleNotFoundError", "a package is missing on the executors", _ON_THE_CLUSTER),
    (
        r"Python worker exited unexpectedly|Python worker.{0,40}crashed|OutOfMemoryError",
        "the process of a task ended at every try",
        "most often memory ran out: give a task more (spark.executor.memoryOverhead), or make more parts",
    ),
    (
        r"\[Errno 28\]|No space left on device",
        "the shared folder, or a disk of an executor, is full",
        "make room there, and run again",
    ),
    (
        r"\[Errno (1|13|30)\]",
        "an executor may not write to the shared folder",
        "let the account of the executors write there, and run again",
    ),
    (
        r"ExecutorLostFailure|[Ee]xecutor \S+ exited|Lost executor|Remote RPC client disassociated",
        "the executors of a task were lost at every try",
        "most often memory ran out: give executors more (spark.executor.memoryOverhead), or make more parts",
    ),
    (
        r"JAVA_GATEWAY_EXITED|UnsupportedClassVersionError|JAVA_HOME",
        "Spark did not start",
        "set JAVA_HOME to Java 17 or later; if it is, correct the option or package that Spark named above",
    ),
    (
        r"cancelled|was shut ?down|Connection refused|Answer from Java side is empty|stopped SparkContext",
        "the Spark session ended, or the job was cancelled, before the work was done",
        _LOOK,
    ),
)


@contextmanager
def in_words() -> Iterator[None]:
    """Turn whatever Spark raises into an `EngineError` without a stack trace; ours go through as they are.

    >>> with in_words():
    ...     raise RuntimeError("Task 3 in stage 0.0 failed 4 times: Python worker exited unexpectedly (crashed)")
    Traceback (most recent call last):
    ageingwell.errors.EngineError: Spark, part 4: the process of a task ended at every try. What to do: most often
    memory ran out: give a task more (spark.executor.memoryOverhead), or make more parts.
    """
    try:
        yield
    except AgeingWellError:
        raise
    except Exception as fault:
        raise spark_error(fault) from None


def spark_error(fault: Exception) -> EngineError:
    """Say in words what Spark raised."""
    text = str(fault)
    task = re.search(r"Task (\d+)(?:\.\d+)? in stage", text)
    where = f"Spark, part {int(task[1]) + 1}" if task else "Spark"
    for pattern, found, remedy in _SAYINGS:
        if re.search(pattern, text):
            return EngineError(f"{where}: {found}", remedy)
    return EngineError(f"{where}: the work failed ({condition(fault) or type(fault).__name__})", _LOOK)


def condition(fault: Exception) -> str | None:
    """Spark's own name of a fault, such as TABLE_OR_VIEW_NOT_FOUND: it holds no value."""
    named = re.search(r"(?:^|Exception: )\[([A-Z][A-Z0-9_.]*)\]", str(fault))
    return None if named is None else named[1]
