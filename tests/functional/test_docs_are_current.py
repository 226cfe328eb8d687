"""The documentation is a test subject: what it tells is compared with the code, and every link is followed."""

import re
import tomllib
from pathlib import Path

import click
import pytest

import ageingwell
from ageingwell import errors
from ageingwell.cli import cli
from ageingwell.config.costs import CostsSettings
from ageingwell.config.files import Settings
from ageingwell.config.outreach import Interventions, OutreachSettings
from ageingwell.config.score import Ledger, ScoreSettings, TableSettings, TrainSettings
from ageingwell.config.services import ServicesSettings
from ageingwell.contracts.registry import TABLES, columns
from ageingwell.features.build import FEATURES
from ageingwell.views.words import NEED_WORDS
from tools.reference.__main__ import FOLDER, stale
from tools.reference.settings import _inner

ROOT = FOLDER.parent.parent
PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "intro")
FRONT = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")]
TOP = (
    *(ScoreSettings, TrainSettings, TableSettings, Ledger),
    *(OutreachSettings, Interventions, ServicesSettings, CostsSettings),
)


def commands(group: click.Group = cli, above: str = "") -> dict[str, click.Command]:
    """Every command by what is typed: those of a group have two words."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        found |= commands(command, f"{name} ") if isinstance(command, click.Group) else {f"{above}{name}": command}
    return found


COMMANDS = commands()


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def settings_classes() -> set[type[Settings]]:
    """Every settings class, those inside others too."""
    found: set[type[Settings]] = set()
    waiting: list[type[Settings] | None] = [*TOP]
    while waiting:
        model = waiting.pop()
        if model is not None and model not in found:
            found.add(model)
            waiting += [_inner(field.annotation) for field in model.model_fields.values()]
    return found


KEYS = {key for model in settings_classes() for key in model.model_fields}


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def page(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


# How a signature is written depends on the versions of libraries: the pages are made with the locked ones.
@pytest.mark.slow
def test_the_reference_pages_are_what_the_code_says():
    assert stale() == [], "run `make docs` and commit the pages"


@pytest.mark.slow
def test_a_page_that_was_changed_by_hand_is_stale(tmp_path):
    for path in FOLDER.glob("*.md"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "errors.md").write_text("All is well.", encoding="utf-8")
    (tmp_path / "of-nothing.md").touch()

    assert stale(tmp_path) == ["errors.md", "of-nothing.md"]


def test_every_feature_has_its_row():
    assert [feature.name for feature in FEATURES if f"| `{feature.name}` |" not in page("features.md")] == []


def test_every_setting_has_its_row_or_section():
    told = page("settings.md")
    assert [
        key for key in sorted(KEYS) if not re.search(rf"\| `{key}` \||^### `\[+(?:\w+\.)*{key}\b", told, re.MULTILINE)
    ] == []


def test_every_setting_has_its_sentence():
    unsaid = [
        f"{model.__name__}.{key}"
        for model in settings_classes()
        for key, field in model.model_fields.items()
        if not field.description
    ]
    assert unsaid == []


def test_every_error_has_its_row_and_a_code_of_its_own():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    told = page("errors.md")

    assert [kind.__name__ for kind in kinds if f"| {kind.exit_code} | `{kind.__name__}` |" not in told] == []
    assert len({kind.exit_code for kind in kinds}) == len(kinds)
    assert not {0, 2} & {kind.exit_code for kind in kinds}  # all well, and click's own for a mistyped command line


def test_every_command_and_option_is_told():
    told = page("commands.md")
    for name, command in COMMANDS.items():
        section = told.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert section, name
        options = [option for option in command.params if isinstance(option, click.Option)]
        assert [option.name for option in options if not any(name in section for name in option.opts)] == []


def test_every_column_of_every_contract_is_told():
    told = page("data-dictionary.md")
    for table in TABLES:
        section = told.partition(f"\n## {table}\n")[2].partition("\n## ")[0]
        assert [column.name for column in columns(table) if f"`{column.name}`" not in section] == []


def test_every_public_name_is_told():
    assert [name for name in ageingwell.__all__ if f"\n## aw.{name}\n" not in page("python.md")] == []


@pytest.mark.parametrize("path", [*PAGES, *FRONT], ids=name_of)
def test_every_link_leads_somewhere(path):
    lost = []
    text = re.sub(r"`[^`\n]+`", "", path.read_text(encoding="utf-8"))  # a pattern may look like a link
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        if file.startswith(("http://", "https://")):
            continue
        there = (path.parent / file) if file else path
        if not there.exists() or (anchor and anchor not in anchors(there)):
            lost.append(target)
    assert lost == []


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as the page is built: letters, digits, `_` and `-` stay."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower()) for title in titles}


@pytest.mark.parametrize("path", [*PAGES, *FRONT], ids=name_of)
def test_every_command_line_shown_can_be_typed(path):
    text = re.sub(r"\\\n\s*", " ", path.read_text(encoding="utf-8"))
    wrong = []
    for word, rest in re.findall(r"ageingwell(?:\.exe)? ([a-z]+)\b([^\n`#|]*)", text):
        two, _, after = rest.strip().partition(" ")
        name, arguments = (f"{word} {two}", after) if f"{word} {two}" in COMMANDS else (word, rest)
        if name not in COMMANDS and "--" in arguments:
            wrong.append(name)
        if name in COMMANDS:
            known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
            wrong += [f"{name} {option}" for option in re.findall(r"--[a-z-]+", arguments) if option not in known]
    assert wrong == []


@pytest.mark.parametrize("path", [*PAGES, *FRONT], ids=name_of)
def test_every_setting_shown_exists(path):
    known = KEYS | set(TABLES) | {column.name for table in TABLES for column in columns(table)}
    known |= {"gp", "social_care", "housing", "fire", "voluntary", "safeguarding", "group", *NEED_WORDS}
    shown = [key for block in blocks(path, "toml") for key in keys(tomllib.loads(block))]
    assert [key for key in shown if key not in known and not key.startswith("spark.")] == []  # options of Spark's own


def keys(table: dict) -> list[str]:
    """Every key of a settings example; what stands under a column of `values` are the agency's own words."""
    found = []
    for key, value in table.items():
        found.append(key)
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                found += list(inner) if key == "values" else keys(inner)
    return found


@pytest.mark.parametrize("path", [*PAGES, *FRONT], ids=name_of)
def test_every_name_that_python_examples_use_exists(path):
    used = {name for block in blocks(path, "python") for name in re.findall(r"\baw\.(\w+)", block)}
    assert used <= set(ageingwell.__all__)


def test_readmes_two_commands_are_those_the_build_server_runs():
    commands = [line for block in blocks(ROOT / "README.md", "") for line in block.splitlines() if "start.py" in line]
    build = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert commands == ["python3 start.py demo", "python3 start.py test"]
    assert re.search(r"^timeout .* python3 start\.py test ", build, flags=re.MULTILINE)


def test_no_word_of_the_glossary_is_told_twice():
    words = re.findall(r"^\*\*(.+)\*\*$", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    single = [word for entry in words for word in entry.split(", ")]
    assert len(single) > 40
    assert len(set(single)) == len(single)
    assert [word.lower() for word in words] == sorted(word.lower() for word in words)


def test_every_decision_stands_in_the_index():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "index.md").read_text(encoding="utf-8")
    assert [path.name for path in folder.glob("0*.md") if f"({path.name})" not in index] == []
