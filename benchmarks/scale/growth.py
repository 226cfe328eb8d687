"""How a whole night grows with the number of people: the public command, its default settings, a process of its own."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from benchmarks.scale.children import Cost, cost_of
from benchmarks.scale.counties import AS_OF, county_of
from benchmarks.scale.told import Told

ENGLAND: Final = 11_000_000  # people aged 65 and over, to the next million


def score(
    county: Path,
    work: Path,
    *,
    config: Path | None = None,
    python: str = sys.executable,
    env: Mapping[str, str] | None = None,
) -> Cost:
    """Measure one night by the command; it is published into `work`/nights, which is emptied first."""
    out = work / "nights"
    shutil.rmtree(out, ignore_errors=True)
    command = [python, "-m", "ageingwell", "score", "--data", str(county), "--as-of", AS_OF, "--out", str(out)]
    if config is not None:
        command += ["--config", str(config)]
    return cost_of(command, env={"AGEINGWELL_CACHE": str(work / "cache"), **(env or {})})


def growth(sizes: Sequence[int], work: Path) -> pl.DataFrame:
    """CPU seconds, wall seconds and peak memory of a night of each size: people, cpu_s, wall_s, peak_gib."""
    # The first night of a machine compiles and keeps the model's tables; no size is to pay for it.
    score(county_of(min(sizes), work), work)
    rows = []
    for people in sorted(sizes):
        cost = score(county_of(people, work), work)
        rows.append((people, cost.cpu_seconds, cost.wall_seconds, cost.peak_gib))
    return pl.DataFrame(rows, schema=["people", "cpu_s", "wall_s", "peak_gib"], orient="row")


def exponent(people: Sequence[float], values: Sequence[float]) -> float:
    """The power of the number of people that something grows with: least squares on the logarithms.

    >>> round(exponent([10, 20, 40], [3, 6, 12]), 6), round(exponent([10, 20, 40], [5, 5, 5]), 6)
    (1.0, 0.0)
    """
    return power_law(people, values)[1]


def power_law(people: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """The logarithm of the factor, and the exponent, of the power law nearest to the logarithms of `values`."""
    slope, height = np.polyfit(np.log(people), np.log(values), 1)
    return float(height), float(slope)


def at(people: float, sizes: Sequence[float], values: Sequence[float]) -> float:
    """What so many people would take: by the power law or by a straight line, whichever is more.

    What a night takes whatever its size bends the power law down; the straight line allows for it.

    >>> round(at(80, [10, 20, 40], [15, 25, 45]), 3)
    85.0
    """
    height, slope = power_law(sizes, values)
    line = np.polyfit(np.asarray(sizes, dtype=float), np.asarray(values, dtype=float), 1)
    return max(float(np.exp(height + slope * np.log(people))), float(np.polyval(line, people)))


def told_growth(found: pl.DataFrame) -> Told:
    """The table of growth, with the exponents."""
    people = found["people"].to_list()
    exponents = {name: exponent(people, found[name].to_list()) for name in ("cpu_s", "wall_s", "peak_gib")}
    shown = found.select(
        "people",
        pl.col("cpu_s").alias("CPU s"),
        pl.col("wall_s").alias("wall s"),
        pl.col("peak_gib").alias("peak GiB"),
        (pl.col("cpu_s") / pl.col("people") * 1e6).alias("CPU s per million"),
    )
    says = (
        "The command `ageingwell score` with its default settings, from Parquet. Its first night, which compiles the "
        "model's tables, is not counted.",
        f"Fitted to the power of the number of people: CPU time {exponents['cpu_s']:.2f}, wall time "
        f"{exponents['wall_s']:.2f}, memory {exponents['peak_gib']:.2f}.",
    )
    return Told("A night grows with its people", says, shown)


def told_england(found: pl.DataFrame, run: Cost | None, *, why_not: str) -> Told:
    """England: measured, or reckoned from the growth and called so."""
    heading = f"England: {ENGLAND:,} people"
    if run is not None:
        row = [("measured", run.cpu_seconds / 3600, run.wall_seconds / 3600, run.peak_gib)]
        says = ("One run of the command with its default settings.",)
    else:
        people = found["people"].to_list()
        cpu, wall = (at(ENGLAND, people, found[name].to_list()) for name in ("cpu_s", "wall_s"))
        # Memory is bounded by a setting: a county that is worked whole tells nothing of one that is split.
        largest = found.sort("people").tail(2)
        peak = at(ENGLAND, largest["people"].to_list(), largest["peak_gib"].to_list())
        row = [("reckoned", cpu / 3600, wall / 3600, peak)]
        says = (
            f"Not measured ({why_not}): reckoned from the growth above, {ENGLAND / max(people):.0f} times beyond its "
            "largest size, by the power law or a straight line, whichever is more; memory from the two largest sizes.",
        )
    return Told(heading, says, pl.DataFrame(row, schema=["how", "CPU hours", "wall hours", "peak GiB"], orient="row"))
