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
    missed, n = [], 0
    for at in range(N_LINES):
        for change in CHANGES:
            changed = change(lines, at, rng)
            # The lines long before a change are the same: following them 6,000 times would take most of a minute.
            first = max(0, min(at, (at + 1) % N_LINES) - 1)
            after = Head(first, digest(lines[first - 1])) if first else None
            found = follow(b"".join(line + b"\n" for line in changed[first:]), [head], after=after)
            n += 1
            if found.first_bad is None or (abs(found.first_bad - 1 - at) > 1 and change is not swapped):
                missed.append((change.__name__, at, found.first_bad))
    assert not missed
    counted("S6.edits", n, len(missed), seed=SEED, note="1,000 lines; edit, delete, swap, insert, repeat, truncate")


def test_a_log_whose_whole_chain_was_made_again_is_seen_by_the_heads_of_nights():
    rng, lines = random.Random(SEED), long_log()
    # A week of nights: each keeps the head it was made at.
    heads = [Head(n, digest(lines[n - 1]), f"the night {n}") for n in range(140, N_LINES + 1, 140)]
    missed = 0
    tried = range(0, heads[-1].n, 20)
    for at in tried:
        found = follow(b"".join(line + b"\n" for line in chained_anew(lines, at, rng)), heads)
        missed += found.first_bad is None or "knows" not in (found.why or "")
    assert not missed
    counted(
        "S6.edits",
        len(tried),
        missed,
        seed=SEED,
        note="chained again from one line; seen by what nights know of the log",
    )


def begin_log(log: Path, n: int) -> None:
    for number in range(n):
        add_line(log, lambda _, number=number: {"did": f"night {number}"})


def contents(log: Path) -> list[str]:
    return [line["did"] for line in read_lines(log)]


def moments(tmp_path: Path, n_before: int) -> int:
    log, recorder = tmp_path / "counted.jsonl", Recorder()
    begin_log(log, n_before)
    add_line(log, lambda _: {"did": "counted"}, disk=recorder)
    return len(recorder.moments)


@pytest.mark.parametrize("n_before", [0, 3])
def test_stopped_at_any_moment_a_line_is_there_whole_or_not_and_the_next_writer_goes_on(tmp_path, n_before):
    n_moments, bad = moments(tmp_path, n_before), 0
    assert n_moments > 15
    kept = [f"night {number}" for number in range(n_before)]
    for at in range(n_moments):
        log = tmp_path / f"{at}" / "audit.jsonl"
        log.parent.mkdir()
        begin_log(log, n_before)

        with pytest.raises(Dead):
            add_line(log, lambda _: {"did": "new"}, disk=DyingDisk(at))

        found = contents(log)
        add_line(log, lambda _: {"did": "after"})
        is_as_it_should = found in (kept, [*kept, "new"]) and contents(log) == [*found, "after"]
        bad += not is_as_it_should
        assert is_as_it_should, at
    counted("R1.crash_points", n_moments, bad, note=f"a line of the audit log, {n_before} before")


@pytest.mark.parametrize("for_good", [False, True])
def test_a_disk_that_fails_at_any_moment_is_one_error_and_leaves_a_log_that_goes_on(tmp_path, for_good):
    n_moments, bad = moments(tmp_path, 2), 0
    for at in range(n_moments):
        log = tmp_path / f"{for_good} {at}" / "audit.jsonl"
        log.parent.mkdir()
        begin_log(log, 2)
        with pytest.raises(AuditError) as fault:
            add_line(log, lambda _: {"did": "new"}, disk=FailingDisk(at, 28, for_good=for_good))
        assert "No space left" in str(fault.value)

        found = contents(log)
        add_line(log, lambda _: {"did": "after"})
        bad += found[:2] != ["night 0", "night 1"] or contents(log) != [*found, "after"]
    assert not bad
    counted("R9.io_errors", n_moments, bad, note=f"a line of the audit log; for good: {for_good}")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a process of its own")
def test_a_process_that_ends_at_any_moment_leaves_a_log_that_goes_on(tmp_path):
    for at in range(moments(tmp_path, 2)):
        log = tmp_path / f"{at}" / "audit.jsonl"
        log.parent.mkdir()
        begin_log(log, 2)

        run = lambda log=log, at=at: add_line(log, lambda _: {"did": "new"}, disk=ExitingDisk(at))  # noqa: E731
        assert exit_code(fork(run)) == 9

        found = contents(log)
        add_line(log, lambda _: {"did": "after"})
        assert contents(log) == [*found, "after"]


