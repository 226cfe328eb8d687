"""Thirty runs killed at random moments: the current night is always a complete old or a complete new one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import NIGHT, change, copy_of, new_version

from ageingwell.config.load import load_config
from ageingwell.night.score import score

KILLS = 15


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL and fork")
def test_after_every_kill_the_current_night_is_complete_and_the_next_run_succeeds(small_county, settings, tmp_path):
    calm = score(small_county, as_of=NIGHT, out=tmp_path / "calm", config=load_config(settings))
    copy_of(small_county, tmp_path / "one")
    other = copy_of(small_county, tmp_path / "other")
    # Somebody on the list has died, and fewer contacts are known: the lists of the two counties differ.
    new_version(other, calm.frames.listed["person_id"][0], died_on=NIGHT)
    change(other, "contacts", lambda rows: rows.filter(pl.col("outcome") != "completed"))
    tests = Path(__file__).parents[1]

    ran = subprocess.run(
        [sys.executable, "-m", "helpers.killed_scores", tmp_path, settings, str(KILLS)],
        cwd=tests,
        env=os.environ | {"POLARS_MAX_THREADS": "2", "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr[-3000:]
    told = json.loads(ran.stdout)
    assert told["killed"] > KILLS // 2, "too few runs were still at work when they were killed"
    assert {"one", "other"} <= {name for name, n in told["states"].items() if n}, (
        "the kills did not reach both sides of the publishing step"
    )
    assert told["left_over"] == []
