"""Helpers of the tests that are processes of their own start wherever the tests were started."""

import re
from pathlib import Path

import pytest
from helpers.running import TESTS, helper_run

STARTS = re.compile(r'"-m",\s*f?"helpers\.')
# The one door, and a package of its own whose register is changed.
MAY = {"helpers/running.py", "unit/test_register.py"}


def test_a_helper_starts_in_any_folder_without_a_python_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)

    assert helper_run("verhoeff").returncode == 0


def test_no_test_starts_a_helper_in_another_way() -> None:
    paths = {path.relative_to(TESTS).as_posix(): path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py")}

    assert {name for name, text in paths.items() if STARTS.search(text)} == MAY
