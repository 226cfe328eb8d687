"""A night on Spark against the same night without it: the same data, the same bytes, what Spark costs."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.config.files import shipped
from benchmarks.scale.children import Cost
from benchmarks.scale.growth import score
from benchmarks.scale.told import Told, skipped

HEADING: Final = "Spark against local"
CORES: Final = 2
# What differs between two runs of one night, by design.
_NOT_COMPARED: Final = ("run.json",)


def spark_against_local(county: Path, people: int, work: Path, *, python: str = sys.executable) -> Told:
    """The table, or why there is none: PySpark or Java is not there."""
    java = _java_home()
    if not _has_pyspark(python):
        return skipped(HEADING, 'PySpark is not installed (`pip install "ageingwell[spark]"`, or --spark-python)')
    if java is None:
        return skipped(HEADING, "there is no Java")
    rows, hashes = [], []
    for engine in ("local", "spark"):
        config = _settings(engine, work)
        cost = score(county, work, config=config, python=python, env={"JAVA_HOME": str(java)})
        hashes.append(hashes_of_night(work / "nights"))
        rows.append(_row(engine, cost, hashes[-1] == hashes[0]))
    columns = ["engine", "CPU s", "wall s", "peak GiB", "bytes"]
    says = (
        f"{people:,} people on one machine: `local[{CORES}]` starts Java, and works parts in {CORES} Python workers. "
        "It shows what Spark costs, not what a cluster gains.",
    )
    return Told(HEADING, says, pl.DataFrame(rows, schema=columns, orient="row"))


def _row(engine: str, cost: Cost, same: bool) -> tuple[str, float, float, float, str]:
    told = "the first" if engine == "local" else "the same" if same else "OTHERS"
    return engine, cost.cpu_seconds, cost.wall_seconds, cost.peak_gib, told


def _settings(engine: str, work: Path) -> Path:
    """The shipped settings, with this engine."""
    text = (shipped("configs") / "score.toml").read_text(encoding="utf-8")
    folder, shared = work / f"settings-{engine}", work / "shared"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shared.mkdir(exist_ok=True)
    if engine == "spark":
        before, _, after = text.partition("[engine]\n")
        ours = f'name = "spark"\nspark = {{ master = "local[{CORES}]", shared_folder = "{shared.resolve()}" }}\n'
        others = [line for line in after.splitlines(keepends=True) if not line.startswith(("name =", "processes ="))]
        text = f"{before}[engine]\n{ours}{''.join(others)}"
    (folder / "score.toml").write_text(text, encoding="utf-8")
    return folder / "score.toml"


def hashes_of_night(nights: Path) -> dict[str, str]:
    """Every file of the night by its name."""
    [night] = [path for path in nights.iterdir() if path.is_dir() and not path.is_symlink() and path.name[:2] == "20"]
    files = (path for path in sorted(night.rglob("*")) if path.is_file() and path.name not in _NOT_COMPARED)
    return {str(path.relative_to(night)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _has_pyspark(python: str) -> bool:
    return subprocess.run([python, "-c", "import pyspark"], capture_output=True, check=False).returncode == 0


def _java_home() -> Path | None:
    """JAVA_HOME, the folder of a Java 17 of the system, or that of the `java` that is found."""
    if named := os.environ.get("JAVA_HOME"):
        return Path(named)
    found = sorted(path for path in Path("/usr/lib/jvm").glob("*17*") if (path / "bin/java").exists())
    java = shutil.which("java")
    return found[0] if found else Path(java).resolve().parents[1] if java else None
