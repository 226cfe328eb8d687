"""Run a command, or a function, in a process of its own and measure it: CPU seconds, wall seconds, peak memory.

Everything that is measured runs in a child, so that nothing measured before it lies in its memory. CPU seconds and
memory are those of all processes that the child starts. Memory is what they held together, looked at ten times a second
beside each one's own high-water mark; pages that processes share count once for each.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SECONDS_BETWEEN_LOOKS = 0.1
GIB = 2**30
ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Cost:
    """What a child took: CPU seconds of user and system, wall seconds, and the most memory held at once in GiB."""

    cpu_seconds: float
    wall_seconds: float
    peak_gib: float


@dataclass
class _Seen:
    """What was seen of the processes of one session while they lived."""

    cpu: dict[int, float] = field(default_factory=dict)
    high: dict[int, int] = field(default_factory=dict)
    together: int = 0

    @property
    def peak(self) -> int:
        return max(self.together, *self.high.values(), 0)


class ChildFailed(Exception):  # noqa: N818 - what happened, in words
    """A measured process did not come to a good end; its last words are in the text."""


def cost_of(command: list[str], *, env: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end and measure it; `ChildFailed` where its exit code is not 0."""
    with tempfile.TemporaryFile() as said:
        begun = time.perf_counter()
        child = subprocess.Popen(
            command,
            env=_environment(env or {}),
            stdout=said,
            stderr=subprocess.STDOUT,
            # A session of its own: every process that the child starts is known by it, whoever its parent is by then.
            start_new_session=True,
        )
        seen = _Seen()
        while True:
            _look(child.pid, seen)
            ended, status, used = os.wait4(child.pid, os.WNOHANG)
            if ended:
                break
            time.sleep(SECONDS_BETWEEN_LOOKS)
        wall = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            raise ChildFailed(f"exit code {child.returncode}: {said.read().decode(errors='replace')[-2000:]}")
    # Descendants that were waited for are in `used`; those that were not (Java's) were seen while they lived.
    cpu = max(used.ru_utime + used.ru_stime, sum(seen.cpu.values()))
    peak = seen.peak or used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Cost(cpu, wall, peak / GIB)


def result_of(
    target: str, given: Mapping[str, Any], *, env: Mapping[str, str] | None = None, python: str = sys.executable
) -> tuple[Cost, dict[str, Any]]:
    """Run the function `module:function` with these arguments in a child, and give what it took and what it returned.

    Arguments and result are plain data that JSON can hold.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "asked.json", Path(folder) / "answered.json"
        asked.write_text(json.dumps(dict(given)), encoding="utf-8")
        cost = cost_of([python, "-m", "benchmarks.scale.children", target, str(asked), str(answered)], env=env)
        answer: dict[str, Any] = json.loads(answered.read_text(encoding="utf-8"))
    return cost, answer


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    paths = [str(ROOT), str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}


def _look(session: int, seen: _Seen) -> None:
    """Note what every process of the session has used and holds; without /proc, as on macOS, nothing is noted."""
    processes = Path("/proc")
    if not (processes / "self/stat").exists():
        return
    tick, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    together = 0
    for name in filter(str.isdigit, (path.name for path in processes.iterdir())):
        try:
            # The name of the program, in brackets, may hold blanks.
            told = (processes / name / "stat").read_text().rpartition(") ")[2].split()
            if int(told[3]) != session:
                continue
            status = (processes / name / "status").read_text()
        except (OSError, IndexError):
            continue  # it ended meanwhile
        pid = int(name)
        seen.cpu[pid] = (int(told[11]) + int(told[12])) / tick
        together += int(told[21]) * page
        seen.high[pid] = max(seen.high.get(pid, 0), _high_water(status))
    seen.together = max(seen.together, together)


def _high_water(status: str) -> int:
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), None)
    return 0 if line is None else int(line.split()[1]) * 1024


def main() -> None:
    """Be the child: `module:function`, the file of its arguments, the file for its answer."""
    target, asked, answered = sys.argv[1:]
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    found = function(**json.loads(Path(asked).read_text(encoding="utf-8")))
    Path(answered).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
