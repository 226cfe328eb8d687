"""Whatever stops a purge or a forgetting, and wherever, each night is whole or gone, and the next run does the rest."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.evidence import counted
from helpers.kept_crashes import stopped_anywhere

from ageingwell.config.load import load_config


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory where there is one: a sync costs nothing there, and thousands are made."""
    memory = Path("/dev/shm")  # noqa: S108
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


# Each moment is tried by `python -m benchmarks.reliability keeping`; here enough of them to see every operation.
@pytest.mark.parametrize(("command", "every"), [("purge", 5), ("forget", 97)])
def test_a_command_that_dies_at_any_moment_leaves_whole_nights_and_the_next_ends_it(
    place: Path, command: str, every: int
):
    done = stopped_anywhere(command, place, load_config(), every=every)

    counted("R1.crash_points", done.n, len(done.bad), note=f"{command}, every {every}th moment")
    assert done.bad == []
