"""Stop every command that writes at every moment of every operation on the disk, and draw power cuts.

    python -m benchmarks.reliability crash_points

The same as tests/property/test_stopped_anywhere.py, with every fault and many more cuts. Some minutes.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reliability.figures import write_figure

COMMAND = "python -m benchmarks.reliability crash_points"
SEED = 11
CUTS = 200


def main(arguments: Sequence[str] = ()) -> int:
    """Print what was tried of each command, and write the three figures."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
    from helpers.scenes import SCENES
    from helpers.stopping import crash_points, io_errors, power_cuts

    n, bad = Counter[str](), Counter[str]()
    memory = Path("/dev/shm")
    for name, scene in SCENES.items():
        tries = {"R1.crash_points": crash_points, "R9.io_errors": io_errors, "R1.power_cuts": power_cuts}
        for goal, tried in tries.items():
            with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
                # The samples are a hundred files that are all written alike.
                every = 10 if "samples" in name else 1
                more = {"each": CUTS, "seed": SEED} if goal == "R1.power_cuts" else {"every": every}
                found = tried(scene, Path(place) / "here", **more)  # type: ignore[operator]
            n[goal] += found.n
            bad[goal] += len(found.bad)
            print(f"{name}: {goal}: {found.n:,} tried, {len(found.bad)} bad {found.bad[:2] or ''}", flush=True)
    for goal in n:
        write_figure(goal, n[goal], bad[goal], seed=SEED if goal == "R1.power_cuts" else None, command=COMMAND)
        print(f"{goal}: {n[goal]:,} tried, {bad[goal]} bad")
    return int(any(bad.values()))
