"""Several processes on this machine, each taking the next item when it is free.

They are spawned, never forked: the forked child of a process in which Polars or OpenMP has started threads waits for
ever. `concurrent.futures` is not used: it does not say which item a dead process had, and cannot end one that works.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING, Any

from ageingwell.engines.parcels import Job, opened, packed, part_of
from ageingwell.errors import EngineError

if TYPE_CHECKING:
    from ageingwell.engines.engine import Item, Result

# Each is read once, when its library is first imported.
_THREADS = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS")
# How long a process without work may take to end by itself.
_SECONDS_TO_END = 5.0


@dataclass(frozen=True)
class _Worker:
    process: SpawnProcess
    pipe: "Connection[tuple[bytes | None, int], bytes]"


class Pool:
    """Processes that are started when there is work for them, and stay until the pool is closed or a fault ends all."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._workers: list[_Worker] = []

    def map(self, work: "Callable[[Item], Result]", items: "Sequence[Item]") -> "list[Result]":
        """Run `work` on every item and give the results in order; see `Engine.map`."""
        parcel = packed(work, items)
        self._start(min(self._processes, len(items)))
        try:
            return self._shared_out(parcel, len(items))
        except BaseException:
            # Others may still be at work on what nobody will ask for.
            self._end(at_once=True)
            raise

    def close(self) -> None:
        """End the processes, which have nothing to do."""
        self._end(at_once=False)

    def _start(self, wanted: int) -> None:
        with _threads_divided(self._processes), _keys_of_the_terminal_held():
            for _ in range(len(self._workers), wanted):
                self._workers.append(_started())

    def _shared_out(self, parcel: bytes, n_items: int) -> list[Any]:
        results: dict[int, Any] = {}
        faults: dict[int, Exception] = {}
        waiting = iter(range(n_items))
        busy = {worker.pipe: (worker, number) for worker, number in zip(self._workers, waiting)}
        for worker, number in busy.values():
            _hand(worker, parcel, number)
        # Items are handed out in order, so that every one before a failed one is done or being done: which of several
        # faults is told does not depend on which process was faster.
        while any(number < min(faults, default=n_items) for _, number in busy.values()):
            for pipe in wait(list(busy)):
                worker, number = busy.pop(pipe)  # type: ignore[call-overload]
                part = part_of(number, n_items)
                try:
                    results[number] = opened(worker.pipe.recv_bytes(), part=part)
                except (EOFError, ConnectionError):
                    faults[number] = _lost(worker.process, part)
                except Exception as fault:
                    faults[number] = fault
                if not faults and (following := next(waiting, None)) is not None:
                    _hand(worker, None, following)
                    busy[worker.pipe] = worker, following
        if faults:
            raise faults[min(faults)]
        return [results[number] for number in range(n_items)]

    def _end(self, *, at_once: bool) -> None:
        ending, self._workers = self._workers, []
        for worker in ending:
            if at_once:
                worker.process.kill()
            worker.pipe.close()
        for worker in ending:
            worker.process.join(_SECONDS_TO_END)
            worker.process.kill()
            worker.process.join()
            worker.process.close()


def _hand(worker: _Worker, parcel: bytes | None, number: int) -> None:
    """Give a process its next item, and with the first of a job the job itself."""
    # A process that died has closed its end; the next look at the pipe tells it.
    with suppress(ConnectionError):
        worker.pipe.send((parcel, number))


def _started() -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True, name="ageingwell worker")
    process.start()
    # Else the end of the process would not be the end of the pipe.
    theirs.close()
    return _Worker(process, ours)


def _serve(pipe: "Connection[bytes, tuple[bytes | None, int]]") -> None:
    """Work until the pipe is closed: at the end of the work, or with the process that gave it."""
    # Ctrl-C goes to every process of a terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    job = Job(b"")
    with suppress(EOFError, ConnectionError):
        while True:
            parcel, number = pipe.recv()
            if parcel is not None:
                job = Job(parcel)
            pipe.send_bytes(job.done(number))


@contextmanager
def _threads_divided(processes: int) -> Iterator[None]:
    """Let each process that is started here have its part of the threads."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update({name: str(max(1, _threads(value) // processes)) for name, value in before.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            _put_back(name, value)


def _put_back(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _threads(told: str | None) -> int:
    if told is not None and told.isdigit():
        return int(told)
    # A container or a batch system may allow fewer cores than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _keys_of_the_terminal_held() -> Iterator[None]:
    """Hold back Ctrl-C while processes start, so that they start deaf to it and print no traceback of their own."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Python starts this helper with the first process, and lets signals in again after it.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _lost(process: SpawnProcess, part: str) -> EngineError:
    """What the end of a process says, in words."""
    process.join(_SECONDS_TO_END)
    code: Any = process.exitcode
    if code is not None and code < 0:
        how = f"by signal {-code} ({_signal_name(-code)})"
        remedy = "most often memory ran out: use fewer `processes`, or give the machine more memory, and run again"
        return EngineError(f"{part}: the system ended the process that worked on it, {how}", remedy)
    return EngineError(
        f"{part}: the process that was to work on it ended by itself (exit code {code})",
        'a script of your own calls this under `if __name__ == "__main__":`; else read what it printed above',
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
