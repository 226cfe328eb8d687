"""The partners' tutorial is run line by line, and what it prints is what the page shows."""

import contextlib
import io
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "your-own-frame.md"
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", flags=re.DOTALL | re.MULTILINE)


def blocks() -> list[tuple[str, str]]:
    """Each piece of code and what the page says it prints."""
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def test_every_line_of_the_tutorial_runs_and_prints_what_it_shows(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for code, shown in blocks():
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, PAGE.name, "exec"), names)  # noqa: S102 - our own page
        assert printed.getvalue().rstrip() == shown.rstrip(), code


def test_the_tutorial_shows_what_every_piece_prints():
    assert len(blocks()) >= 8
    assert [code for code, shown in blocks() if ("print(" in code) != bool(shown)] == []
