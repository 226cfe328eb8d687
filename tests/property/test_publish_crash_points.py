"""Whatever stops a run, and wherever, `current` is one complete night, old or new, and the next run is clean.

Every moment of every operation is tried, not a sample: before it, halfway through a write, after it.
"""

import errno
import os
import random
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.evidence import counted
from helpers.kill import exit_code, fork, fork_and_kill
from helpers.nights import (
    Dead,
    DyingDisk,
    ExitingDisk,
    FailingDisk,
    Files,
    Recorder,
    files_of,
    leftovers,
    night,
    nights_in,
    run,
)
from helpers.power import PowerDisk, materialise, states_after_a_cut

from ageingwell.errors import LockedError, PublishError
from ageingwell.publish.lock import publishing_lock
from ageingwell.publish.nights import current, is_later

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory where there is one: a sync costs nothing there, and thousands are made."""
    memory = Path("/dev/shm")  # noqa: S108
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@dataclass(frozen=True)
class Scene:
    """What lies in the output folder, and the run that is stopped: its date and files."""

    earlier: tuple[tuple[str, Files], ...]
    name: str
    files: Files
    prepared: Callable[[Path], None] = lambda out: None


def as_text(out: Path) -> None:
    (out / "current").unlink()
    (out / "current.txt").write_text("2026-11-22")


def with_leftovers(out: Path) -> None:
    (out / ".staging-2026-11-23" / "agencies").mkdir(parents=True)
    (out / ".staging-2026-11-23" / "agencies" / "fire.csv").write_text("half a li")
    (out / ".staging-pointer").symlink_to("2026-11-23")


def pointer_not_moved(out: Path) -> None:
    (out / "current").unlink()
    (out / "current").symlink_to("2026-11-21")


SCENES = {
    "the first night": Scene((), "2026-11-22", night("A")),
    "the next night": Scene((("2026-11-22", night("A")),), "2026-11-23", night("B")),
    "a revision": Scene((("2026-11-22", night("A")),), "2026-11-22", night("B")),
    "the same again": Scene((("2026-11-22", night("A")),), "2026-11-22", night("A")),
    "an older night": Scene((("2026-11-22", night("A")),), "2026-11-21", night("B")),
    "a pointer as text": Scene((("2026-11-22", night("A")),), "2026-11-23", night("B"), as_text),
    "leftovers": Scene((("2026-11-22", night("A")),), "2026-11-23", night("B"), with_leftovers),
    "a pointer left behind": Scene(
        (("2026-11-21", night("A")), ("2026-11-22", night("B"))), "2026-11-22", night("B"), pointer_not_moved
    ),
}
every_scene = pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES.keys())


def built(scene: Scene, out: Path) -> Path:
    for name, files in scene.earlier:
        run(out, name, files)
    scene.prepared(out)
    return out


def moments(scene: Scene, place: Path) -> int:
    """Count the moments at which this scene's run can be stopped."""
    recorder = Recorder()
    run(built(scene, place / "count"), scene.name, scene.files, disk=recorder)
    return len(recorder.moments)


@dataclass(frozen=True)
class Before:
    """What lay in the output folder before a run was stopped, and what may lie there after."""

    out: Path
    nights: dict[str, Files | None]
    night: Files | None

    @classmethod
    def of(cls, out: Path) -> "Before":
        return cls(out, nights_in(out), files_of(current(out)))

    def assert_whole(self, scene: Scene) -> None:
        """Old nights are as they were, a new one is complete, and `current` is one of them."""
        after = nights_in(self.out)
        assert {name: after.get(name) for name in self.nights} == self.nights
        assert [after[name] for name in after.keys() - self.nights.keys()] in ([], [scene.files])
        assert files_of(current(self.out)) in (self.night, scene.files)

    def assert_next_run_is_clean(self, scene: Scene, expected: dict[str, Files | None]) -> None:
        """The same run again ends as though nothing had happened."""
        published = run(self.out, scene.name, scene.files)
        assert nights_in(self.out) == expected
        assert leftovers(self.out) == []
        assert files_of(published.folder) == scene.files
        assert published.is_current == (scene is not SCENES["an older night"])
        assert files_of(current(self.out)) == (scene.files if published.is_current else self.night)


def undisturbed(scene: Scene, place: Path) -> dict[str, Files | None]:
    run(out := built(scene, place / "undisturbed"), scene.name, scene.files)
    return nights_in(out)


@pytest.mark.slow
@every_scene
def test_a_run_that_dies_at_any_moment_leaves_a_complete_night(scene: Scene, place: Path):
    expected = undisturbed(scene, place)
    for at in range(moments(scene, place)):
        before = Before.of(built(scene, place / str(at)))

        with pytest.raises(Dead):
            run(before.out, scene.name, scene.files, disk=DyingDisk(at))

        before.assert_whole(scene)
        before.assert_next_run_is_clean(scene, expected)
    counted("R1.crash_points", at + 1, 0)


