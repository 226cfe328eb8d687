"""A command that is asked to end says so in one sentence, leaves nothing half done, and says the signal's number."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ageingwell.ending import Ended, ending_tidily

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


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device on this system")
@pytest.mark.parametrize("words", [["--help"], ["key", "--help"]])
def test_a_full_disk_behind_what_is_printed_is_told(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run([*WORDS, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 9
    assert ran.stderr.startswith("Error: what this command prints cannot be written: No space left on device (ENOSPC).")
    assert len(ran.stderr.splitlines()) == 1
