"""The tutorial from raw files to a list is run command by command, and what it shows is what comes out."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from ageingwell.cli import cli

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-real-night.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)


def _blocks() -> list[tuple[str, str]]:
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def _shown(block: str) -> list[str]:
    """The lines of a block, without what it cuts short."""
    lines = [line.split("…")[0].strip() for line in block.splitlines()]
    return [re.sub(r"\s+", " ", line) for line in lines if line]


@pytest.mark.slow
def test_every_command_runs_and_says_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    commands, printed = 0, ""
    for language, block in _blocks()[2:]:
        if not language:
            for command in block.splitlines():
                done = CliRunner().invoke(cli, shlex.split(command)[1:])
                assert done.exit_code == 0, f"{command}\n{done.output}"
                printed = re.sub(r"[ \t]+", " ", done.stdout)
                commands += 1
        elif language == "text" and not block.startswith("raw/"):
            missing = [line for line in _shown(block) if line not in printed]
            assert missing == []
        elif language == "ini":
            settings = (tmp_path / "config" / "agencies.toml").read_text(encoding="utf-8")
            assert [line for line in _shown(block) if line not in re.sub(r"[ \t]+", " ", settings)] == []
    assert commands == 5
    assert (tmp_path / "outreach" / "current" / "report.html").is_file()


def test_every_file_that_the_page_names_is_laid_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(cli, ["connect", "--samples", "raw"])
    here = {path.relative_to(tmp_path).as_posix() for path in (tmp_path / "raw").rglob("*.*")}
    names = [line.split()[0] for _, block in _blocks() if block.startswith("raw/") for line in _shown(block)]
    assert len(names) >= 10
    assert [name for name in names if not any(file.startswith(name) for file in here)] == []
