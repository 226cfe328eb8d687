"""Whatever happens, and in whatever order: who opted out, died, left or was forgotten is in no file of the list."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.evidence import counted
from helpers.schedules import first_tables, run_schedule

from ageingwell.config.load import load_config

N = 4


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory where there is one."""
    memory = Path("/dev/shm")  # noqa: S108
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


# As many as fit into eight minutes are tried by `python -m benchmarks.reliability schedules`.
def test_nobody_who_may_not_be_is_in_any_file_of_the_list(place: Path, small_county: Path):
    tables, config = first_tables(small_county), load_config()

    done = [run_schedule(seed, place / str(seed), config, tables) for seed in range(N)]

    bad = [what for one in done for what in one.bad]
    counted("P7.schedules", N, sum(bool(one.bad) for one in done), seed=0)
    assert bad == []
    assert sum(len(one.gone) for one in done) > N
