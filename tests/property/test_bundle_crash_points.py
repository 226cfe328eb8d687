"""Whatever stops the writing of a bundle, and wherever, whoever reads it finds one whole bundle, the old or the new.

Every moment of every operation is tried. `train`, `recalibrate`, `seal` and `RiskModel.save` all write
through `write_whole`.
"""

import errno
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.evidence import counted
from helpers.nights import Dead, DyingDisk, FailingDisk, Files, Recorder, files_of
from helpers.power import PowerDisk, materialise, states_after_a_cut

from ageingwell.bundle import find_bundle, load_bundle
from ageingwell.checksums import SUMS, checked_files
from ageingwell.config.files import read_codelists, shipped
from ageingwell.disk import DISK, Disk
from ageingwell.errors import AgeingWellError, PublishError
from ageingwell.learning.storing import save_bundle
from ageingwell.publish.whole import BEFORE, STAGED, sealed, standing, write_whole


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory where there is one: a sync costs nothing there, and hundreds are made."""
    memory = Path("/dev/shm")  # noqa: S108
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


OLD = sealed({"bundle.json": b"{'old': 1}", "card.md": b"old", "model_death.txt": b"tree of old"})
NEW = sealed({"bundle.json": b"{'new': 1}", "card.md": b"new", "model.txt": b"tree of new"})
KNOWN = {*OLD, *NEW}


def write(out: Path, files: Files, *, disk: Disk = DISK) -> None:
    write_whole(out, files, what="the bundle", replaces=KNOWN.__contains__, disk=disk)


@dataclass(frozen=True)
class Scene:
    """What stands there before the run that is stopped, and what a reader may find after it."""

    prepared: Callable[[Path], None]
    found: tuple[Files | None, ...]


def nothing(out: Path) -> None:
    out.parent.mkdir()


def a_bundle(out: Path) -> None:
    nothing(out)
    write(out, OLD)


def an_empty_folder(out: Path) -> None:
    nothing(out)
    out.mkdir(mode=0o700)


def what_a_dead_run_left(out: Path) -> None:
    """It died between the two renames: the old bundle stands aside, the new one is staged."""
    a_bundle(out)
    out.rename(out.with_name(f"{BEFORE}{out.name}"))
    staged = out.with_name(f"{STAGED}{out.name}")
    staged.mkdir()
    (staged / "card.md").write_bytes(b"half a c")


SCENES = {
    "the first bundle in a folder to be made": Scene(lambda out: None, (None, NEW)),
    "the first bundle": Scene(nothing, (None, NEW)),
    "over an empty folder": Scene(an_empty_folder, (None, {}, NEW)),
    "over a bundle": Scene(a_bundle, (OLD, NEW)),
    "after a run that died": Scene(what_a_dead_run_left, (OLD, NEW)),
}


def as_read(out: Path) -> Files | None:
    """What a reader finds."""
    folder = standing(out)
    return files_of(folder) if folder.is_dir() else None


def moments_of(scene: Scene, out: Path) -> int:
    scene.prepared(out)
    recorder = Recorder()
    write(out, NEW, disk=recorder)
    assert as_read(out) == NEW
    return len(recorder.moments)


def test_every_crash_point_leaves_one_whole_bundle_and_the_next_run_is_clean(place: Path) -> None:
    tried, bad = 0, []
    for name, scene in SCENES.items():
        n = moments_of(scene, place / name / "models" / "ours") if not (place / name).mkdir() else 0
        assert n > 20
        for at in range(n):
            shutil.rmtree(place / name)
            (place / name).mkdir()
            out = place / name / "models" / "ours"
            scene.prepared(out)
            with suppress(Dead):
                write(out, NEW, disk=DyingDisk(at))
            tried += 1
            is_right = as_read(out) in scene.found
            write(out, NEW)
            is_clean = as_read(out) == NEW and [path.name for path in out.parent.iterdir()] == ["ours"]
            if not is_right or not is_clean:
                bad.append((name, at))
    counted("R1.crash_points", tried, len(bad), note="writing a bundle")
    assert bad == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES], ids=errno.errorcode.get)
@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
def test_an_error_of_the_disk_at_any_operation_leaves_one_whole_bundle(
    place: Path, number: int, for_good: bool
) -> None:
    tried = bad = 0
    for name, scene in SCENES.items():
        (place / name).mkdir()
        for at in range(moments_of(scene, place / name / "models" / "ours")):
            shutil.rmtree(place / name)
            (place / name).mkdir()
            out = place / name / "models" / "ours"
            scene.prepared(out)
            disk = FailingDisk(at, number, for_good=for_good)
            with suppress(PublishError):
                write(out, NEW, disk=disk)
            tried += 1
            bad += as_read(out) not in scene.found
    counted("R9.io_errors", tried, bad, note="writing a bundle")
    assert bad == 0


@pytest.mark.parametrize("name", ["the first bundle", "over a bundle", "after a run that died"])
def test_a_power_cut_at_any_moment_leaves_one_whole_bundle(place: Path, name: str) -> None:
    scene, drawn, bad = SCENES[name], 0, 0
    start = place / "start"
    start.mkdir()
    scene.prepared(start / "models" / "ours")
    disk = PowerDisk(start)
    write(start / "models" / "ours", NEW, disk=disk)
    for _, state in states_after_a_cut(disk, each=30, rng=random.Random(7)):
        after = place / "after"
        after.mkdir()
        materialise(state, after)
        drawn += 1
        bad += as_read(after / "models" / "ours") not in scene.found
        shutil.rmtree(after)
    counted("R1.power_cuts", drawn, bad, seed=7, note=f"writing a bundle: {name}")
    assert bad == 0


@pytest.mark.parametrize(
    ("operation", "level"),
    [("sync_file", 3), ("sync_folder", 2), ("sync_folder", 1)],
    ids=["files", "the staged folder", "the folder of bundles"],
)
def test_no_sync_can_be_left_out(place: Path, operation: str, level: int) -> None:
    start, bad = place / "start", 0
    start.mkdir()
    a_bundle(start / "models" / "ours")
    disk = PowerDisk(start, ignored=(operation, level))
    write(start / "models" / "ours", NEW, disk=disk)
    for _, state in states_after_a_cut(disk, each=15, rng=random.Random(7)):
        (place / "after").mkdir()
        materialise(state, place / "after")
        bad += as_read(place / "after" / "models" / "ours") not in (OLD, NEW)
        shutil.rmtree(place / "after")
    assert bad > 0


def test_training_over_a_bundle_leaves_one_that_loads_wherever_it_dies(place: Path) -> None:
    """The real files, of which every twentieth moment is tried: the moments are those above."""
    codelists = read_codelists(shipped("configs") / "codelists")
    made = load_bundle("demo", codelists=codelists)
    out = place / "models" / "ours"

    def train(disk: Disk) -> None:
        facts = {key: made.facts[key] for key in ("made_up", "training", "evaluation", "verdict")}
        save_bundle(made.models, facts, out, codelists=codelists, tables=made.tables, card="A card.\n", disk=disk)

    shutil.copytree(find_bundle("demo"), out)
    old = files_of(out)
    recorder = Recorder()
    train(recorder)
    new = files_of(out)
    assert load_bundle(out, codelists=codelists).digest != made.digest
    for at in range(0, len(recorder.moments), 20):
        shutil.rmtree(out.parent)
        shutil.copytree(find_bundle("demo"), out)
        with suppress(Dead):
            train(DyingDisk(at))
        assert as_read(out) in (old, new)
        checked_files(standing(out))


@pytest.mark.parametrize(
    ("prepared", "told"),
    [
        (lambda out: (out.mkdir(parents=True), (out / "notes.txt").write_text("mine")), r"other files, notes\.txt for"),
        (lambda out: (out / "model.txt").mkdir(parents=True), r"other files, model\.txt for one"),
        (lambda out: (out.parent.mkdir(), out.symlink_to(out.parent)), "its folder is a link"),
        (lambda out: (out.parent.mkdir(), out.write_text("a file")), "something that is no folder"),
    ],
)
def test_what_is_no_bundle_is_left_alone(place: Path, prepared: Callable[[Path], object], told: str) -> None:
    out = place / "models" / "ours"
    prepared(out)

    with pytest.raises(PublishError, match=told):
        write(out, NEW)

    assert [path.name for path in out.parent.iterdir()] == ["ours"]
    assert not (out / SUMS).exists()


def test_the_folder_one_stands_in_is_not_taken_away(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    with pytest.raises(AgeingWellError, match="the folder you are in"):
        write(Path(), NEW)
