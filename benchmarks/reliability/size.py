"""A night of a county of 330,000 people within five minutes and 2 GB (options: --work FOLDER)."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ageingwell.config.files import shipped
from benchmarks.reliability.figures import write_figure
from benchmarks.scale.counties import county_of
from benchmarks.scale.growth import score

COMMAND = "python -m benchmarks.reliability size"
PEOPLE = 330_000
MOST_SECONDS = 300
MOST_GIB = 2e9 / 2**30


def main(arguments: Sequence[str] = ()) -> int:
    """Score the county by the public command, in a process of its own; time and memory are those of all it starts."""
    asked = argparse.ArgumentParser(prog=COMMAND)
    asked.add_argument("--work", type=Path, help="a folder in which the county stays, for another time")
    work = asked.parse_args(list(arguments)).work
    with tempfile.TemporaryDirectory() as folder:
        place = work or Path(folder)
        # As on a machine that gives a night no more than that.
        config = Path(folder) / "settings" / "score.toml"
        shutil.copytree(shipped("configs"), config.parent)
        config.write_text(f"memory_gib = {MOST_GIB:.2f}\n" + config.read_text(encoding="utf-8"), encoding="utf-8")
        cost = score(county_of(PEOPLE, place), place, config=config)
    is_within = cost.wall_seconds <= MOST_SECONDS and cost.peak_gib <= MOST_GIB
    print(f"{PEOPLE:,} people: {cost.wall_seconds:.0f} s, {cost.cpu_seconds:.0f} CPU s, {cost.peak_gib:.2f} GiB")
    write_figure("R8.size", 1, 0 if is_within else 1, seed=None, command=COMMAND)
    return 0 if is_within else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
