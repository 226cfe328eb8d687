"""A command that is asked to end says so in one sentence, leaves nothing half done, and says the signal's number."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType

import pytest

from ageingwell.ending import Ended, ending_tidily, unbroken

SENTENCE = "Stopped. What was complete before stays as it was."
WORDS = [sys.executable, "-m", "ageingwell"]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_command_tidily(number: int, code: int, tmp_path: Path) -> None:
    run = subprocess.Popen(
        [*WORDS, "synth", "--people", "60000", "--out", tmp_path / "county"], stderr=subprocess.PIPE, text=True
    )
    while not list(tmp_path.iterdir()) and run.poll() is None:  # it has begun to write
        time.sleep(0.01)
    run.send_signal(number)
    _, said = run.communicate()

    assert (run.returncode, said.strip()) == (code, SENTENCE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending_tidily():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            with pytest.raises(Ended):
                signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_each_of_several_signals_that_wait_comes_afterwards() -> None:
    told: list[int] = []
    before = signal.signal(signal.SIGHUP, lambda number, _: told.append(number))
    try:
        with ending_tidily(), unbroken():
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGTERM)
    except Ended as stop:
        told.append(stop.number)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert told == [signal.SIGHUP, signal.SIGTERM]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_handlers_are_put_back_at_whatever_line_a_signal_comes() -> None:
    def ours(number: int, _: object) -> None:
        raise AssertionError(number)

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, ours) for number in numbers]
    try:
        line = 0
        while ctrl_c_at(line := line + 1):
            assert [signal.getsignal(number) for number in numbers] == [ours, ours], f"line {line}"
            assert signal.getsignal(signal.SIGINT) == signal.default_int_handler, f"line {line}"
        assert line > 8
    finally:
        for number, act in zip(numbers, before, strict=True):
            signal.signal(number, act)


def ctrl_c_at(line: int) -> bool:
    """Press Ctrl-C at one of the lines of `unbroken`; False when there are not so many."""
    lines = 0

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., object] | None:
        nonlocal lines
        if frame.f_code.co_name != "unbroken":
            return None
        lines += event == "line"
        if event == "line" and lines == line:
            signal.raise_signal(signal.SIGINT)
        return trace

    def pressed() -> Iterator[None]:
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            with suppress(KeyboardInterrupt), unbroken():
                pass
        finally:
            sys.settrace(before)
        yield

    # A generator has its own place for the error that a trace may leave behind.
    next(pressed())
    return lines >= line


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device on this system")
@pytest.mark.parametrize("words", [["--help"], ["key", "--help"]])
def test_a_full_disk_behind_what_is_printed_is_told(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run([*WORDS, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 9
    assert ran.stderr.startswith("Error: what this command prints cannot be written: No space left on device (ENOSPC).")
    assert len(ran.stderr.splitlines()) == 1
