"""A few rounds of what the full-size runs do many times, by their own command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.evidence import counted

from benchmarks.reliability.__main__ import main, runs

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: what is forked must not have threads."""
    command = [sys.executable, "-m", "benchmarks.reliability", *arguments, "--dry-run"]
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = os.environ | {"PYTHONPATH": path}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_of_eight_processes_at_once_one_publishes_and_the_others_are_told_who() -> None:
    ran = run("concurrency", "--rounds", "5")
    counted("R7.concurrency", 5, 0 if ran.returncode == 0 else 5)

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_whatever_the_sequence_of_runs_and_ends_one_whole_night_is_current() -> None:
    ran = run("sequences", "--number", "10", "--seed", "3")
    counted("R6.sequences", 10, 0 if ran.returncode == 0 else 10, seed=3)

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_what_there_is_to_run_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    told = capsys.readouterr().out
    assert [name for name, does in runs().items() if name not in told or does not in told] == []
    assert {"concurrency", "sequences"} <= set(runs())
    assert main(["nothing-of-the-kind"]) == 2
