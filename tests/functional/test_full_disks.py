"""A disk that is full, or a place that may not be written: one sentence, exit 9, and nothing half done, for all."""

import json
from pathlib import Path
from typing import Any

import pytest
from helpers.commands import COMMANDS, FAULTS, case, environment, is_quick, prepared
from helpers.evidence import counted
from helpers.filled import fill
from helpers.running import helper_run

# A key has an error of its own, and so has the audit log, whose line comes before anything else.
OWN_CODES = {
    "key new": 7,
    "key derive": 7,
    **dict.fromkeys(("record", "explain --page", "signoff", "signoff --sign", "reidentify", "add"), 24),
}


@pytest.fixture(scope="module")
def told(
    first_night: Path, settings: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], dict[str, Any]]:
    """How each command ended under each fault."""
    home = tmp_path_factory.mktemp("commands") / "home"
    prepared(home, first_night=first_night, settings=settings, bundle=bundle, reader=fill)
    ran = helper_run("commands", home, "faults", env=environment(home))
    return {(one["fault"], one["command"]): one for one in map(json.loads, ran.stdout.splitlines())}


CASES = [(fault, name) for fault in FAULTS for name in COMMANDS if case(fault, name) and is_quick(fault, name)]


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "command"), CASES)
def test_a_command_says_so_and_leaves_nothing_half_done(
    fault: str, command: str, told: dict[tuple[str, str], dict[str, Any]]
) -> None:
    one = told[fault, command]
    words = one["said"].strip().splitlines()[-1]
    is_told = one["raised"] is None and one["left"] == [] and one["same"]
    is_told = is_told and one["exit_code"] in (9, OWN_CODES.get(command))
    is_told = is_told and words.startswith("Error: ") and "What to do: " in words
    counted("R9.io_errors", 1, int(not is_told), note="commands on a disk that is full or may not be written")
    assert is_told, one
