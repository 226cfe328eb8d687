"""The tutorial from raw files to a list is run command by command, and what it shows is what comes out."""

import json
import re
from pathlib import Path

import pytest
from helpers.first_real_night import blocks


def _shown(block: str) -> list[str]:
    """The lines of a block, without what it cuts short."""
    lines = [line.split("…")[0].strip() for line in block.splitlines()]
    return [re.sub(r"\s+", " ", line) for line in lines if line]


@pytest.mark.slow
def test_every_command_runs_and_says_what_the_page_shows(first_real_night: Path) -> None:
    of_command = json.loads((first_real_night / "printed.json").read_text(encoding="utf-8"))
    printed = ""
    for language, block in blocks():
        if not language:
            printed = re.sub(r"[ \t]+", " ", of_command[block.splitlines()[-1]])
        elif block.startswith("raw/"):
            assert _files_not_laid_out(first_real_night, block) == []
        elif language == "text":
            missing = [line for line in _shown(block) if line not in printed]
            assert missing == []
        elif language == "ini":
            settings = (first_real_night / "config" / "agencies.toml").read_text(encoding="utf-8")
            assert [line for line in _shown(block) if line not in re.sub(r"[ \t]+", " ", settings)] == []
    assert len(of_command) == 5
    assert (first_real_night / "outreach" / "current" / "report.html").is_file()


def _files_not_laid_out(folder: Path, block: str) -> list[str]:
    here = {path.relative_to(folder).as_posix() for path in (folder / "raw").rglob("*.*")}
    names = [line.split()[0] for line in _shown(block)]
    assert len(names) >= 10
    return [name for name in names if not any(file.startswith(name) for file in here)]
