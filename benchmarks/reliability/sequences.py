"""Random sequences of publish, publish again, publish something else, be ended at any moment, and go on.

    python -m benchmarks.reliability sequences [--number 200] [--seed 1] [--dry-run]

After each step the folder is looked at: one whole night is current, the one published last or, after an end, that or
the new one; the same night again changes nothing; nothing is left over once a run has come to its end. Needs an
operating system that can fork.
"""

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ageingwell.disk import DISK, Disk
from ageingwell.publish import current
from ageingwell.publish.lock import publishing_lock
from ageingwell.publish.staging import STAGING, Published, publish_folder, staged, write_bytes
from benchmarks.reliability.figures import write_figure

GOAL = "R6.sequences"
NUMBER, STEPS = 200, 8
# A publication of three files has about 50 moments; some ends come after it.
MOMENTS = 60
Night = Mapping[str, bytes]


class EndingDisk(Disk):
    """Ends the process at a moment, with nothing tidied up: as SIGKILL does."""

    def __init__(self, at: int) -> None:
        self.left = at

    def watch(self, moment: str, operation: str, *paths: Path) -> None:
        """Count, and end."""
        self.left -= 1
        if self.left < 0:
            os._exit(9)


def wrong_sequences(place: Path, *, number: int, seed: int) -> list[str]:
    """Try the sequences, each in a folder of its own, and say what was wrong with which."""
    draw = random.Random(seed)
    return [
        f"sequence {n}: {fault}"
        for n in range(number)
        if (fault := _sequence(place / f"{n}", random.Random(draw.random()))) is not None
    ]


def _sequence(out: Path, draw: random.Random) -> str | None:
    expected: dict[str, Night] = {}  # by folder: what was published for good
    last: tuple[str, Night] | None = None
    for step in range(STEPS):
        name = f"2026-11-{draw.randint(20, 23)}"
        files = _files(draw.choice("abc"))
        how = draw.choice(["run", "again", "ended"])
        if how == "again" and last is not None:
            name, files = last
        if how == "ended":
            _ended(out, name, files, at=draw.randrange(MOMENTS))
            fault = _whole(out, [*expected.values(), files])
            expected = _read_all(out)
        else:
            before, was = _read_all(out), current(out) if out.exists() else None
            newest = _newest(before, name)
            night = _publish(out, name, files, disk=DISK)
            last = (name, files)
            expected = _read_all(out)
            fault = _whole(out, list(expected.values()))
            if newest == files and (night.changed or expected != before):
                fault = "the same night again was published anew"
            if newest != files and (not night.changed or len(expected) != len(before) + 1):
                fault = "another night was not published once"
            if was is not None and was.name[:10] > name and current(out) != was:
                fault = "an earlier night became the current one"
            if any(path.name.startswith(STAGING) for path in out.iterdir()):
                fault = "something was left over"
        if fault is not None:
            return f"step {step} ({how}): {fault}"
    return None


def _files(word: str) -> Night:
    return {"list.parquet": f"PAR1 {word} PAR1".encode(), "report.html": f"<p>{word}</p>".encode() * 50}


def _publish(out: Path, name: str, files: Night, *, disk: Disk) -> Published:
    with publishing_lock(out, holder="this run", disk=disk), staged(out, name=name, disk=disk) as folder:
        for file, content in files.items():
            write_bytes(folder / file, content, disk=disk)
        return publish_folder(folder, out, name=name, disk=disk)


def _ended(out: Path, name: str, files: Night, *, at: int) -> None:
    child = os.fork()
    if child == 0:
        try:
            _publish(out, name, files, disk=EndingDisk(at))
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def _whole(out: Path, allowed: Sequence[Night]) -> str | None:
    """What is wrong with the current night: it is one that was published or was to be, with every file."""
    folder = current(out) if out.exists() else None
    if folder is None:
        return None
    return None if _read(folder) in [dict(night) for night in allowed] else "the current night is a mixture"


def _read(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def _read_all(out: Path) -> dict[str, Night]:
    return {path.name: _read(path) for path in out.glob("2026-*") if path.is_dir() and not path.is_symlink()}


def _newest(nights: Mapping[str, Night], name: str) -> Night | None:
    revisions = sorted((night for night in nights if night[:10] == name), key=lambda night: (len(night), night))
    return nights[revisions[-1]] if revisions else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Try them, and write the figure."""
    parser = argparse.ArgumentParser("python -m benchmarks.reliability sequences", description=__doc__)
    parser.add_argument("--number", type=int, default=NUMBER)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dry-run", action="store_true", help="write no figure")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        wrong = wrong_sequences(Path(place), number=asked.number, seed=asked.seed)
    sys.stdout.write("".join(f"{fault}\n" for fault in wrong))
    sys.stdout.write(f"{asked.number - len(wrong)} of {asked.number} sequences ended as they have to\n")
    if not asked.dry_run:
        command = "python -m benchmarks.reliability sequences"
        write_figure(GOAL, asked.number, len(wrong), seed=asked.seed, command=command)
    return 1 if wrong else 0