@pytest.mark.slow
@needs_fork
@pytest.mark.sweep(of=4)
@every_scene
def test_a_process_that_ends_at_once_leaves_a_complete_night_and_no_lock(scene: Scene, place: Path):
    expected = undisturbed(scene, place)
    # Each moment is tried above; here a real process ends, at some of every kind.
    for at in range(0, moments(scene, place), 11):
        before = Before.of(built(scene, place / str(at)))
        disk = ExitingDisk(at)

        assert exit_code(fork(lambda: run(before.out, scene.name, scene.files, disk=disk) and None)) == 9  # noqa: B023

        before.assert_whole(scene)
        before.assert_next_run_is_clean(scene, expected)


FAULTS = [
    ("full for a moment", errno.ENOSPC, False, SCENES.keys()),
    ("full for good", errno.ENOSPC, True, ["the first night", "the next night"]),
    ("input or output fails", errno.EIO, False, ["the next night", "the same again", "a pointer as text"]),
    ("access denied", errno.EACCES, False, ["the next night", "the same again", "a pointer as text"]),
]


@pytest.mark.slow
@pytest.mark.sweep(of=4)
@pytest.mark.parametrize(
    ("scene", "number", "for_good"),
    [
        pytest.param(SCENES[scene], number, for_good, id=f"{fault}, {scene}")
        for fault, number, for_good, scenes in FAULTS
        for scene in scenes
    ],
)
def test_an_error_at_any_moment_is_a_publish_error_and_leaves_a_complete_night(
    scene: Scene, place: Path, number: int, for_good: bool
):
    expected = undisturbed(scene, place)
    for at in range(moments(scene, place)):
        before = Before.of(built(scene, place / str(at)))
        disk = FailingDisk(at, number, for_good=for_good)

        said = said_by(lambda: run(before.out, scene.name, scene.files, disk=disk))  # noqa: B023

        if said is None:  # only in tidying up behind a night that is published
            assert disk.operation in {"kind", "set_mode", "names", "remove_file", "remove_folder"}
        else:
            assert errno.errorcode[number] in said
            assert str(place) not in said

        before.assert_whole(scene)
        before.assert_next_run_is_clean(scene, expected)
    counted("R9.io_errors", at + 1, 0)


def said_by(publishing: Callable[[], object]) -> str | None:
    try:
        publishing()
    except PublishError as error:
        return str(error)
    return None


CUTS = [SCENES[name] for name in ("the first night", "the next night", "a revision", "a pointer as text")]


def bad_states_of(scene: Scene, place: Path, *, ignored: tuple[str, int] | None = None, each: int) -> tuple[int, int]:
    """Draw power cuts all through a run and count the states drawn and those that are no complete night."""
    (real := place / "real").mkdir()
    before = Before.of(built(scene, real / "outreach"))
    disk = PowerDisk(real, ignored=ignored)
    run(before.out, scene.name, scene.files, disk=disk)
    verdicts: dict[object, bool] = {}
    drawn = bad = 0
    for done, state in states_after_a_cut(disk, each=each, rng=random.Random(11)):
        key = (state, done == disk.count)
        if key not in verdicts:
            (cut := place / f"cut-{len(verdicts)}").mkdir()
            materialise(state, cut)
            found = Before(cut / "outreach", before.nights, before.night)
            verdicts[key] = is_whole(found, scene, must_be_new=done == disk.count)
        drawn, bad = drawn + 1, bad + (not verdicts[key])
    return drawn, bad


def is_whole(before: Before, scene: Scene, *, must_be_new: bool) -> bool:
    try:
        before.assert_whole(scene)
    except (AssertionError, PublishError):
        return False
    return not must_be_new or files_of(current(before.out)) == scene.files


@pytest.mark.parametrize("scene", CUTS, ids=["the first night", "the next night", "a revision", "a pointer as text"])
def test_a_power_cut_at_any_moment_leaves_a_complete_night(scene: Scene, place: Path):
    drawn, bad = bad_states_of(scene, place, each=200)
    counted("R1.power_cuts", drawn, bad, seed=11)
    assert drawn > 8_000
    assert bad == 0


@pytest.mark.parametrize(
    ("operation", "level", "scene"),
    [
        pytest.param("sync_file", 3, "the next night", id="files"),
        pytest.param("sync_file", 4, "the next night", id="files in folders"),
        pytest.param("sync_folder", 3, "the next night", id="folders in the staged folder"),
        pytest.param("sync_folder", 2, "the next night", id="staged folder"),
        pytest.param("sync_folder", 1, "the next night", id="output folder"),
        pytest.param("sync_folder", 0, "the first night", id="parent of the output folder"),
        pytest.param("sync_file", 2, "a pointer as text", id="text pointer"),
    ],
)
def test_no_sync_can_be_left_out(place: Path, operation: str, level: int, scene: str):
    _, bad = bad_states_of(SCENES[scene], place, ignored=(operation, level), each=100)
    assert bad > 0


