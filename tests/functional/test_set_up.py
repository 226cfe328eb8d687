"""Setting up: the lock files, and the one file that reads them on any machine."""

import ast
import ctypes
import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-demo.txt")
LOWEST = "requirements-lowest.txt"


@pytest.fixture
def start(tmp_path, monkeypatch):
    """`start.py` as a module, with an empty folder for its project."""
    spec = importlib.util.spec_from_file_location("start", ROOT / "start.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in (*LOCKS, "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    return module


def pins(name: str) -> dict[str, list[str]]:
    """The pinned lines of a lock file by package; a package may have one for each Python."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==(\S+)(.*?) \\$", line):
            found.setdefault(match[1], []).append(match[2] + match[3])
    return found


def wanted(*groups: str, extras: tuple[str, ...] = ("profiles", "database", "annex")) -> set[str]:
    """The packages pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = list(project["project"]["dependencies"])
    asked += [line for extra in extras for line in project["project"]["optional-dependencies"][extra]]
    asked += [line for group in groups for line in project["dependency-groups"][group]]
    return {re.match(r"[\w-]+", line)[0].lower() for line in asked}


@pytest.mark.parametrize("name", [*LOCKS, LOWEST])
def test_a_lock_file_names_no_address(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host|@ |file:", text)


@pytest.mark.parametrize("name", [*LOCKS, LOWEST])
def test_every_pinned_package_has_hashes(name):
    parts = re.split(
        r"^(?=[a-z0-9-]+(?:\[[a-z0-9,-]+\])?==)", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE
    )[1:]
    assert [part.split()[0] for part in parts if "--hash=sha256:" not in part] == []


def test_the_lock_files_hold_what_the_project_asks_for():
    assert wanted("build") - set(pins(LOCKS[0])) == set()
    everything = wanted("build", "test", "lint", "docs", extras=("profiles", "database", "annex", "fast", "ebm"))
    assert everything - set(pins(LOCKS[1])) == set()
    assert wanted("build", extras=("profiles",)) - set(pins(LOCKS[2])) == set()


def test_the_lowest_versions_are_those_that_the_project_allows():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lowest = pins(LOWEST)

    for line in project["project"]["dependencies"]:
        name, bound = re.match(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)", line).groups()
        numbers = bound.split(".")
        assert [pin.split(" ;")[0].split(".")[: len(numbers)] for pin in lowest[name]] == [numbers], name


def test_the_demonstration_installs_neither_numba_nor_charts_nor_databases():
    # Numba and its LLVM alone are 208 MB; shap brings them in.
    assert {"numba", "llvmlite", "shap", "matplotlib", "pyarrow", "pandas"} & set(pins(LOCKS[2])) == set()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-demo.txt"])
def test_the_tests_run_on_the_packages_a_user_gets(name):
    # A package that a user needs on one system only may be needed on every system by the tests.
    user, developer = pins(name), pins(LOCKS[1])
    versions = {name: [pin.split(" ;")[0] for pin in found] for name, found in user.items()}
    assert {name: [pin.split(" ;")[0] for pin in developer.get(name, [])] for name in user} == versions


def test_an_old_python_can_read_the_file_that_says_it_is_too_old(start):
    ast.parse((ROOT / "start.py").read_text(encoding="utf-8"), feature_version=(3, 7))


@pytest.mark.parametrize(("version", "is_fine"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)])
def test_python_3_11_to_3_13_will_do(start, monkeypatch, version, is_fine):
    monkeypatch.setattr(sys, "version_info", (*version, 0, "final", 0))
    fault = start.fault_of_python()
    assert (fault is None) == is_fine
    if fault:
        assert f"Python {version[0]}.{version[1]}" in fault
        assert "3.11 to 3.13" in fault


@pytest.mark.parametrize(
    ("system", "words"),
    [("linux", ["libgomp.so.1", "libgomp1", "dnf install libgomp"]), ("darwin", ["libomp", "brew install"])],
)
def test_a_missing_openmp_library_is_named_with_its_package(start, monkeypatch, system, words):
    def not_there(name):
        raise OSError(name)

    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(ctypes, "CDLL", not_there)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)

    fault = start.fault_of_openmp()

    assert [word for word in words if word not in fault] == []


def test_a_second_run_installs_nothing(start, monkeypatch):
    steps = []
    monkeypatch.setattr(start, "run", steps.append)
    monkeypatch.setattr(start, "works", lambda: True)
    start.VENV.mkdir()

    start.set_up("test")
    first = len(steps)
    start.set_up("test")
    start.set_up("demo")  # its packages are among those of the tests

    assert first > 0
    assert len(steps) == first


def test_a_changed_lock_file_makes_everything_anew(start, monkeypatch):
    steps = []
    monkeypatch.setattr(start, "run", steps.append)
    monkeypatch.setattr(start, "works", lambda: True)
    start.VENV.mkdir()
    start.set_up("demo")
    (start.ROOT / "requirements-demo.txt").write_text("# other packages", encoding="utf-8")

    steps.clear()
    start.set_up("demo")

    assert "--clear" in steps[0]


def test_nothing_is_installed_without_its_hash(start, monkeypatch):
    steps = []
    monkeypatch.setattr(start, "run", steps.append)
    start.VENV.mkdir()

    start.set_up("demo")

    installs = [step for step in steps if "install" in step]
    assert all("--require-hashes" in step or {"--no-index", "--no-deps"} <= set(step) for step in installs)


def test_a_python_without_its_own_pip_borrows_the_one_beside_it(start, monkeypatch):
    monkeypatch.setattr(start, "PYTHON", start.VENV / "bin" / "python")
    assert start.pip_command()[:5] == [sys.executable, "-m", "pip", "--python", str(start.PYTHON)]


def test_the_users_own_paths_do_not_leak_in(start, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "somewhere")
    monkeypatch.setenv("PIP_TARGET", "somewhere")
    around = start.surroundings({"POLARS_MAX_THREADS": "1"})
    assert "PYTHONPATH" not in around
    assert "PIP_TARGET" not in around
    assert around["POLARS_MAX_THREADS"] == "1"


def test_an_unknown_word_gets_the_help(start, capsys):
    assert start.main(["dmeo"]) == 2
    assert "start.py demo" in capsys.readouterr().out
