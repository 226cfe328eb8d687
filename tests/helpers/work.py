"""Work for engines, at the top of a module as engines need it: other processes import it by its name."""

import errno
import hashlib
import os
import signal
import subprocess
import time
from pathlib import Path

from ageingwell.errors import SourceError

# What no error of an engine may hold.
CANARY = "Canary-Value-7"


def doubled(number: int) -> int:
    """Slower for small numbers, so that results come back in another order than they were given out."""
    time.sleep(0.02 if number < 2 else 0)
    return 2 * number


def process(_: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def threads_of_polars(_: int) -> int:
    import polars as pl

    return pl.thread_pool_size()


def written(path: Path) -> int:
    """Write the digits of a square under a name of its own, rename, and say which process did it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(str(int(path.stem) ** 2))
    temporary.rename(path)
    return os.getpid()


def failing(number: int) -> int:
    """The third and fifth items have a fault that a user can mend; the fifth is found first."""
    if number in (2, 4):
        time.sleep(0.3 if number == 2 else 0)
        raise SourceError(f"gp_events/part-{number:05d}.csv: column `code` is missing", "add it.")
    return number


def unforeseen(number: int) -> int:
    if number == 1:
        raise ValueError(f"could not convert {CANARY}")
    return number


def on_a_full_disk(number: int) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "shard.parquet")


def out_of_memory(number: int) -> int:
    raise MemoryError


def ended_by_the_system(number: int) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def leaving_without_a_word(number: int) -> int:
    os._exit(3)


def raising(fault: type[Exception]) -> None:
    raise fault("what was found.", "do this.")


def sleeping(path: Path, *, seconds: float) -> None:
    """Say in a file which process sleeps here, and sleep."""
    path.write_text(str(os.getpid()))
    time.sleep(seconds)


def executor_of_this_task() -> int:
    """The executor's process id: a task's Python is the child of a helper, which is the child of the executor."""
    told = subprocess.run(["ps", "-o", "ppid=", "-p", str(os.getppid())], capture_output=True, text=True, check=True)
    return int(told.stdout)


def shard(item: tuple[Path, int, bool]) -> str:
    """Write a frame as a shard's work does, and give its hash; on a cluster, say where, and wait for a sign first."""
    import polars as pl

    folder, number, on_a_cluster = item
    if on_a_cluster:
        begun = folder / f"begun-{number}-{os.getpid()}"
        begun.with_name(f".{begun.name}").write_text(str(executor_of_this_task()))
        begun.with_name(f".{begun.name}").rename(begun)
        end = time.monotonic() + 900
        while not (folder / "go").exists() and time.monotonic() < end:
            time.sleep(0.05)
    people = pl.DataFrame({"person": range(number, 50_000, 6)}).with_columns(risk=1 / (1 + pl.col("person")))
    path = folder / f"shard-{number}.parquet"
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    people.write_parquet(temporary)
    temporary.replace(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()
