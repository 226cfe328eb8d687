"""End a run the hard way: SIGKILL in a forked child, as a power switch or an out-of-memory killer would."""

import os
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path


def fork(run: Callable[[], None]) -> int:
    """Start `run` in a forked child that is the head of its own process group, and return the child's id.

    The child ends with 0, or with 1 and a traceback on stderr; it never comes back into the test. Fork before Polars
    or LightGBM have started their threads in this process: a forked child has none of them and would wait for ever.
    """
    with warnings.catch_warnings():
        # Python 3.12 warns of forking beside threads; the sentence above is the rule that makes it safe.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.setpgid(0, 0)
        run()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def exit_code(child: int) -> int:
    """Wait for a forked child and return its exit code, minus the signal's number where one ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def worked(child: int) -> float:
    """The seconds of processor time that a process has taken, with all its threads and the children it has reaped."""
    # See proc_pid_stat(5): the name in brackets may hold blanks; utime, stime, cutime and cstime are fields 14 to 17.
    fields = Path(f"/proc/{child}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def exit_code_and_work(child: int) -> tuple[int, float]:
    """Wait for a forked child and return its exit code and the processor time it took, in seconds."""
    _, status, used = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime


def fork_and_kill(
    run: Callable[[], None],
    *,
    after_seconds: float,
    once: Callable[[], bool] = lambda: True,
    of: Callable[[int], float] | None = None,
) -> bool:
    """Run `run` in a forked child and SIGKILL it, with all it started, after a delay; True when the kill came in time.

    The delay begins at once, or when `once` first holds (it is asked every millisecond). With `of=worked` it is counted
    in the child's own work: on a busy machine a delay by the clock would never reach the end of a run.

    The child is reaped in every case, and False means that `run` had ended by itself before the delay was over.

        for moment in random.Random(7).choices(range(4_000), k=50):
            fork_and_kill(lambda: score(data, out=out), after_seconds=moment / 1_000)
            assert files_of(current(out)) in (old_night, new_night)

    Raises:
        AssertionError: `run` failed of its own accord, so the test would not have tested a kill.
    """
    child = fork(run)
    begun = None
    while begun is None or (of(child) if of else time.monotonic()) < begun + after_seconds:
        if begun is None and once():
            begun = 0.0 if of else time.monotonic()
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert os.waitstatus_to_exitcode(status) == 0, "the child failed before it could be killed"
            return False
        time.sleep(0.001)
    _kill_group(child)
    code = exit_code(child)
    assert code in (0, -signal.SIGKILL), "the child failed before it could be killed"
    return code == -signal.SIGKILL


def _kill_group(child: int) -> None:
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:  # it has not yet made its group, or has ended and waits to be reaped
        os.kill(child, signal.SIGKILL)
