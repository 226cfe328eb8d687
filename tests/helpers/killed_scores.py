"""Score, kill and look, again and again, in a process of its own: none but its children starts Polars or LightGBM.

    python -m helpers.killed_scores FOLDER SETTINGS KILLS

`FOLDER` holds `one/` and `other/`, two counties of one night. Prints a line of JSON: what was found.
"""

import json
import random
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import ageingwell.lookup.kernel  # noqa: F401 (slow to import: once here, not in every child)
from ageingwell.config.load import load_config
from ageingwell.errors import SourceError
from ageingwell.night.score import score
from ageingwell.publish import current
from helpers.counties import NIGHT, hashes_of
from helpers.kill import exit_code, fork, fork_and_kill

Files = Mapping[str, str]


def main(at: Path, settings: Path, *, kills: int) -> dict[str, object]:
    """Kill `kills` runs at moments spread over a whole run, half of them while it publishes."""
    begun = time.monotonic()

    def run(county: str, out: str) -> Callable[[], None]:
        return lambda: _quietly(at / county, at / out, settings)

    nights = {name: undisturbed(run(name, f"calm {name}"), at / f"calm {name}") for name in ("one", "other")}
    # What a run leaves that is killed after taking people off the list and before publishing its own.
    shutil.copytree(at / "other", at / "halted")
    (at / "halted" / "gp_events.parquet").write_bytes(b"PAR1")
    shutil.copytree(at / "calm one", at / "calm halted", symlinks=True)
    nights["withdrawn"] = undisturbed(run("halted", "calm halted"), at / "calm halted")
    assert len({json.dumps(files) for files in nights.values()}) == len(nights), "the nights cannot be told apart"

    out = at / "out"
    beginning = time.monotonic()
    fork_and_kill(run("one", "out"), after_seconds=600)
    whole = time.monotonic() - beginning
    told: dict[str, object] = {"whole_seconds": round(whole, 2)}
    states, killed, drawn = [], 0, random.Random(7)
    for number in range(kills):
        # Half of the kills fall anywhere in a run, half while it publishes.
        if number % 2:
            once, moment = (out / f".staging-{NIGHT}").exists, drawn.uniform(0, 0.6 * whole)
        else:
            once, moment = always, drawn.uniform(0, whole)
        county = "other" if number // 2 % 2 else "one"
        killed += fork_and_kill(run(county, "out"), after_seconds=moment, once=once)
        found = [name for name, files in nights.items() if files == files_now(out)]
        assert found, f"a kill {moment:.3f} s into {county} left a current night that is none of the complete ones"
        states += found
    told |= {"killed": killed, "states": {name: states.count(name) for name in nights}}
    assert exit_code(fork(run("other", "out"))) == 0
    assert files_now(out) == nights["other"]
    told["left_over"] = sorted(path.name for path in out.glob(".[!l]*"))
    told["seconds"] = round(time.monotonic() - begun, 1)
    return told


def _quietly(data: Path, out: Path, settings: Path) -> None:
    try:
        # The settings read tables with Polars, whose threads no forked child would have.
        score(data, as_of=NIGHT, out=out, config=load_config(settings))
    except SourceError:
        assert data.name == "halted"


def always() -> bool:
    return True


def undisturbed(run: Callable[[], None], out: Path) -> Files:
    assert exit_code(fork(run)) == 0
    return files_now(out)


def files_now(out: Path) -> Files:
    folder = current(out)
    assert folder is not None
    return hashes_of(folder)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), kills=int(sys.argv[3]))))  # noqa: T201
