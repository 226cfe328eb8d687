"""Whatever stops a command that writes, a reader finds all it wrote or what was there before; it can be run again."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.evidence import counted
from helpers.scenes import SCENES
from helpers.stopping import Counted, Scene, crash_points, io_errors, power_cuts

# The whole of it, and every scene at every moment: `python -m benchmarks.reliability crash_points`.
EVERY_FAULT = 19
ENOUGH = {name: scene for name, scene in SCENES.items() if "samples" not in name}
each_scene = pytest.mark.parametrize("scene", ENOUGH.values(), ids=ENOUGH)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory where there is one: a sync costs nothing there, and thousands are made."""
    memory = Path("/dev/shm")  # noqa: S108
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def shown(goal: str, found: Counted, *, seed: int | None = None) -> None:
    counted(goal, found.n, len(found.bad), seed=seed)
    assert found.n > 0
    assert found.bad == []


@each_scene
def test_a_run_that_dies_at_any_moment(scene: Scene, place: Path) -> None:
    shown("R1.crash_points", crash_points(scene, place))


@pytest.mark.slow
@each_scene
def test_an_operation_that_fails(scene: Scene, place: Path) -> None:
    shown("R9.io_errors", io_errors(scene, place, every=EVERY_FAULT))


@each_scene
def test_a_power_cut(scene: Scene, place: Path) -> None:
    shown("R1.power_cuts", power_cuts(scene, place, each=20), seed=11)


def test_the_helper_finds_what_is_written_in_place(place: Path) -> None:
    """Without the room it would be seen: a file that is written over where it stands is found cut."""

    def over(here: Path) -> None:
        from ageingwell.disk import DISK

        DISK.write(here / "page.html", os.urandom(0) + b"a page that is long enough to be cut")

    scene = Scene(over, prepared=lambda here: (here / "page.html").write_bytes(b"an earlier one"))
    assert crash_points(scene, place / "crash").bad
    assert io_errors(scene, place / "errors").bad
    assert power_cuts(scene, place / "cuts").bad
