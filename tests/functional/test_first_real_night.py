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
        elif block.startswith("raw/"):
            assert _files_not_laid_out(tmp_path, block) == []
        elif language == "text":
            missing = [line for line in _shown(block) if line not in printed]
            assert missing == []
        elif language == "ini":
            settings = (tmp_path / "config" / "agencies.toml").read_text(encoding="utf-8")
            assert [line for line in _shown(block) if line not in re.sub(r"[ \t]+", " ", settings)] == []
            _without_charts(tmp_path / "config" / "score.toml")
    assert commands == 5
    assert (tmp_path / "outreach" / "current" / "report.html").is_file()


def _files_not_laid_out(folder: Path, block: str) -> list[str]:
    here = {path.relative_to(folder).as_posix() for path in (folder / "raw").rglob("*.*")}
    names = [line.split()[0] for line in _shown(block)]
    assert len(names) >= 10
    return [name for name in names if not any(file.startswith(name) for file in here)]


def _without_charts(settings: Path) -> None:
    """They take longer than the night, and are drawn in test_annex."""
    with_charts, without = "annex_charts = true", "annex_charts = false"
    text = settings.read_text(encoding="utf-8")
    assert with_charts in text
    settings.write_text(text.replace(with_charts, without), encoding="utf-8")
