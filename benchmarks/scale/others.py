"""Benchmarks that stand in files of their own, called from here so that one command covers all."""

import importlib
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import polars as pl

from benchmarks.scale.children import ROOT, result_of
from benchmarks.scale.told import Told, skipped


@dataclass(frozen=True)
class Other:
    """A benchmark's module, its heading here, and what its command is given with --full."""

    module: str
    heading: str
    full: tuple[str, ...] = ()


OTHERS: Final = {
    "explain": Other("benchmarks.explain_speed", "How fast risks are explained"),
    "fit": Other(
        "benchmarks.fit_speed",
        "How fast a model is fitted",
        ("--size", "30000", "55", "--size", "1000000", "140"),
    ),
}


def other(part: str, *, full: bool = False) -> Told:
    """What the benchmark of that name gives: the tidy frame of its `main`, run in a process of its own."""
    asked = OTHERS[part]
    if find_spec(asked.module) is None:
        return skipped(asked.heading, f"there is no {asked.module}")
    words = list(asked.full if full else ())
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "frame.parquet"
        result_of("benchmarks.scale.others:frame_of", {"module": asked.module, "words": words, "out": str(out)})
        command = " ".join(["python", "-m", asked.module, *words])
        return Told(asked.heading, (f"By `{command}`.",), pl.read_parquet(out))


def frame_of(module: str, words: list[str], out: str) -> dict[str, Any]:
    """Run `main` of a benchmark, and keep its frame; a place of this machine is told from the repository on."""
    frame: pl.DataFrame = importlib.import_module(module).main(words)
    frame.with_columns(pl.col(pl.String).str.replace(f"{ROOT}/", "", literal=True)).write_parquet(out)
    return {"rows": frame.height}
