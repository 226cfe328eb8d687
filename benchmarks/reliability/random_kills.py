"""End real commands with SIGKILL at random moments: score, withdraw, record, pseudonymise, recalibrate.

    python -m benchmarks.reliability random_kills [--kills 1000] [--seed 7]

After each kill the current night is one whole night, the ledger can be read, a bundle and a pseudonymised folder are
whole or not there. Then the same run is tried again: it comes to what an undisturbed run comes to, and leaves nothing
of the dead one. The moment is drawn from a run's own processor time, so that a busy machine kills no earlier. A
thousand take about an hour.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reliability.figures import write_figure
from benchmarks.reliability.site import site

COMMAND = "python -m benchmarks.reliability random_kills"


def main(arguments: Sequence[str] = ()) -> int:
    """Kill, look, and print a line for each command."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        home = site(Path(place))
        from helpers.commands import environment

        ran = subprocess.run(
            [sys.executable, "-m", "helpers.killing", home, str(asked.kills), str(asked.seed)],
            cwd=Path(__file__).resolve().parents[2] / "tests",
            env=environment(home),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    for one in told:
        print(f"{one['command']}: {one['n']} killed, {len(one['bad'])} bad {one['bad'][:3] or ''}")
    n, bad = sum(one["n"] for one in told), sum(len(one["bad"]) for one in told)
    write_figure("R1.kills", n, bad, seed=asked.seed, command=f"{COMMAND} --kills {asked.kills}")
    return int(bad > 0)
