"""Whatever is done to a line of an audit log shows, and whatever stops a run leaves whole lines."""

import json
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from helpers.evidence import counted
from helpers.kill import exit_code, fork
from helpers.nights import Dead, DyingDisk, ExitingDisk, FailingDisk, Recorder

from ageingwell.audit.chain import Head, digest, follow, line_of
from ageingwell.audit.uses import Asked, about_person, audit_place, logged
from ageingwell.audit.writing import add_line, head_file, read_lines, verify
from ageingwell.context import Surroundings
from ageingwell.disk import Disk
from ageingwell.errors import AuditError

SEED = 13
N_LINES = 1_000
WORLD = Surroundings(now=lambda: datetime(2026, 11, 22, 19, tzinfo=UTC), user="svc-outreach")


def long_log() -> list[bytes]:
    lines: list[bytes] = []
    for number in range(N_LINES):
        before = Head(number, digest(lines[-1])) if lines else None
        lines.append(line_of({"at": "2026-11-22", "did": ("score", "explain")[number % 2], "counts": number}, before))
    return lines


def edited(lines: list[bytes], at: int, rng: random.Random) -> list[bytes]:
    where = rng.randrange(len(lines[at]))
    flipped = bytes([lines[at][where] ^ (1 << rng.randrange(7))])
    return [*lines[:at], lines[at][:where] + flipped + lines[at][where + 1 :], *lines[at + 1 :]]


def deleted(lines: list[bytes], at: int, rng: random.Random) -> list[bytes]:
    return [*lines[:at], *lines[at + 1 :]]


def swapped(lines: list[bytes], at: int, rng: random.Random) -> list[bytes]:
    other = (at + 1) % len(lines)
    changed = list(lines)
    changed[at], changed[other] = changed[other], changed[at]
    return changed


def inserted(lines: list[bytes], at: int, rng: random.Random) -> list[bytes]:
    before = Head(at, digest(lines[at - 1])) if at else None
    return [*lines[:at], line_of({"did": "score"}, before), *lines[at:]]


def repeated(lines: list[bytes], at: int, rng: random.Random) -> list[bytes]:
    return [*lines[: at + 1], *lines[at:]]


def truncated(lines: list[bytes], at: int, rng: random.Random) -> list[bytes]:
    return lines[:at]


def chained_anew(lines: list[bytes], at: int, rng: random.Random) -> list[bytes]:
    """Edited with skill: the line says something else, and every digest after it is made again."""
    changed: list[bytes] = []
    for number, line in enumerate(lines):
        told = json.loads(line)
        told.pop("previous"), told.pop("n")
        if number == at:
            told["did"] = "nothing"
        changed.append(line_of(told, Head(number, digest(changed[-1])) if changed else None))
    return changed


CHANGES: tuple[Callable[[list[bytes], int, random.Random], list[bytes]], ...] = (
    edited,
    deleted,
    swapped,
    inserted,
    repeated,
    truncated,
)


def test_every_change_of_every_line_of_a_long_log_is_seen():
    rng, lines = random.Random(SEED), long_log()
    head = Head(N_LINES, digest(lines[-1]))
    assert follow(b"\n".join(lines) + b"\n", [head]).is_whole
    # Only the lines around a change decide what is found: a short log is followed a thousand times as fast.
    missed, n = [], 0
    for at in range(N_LINES):
        for change in CHANGES:
            changed = change(lines, at, rng)
            first = max(0, at - 2)
            begun = Head(first, digest(lines[first - 1])) if first else None
            found = follow_from(changed, first, begun, head)
            n += 1
            if found or (change is not truncated and found is None):
                missed.append((change.__name__, at))
    assert not missed
    counted("S6.chain", n, len(missed), seed=SEED, note="1,000 lines; edit, delete, swap, insert, repeat, truncate")


def follow_from(changed: list[bytes], first: int, begun: Head | None, head: Head) -> bool:
    """Whether the lines from `first` on, up to a few behind the change, still follow as they should."""
    previous, ends = (begun.sha256 if begun else "0" * 64), first + 5
    for number, line in enumerate(changed[first:ends], start=first + 1):
        try:
            told = json.loads(line)
        except ValueError:
            return False
        if not isinstance(told, dict) or told.get("n") != number or told.get("previous") != previous:
            return False
        previous = digest(line)
    if len(changed) < head.n:
        return False
    return len(changed) >= ends or digest(changed[head.n - 1]) == head.sha256
