"""The local engine: results in order, the threads divided, every fault in plain words, nothing left running."""

import functools
import inspect
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import work
from helpers.work import CANARY

from ageingwell import errors
from ageingwell.engines.engine import Engine
from ageingwell.engines.local import LocalEngine
from ageingwell.engines.parcels import Job, opened, packed
from ageingwell.errors import AgeingWellError, ConfigError, EngineError, SourceError
from ageingwell.pseudonyms import Key

pytestmark = pytest.mark.slow

SCRIPT = """
import functools
from pathlib import Path
from helpers.work import sleeping
from ageingwell.engines.local import LocalEngine

if __name__ == "__main__":
    work = functools.partial(sleeping, seconds={seconds})
    LocalEngine(processes=2).map(work, [Path({folder!r}) / name for name in ("a", "b")])
"""
ONE, TWO = LocalEngine(), LocalEngine(processes=2)
KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, AgeingWellError)]


@pytest.mark.parametrize("engine", [ONE, TWO], ids=["one process", "two processes"])
def test_results_come_in_the_order_of_the_items(engine: Engine) -> None:
    assert engine.map(work.doubled, [0, 1, 2, 3, 4]) == [0, 2, 4, 6, 8]
    assert engine.map(functools.partial(pow, 2), [5]) == [32]
    assert engine.map(work.doubled, []) == []


def test_two_processes_write_the_same_files_as_one(tmp_path: Path) -> None:
    contents = []
    for engine in (ONE, TWO):
        folder = tmp_path / str(engine.processes)
        folder.mkdir()
        workers = set(engine.map(work.written, [folder / f"{number}.txt" for number in range(6)]))
        assert (os.getpid() in workers) == (engine is ONE)
        contents.append({path.name: path.read_text() for path in folder.iterdir()})
    assert contents[0] == contents[1] == {f"{number}.txt": str(number**2) for number in range(6)}


def test_processes_stay_for_the_next_work_and_end_with_the_engine() -> None:
    with LocalEngine(processes=2) as engine:
        first, second = (set(engine.map(work.process, [0, 1, 2, 3])) for _ in range(2))
        assert len(first | second) == 2
        with pytest.raises(SourceError):
            engine.map(work.failing, [2, 3])
        assert not any(_runs(process) for process in first)  # a fault ends all, and others follow
        third = set(engine.map(work.process, [0, 1, 2, 3]))
        assert not third & first
    assert not any(_runs(process) for process in third)


def test_what_items_share_travels_once() -> None:
    shared = "x" * 1_000_000
    assert len(packed(work.doubled, [(number, shared) for number in range(64)])) < 2 * len(shared)


@pytest.mark.parametrize(("told", "each"), [("5", 2), ("1", 1)])
def test_polars_threads_are_divided_between_the_processes(
    told: str, each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLARS_MAX_THREADS", told)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert TWO.map(work.threads_of_polars, [0, 1]) == [each, each]
    assert (os.environ["POLARS_MAX_THREADS"], os.environ.get("OMP_NUM_THREADS")) == (told, None)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_error_arrives_with_its_text_and_its_exit_code(kind: type[AgeingWellError]) -> None:
    with pytest.raises(kind) as here:
        work.raising(kind)
    with pytest.raises(kind) as there:
        opened(Job(packed(work.raising, [kind])).done(0), part="part 1 of 1")
    told = str(there.value).removeprefix("part 1 of 1: ")
    assert (type(there.value), told, there.value.exit_code) == (kind, str(here.value), here.value.exit_code)


def test_of_several_faults_the_first_items_is_told_whichever_was_found_first() -> None:
    for engine in (ONE, LocalEngine(processes=3)):
        with pytest.raises(SourceError) as fault:
            engine.map(work.failing, [0, 1, 2, 3, 4, 5])
        assert str(fault.value) == ("gp_events/part-00002.csv: column `code` is missing. What to do: add it.")


def test_a_fault_nobody_foresaw_names_its_part_and_place_and_no_value() -> None:
    with pytest.raises(EngineError) as fault:
        TWO.map(work.unforeseen, [0, 1, 2])
    assert "part 2 of 3: ValueError at work.py, line " in str(fault.value)
    assert CANARY not in str(fault.value)
    assert fault.value.__cause__ is None
    assert fault.value.exit_code == 15


def test_a_fault_of_the_operating_system_arrives_as_one() -> None:
    with pytest.raises(OSError, match="No space left on device") as fault:
        TWO.map(work.on_a_full_disk, [0, 1])
    assert fault.value.filename == "shard.parquet"


@pytest.mark.parametrize(
    ("lost", "says"),
    [
        (work.ended_by_the_system, "part 2 of 3: the system ended the process that worked on it, by signal 9"),
        (work.leaving_without_a_word, "part 1 of 3: the process that was to work on it ended by itself"),
        (work.out_of_memory, "part 1 of 3: memory ran out"),
    ],
)
def test_a_lost_process_is_an_error_in_words_and_no_hang(lost: Callable[[int], int], says: str) -> None:
    with pytest.raises(EngineError) as fault:
        TWO.map(lost, [0, 1, 2])
    assert says in str(fault.value)
    assert "What to do: " in str(fault.value)


@pytest.mark.parametrize("item", [Key.made_up(1), functools.partial(len, Key.made_up(1))], ids=["a key", "inside"])
def test_a_key_never_travels(item: object) -> None:
    with pytest.raises(EngineError, match=r"cannot be sent to another process.* a key is never sent"):
        TWO.map(str, [item, item])


def test_work_that_has_no_name_of_its_own_is_refused() -> None:
    with pytest.raises(EngineError, match=r"cannot be sent to another process.* a function of a module"):
        TWO.map(lambda number: number, [0, 1])


def test_fewer_processes_than_one_are_refused() -> None:
    with pytest.raises(ConfigError, match="`processes` is smaller than 1"):
        LocalEngine(processes=0)


# A process that works does not see that the run was killed: it ends when its item is done.
@pytest.mark.parametrize(("how", "seconds"), [(signal.SIGINT, 600), (signal.SIGKILL, 2)], ids=["Ctrl-C", "killed"])
def test_when_the_run_is_stopped_its_processes_stop_too(how: signal.Signals, seconds: int, tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT.format(folder=str(tmp_path), seconds=seconds))
    paths = os.pathsep.join([str(Path(__file__).parent.parent), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": paths}
    run = subprocess.Popen(
        [sys.executable, script], env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    files = [tmp_path / "a", tmp_path / "b"]
    try:
        _wait_until(lambda: all(path.exists() and path.read_text() for path in files))
        workers = [int(path.read_text()) for path in files]
        if how == signal.SIGINT:
            os.killpg(run.pid, how)  # a terminal sends it to every process of the group
        else:
            run.kill()
        told = run.communicate(timeout=30)[1]
        assert told.count("Traceback") == told.count("KeyboardInterrupt") == (how == signal.SIGINT)
        _wait_until(lambda: not any(_runs(worker) for worker in workers))
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.communicate()


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _wait_until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
