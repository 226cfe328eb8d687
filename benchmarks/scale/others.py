"""Benchmarks that stand in files of their own, called from here so that one command covers all."""

import importlib
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import polars as pl

from benchmarks.scale.children import result_of
from benchmarks.scale.told import Told, skipped

OTHERS: Final = {
    "explain": ("benchmarks.explain_speed", "How fast risks are explained"),
    "fit": ("benchmarks.fit_speed", "How fast a model is fitted"),
}


def other(part: str) -> Told:
    """What the benchmark of that name gives: the tidy frame of its `main`, run in a process of its own."""
    module, heading = OTHERS[part]
    if find_spec(module) is None:
        return skipped(heading, f"there is no {module}")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "frame.parquet"
        result_of("benchmarks.scale.others:frame_of", {"module": module, "out": str(out)})
        return Told(heading, (f"By `python -m {module}`.",), pl.read_parquet(out))


def frame_of(module: str, out: str) -> dict[str, Any]:
    """Run `main` of a benchmark without arguments, and keep its frame."""
    sys.argv = [module]
    frame = importlib.import_module(module).main()
    frame.write_parquet(out)
    return {"rows": frame.height}
