"""Where the time of one night goes: CPU seconds and memory of each stage, and of the steps that take most of it.

    python -m benchmarks.profile county --write benchmarks/profile.md --docs docs/explanation/performance.md

The night is the command's own: `ageingwell.night.score.score` with the shipped settings, worked in one process, in a
child. A stage is what the night itself calls one (`Surroundings.stage`); of reading, each table is one too. The steps
are functions of the night, timed where they are called. Memory is the process's high-water mark, put back at the
beginning of each stage; that works on Linux alone, and elsewhere no memory is told.
"""

import argparse
import functools
import importlib
import json
import os
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import polars as pl

from benchmarks.scale.children import GIB, result_of
from benchmarks.scale.counties import AS_OF
from benchmarks.scale.told import Told, as_table, facts, page

# The stages of a night in words; one that is not named here is told by its own name.
WORDS: Final = {
    "withdraw": "take off who withdrew",
    "read": "read and check",
    "permitted": "opt-outs and permissions",
    "shards": "split into shards of whole homes",
    "register": "who is registered, what is recognised",
    "people": "features, risks, needs",
    "rank": "put people in order",
    "doors": "one offer a home",
    "allocate": "share out the places",
    "account": "account for every row",
    "tell": "reasons and records of everybody",
    "track record": "follow up past lists",
    "compare deliveries": "compare what came with last time",
    "withdraw again": "take off who withdrew meanwhile",
    "publish": "draw pages and workbooks, publish",
}
# Functions of the night that are timed where they are called: module, name there, the stage they are part of, words.
STEPS: Final = (
    ("ageingwell.night.first_pass", "build_spine", "register", "who is registered, where, with whom"),
    ("ageingwell.night.first_pass", "count_recognised", "register", "which codes and labels are recognised"),
    ("ageingwell.night.first_pass", "_links", "register", "how much of each table links"),
    ("ageingwell.night.first_pass", "newest_days", "register", "the newest day of each table"),
    ("ageingwell.night.people", "untold_of", "people", "whose codes are not recognised"),
    ("ageingwell.night.people", "build_features", "people", "features"),
    ("ageingwell.night.people", "risks_of", "people", "risks"),
    ("ageingwell.night.people", "_flagged", "people", "who has died, moved, or is under a marker"),
    ("ageingwell.night.people", "_needs", "people", "needs"),
    ("ageingwell.night.people", "account_for_shard", "people", "account for everybody"),
    ("ageingwell.night.people", "_told", "people", "contributions of everybody, and sums of them"),
)
BEGIN, END = "<!-- profile: written by benchmarks.profile -->", "<!-- end of profile -->"


@dataclass
class Watch:
    """CPU seconds by stage and step, in the order in which they began; and the high-water mark of each stage."""

    cpu: dict[tuple[str, str], float] = field(default_factory=dict)
    peak: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def on(self, stage: str, step: str = "") -> Iterator[None]:
        """Count what is used meanwhile to a stage, or to a step of it."""
        begun = _cpu()
        self.cpu.setdefault((stage, step), 0.0)
        try:
            yield
        finally:
            self.cpu[stage, step] += _cpu() - begun


def profiled(data: str, as_of: str, cache: str) -> dict[str, Any]:
    """Score a night in this process, and give the CPU seconds and the memory of its stages and steps."""
    from ageingwell.config.engine import EngineSettings
    from ageingwell.config.load import load_config
    from ageingwell.context import Surroundings
    from ageingwell.night.score import score

    watch = Watch()
    config = load_config()
    # In one process every function is called here, where it can be timed.
    here = replace(config, score=config.score.model_copy(update={"engine": EngineSettings()}))

    class Watched(Surroundings):
        @contextmanager
        def stage(self, name: str) -> Iterator[None]:
            _forget_peak()
            with Surroundings.stage(self, name), watch.on(name):
                yield
            watch.peak[name] = max(_peak(), watch.peak.get(name, 0))

    with tempfile.TemporaryDirectory() as out, ExitStack() as patched:
        for module, name, stage, words in (*STEPS, ("ageingwell.sources.read", "read_table", "read", "")):
            patched.enter_context(_timed(watch, module, name, stage, words))
        score(
            Path(data),
            as_of=date.fromisoformat(as_of),
            out=Path(out),
            config=here,
            surroundings=Watched(cache=Path(cache)),
        )
    all_of_it = _cpu()
    return {
        "cpu": [[stage, step, seconds] for (stage, step), seconds in watch.cpu.items()],
        "peak": watch.peak,
        "whole": all_of_it,
    }


