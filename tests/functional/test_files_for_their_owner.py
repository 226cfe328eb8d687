"""Nothing that a command writes is readable by others, under the widest umask, nor lies where nobody asked for it."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from helpers.commands import COMMANDS, FINE, environment, prepared
from helpers.evidence import counted
from helpers.filled import fill
from helpers.running import helper_run

Told = dict[str, dict[str, Any]]
# Most of the processor time of all, for files that another command writes as well, or in the same way.
LONG = ("withdraw", "evaluate", "recalibrate", "demo")
CASES = [pytest.param(name, marks=pytest.mark.full if name in LONG else ()) for name in COMMANDS]


@pytest.fixture(scope="module")
def run(
    first_night: Path, settings: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[bool], Told]:
    """The long commands, or all others, run once under umask 000 in a process that watches what is opened.

    Gives what each left behind.
    """

    @cache
    def told(long: bool) -> Told:
        home = tmp_path_factory.mktemp("commands") / "home"
        prepared(home, first_night=first_night, settings=settings, bundle=bundle, reader=fill)
        ran = helper_run(
            "commands", home, *(name for name in COMMANDS if (name in LONG) == long), env=environment(home)
        )
        return {one["command"]: one for one in map(json.loads, ran.stdout.splitlines())}

    return told


@pytest.mark.slow
@pytest.mark.parametrize("command", CASES)
def test_whatever_a_command_writes_is_for_its_owner_alone_and_where_it_was_told_to(
    command: str, run: Callable[[bool], Told]
) -> None:
    one = run(command in LONG)[command]
    counted("S7.modes", 1, int(bool(one["wide"])), note="commands under umask 000, scratch folders too")
    counted("S4.paths", 1, int(bool(one["outside"])), note="commands that write outside what they were told")
    assert one["fault"] is None, one["said"]
    assert one["exit_code"] in FINE, one["said"]
    assert one["wide"] == []
    assert one["outside"] == []
    assert one["left"] == []


@pytest.mark.slow
def test_the_modes_of_many_files_were_looked_at(run: Callable[[bool], Told]) -> None:
    assert run(False)["impact"]["seen"] > 300
