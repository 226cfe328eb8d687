"""Stop a command at every moment of every operation on the disk, and look at what a reader finds afterwards.

    scene = Scene(run=lambda place: write_file(place / "page.html", b"..."), seen=lambda place: files_of(place))
    crash_points(scene, tmp_path / "crash")   # ends before, half-way through and after each operation
    io_errors(scene, tmp_path / "errors")     # ENOSPC, EIO, EACCES, a short write, at each of them
    power_cuts(scene, tmp_path / "cuts")      # what was not asked to be on the disk is lost, in any combination

Each gives how many were tried, and in words those after which a reader finds neither what was there before nor what the
command leaves when nothing stops it. All go through `Disk.watch`, so `run` may be a whole command.
"""

import errno
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ageingwell import room
from ageingwell.disk import Disk
from ageingwell.errors import AgeingWellError
from helpers.nights import Dead, DyingDisk, FailingDisk, Recorder
from helpers.power import PowerDisk, materialise, states_after_a_cut

FAULTS = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO, "EACCES": errno.EACCES}
# What the next run sweeps away, and no reader looks at.
_UNSEEN = (".partial", ".before", ".lock", "-wal", "-shm")


def files_in(folder: Path) -> object:
    """Every file and folder below a folder, with its bytes; without what a run has not finished."""
    if not folder.exists():
        return None
    found: dict[str, object] = {}
    for path in sorted(folder.iterdir()):
        if path.name.endswith(_UNSEEN) or path.name.startswith(".staging-"):
            continue
        found[path.name] = (
            f"-> {path.readlink()}" if path.is_symlink() else files_in(path) if path.is_dir() else path.read_bytes()
        )
    return found


@dataclass(frozen=True)
class Scene:
    """A command, `run`, in a folder where something is `prepared`, and what a reader has `seen` there.

    `rerun` is what a person does after it was stopped, by default the same again; `refuses` says that a second run of
    the same is refused, such as a new file that is there already.
    """

    run: Callable[[Path], object]
    prepared: Callable[[Path], object] = lambda place: None
    seen: Callable[[Path], object] = files_in
    refuses: bool = False


@dataclass
class Counted:
    """How many were tried, and which went wrong, in words."""

    n: int
    bad: list[str]


@contextmanager
def watching(disk: Disk) -> Iterator[None]:
    """Let one disk see every operation of all of them."""
    before = Disk.__dict__["watch"]
    Disk.watch = lambda self, *given: type(disk).watch(disk, *given)  # type: ignore[method-assign,misc]
    try:
        yield
    finally:
        Disk.watch = before  # type: ignore[method-assign]


class _Ends:
    """What a reader sees before the command, and after it when nothing stops it."""

    def __init__(self, scene: Scene, place: Path) -> None:
        self.scene = scene
        self.start = place / "start"
        self.start.mkdir(parents=True)
        scene.prepared(self.start)
        self.before = scene.seen(self.start)
        calm = self.fresh(place / "calm")
        self.recorder = Recorder()
        with watching(self.recorder):
            scene.run(calm)
        self.after = scene.seen(calm)
        self.moments = len(self.recorder.moments)

    def fresh(self, place: Path) -> Path:
        shutil.copytree(self.start, place, symlinks=True)
        return place

    def is_whole(self, place: Path) -> bool:
        return self.scene.seen(place) in (self.before, self.after)

    def mends(self, place: Path) -> bool:
        """Whether the same command leaves everything as it should be, and nothing of the run that was stopped."""
        done = self.scene.seen(place) == self.after
        with suppress(*((AgeingWellError,) if self.scene.refuses and done else ())):
            self.scene.run(place)
        left = [path.name for path in place.rglob("*") if path.name.endswith((".partial", ".before"))]
        return self.scene.seen(place) == self.after and not left


def crash_points(scene: Scene, place: Path, *, every: int = 1) -> Counted:
    """End the run at each moment (or each `every`th), with nothing tidied up."""
    ends, counted = _Ends(scene, place), Counted(0, [])
    for at in range(0, ends.moments, every):
        here, dying = ends.fresh(place / str(at)), DyingDisk(at)
        with watching(dying), suppress(Dead):
            scene.run(here)
        room._LIVE.clear()  # a process that has ended holds nothing
        what = " ".join(map(str, ends.recorder.moments[at][:2]))
        _count(counted, what, is_whole=ends.is_whole(here), mends=ends.mends(here))
        shutil.rmtree(here)
    return counted


def io_errors(scene: Scene, place: Path, *, every: int = 1) -> Counted:
    """Let each operation fail in each way: an error that a user can mend, and nothing left half done.

    At the middle of a write that is a short one: half the bytes are there, the other half is refused.
    """
    ends, counted = _Ends(scene, place), Counted(0, [])
    cases = [(at, name, for_good) for at in range(0, ends.moments, every) for name in FAULTS for for_good in (0, 1)]
    for at, name, for_good in cases:
        here, failing = ends.fresh(place / f"{at}{name}{for_good}"), Failing(at, FAULTS[name], for_good=bool(for_good))
        what = f"{' '.join(map(str, ends.recorder.moments[at][:2]))}: {name}{' for good' * for_good}"
        try:
            with watching(failing):
                scene.run(here)
            told = True
        except AgeingWellError as fault:
            told = errno.errorcode[FAULTS[name]] in str(fault) or os.strerror(FAULTS[name]) in str(fault)
        except OSError:
            told = False
        counted.bad += [] if told else [f"{what}: no error that a user can mend"]
        _count(counted, what, is_whole=ends.is_whole(here), mends=ends.mends(here))
        shutil.rmtree(here)
    return counted


class Failing(FailingDisk):
    """A disk on which every kind of write may fail."""

    WRITES = FailingDisk.WRITES | {
        "make_scratch", "write_new", "write_from", "write_frame", "sink_frame", "sink_parts", "append", "new_file",
        "handed_over", "swap", "open_ours", "open_log",
    }  # fmt: skip


def power_cuts(scene: Scene, place: Path, *, each: int = 50, seed: int = 11) -> Counted:
    """Draw `each` states that a disk may be in after a cut at every operation; the last has to hold what is new."""
    ends, counted = _Ends(scene, place), Counted(0, [])
    real = ends.fresh(place / "real")
    disk = PowerDisk(real)
    with watching(disk):
        scene.run(real)
    verdicts: dict[object, bool] = {}
    for done, state in states_after_a_cut(disk, each=each, rng=random.Random(seed)):
        key = (state, done == disk.count)
        if key not in verdicts:
            (cut := place / f"cut-{len(verdicts)}").mkdir()
            materialise(state, cut)
            seen = scene.seen(cut)
            verdicts[key] = seen == ends.after or (seen == ends.before and done < disk.count)
            shutil.rmtree(cut)
        counted.n += 1
        counted.bad += [] if verdicts[key] else [f"a cut after operation {done} of {disk.count}"]
    return counted


def _count(counted: Counted, what: str, *, is_whole: bool, mends: bool) -> None:
    counted.n += 1
    counted.bad += [] if is_whole else [f"{what}: neither as before nor as after"]
    counted.bad += [] if mends else [f"{what}: the next run does not mend it"]