@pytest.mark.parametrize("length", range(1, 40, 3))
def test_an_unfinished_last_line_is_mended_and_anything_else_is_not(tmp_path, length):
    log = tmp_path / "audit.jsonl"
    begin_log(log, 2)
    whole = log.read_bytes()
    log.write_bytes(whole + whole[:length])
    assert verify(log).is_unfinished
    assert verify(log).is_whole
    add_line(log, lambda _: {"did": "after"})
    assert contents(log) == ["night 0", "night 1", "after"]

    log.write_bytes(whole[:-length])
    with pytest.raises(AuditError, match="its line 2 is the first bad one"):
        add_line(log, lambda _: {"did": "later"})


def test_a_log_without_its_head_file_or_with_another_is_not_written_to(tmp_path):
    log = tmp_path / "audit.jsonl"
    begin_log(log, 3)
    head_file(log).unlink()
    with pytest.raises(AuditError, match="head file is missing"):
        add_line(log, lambda _: {"did": "new"})
    head_file(log).write_text("no head")
    with pytest.raises(AuditError, match="head file cannot be read"):
        add_line(log, lambda _: {"did": "new"})


@pytest.mark.skipif(os.name != "posix", reason="links and modes of POSIX")
def test_a_log_is_for_its_owner_alone_and_is_never_reached_through_a_link(tmp_path):
    before = os.umask(0)
    try:
        with logged(
            audit_place(tmp_path), Asked("explain", about=about_person(audit_place(tmp_path), "b" * 32)), world=WORLD
        ):
            pass
    finally:
        os.umask(before)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["audit.jsonl", "audit.jsonl.head", "audit.jsonl.key"]
    assert not [path.name for path in tmp_path.iterdir() if path.stat().st_mode & 0o077]
    assert b"b" * 32 not in b"".join(path.read_bytes() for path in tmp_path.iterdir())

    (tmp_path / "elsewhere").write_text("kept")
    (tmp_path / "linked.jsonl").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "pipe.jsonl")
    for name in ("linked.jsonl", "pipe.jsonl"):
        with pytest.raises(AuditError):
            add_line(tmp_path / name, lambda _: {"did": "new"})
    assert (tmp_path / "elsewhere").read_text() == "kept"


def test_a_use_is_two_lines_and_a_fault_is_told_by_its_name_alone(tmp_path):
    log = tmp_path / "audit.jsonl"
    with logged(log, Asked("score", settings="a" * 64, overrides=["--accept-change"]), world=WORLD) as use:
        use.tell(counts={"listed": 5})
    with pytest.raises(ZeroDivisionError), logged(log, Asked("score", settings="b" * 64), world=WORLD):
        _ = 1 / 0

    lines = [{key: value for key, value in line.items() if key != "previous"} for line in read_lines(log)]
    stamp = {"at": "2026-11-22T19:00:00+00:00", "by": "svc-outreach", "did": "score"}
    assert lines == [
        {"n": 1, **stamp, "stage": "begun", "settings": "a" * 64, "overrides": ["--accept-change"]},
        {"n": 2, **stamp, "stage": "done", "of": 1, "counts": {"listed": 5}},
        {"n": 3, **stamp, "stage": "begun", "settings": "b" * 64, "settings_changed": True},
        {"n": 4, **stamp, "stage": "stopped", "of": 3, "fault": "ZeroDivisionError"},
    ]


def test_nothing_is_done_unless_the_first_line_is_on_the_disk(tmp_path):
    counting = Recorder()
    with logged(tmp_path / "counted.jsonl", Asked("explain"), world=WORLD, disk=counting):
        n_moments = len(counting.moments)
    done, bad = [], 0
    for at in range(n_moments):
        log = tmp_path / f"{at}.jsonl"
        with pytest.raises(Dead), logged(log, Asked("explain"), world=WORLD, disk=DyingDisk(at)):
            done.append(at)
        bad += bool(done)
    assert not done
    counted("P9.refusals", n_moments, bad, note="a use killed at each moment of its first line")


def test_a_last_line_that_cannot_be_written_is_told(tmp_path):
    class Full(Disk):
        def watch(self, moment: str, operation: str, *paths: Path) -> None:
            if self.is_full and operation == "append":
                raise OSError(28, "No space left on device")

        is_full = False

    disk = Full()
    with pytest.raises(AuditError), logged(tmp_path / "audit.jsonl", Asked("score"), world=WORLD, disk=disk):
        disk.is_full = True
    assert [line["stage"] for line in read_lines(tmp_path / "audit.jsonl")] == ["begun"]