@pytest.mark.slow
def test_any_sequence_of_nights_re_runs_and_deaths_ends_in_complete_nights_only(place: Path):
    for seed in range(60):
        rng = random.Random(seed)
        out = place / str(seed)
        wanted: dict[str, list[Files]] = {}
        last = None
        for _ in range(6):
            name, files = f"2026-11-2{rng.randrange(1, 4)}", night(rng.choice("ABC"))
            wanted.setdefault(name, []).append(files)
            with suppress(Dead):
                run(out, name, files, disk=DyingDisk(rng.randrange(200)))
            now = current(out)
            assert now is None or files_of(now) in wanted[now.name[:10]]
            assert last is None or (now is not None and not is_later(last, now))
            last = now
        assert all(files in wanted[name[:10]] for name, files in nights_in(out).items())
        assert run(out, "2026-11-24", night("D")).is_current
        assert leftovers(out) == []


@pytest.mark.slow
@needs_fork
def test_sigkill_at_random_moments_leaves_a_complete_night(place: Path):
    out, rng, killed = place / "outreach", random.Random(5), 0
    run(out, "2026-11-22", night("A"))
    old, new = night("A") | {"x": b"x"}, night("A") | {"x": b"y"}

    def publish_for_ever() -> None:
        while True:
            run(out, "2026-11-22", old)
            run(out, "2026-11-22", new)

    for _ in range(12):
        killed += fork_and_kill(publish_for_ever, after_seconds=rng.uniform(0.005, 0.03))
        assert files_of(current(out)) in (night("A"), old, new)
        assert all(files in (night("A"), old, new) for files in nights_in(out).values())
        run(out, "2026-11-22", night("A"))
        assert leftovers(out) == []
    assert killed == 12


# One writer at a time


def attempt(out: Path, *, start: int, hold: int, lost: int) -> None:
    """Wait for the start, try for the lock, and hold it until the others have lost."""
    os.read(start, 1)
    try:
        with publishing_lock(out, holder=f"process {os.getpid()}"):
            os.read(hold, 1)
    except LockedError as error:
        os.write(lost, f"{error.found}\n".encode())
        os._exit(LockedError.exit_code)


@pytest.mark.slow
@needs_fork
def test_of_eight_runs_at_once_exactly_one_holds_the_folder(place: Path):
    # In three folders that are not there yet, and in each again.
    for turn in range(6):
        (start, started), (hold, held), (lost, losing) = os.pipe(), os.pipe(), os.pipe()

        def contender(out: Path = place / str(turn % 3), pipes: tuple[int, ...] = (start, hold, losing)) -> None:
            attempt(out, start=pipes[0], hold=pipes[1], lost=pipes[2])

        children = {fork(closing((started, held), contender)) for _ in range(8)}
        os.close(started)
        codes = {}
        for _ in range(7):
            child, status = os.wait()
            codes[child] = os.waitstatus_to_exitcode(status)
        os.close(held)
        os.close(losing)
        (winner,) = children - codes.keys()

        assert list(codes.values()) == [75] * 7
        assert exit_code(winner) == 0
        with os.fdopen(lost) as reader:
            told = set(reader.read().splitlines())
        assert told <= {
            f"another run is writing to the output folder (process {winner})",
            "another run is writing to the output folder (it has not said who it is yet)",
        }
        os.close(start)
        os.close(hold)


def closing(descriptors: tuple[int, ...], run: Callable[[], None]) -> Callable[[], None]:
    """Close the ends of pipes that are the parent's, so that closing them there is the end of the pipe."""

    def closed() -> None:
        for descriptor in descriptors:
            os.close(descriptor)
        run()

    return closed


@needs_fork
def test_the_lock_of_a_killed_run_is_free_at_once(place: Path):
    out = place / "outreach"
    ready, holds = os.pipe()

    def hold() -> None:
        with publishing_lock(out, holder="process 1"):
            os.write(holds, b"x")
            signal.pause()

    child = fork(hold)
    os.read(ready, 1)
    os.kill(child, signal.SIGKILL)

    assert exit_code(child) == -signal.SIGKILL
    assert (out / ".lock").read_text() == "process 1"
    with publishing_lock(out, holder="process 2"):
        pass
    os.close(ready)
    os.close(holds)


@needs_fork
def test_a_forked_child_that_outlives_its_run_does_not_keep_the_lock(place: Path):
    out = place / "outreach"
    with publishing_lock(out, holder="process 1"):
        child = fork(signal.pause)
    with publishing_lock(out, holder="process 2"):
        pass
    os.kill(child, signal.SIGKILL)
    exit_code(child)


# The helper that kills


@needs_fork
def test_a_run_that_ends_before_the_kill_was_not_killed():
    assert not fork_and_kill(lambda: None, after_seconds=60)


@needs_fork
def test_a_run_that_fails_by_itself_is_no_kill(capfd: pytest.CaptureFixture[str]):
    with pytest.raises(AssertionError, match="failed before it could be killed"):
        fork_and_kill(lambda: 1 // 0 and None, after_seconds=60)
    assert "ZeroDivisionError" in capfd.readouterr().err
