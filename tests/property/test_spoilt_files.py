"""Whole files of every form, spoilt: each is read or ends with a sentence, and none ends the process."""

from pathlib import Path

import pytest
from helpers.evidence import counted
from helpers.fuzzed_files import READERS, fuzz

SEED = 20261122
N_FILES = 20


@pytest.mark.slow
@pytest.mark.parametrize("form", READERS)
def test_a_spoilt_file_is_read_or_refused_and_never_ends_the_process(form: str, tmp_path: Path) -> None:
    found = fuzz(form, n=N_FILES, seed=SEED, folder=tmp_path)

    counted("R4.files", N_FILES, len(found.bad), seed=SEED, note="uncaught errors, aborts and hangs of every reader")
    assert found.bad == ()
