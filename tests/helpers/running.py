"""Starts a module of the tests as a process of its own, wherever the tests themselves were started."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def helper_run(
    name: str,
    *arguments: str | Path | int,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run `python -m helpers.NAME ARGUMENTS` to its end and return it, with what it printed.

    `helpers` is found because its folder is where the process starts: pytest puts that folder on the path of its own
    process alone. With `check` a process that fails fails here, with the end of what it said.
    """
    ran = subprocess.run(
        [sys.executable, "-m", f"helpers.{name}", *map(str, arguments)],
        cwd=TESTS,
        env=os.environ if env is None else env,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
    assert not check or ran.returncode == 0, ran.stderr[-3000:]
    return ran
