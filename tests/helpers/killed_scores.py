"""Score, kill and look, again and again, in a process of its own: none but its children starts Polars or LightGBM.

    python -m helpers.killed_scores FOLDER SETTINGS MOMENTS      one of `MOMENTS` by name

`FOLDER` holds `one/` and `other/`, two counties of one night, and `calm one/`, the output of a run of the first that
nothing stopped; `calm other/` and `calm halted/` are of runs that nothing stopped either. Prints a line of JSON.

A run is killed at what can be observed of it, an operation on the output folder or the start of a stage, so that every
machine, however slow, comes to the same moments.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import ageingwell.report.html  # noqa: F401 (slow to import: once here, not in every child)
from ageingwell.config.load import load_config
from ageingwell.context import Surroundings
from ageingwell.disk import Disk
from ageingwell.kept.frames import NightFrames
from ageingwell.night import revising, write
from ageingwell.night.score import score
from ageingwell.publish import current
from helpers.counties import NIGHT, hashes_of
from helpers.kill import exit_code, fork

Files = Mapping[str, str]
STAGED = f".staging-{NIGHT}"
POINTER = ".staging-pointer"

# The county that is scored, the moment at which it is killed, and which night is current then. Each run finds what the
# kill before it left behind. It is `other` over the night of `one`, in which somebody has died since: taking people off
# publishes a night of its own before the run's own one.
KILLS = (
    ("other", "halfway write manifest.json", "one"),
    ("other", f"after rename {STAGED}", "one"),
    ("other", f"after replace {POINTER}", "withdrawn"),
    ("other", "stage people", "withdrawn"),
    ("other", f"before replace {POINTER}", "withdrawn"),
    ("other", f"after replace {POINTER}", "other"),
    # What the run put aside is being removed.
    ("other", "removing", "other"),
)
# Those of them around which what a reader finds changes.
TURNS = tuple(KILLS[number] for number in (0, 2, 4))
MOMENTS = {"at the turns": TURNS, "at every kind": KILLS}
# What may be current, and the output folder it is the current night of. `halted` is a run that stops after taking
# people off the list and before publishing its own.
CALM = {"one": "one", "withdrawn": "halted", "other": "other"}
# What is current, one after the other, at every moment of the runs that are killed and of the one that ends.
WATCHED = ("one", "withdrawn", "other")


def draws_one_page(frames: NightFrames, *_: object, **__: object) -> dict[str, bytes]:
    """A page that tells who is on the list, in place of all pages and workbooks: they take a third of a run."""
    return {"report.html": " ".join(frames.listed["person_id"]).encode()}


def main(at: Path, settings: Path, kills_of: Sequence[tuple[str, str, str]]) -> dict[str, object]:
    """Kill runs at the moments of `kills_of` and let one end, and look at every moment of each."""
    nights = {name: files_now(at / f"calm {calm}") for name, calm in CALM.items()}
    assert len({json.dumps(files) for files in nights.values()}) == len(nights), "the nights cannot be told apart"
    out, seen = at / "out", at / "seen.txt"

    def run(county: str, killed_at: str = "never") -> int:
        def at_moment(event: str) -> None:
            look(event)
            kill(event)

        look, kill = writing_down(out, nights, seen), killing_at(killed_at)
        return exit_code(fork(lambda: _score(at / county, out, settings, cache=at / "cache", at_moment=at_moment)))

    shutil.copytree(at / "calm one", out, symlinks=True)
    seen.touch()
    kills = []
    for county, moment, _ in kills_of:
        assert run(county, moment) == -signal.SIGKILL, f"no run of {county} came to: {moment}"
        kills.append([county, moment, name_of(current(out), nights)])
    assert run("other") == 0, "the run after the kills failed"
    left_over = sorted(path.name for path in out.glob(".[!l]*"))
    return {"kills": kills, "watched": seen.read_text().split(), "left_over": left_over}


def _score(data: Path, out: Path, settings: Path, *, cache: Path, at_moment: Callable[[str], None]) -> None:
    """Score in this process, a child, and call `at_moment` at every stage and every operation on the disk."""

    def watch(self: Disk, moment: str, operation: str, *paths: Path) -> None:
        at_moment(f"{moment} {operation} {paths[0].name}")
        removals(moment, operation, paths[0])

    removals = Removals(at_moment)
    Disk.watch = watch  # type: ignore[method-assign]
    world = Surroundings(tell=lambda stage: at_moment(f"stage {stage}"), cache=cache)
    # The settings read tables with Polars, whose threads no forked child would have.
    score(data, as_of=NIGHT, out=out, config=load_config(settings), surroundings=world)
    at_moment("the end")


class Removals:
    """Sees what a run put aside being removed, and tells when some files of it are gone."""

    def __init__(self, at_moment: Callable[[str], None]) -> None:
        self.at_moment, self.left = at_moment, 3

    def __call__(self, moment: str, operation: str, path: Path) -> None:
        if (moment, operation) == ("after", "remove_file") and ".staging-work-" in str(path) and self.left > 0:
            self.left -= 1
            if not self.left:
                self.at_moment("removing")


def killing_at(moment: str) -> Callable[[str], None]:
    """End this process as `kill -9` does, at the first of such moments."""

    def kill(event: str) -> None:
        if event == moment:
            os.kill(os.getpid(), signal.SIGKILL)
            signal.pause()

    return kill


def writing_down(out: Path, nights: Mapping[str, Files], seen: Path) -> Callable[[str], None]:
    """Add to `seen` which night is current, each time that it is another: what a kill at any moment would leave."""
    names: dict[Path, str] = {}
    last = seen.read_text().split()

    def look(event: str) -> None:
        # Not by the code under test, whose operations would be moments themselves.
        folder = (out / "current").resolve()
        # A whole night is read once, when it is current for the first time, and at the end.
        if folder not in names or event == "the end":
            names[folder] = name_of(folder, nights)
        if last[-1:] != [names[folder]]:
            last.append(names[folder])
            seen.write_text("\n".join(last))

    return look


def name_of(folder: Path | None, nights: Mapping[str, Files]) -> str:
    """Which of the complete nights a folder holds."""
    found = folder and own_files(folder)
    return next((name for name, files in nights.items() if files == found), "none-of-them")


def files_now(out: Path) -> Files:
    folder = current(out)
    assert folder is not None
    return own_files(folder)


def own_files(folder: Path) -> Files:
    """The files that follow from the night alone: which quarter's page it carries depends on the nights before it.

    That its sums fit all files, the carried page too, is looked at here.
    """
    every = hashes_of(folder)
    sums = dict(line.split("  ", 1)[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
    told = {name: digest for name, digest in every.items() if name in sums}
    assert told == {name: sums[name] for name in told}, f"the sums of {folder.name} do not fit its files"
    return {name: digest for name, digest in every.items() if name not in ("commissioning.html", "SHA256SUMS")}


if __name__ == "__main__":
    if sys.argv[3] == "at the turns":
        write.draw_pages = revising.draw_pages = draws_one_page
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), MOMENTS[sys.argv[3]])))  # noqa: T201
