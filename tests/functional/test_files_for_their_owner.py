"""Nothing that a command writes is readable by others, whatever the umask of whoever runs it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.counties import NIGHT, listed

from ageingwell.cli import cli
from ageingwell.synthetic.county import CountyPlan, synthesise


@pytest.fixture(params=[0o000, 0o022], ids=["umask 000", "umask 022"])
def open_to_all(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """What somebody else may read, write or look into, of what lies in a folder."""
    found = [path for path in folder.rglob("*") if not path.is_symlink()]
    assert found, "something was written"
    return [str(path.relative_to(folder)) for path in found if stat.S_IMODE(path.lstat().st_mode) & 0o077]


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dirty") / "county"
    synthesise(CountyPlan(people=60, dirty=0.05), folder)
    return folder


COMMANDS = {
    "synth": "synth --people 60 --out {made}/county --dirty 0.1",
    "extracts and keys": "synth --people 60 --out {made}/raw --raw",
    "keygen": "key new {made}/agency.key",
    "check": "check --data {dirty} --refused-to {made}/refused",
    "score": "score --data {county} --as-of {night} --out {made}/out --config {settings}",
    "explain": "explain {person} --data {county} --as-of {night} --page {made}/page.html --config {settings}",
    "evaluate": "evaluate --data {county} --out {made}/evaluated --config {settings}",
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_whatever_a_command_writes_is_for_its_owner_alone(
    command: str,
    open_to_all: None,
    small_county: Path,
    settings: Path,
    night_of_few_places: Path,
    dirty: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = tmp_path / "made"
    made.mkdir(mode=0o700)
    monkeypatch.setenv("AGEINGWELL_CACHE", str(made / "cache"))
    person = listed(night_of_few_places / "out" / str(NIGHT))[0]["person_id"]
    words = {"made": made, "dirty": dirty, "county": small_county, "night": NIGHT, "settings": settings}
    ran = CliRunner().invoke(cli, command.format(person=person, **words).split())
    assert ran.exit_code in (0, 10), ran.output
    assert open_to_others(made) == []
