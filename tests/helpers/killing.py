"""End real commands with SIGKILL at random moments, look, and run them again; in a process of its own.

    python -m helpers.killing HOME KILLS SEED [NAME ...]      HOME as `helpers.commands.prepared` makes it

Nothing here but the children works with Polars, whose threads no forked child would have. Prints a line of JSON for
each command: how many runs were killed, and in words what was wrong afterwards.
"""

import json
import os
import random
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import ageingwell.cli  # slow to import: once here, not in every child
import ageingwell.night.score
import ageingwell.report.html  # noqa: F401
from ageingwell.publish import current
from ageingwell.publish.whole import standing
from helpers.commands import COMMANDS, words_of
from helpers.counties import copy_of, hashes_of
from helpers.kill import exit_code, exit_code_and_work, fork, fork_and_kill, worked

NAMES = ("score", "withdraw", "record", "pseudonymise", "recalibrate")
MORE = {
    "score": "score --data {home}/changed --as-of {later} --out {made}/nights --config {home}/settings/score.toml",
    "pseudonymise": "pseudonymise --raw {home}/raw --out {made}/tables --made-up-key 1",
}


@dataclass
class Killed:
    """One command: how long it works undisturbed, what a reader finds before and after, and what came of the kills."""

    name: str
    seconds: float
    before: object
    after: object
    n: int = 0
    bad: list[str] = field(default_factory=list)


def _nights(made: Path) -> object:
    """Every night by its files, and which is current."""
    out = made / "nights"
    found = current(out)
    return {path.name: hashes_of(path) for path in sorted(out.glob("2*"))}, None if found is None else found.name


def _ledger(made: Path) -> object:
    """The whole chain of the ledger, and the file to correct."""
    path, fix = made / "nights" / "decisions.sqlite", made / "fixes" / "back.fix.xlsx"
    entries: list[tuple[object, ...]] = []
    if path.exists():
        with closing(sqlite3.connect(path)) as database, suppress(sqlite3.OperationalError):
            entries = database.execute("SELECT position, hash FROM entries ORDER BY position").fetchall()
    return len(entries), fix.exists()


def _folder(name: str) -> Callable[[Path], object]:
    def seen(made: Path) -> object:
        folder = standing(made / name)
        return hashes_of(folder) if folder.exists() else None

    return seen


SEEN: dict[str, Callable[[Path], object]] = {
    "score": _nights,
    "withdraw": _nights,
    "record": _ledger,
    "pseudonymise": _folder("tables"),
    "recalibrate": _folder("moved"),
}


def command(name: str, home: Path) -> Callable[[], None]:
    """A run of the command, as its own program would run it."""
    words = words_of(MORE.get(name, COMMANDS[name]), home)

    def run() -> None:
        from ageingwell.cli import cli

        # What it prints is for nobody here.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            cli.main(args=words)
        except SystemExit as end:
            if end.code not in (None, 0, 22):
                raise RuntimeError(f"exit {end.code}") from None

    return run


def fresh(home: Path) -> None:
    """Put the folder to write to back as it was."""
    shutil.rmtree(home / "made", ignore_errors=True)
    copy_of(home / "was", home / "made")


def measured(name: str, home: Path) -> Killed:
    """Run the command undisturbed."""
    fresh(home)
    before = SEEN[name](home / "made")
    ended, seconds = exit_code_and_work(fork(command(name, home)))
    assert ended == 0, name
    return Killed(name, seconds, before, SEEN[name](home / "made"))


def kill(killed: Killed, home: Path, rng: random.Random) -> None:
    """Kill one run of the command and look; then run it again and look once more."""
    fresh(home)
    after = rng.uniform(0, killed.seconds)
    if not fork_and_kill(command(killed.name, home), after_seconds=after, of=worked):
        return
    killed.n += 1
    seen = SEEN[killed.name](home / "made")
    if not is_whole(killed, seen):
        killed.bad.append(f"killed after {after:.2f} s: neither the old nor the new")
    ended = exit_code(fork(command(killed.name, home)))
    if ended == 0 and SEEN[killed.name](home / "made") != killed.after:
        killed.bad.append(f"killed after {after:.2f} s: the next run does not come to the same")
    if ended and seen != killed.after:
        killed.bad.append(f"killed after {after:.2f} s: the next run ends with an error")
    left = [str(path.name) for path in (home / "made").rglob(".*") if path.name.endswith(".partial")]
    left += [path.name for path in (home / "made").rglob(".staging-*")]
    killed.bad += [f"killed after {after:.2f} s: {name} is left" for name in left]


def is_whole(killed: Killed, seen: object) -> bool:
    """Whether a reader finds the old or the new, or of nights one that the run publishes on its way."""
    if SEEN[killed.name] is _nights:
        (nights, pointer), (known, _) = seen, killed.after  # type: ignore[misc]
        return pointer in nights and all(known.get(name) == files for name, files in nights.items())
    if SEEN[killed.name] is _ledger:
        # The file to correct is written first; a ledger that holds the entries has it beside it.
        return seen in (killed.before, killed.after, (killed.before[0], True))  # type: ignore[index]
    return seen in (killed.before, killed.after)


def main(home: Path, kills: int, seed: int, *names: str) -> None:
    """Kill each command in turn until so many runs were killed."""
    prepare = [
        "synth --people 50 --raw --out {home}/raw",
        "recalibrate --data {home}/county --bundle {home}/bundle --out {made}/moved",
    ]
    COMMANDS.update({f"prepare {number}": words for number, words in enumerate(prepare)})
    for number in range(len(prepare) if "recalibrate" in (names or NAMES) else 1):
        assert exit_code(fork(command(f"prepare {number}", home))) == 0
    # The bundle that stands there has another card, so that old and new can be told apart.
    copy_of(home / "made", home / "was")
    shutil.rmtree(home / "was" / "moved", ignore_errors=True)
    copy_of(home / "bundle", home / "was" / "moved")
    rng = random.Random(seed)
    found = [measured(name, home) for name in names or NAMES]
    while sum(one.n for one in found) < kills:
        for one in found:
            if sum(other.n for other in found) < kills:
                kill(one, home, rng)
        sys.stderr.write(f"{sum(one.n for one in found)} killed, {sum(len(one.bad) for one in found)} bad\n")
    for one in found:
        sys.stdout.write(json.dumps({"command": one.name, "n": one.n, "bad": one.bad}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
