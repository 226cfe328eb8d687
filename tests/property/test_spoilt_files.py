"""Whole files of every form, spoilt: each is read or ends with a sentence, and none ends the process."""

from pathlib import Path

import pytest
from helpers.evidence import counted
from helpers.fuzzed_files import ALL, READERS, fuzz

SEED = 20261122
# Of each form; `python -m benchmarks.reliability files` spoils a thousand of each.
N_FILES = 20


@pytest.mark.slow
def test_a_spoilt_file_is_read_or_refused_and_never_ends_the_process(tmp_path: Path) -> None:
    found = fuzz(ALL, n=N_FILES, seed=SEED, folder=tmp_path)

    n = N_FILES * len(READERS)
    counted("R4.files", n, len(found.bad), seed=SEED, note="uncaught errors, aborts and hangs of every reader")
    assert found.bad == ()
    assert n / 2 < found.n_refused < n
