"""Run every command with a full or forbidden temporary folder and output, each fault with each command.

    python -m benchmarks.reliability full_disks

The same as tests/functional/test_full_disks.py, with the long commands too. About five minutes.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reliability.figures import write_figure
from benchmarks.reliability.site import site

COMMAND = "python -m benchmarks.reliability full_disks"


def main(arguments: Sequence[str] = ()) -> int:
    """Print how each command ended, and write the figure."""
    from helpers.commands import environment

    with tempfile.TemporaryDirectory() as place:
        home = site(Path(place))
        ran = subprocess.run(
            [sys.executable, "-m", "helpers.commands", home, "every", "fault"],
            cwd=Path(__file__).resolve().parents[2] / "tests",
            env=environment(home),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    bad = [one for one in told if not _is_told(one)]
    for one in told:
        print(f"{one['fault']}: {one['command']}: exit {one['exit_code']}{' BAD' if one in bad else ''}")
    write_figure("R9.full_disks", len(told), len(bad), seed=None, command=COMMAND)
    return int(bool(bad))


def _is_told(one: dict[str, object]) -> bool:
    words = str(one["said"]).strip().splitlines()[-1]
    ended = one["exit_code"] in (9, {"key new": 7, "record": 21}.get(str(one["command"])))
    whole = one["raised"] is None and bool(one["same"]) and not one["left"]
    return ended and whole and words.startswith("Error: ") and "What to do: " in words
