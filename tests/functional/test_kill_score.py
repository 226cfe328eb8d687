"""Runs killed at every kind of moment: the current night is always a complete old or a complete new one."""

import json
import os
import shutil
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import NIGHT, change, copy_of, listed, new_version
from helpers.killed_scores import MOMENTS, WATCHED, draws_one_page
from helpers.running import helper_run

from ageingwell.config.load import Config, load_config
from ageingwell.errors import SourceError
from ageingwell.night.score import score


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL and fork")
@pytest.mark.parametrize("moments", ["at the turns", pytest.param("at every kind", marks=pytest.mark.full)])
def test_after_every_kill_the_current_night_is_complete_and_the_next_run_succeeds(
    moments, first_night, settings, tmp_path, monkeypatch
):
    if moments == "at the turns":
        for module in ("write", "revising"):
            monkeypatch.setattr(f"ageingwell.night.{module}.draw_pages", draws_one_page)
    config = load_config(settings)
    copy_of(first_night / "county", tmp_path / "one")
    other = copy_of(first_night / "county", tmp_path / "other")
    calm = copy_of(first_night / "out", tmp_path / "calm one") / str(NIGHT)
    # Somebody on the list has died, and fewer contacts are known: the lists of the two counties differ.
    new_version(other, listed(calm)[0]["person_id"], died_on=NIGHT)
    change(other, "contacts", lambda rows: rows.filter(pl.col("outcome") != "completed"))
    score(other, as_of=NIGHT, out=tmp_path / "calm other", config=config)
    halted_after_taking_people_off(other, tmp_path, config)

    env = os.environ | {"POLARS_MAX_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    ran = helper_run("killed_scores", tmp_path, settings, moments, env=env)

    told = json.loads(ran.stdout)
    assert told["kills"] == [list(kill) for kill in MOMENTS[moments]]
    assert told["watched"] == list(WATCHED)
    assert told["left_over"] == []


def halted_after_taking_people_off(county: Path, folder: Path, config: Config) -> None:
    """A run over the calm night of the first county that stops before it publishes its own."""
    halted = copy_of(county, folder / "halted")
    (halted / "gp_events.parquet").write_bytes(b"PAR1")
    shutil.copytree(folder / "calm one", folder / "calm halted", symlinks=True)
    with pytest.raises(SourceError):
        score(halted, as_of=NIGHT, out=folder / "calm halted", config=config)
