"""The pages for each role fit on a screen, and what the example shows can be recorded as it stands."""

import re
from datetime import date
from pathlib import Path

import pytest
from helpers.counties import copy_of
from helpers.filled import fill, keys_of

import ageingwell as aw
from ageingwell.decisions.choices import DECISIONS, TITLES

DOCS = Path(__file__).parents[2] / "docs"
ROLES = sorted(path for path in (DOCS / "roles").glob("*.md"))
PEOPLE = [path for path in ROLES if path.stem not in ("index", "meeting-guide", "filled-in-example")]
EXAMPLE = DOCS / "roles" / "filled-in-example.md"


def words(path: Path) -> int:
    return len(re.findall(r"[A-Za-z’']+", re.sub(r"\]\([^)]*\)", "]", path.read_text(encoding="utf-8"))))


def tables(path: Path) -> list[list[dict[str, str]]]:
    """Every table of a page, a dictionary per row."""
    found = []
    for block in re.findall(r"(?:^\|.*\|\n)+", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
        head, _, *rows = [[cell.strip() for cell in line.strip("|\n ").split("|")] for line in block.splitlines()]
        found.append([dict(zip(head, row)) for row in rows])
    return found


def test_each_of_nine_roles_has_its_page():
    assert len(PEOPLE) == 9
    index = (DOCS / "roles" / "index.md").read_text(encoding="utf-8")
    assert [path.name for path in ROLES if path.stem != "index" and f"({path.name})" not in index] == []


@pytest.mark.parametrize("path", PEOPLE, ids=lambda path: path.stem)
def test_a_role_page_fits_on_a_screen_and_answers_four_questions(path):
    assert words(path) <= 260
    told = path.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", told, flags=re.MULTILINE)
    assert headings[0] == "What you get"
    assert re.match(r"Each (week|month|quarter)|Before go-live", headings[1])
    assert headings[2:] == ["What you must not do", "Where to ask"]


def test_the_meeting_guide_fits_on_two_sheets_and_names_every_decision():
    guide = DOCS / "roles" / "meeting-guide.md"
    assert words(guide) <= 600
    (choices,) = [table for table in tables(guide) if "you decide" in table[0]]
    assert {row["write"] for row in choices} == set(DECISIONS.values())


@pytest.fixture(scope="module")
def recorded(first_night, settings, tmp_path_factory):
    """The rows of the example's tables, typed into a group's workbook and recorded: whole, and one by one."""
    at = copy_of(first_night, tmp_path_factory.mktemp("example") / "here")
    names = {title: name for name, title in TITLES.items()}
    book, keys = at / "out" / "current" / "group.xlsx", keys_of(at / "out" / "current" / "group.xlsx")
    typed: dict[str, dict[str, str]] = {}
    for table in tables(EXAMPLE):
        if "code" in table[0]:
            codes = list(dict.fromkeys([*typed, *(row["code"] for row in table)]))
            typed = {code: typed.get(code, {}) for code in codes}
            for row in table:
                typed[row["code"]] |= {names[title]: cell for title, cell in row.items() if cell and title in names}
    answers = dict(zip(keys, typed.values()))
    filled = fill(book, answers, to=at / "back.xlsx")
    return aw.record([filled], out=at / "out", config=settings, recorded_on=date(2026, 11, 26)), typed


def test_the_example_has_the_headings_of_the_workbook():
    shown = {title for table in tables(EXAMPLE) if "code" in table[0] for title in table[0]}
    assert shown - set(TITLES.values()) == {"code", "next step on the list"}, "write them as the workbook does"


def test_every_row_of_the_example_is_taken_as_it_is_written(recorded):
    done, typed = recorded
    assert len(typed) == 5
    verdicts = done.rows.group_by("verdict").len().rows()
    assert verdicts == [("accepted", 5)]


def test_the_mistakes_of_the_example_come_back(first_night, settings, tmp_path):
    at = copy_of(first_night, tmp_path / "here")
    book, keys = at / "out" / "current" / "group.xlsx", keys_of(at / "out" / "current" / "group.xlsx")
    wrong = [
        {"decision": "yes", "reason": "Need agreed", "led_by": "Housing"},
        {"decision": "Contact now", "reason": "Need agreed", "led_by": "Housing", "by_when": "next week"},
        {"decision": "Contact now", "reason": "Need agreed"},
    ]
    filled = fill(book, dict(zip(keys, wrong)), to=at / "back.xlsx", added=[{"person": "Ann Example"}])

    done = aw.record([filled], out=at / "out", config=settings, recorded_on=date(2026, 11, 26))

    assert done.rows.group_by("verdict").len().rows() == [("rejected", 4)]
    assert "Ann" not in str(done.rows.to_dicts())


# Deploying: what can be read of the examples without the tools they are for


def blocks(name: str, language: str) -> list[str]:
    text = (DOCS / "how-to" / name).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def test_the_compose_file_starts_a_night_that_can_reach_nothing():
    (text,) = blocks("docker.md", "yaml")
    yaml = pytest.importorskip("yaml")  # comes with the tools of the documentation
    night = yaml.safe_load(text)["services"]["night"]
    assert (night["network_mode"], night["read_only"], night["cap_drop"]) == ("none", True, ["ALL"])
    assert [volume for volume in night["volumes"] if "keys" in volume and not volume.endswith(":ro")] == []
    assert "--as-of" in " ".join(night["command"])


def test_the_flows_of_the_schedulers_are_python_and_try_again_only_for_a_lock():
    flows = blocks("airflow-prefect.md", "python")
    assert len(flows) == 2
    for text in flows:
        compile(text, "flow.py", "exec")
        assert "== 75" in text
        assert "--as-of" in text
