"""The hazard log: every control names tests that are there, that are not skipped, and that passed in the build."""

import ast
import json
import re
from datetime import date
from pathlib import Path

import pytest

import ageingwell
from ageingwell.errors import ConfigError
from ageingwell.governance.hazards import (
    Results,
    named_tests,
    read_hazards,
    result_of,
    shipped_hazards,
    shipped_results,
    worst_of,
)
from tools.hazards.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
HAZARDS = shipped_hazards()
ABOUT = (
    *("identity", "opt-outs", "deaths", "safeguarding", "records", "the night", "missed people", "fairness"),
    *("reading", "confidentiality", "what follows"),
)


def faults_of(test: str, root: Path = ROOT) -> str:
    """What is wrong with a test that a control names; nothing where it is there and runs."""
    file, _, name = test.partition("::")
    path = root / file
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    if not found:
        return "gone"
    marks = [ast.unparse(mark) for mark in found[0].decorator_list]
    of_module = [node for node in tree.body if isinstance(node, ast.Assign) and "pytestmark" in ast.unparse(node)]
    marks += [ast.unparse(node.value) for node in of_module]
    # What is skipped on some machines alone shows as skipped in the record of the build.
    skips = [mark for mark in marks if re.search(r"mark\.(skip\b(?!if)|xfail)", mark)]
    return f"skipped by {skips[0]}" if skips else ""


@pytest.mark.parametrize("test", named_tests(HAZARDS))
def test_every_test_of_a_control_is_there_and_is_not_skipped(test: str) -> None:
    assert faults_of(test) == ""


def test_every_test_of_a_control_passed_in_the_build_of_this_version() -> None:
    """After a change of the hazard log: run the tests it names and `python -m tools.hazards --write FOLDER`."""
    results = shipped_results(ageingwell.__version__)

    assert {test: end for test in named_tests(HAZARDS) if (end := result_of(test, results)) != "passed"} == {}
    assert results is not None
    assert sorted(results.tests) == list(named_tests(HAZARDS)), "a record of a test that no control names any more"


def test_the_log_speaks_of_every_kind_of_harm_and_of_no_figure() -> None:
    texts = [text for one in HAZARDS for text in (one.hazard, one.cause, one.effect, one.stays)]
    texts += [control.says for one in HAZARDS for control in one.control]

    assert len(HAZARDS) >= 25
    assert {one.about for one in HAZARDS} == set(ABOUT)
    assert [text for text in texts if any(letter.isdigit() for letter in text)] == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("def test_other():\n    pass\n", "gone"),
        ("import pytest\n@pytest.mark.skip\ndef test_a():\n    pass\n", "skipped by pytest.mark.skip"),
        (
            "import pytest\npytestmark = pytest.mark.skip(reason='slow')\ndef test_a():\n    pass\n",
            "skipped by pytest.mark",
        ),
        ("import pytest\n@pytest.mark.xfail\ndef test_a():\n    pass\n", "skipped by pytest.mark.xfail"),
        ("def test_a():\n    pass\n", ""),
    ],
)
def test_a_test_that_is_gone_or_skipped_is_seen(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_x.py").write_text(text)

    assert faults_of("tests/test_x.py::test_a", tmp_path).startswith(fault)
    assert bool(faults_of("tests/test_x.py::test_a", tmp_path)) == bool(fault)
    assert faults_of("tests/test_y.py::test_a", tmp_path) == "gone"


def test_without_a_record_of_this_version_nothing_has_passed() -> None:
    results = Results(version="1", made_on=date(2026, 11, 29), tests={"tests/test_x.py::test_a": "passed"})

    assert result_of("tests/test_x.py::test_a", results) == "passed"
    assert result_of("tests/test_x.py::test_b", results) == "not run"
    assert result_of("tests/test_x.py::test_a", shipped_results("of another version")) == "not run"
    assert worst_of(["passed", "skipped"]) == "skipped"
    assert worst_of(["passed", "skipped", "failed"]) == "failed"


def test_the_tool_writes_the_worst_end_of_each_test_and_ends_with_1_unless_all_passed(tmp_path: Path) -> None:
    tests = named_tests(HAZARDS)
    lines = [{"test": f"{test}[{n}]", "outcome": "passed"} for test in tests[1:] for n in (1, 2)]
    lines += [{"test": tests[0], "outcome": "passed"}, {"test": tests[0], "outcome": "failed"}, {"goal": "R1"}]
    (tmp_path / "1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    ended = main(["--write", str(tmp_path)], to=tmp_path / "results.json", today=date(2026, 11, 29))
    told = json.loads((tmp_path / "results.json").read_text())

    assert ended == main(["--check", str(tmp_path)]) == 1
    assert told["tests"][tests[0]] == "failed"
    assert set(list(told["tests"].values())[1:]) == {"passed"}
    (tmp_path / "1.jsonl").unlink()
    assert main(["--check", str(tmp_path)]) == 1, "a test that did not run has not passed"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("tests/property/test_x.py::test_a", "test_a"), "write a test as pytest names it"),
        (('id = "a"', 'id = "A1"'), "id"),
        (("cause =", "causes ="), "did you mean `cause`"),
    ],
)
def test_a_slip_in_a_log_is_named(tmp_path: Path, change: tuple[str, str], fault: str) -> None:
    whole = (
        '[[hazard]]\nid = "a"\nabout = "records"\nhazard = "A person is missed by a rule."\n'
        'cause = "A column is gone."\neffect = "Harm."\nstays = "The group asks the agency."\n'
        '[[hazard.control]]\nsays = "It is told on page one."\ntests = ["tests/property/test_x.py::test_a"]\n'
    )
    log = tmp_path / "hazards.toml"
    log.write_text(whole)
    assert read_hazards(log)[0].id == "a"

    log.write_text(whole.replace(*change))
    with pytest.raises(ConfigError, match=fault):
        read_hazards(log)
