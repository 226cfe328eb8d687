"""Real commands, ended by SIGKILL at random moments: what a reader finds is whole, and the next run clears up."""

import json
import sys
from pathlib import Path

import pytest
from helpers.commands import environment, prepared
from helpers.evidence import counted
from helpers.filled import fill
from helpers.running import helper_run

# A thousand, of five commands: `python -m benchmarks.reliability random_kills`.
KILLS, SEED = 4, 7
COMMANDS = ("record", "pseudonymise")


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="SIGKILL, fork and /proc")
def test_killed_commands_leave_nothing_half_done(
    first_night: Path, settings: Path, bundle: Path, tmp_path: Path
) -> None:
    home = prepared(tmp_path / "home", first_night=first_night, settings=settings, bundle=bundle, reader=fill)
    ran = helper_run("killing", home, str(KILLS), str(SEED), *COMMANDS, env=environment(home))
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    counted("R1.kills", KILLS, sum(len(one["bad"]) for one in told), seed=SEED)
    assert [one["bad"] for one in told if one["bad"]] == []
    assert sum(one["n"] for one in told) == KILLS
