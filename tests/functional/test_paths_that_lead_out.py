"""Paths and links that lead out of a run's folders: nothing there is written, emptied or told."""

import json
import sys
from pathlib import Path

import pytest
from helpers.commands import environment, prepared
from helpers.evidence import counted
from helpers.filled import fill
from helpers.running import helper_run


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and devices of POSIX")
def test_no_path_leads_out(first_night: Path, settings: Path, bundle: Path, tmp_path: Path) -> None:
    home = prepared(tmp_path / "home", first_night=first_night, settings=settings, bundle=bundle, reader=fill)
    ran = helper_run("paths", home, env=environment(home))
    tried = [json.loads(line) for line in ran.stdout.splitlines()]
    bad = [one for one in tried if one["faults"]]
    counted("S4.paths", len(tried), len(bad), note="paths and links that lead out, by option, table, night and setting")
    assert len(tried) >= 200
    assert bad == []
