"""Write down what a test counted, for `docs/evidence.md`: the goal, how many were tried, how many went wrong."""

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

# The folder for the counts; `start.py test` and the build server set it, a single test by hand does not.
FOLDER = "AGEINGWELL_EVIDENCE"


def counted(goal: str, n: int, bad: int, *, seed: int | None = None, note: str = "") -> None:
    """Write down that `n` cases of a goal were tried and `bad` of them went wrong; several tests may add to one goal.

    `goal` is a name of `tools/evidence/goals.toml`. `n` must be the same in every run: count cases, not seconds. The
    caller asserts its own result beside this; where the folder is not set, nothing is written.
    """
    test = os.environ.get("PYTEST_CURRENT_TEST", "by hand").split(" (")[0]
    _write({"goal": goal, "n": n, "bad": bad, "seed": seed, "note": note, "test": test})


def skipped(test: str, *, why: str) -> None:
    """Write down that a test was skipped, so that the comparison can say which goals lacked it."""
    _write({"test": test, "skipped": why.removeprefix("Skipped: ")})


def ended(test: str, outcome: str) -> None:
    """Write down how a test ended that a control of the hazard log names (`governance/hazards.toml`)."""
    if test.split("[")[0] in _of_hazards():
        _write({"test": test, "outcome": outcome})


@cache
def _of_hazards() -> frozenset[str]:
    from ageingwell.governance.hazards import named_tests, shipped_hazards

    return frozenset(named_tests(shipped_hazards()))


def _write(line: Mapping[str, Any]) -> None:
    folder = os.environ.get(FOLDER)
    if folder is None:
        return
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    # Each process has a file of its own, so that two never write into one line.
    with (place / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
