"""Nothing that a command writes is readable by others, under the widest umask, nor lies where nobody asked for it."""

import json
from pathlib import Path
from typing import Any

import pytest
from helpers.commands import COMMANDS, FINE, environment, prepared
from helpers.evidence import counted
from helpers.filled import fill
from helpers.running import helper_run

Told = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def told(first_night: Path, settings: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Every command, run once under umask 000 in a process that watches what is opened; what each left behind."""
    home = tmp_path_factory.mktemp("commands") / "home"
    prepared(home, first_night=first_night, settings=settings, bundle=bundle, reader=fill)
    ran = helper_run("commands", home, env=environment(home))
    return {one["command"]: one for one in map(json.loads, ran.stdout.splitlines())}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_whatever_a_command_writes_is_for_its_owner_alone_and_where_it_was_told_to(command: str, told: Told) -> None:
    one = told[command]
    counted("S7.modes", 1, int(bool(one["wide"])), note="commands under umask 000, scratch folders too")
    counted("S4.paths", 1, int(bool(one["outside"])), note="commands that write outside what they were told")
    assert one["fault"] is None, one["said"]
    assert one["exit_code"] in FINE, one["said"]
    assert one["wide"] == []
    assert one["outside"] == []
    assert one["left"] == []


@pytest.mark.slow
def test_the_modes_of_many_files_were_looked_at(told: Told) -> None:
    assert told["demo"]["seen"] > 500
