"""Purge and forget, ended at every moment of every operation on the disk (option: at every nth)."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from helpers.kept_crashes import KEEPING, stopped_anywhere

from ageingwell.config.load import load_config
from benchmarks.reliability.figures import write_figure

COMMAND = "python -m benchmarks.reliability keeping"


def main(arguments: Sequence[str] = ()) -> int:
    """Try every moment of both commands and write down how many were tried and how many went wrong."""
    every = int(arguments[0]) if arguments else 1
    n, bad = 0, []
    memory = Path("/dev/shm")
    for name in KEEPING:
        with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
            done = stopped_anywhere(name, Path(place), load_config(), every=every)
        print(f"{name}: {done.n:,} moments, {len(done.bad)} bad", *done.bad[:5], sep="\n  ", flush=True)
        n, bad = n + done.n, bad + done.bad
    if every == 1:
        write_figure("R1.crash_points_keeping", n, len(bad), seed=None, command=COMMAND)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
