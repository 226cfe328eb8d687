"""Random schedules of opt-outs, deaths, forgetting, failures, late files and re-runs (options: how many, seconds)."""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from helpers.schedules import first_tables, run_schedule

from ageingwell.config.load import load_config
from ageingwell.synthetic.county import CountyPlan, synthesise
from benchmarks.reliability.figures import write_figure

COMMAND = "python -m benchmarks.reliability schedules"


def main(arguments: Sequence[str] = ()) -> int:
    """Run as many schedules as were asked for, or as fit into the seconds, and write down how many went wrong."""
    wanted = int(arguments[0]) if arguments else 10_000
    seconds = float(arguments[1]) if len(arguments) > 1 else 480.0
    config, bad, done, runs = load_config(), [], 0, 0
    memory = Path("/dev/shm")
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        place = Path(folder)
        synthesise(CountyPlan(people=60, seed=1), place / "county")
        tables = first_tables(place / "county")
        while done < wanted and time.monotonic() < end:
            one = run_schedule(done, place / str(done), config, tables)
            bad += [f"seed {done}: {what}" for what in one.bad[:1]]
            done, runs = done + 1, runs + one.n_runs
    print(f"{done:,} schedules with {runs:,} runs, {len(bad)} bad", *bad[:10], sep="\n  ")
    write_figure("P7.schedules", done, len(bad), seed=0, command=COMMAND)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
