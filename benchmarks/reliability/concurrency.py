"""Eight processes write to one folder at the same moment, round after round: one publishes, the others stop with 75.

    python -m benchmarks.reliability concurrency [--rounds 100] [--processes 8] [--dry-run]

Needs an operating system that can fork.
"""

import argparse
import multiprocessing
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier
from pathlib import Path
from queue import Empty
from typing import Any

from ageingwell.errors import LockedError
from ageingwell.publish import current
from ageingwell.publish.lock import publishing_lock
from ageingwell.publish.staging import publish_folder, staged, write_bytes
from benchmarks.reliability.figures import write_figure

GOAL = "R7.concurrency"
PROCESSES, ROUNDS = 8, 100
_SECONDS = 60.0


def wrong_rounds(out: Path, *, processes: int, rounds: int) -> list[str]:
    """Let the processes race, and say what was wrong with which round; nothing where each had one winner."""
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(processes), context.Queue()
    rivals = [
        context.Process(target=_race, args=(out, barrier, results, rounds, n), daemon=True) for n in range(processes)
    ]
    for rival in rivals:
        rival.start()
    told: list[tuple[int, str, str]] = []
    try:
        told = [results.get(timeout=_SECONDS) for _ in range(processes * rounds)]
    except Empty:
        return [f"only {len(told)} of {processes * rounds} ended: the others wait for one another"]
    finally:
        for rival in rivals:
            rival.join(timeout=_SECONDS)
            rival.kill()
    return [fault for n in range(rounds) if (fault := _fault(n, told, out, processes))]


def _race(out: Path, barrier: Barrier, results: Any, rounds: int, who: int) -> None:
    for n in range(rounds):
        barrier.wait(_SECONDS)
        try:
            with publishing_lock(out, holder=f"process {who}"):
                # Whoever has the folder keeps it until all others have asked for it.
                barrier.wait(_SECONDS)
                with staged(out, name=_night(n)) as folder:
                    write_bytes(folder / "who.txt", str(who).encode())
                    publish_folder(folder, out, name=_night(n))
            results.put((n, "published", str(who)))
        except LockedError as fault:
            barrier.wait(_SECONDS)
            results.put((n, str(fault.exit_code), str(fault)))
        except Exception as fault:
            barrier.abort()
            results.put((n, type(fault).__name__, str(who)))


def _night(n: int) -> str:
    return f"{2000 + n // 28:04}-01-{n % 28 + 1:02}"


def _fault(n: int, told: Sequence[tuple[int, str, str]], out: Path, processes: int) -> str | None:
    mine = [(how, said) for at, how, said in told if at == n]
    winners = [said for how, said in mine if how == "published"]
    losers = [said for how, said in mine if how == "75" and "another run is writing" in said]
    night = out / _night(n) / "who.txt"
    if len(winners) != 1 or len(losers) != processes - 1:
        return f"round {n}: {len(winners)} published, {len(losers)} stopped with 75"
    if night.read_text() != winners[0]:
        return f"round {n}: the night is not that of the process that published it"
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Race, and write the figure."""
    parser = argparse.ArgumentParser("python -m benchmarks.reliability concurrency", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--dry-run", action="store_true", help="write no figure")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        wrong = wrong_rounds(Path(place) / "out", processes=asked.processes, rounds=asked.rounds)
        last = current(Path(place) / "out")
        if last is None or last.name != _night(asked.rounds - 1):
            wrong.append("the last round's night is not the current one")
    sys.stdout.write("".join(f"{fault}\n" for fault in wrong))
    sys.stdout.write(f"{asked.rounds - len(wrong)} of {asked.rounds} rounds had one winner\n")
    if not asked.dry_run:
        write_figure(GOAL, asked.rounds, len(wrong), seed=None, command="python -m benchmarks.reliability concurrency")
    return 1 if wrong else 0
