"""The evidence page: what processes counted adds up, a count that changes fails the build, a skipped test does not."""

import ast
import json
from pathlib import Path

import pytest

from tools.evidence.__main__ import main
from tools.evidence.counts import Count, Run, differences, merged, read_run
from tools.evidence.goals import Goal, Measure, read_goals
from tools.evidence.page import page, too_few

ROOT = Path(__file__).parents[2]
TEST = "tests/unit/test_disk.py::test_room"


def line(n: int, bad: int = 0, *, test: str = TEST, goal: str = "R1.kills", seed: int | None = 7) -> str:
    return json.dumps({"goal": goal, "n": n, "bad": bad, "seed": seed, "note": "", "test": test})


def run_of(folder: Path, **files: list[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in files.items():
        (folder / f"{name}.jsonl").write_text("".join(text + "\n" for text in lines))
    return folder


def test_what_several_processes_and_cases_counted_adds_up(tmp_path: Path) -> None:
    run_of(tmp_path, a=[line(3, test=f"{TEST}[x]"), line(4, 1, test=f"{TEST}[y]")], b=[line(5, seed=8)])

    assert read_run(tmp_path).counts == {"R1.kills": {TEST: Count(12, 1, {7, 8})}}


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        (Count(3), Count(3), None),
        (Count(3), Count(2), "fell from 3 cases to 2"),
        (Count(3), Count(4), "rose from 3 cases to 4"),
        (Count(3), Count(3, 1), "1 went wrong, and the page says 0"),
        (Count(3, 0, {1}), Count(3, 0, {2}), "other seeds"),
        (Count(3), None, "none now"),
        (None, Count(3), "the page does not show"),
    ],
)
def test_every_change_of_a_count_is_told(then: Count | None, now: Count | None, told: str | None) -> None:
    kept, ran = ({"R1.kills": {TEST: one}} if one else {} for one in (then, now))

    wrong, lacking = differences(kept, Run(ran, {}))

    assert lacking == []
    assert [told in said for said in wrong] == ([] if told is None else [True]), wrong


def test_a_skipped_test_keeps_its_count_and_is_named() -> None:
    kept, run = {"R1.kills": {TEST: Count(3)}}, Run({}, {TEST: "no LibreOffice"})

    assert differences(kept, run) == ([], [f"R1.kills: {TEST} was skipped here (no LibreOffice)"])
    assert merged(kept, run, partial=False) == kept


def test_a_run_of_some_tests_leaves_the_counts_of_others() -> None:
    kept = {"R1.kills": {TEST: Count(3), "old": Count(1)}}

    counts = merged(kept, Run({"R1.kills": {TEST: Count(5)}}, {}), partial=True)

    assert counts == {"R1.kills": {TEST: Count(5), "old": Count(1)}}


def test_what_is_written_passes_its_check_and_a_lower_count_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    first = run_of(tmp_path / "first", a=[line(5)])
    second = run_of(tmp_path / "second", a=[line(4)])

    assert main(["--write", str(first)], docs=tmp_path / "docs") == 0
    assert main(["--check", str(first)], docs=tmp_path / "docs") == 0
    assert main(["--check", str(second)], docs=tmp_path / "docs") == 1
    assert f"R1.kills: {TEST} fell from 5 cases to 4" in capsys.readouterr().err


def test_a_page_changed_by_hand_fails_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "docs").mkdir()
    first = run_of(tmp_path / "first", a=[line(5, 1)])
    main(["--write", str(first)], docs=tmp_path / "docs")
    at = tmp_path / "docs" / "evidence.md"
    at.write_text(at.read_text().replace("**1 went wrong**", "held"))

    assert main(["--check", str(first)], docs=tmp_path / "docs") == 1
    assert "docs/evidence.md is not what the counts kept" in capsys.readouterr().err


def test_a_measure_nobody_listed_is_shown_and_one_nobody_counted_is_not_measured() -> None:
    goals = {"R1": Goal("R1", "reliability", "A night is whole.", {"R1.kills": Measure("ended runs", 10)})}
    counts = {"R1.new": {TEST: Count(2)}}

    told = page(goals, counts, {})

    assert "| `R1.new` | 2 | 0 |" in told
    assert "| ended runs `R1.kills` | not measured |" in told
    assert "held in 2 cases; 1 of 2 not measured" in told
    assert too_few(goals, counts) == []
    assert too_few(goals, {"R1.kills": {TEST: Count(9)}}) != []


def test_every_measure_that_a_test_counts_is_listed_among_the_goals() -> None:
    listed = {measure for goal in read_goals().values() for measure in goal.measures}
    counted = {
        node.args[0].value
        for file in (ROOT / "tests").rglob("*.py")
        if file != Path(__file__) and "counted(" in (text := file.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "counted" and node.args
        if isinstance(node.args[0], ast.Constant)
    }

    assert counted - listed == set(), "describe it in tools/evidence/goals.toml"


def test_the_pages_are_what_the_counts_kept_make_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--check", str(tmp_path)])

    assert "is not what the counts kept" not in capsys.readouterr().err