def _timed(watch: Watch, module: str, name: str, stage: str, words: str) -> Any:
    """Let a function be timed wherever that module calls it; a table's reading is told by the table."""
    place = importlib.import_module(module)
    function: Callable[..., Any] = getattr(place, name)

    @functools.wraps(function)
    def timed(*given: Any, **named: Any) -> Any:
        with watch.on(stage, words or given[0].table):
            return function(*given, **named)

    return patch.object(place, name, timed)


def _cpu() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _forget_peak() -> None:
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak() -> int:
    if sys.platform != "linux":
        return 0
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def as_frame(found: dict[str, Any]) -> pl.DataFrame:
    """The profile as a tidy table: stage, step, CPU s, share of all, peak GiB; what no stage counts is its last row."""
    stages = {stage: seconds for stage, step, seconds in found["cpu"] if not step}
    whole = found["whole"]
    rows: list[tuple[str, str, float, str, float | None]] = []
    for stage, seconds in stages.items():
        peak = found["peak"].get(stage) or None
        rows.append(
            (WORDS.get(stage, stage), "", seconds, f"{seconds / whole:.0%}", None if peak is None else peak / GIB)
        )
        steps = [(step, of_it) for of, step, of_it in found["cpu"] if of == stage and step]
        rows += [("", step, of_it, f"{of_it / whole:.0%}", None) for step, of_it in steps]
    rest = whole - sum(stages.values())
    rows.append(("start, imports, what is between", "", rest, f"{rest / whole:.0%}", None))
    rows.append(("all of it", "", whole, "100%", max(found["peak"].values(), default=0) / GIB or None))
    return pl.DataFrame(rows, schema=["stage", "of which", "CPU s", "share", "peak GiB"], orient="row")


def in_docs(page_of: str, lines: list[str]) -> str:
    """The page of the documentation with these lines between its marks.

    >>> print(in_docs(f"Before.\\n{BEGIN}\\nold\\n{END}\\nAfter.", ["new"]).replace(BEGIN, "(").replace(END, ")"))
    Before.
    (
    <BLANKLINE>
    new
    <BLANKLINE>
    )
    After.
    """
    before, begun, rest = page_of.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError("the page has no place for the profile")
    return "\n".join([f"{before}{BEGIN}", "", *lines, "", f"{END}{after}"])


def main(arguments: list[str] | None = None) -> pl.DataFrame:
    """Profile the night of a county, print the table, and write it where that is asked for."""
    parser = argparse.ArgumentParser("python -m benchmarks.profile", description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="a made-up county, as `ageingwell synth` makes it")
    parser.add_argument("--as-of", default=AS_OF)
    parser.add_argument("--write", type=Path, help="a page of its own")
    parser.add_argument("--docs", type=Path, help="a page of the documentation, between its marks")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as cache:
        given = {"data": str(asked.data), "as_of": asked.as_of, "cache": cache}
        # The first night of a machine compiles and keeps the model's tables; the second is like every other.
        _, found = [result_of("benchmarks.profile:profiled", given) for _ in range(2)][-1]
    frame, people = as_frame(found), json.loads((asked.data / "synthetic.json").read_text(encoding="utf-8"))["people"]
    says = f"One night of {people:,} people aged 65 and over, from Parquet, with the shipped settings, in one process."
    part = Told("Where the time of a night goes", (says,), frame)
    command = shlex.join(["python", "-m", "benchmarks.profile", asked.data.name])
    print(*as_table(frame), sep="\n")
    if asked.write:
        asked.write.write_text(page([part], command=command), encoding="utf-8")
    if asked.docs:
        lines = [says, "", *facts(command)[:3], "", *as_table(frame)]
        asked.docs.write_text(in_docs(asked.docs.read_text(encoding="utf-8"), lines), encoding="utf-8")
    return frame


if __name__ == "__main__":
    main()
