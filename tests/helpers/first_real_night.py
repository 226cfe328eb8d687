"""The tutorial from raw files to a list, run command by command in a folder: what each printed, and what it left."""

import json
import re
import shlex
from contextlib import chdir
from pathlib import Path

from click.testing import CliRunner

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-real-night.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)


def blocks() -> list[tuple[str, str]]:
    """The blocks of the page that are part of the walk, each with its language; commands have none."""
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))[2:]


def walked(folder: Path) -> None:
    """Run every command of the page in `folder`, and keep what each printed in `printed.json`."""
    from ageingwell.cli import cli

    printed = {}
    with chdir(folder):
        for command in (line for language, block in blocks() if not language for line in block.splitlines()):
            done = CliRunner().invoke(cli, shlex.split(command)[1:])
            assert done.exit_code == 0, f"{command}\n{done.output}"
            printed[command] = done.stdout
            if command.startswith("ageingwell connect raw"):
                _without_charts(Path("config", "score.toml"))
    (folder / "printed.json").write_text(json.dumps(printed), encoding="utf-8")


def _without_charts(settings: Path) -> None:
    """They take longer than the night, and are drawn in test_annex."""
    with_charts, without = "annex_charts = true", "annex_charts = false"
    text = settings.read_text(encoding="utf-8")
    assert with_charts in text
    settings.write_text(text.replace(with_charts, without), encoding="utf-8")
