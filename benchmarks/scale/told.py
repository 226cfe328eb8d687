"""What a part of the benchmark tells: a tidy table and a few sentences; and all of them as one page of Markdown."""

import datetime
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import polars as pl

PACKAGES: Final = ("ageingwell", "polars", "numpy", "lightgbm", "numba", "pandas", "duckdb", "shap", "pyspark")


@dataclass(frozen=True)
class Told:
    """A part's heading, what it says of itself, and its table; a part that could not run has no table."""

    heading: str
    says: tuple[str, ...]
    frame: pl.DataFrame | None = None


def skipped(heading: str, why: str) -> Told:
    """A part that was not run, and why."""
    return Told(heading, (f"Not run: {why}.",))


def page(parts: Iterable[Told], *, command: str) -> str:
    """All parts as Markdown, below what machine and versions they were measured with."""
    lines = ["# Speed and memory, measured", "", *facts(command), ""]
    for part in parts:
        lines += [f"## {part.heading}", "", *as_paragraphs(part.says)]
        if part.frame is not None:
            lines += [*as_table(part.frame), ""]
    return "\n".join(lines)


def facts(command: str) -> list[str]:
    """When, on what kind of machine and with which versions; no name of a machine and no path."""
    today = datetime.datetime.now(tz=datetime.UTC)
    found = [f"{name} {number}" for name in PACKAGES if (number := _version(name))]
    machine = f"{platform.system()}, {_processor()}, {os.cpu_count()} cores, {memory_gib():.0f} GiB of memory"
    return [
        f"{today:%-d %B %Y}; {machine};",
        f"Python {platform.python_version()}, {', '.join(found)}.",
        f"Made by `{command}`.",
        "",
        "CPU seconds are user and system time of all processes of a run; memory is the most that they held together.",
    ]


def memory_gib() -> float:
    """The memory of this machine, in GiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def as_paragraphs(says: Sequence[str]) -> list[str]:
    """Sentences as paragraphs."""
    return [line for sentence in says for line in (sentence, "")]


def as_table(frame: pl.DataFrame) -> list[str]:
    """A frame as a table of Markdown, numbers to the right.

    >>> as_table(pl.DataFrame({"what": ["read"], "CPU s": [1234.5]}))
    ['| what | CPU s |', '|---|---:|', '| read | 1,234 |']
    """
    marks = ["---:" if frame.schema[name].is_numeric() else "---" for name in frame.columns]
    rows = [f"| {' | '.join(_cell(value) for value in row)} |" for row in frame.rows()]
    return [f"| {' | '.join(frame.columns)} |", f"|{'|'.join(marks)}|", *rows]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
