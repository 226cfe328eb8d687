"""The list of guards is true of the code: each stands there once, and the tests that would miss it exist."""

from pathlib import Path

import pytest
from helpers.evidence import counted

from tools.guards.__main__ import MISSED, UNNOTICED, Removal, page
from tools.guards.listed import Guard, faults_of, read_guards

GUARDS = read_guards()


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_stands_in_the_code_once_and_its_tests_exist(guard: Guard) -> None:
    assert faults_of([guard]) == []
    assert guard.text != guard.instead


def test_the_list_is_long_enough_and_names_no_guard_twice() -> None:
    names = [guard.name for guard in GUARDS]
    counted("R11.guards", len(names), len(faults_of(GUARDS)))

    assert len(names) >= 39
    assert len(set(names)) == len(names)


def test_a_guard_that_is_gone_and_a_test_that_is_gone_are_told(tmp_path: Path) -> None:
    (tmp_path / "src" / "ageingwell").mkdir(parents=True)
    (tmp_path / "src" / "ageingwell" / "gate.py").write_text("if open:\n    stop()\n")
    gone = Guard("a gate", "gate.py", "if shut:", "", ("tests/test_gate.py",))

    assert faults_of([gone], tmp_path) == [
        "gate.py: the text of the guard 'a gate' is there 0 times, not once",
        "tests/test_gate.py: no such test of the guard 'a gate'",
    ]


def test_the_page_says_how_many_removals_were_noticed() -> None:
    guard = GUARDS[0]

    told = page([Removal(guard, MISSED, 1.0), Removal(guard, UNNOTICED, 1.0)])

    assert "1 of 2 removals were noticed." in told
    assert "| NOT NOTICED |" in told
