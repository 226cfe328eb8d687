"""A Spark cluster of two executors on this machine, each a process of its own, on the loopback address alone."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIRED = "AGEINGWELL_SPARK_TESTS"
OLDEST_JAVA = 17


def java_home() -> Path | None:
    """Where a Java lies that Spark 4 runs on: JAVA_HOME, the `java` of the path, or a folder of the system."""
    on_path = shutil.which("java")
    homes = [
        *filter(None, [os.environ.get("JAVA_HOME")]),
        *(path for path in sorted(map(str, Path("/usr/lib/jvm").glob("*"))) if "17" in path),
        *([str(Path(on_path).resolve().parents[1])] if on_path else []),
    ]
    return next((Path(home) for home in homes if _version(Path(home)) >= OLDEST_JAVA), None)


def _version(home: Path) -> int:
    try:
        told = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else 0


def skip_without_spark() -> Path:
    """Skip where the extra or Java is missing, or fail where the tests are required; gives the place of Java."""
    missing = "the extra `spark`" if find_spec("pyspark") is None else ""
    home = None if missing else java_home()
    missing = missing or ("" if home else f"Java {OLDEST_JAVA} or later")
    if missing and os.environ.get(REQUIRED) == "required":
        pytest.fail(f"{REQUIRED} is `required`, and there is no {missing}")
    if home is None:
        pytest.skip(f"needs {missing}")
    return home


def options(folder: Path) -> dict[str, str]:
    """Small executors whose Python finds this tree, and a log of all events to look into."""
    paths = os.pathsep.join(str(ROOT / part) for part in ("src", "tests"))
    (folder / "events").mkdir()
    return {
        "spark.driver.memory": "512m",
        "spark.executor.memory": "512m",
        "spark.executorEnv.PYTHONPATH": paths,
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": (folder / "events").as_uri(),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.shuffle.partitions": "3",
    }


@contextmanager
def home_of_its_own(folder: Path, java: Path) -> Iterator[None]:
    """Let Spark's own files (logs of executors above all) go into a folder of the test, and end its Java at the end."""
    import pyspark

    home = folder / "spark-home"
    home.mkdir()
    for path in Path(pyspark.__file__).parent.iterdir():
        if path.name != "work":  # executors write their logs there
            (home / path.name).symlink_to(path)
    changes = {"SPARK_HOME": str(home), "JAVA_HOME": str(java), "SPARK_LOCAL_IP": "127.0.0.1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**changes, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_DIRS": str(folder)}.items():
            patch.setenv(name, value)
        try:
            yield
        finally:
            _end_java()


def _end_java() -> None:
    """PySpark leaves its Java running until Python ends."""
    from pyspark import SparkContext

    gateway: Any = SparkContext._gateway
    if gateway is None:
        return
    gateway.shutdown()
    gateway.proc.stdin.close()
    try:
        gateway.proc.wait(timeout=30)
    except subprocess.TimeoutExpired:
        gateway.proc.kill()
        gateway.proc.wait()
    SparkContext._gateway = SparkContext._jvm = None


def executors() -> list[int]:
    """The process ids of the executors of the Java that this process started."""
    from pyspark import SparkContext

    gateway: Any = SparkContext._gateway
    told = subprocess.run(["ps", "-ww", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(maxsplit=2) for line in told.stdout.splitlines()]
    ours = {int(process) for process, parent, _ in rows if int(parent) in (os.getpid(), gateway.proc.pid)}
    return sorted(
        int(process) for process, parent, how in rows if int(parent) in ours and "CoarseGrainedExecutorBackend" in how
    )


def arguments_of(process: int) -> str:
    """How a process was started; empty where it has ended."""
    told = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(process)], capture_output=True, text=True, check=False)
    return told.stdout
