"""Take out each guard of `guards.toml` in turn, in a copy of the project, and see whether its tests fail.

    python -m tools.guards                     every guard; prints the table, ends with 1 where a removal goes unnoticed
    python -m tools.guards --write FILE        the same, and writes the table as a page
    python -m tools.guards --only WORD         the guards with this word in name or file
    python -m tools.guards --processes 2       so many copies at a time

Needs the packages of the tests, and minutes: each guard starts the tests anew.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tools.guards.listed import ROOT, Guard, faults_of, read_guards

PARTS = ("src", "tests", "tools", "configs", "models", "docs", "benchmarks", "pyproject.toml", "README.md", "start.py",
         "CHANGELOG.md", "CONTRIBUTING.md", "mkdocs.yml", "requirements.txt", "NOTICE", "LICENSE")  # fmt: skip
MISSED, UNNOTICED, BROKEN = "missed by its tests", "NOT NOTICED", "THE TESTS DID NOT RUN"
# Of pytest: 1 where tests failed; 2 where a module could not even be imported, which is noticed too.
_FAILED = (1, 2)
PAGE = """<!-- Written by `python -m tools.guards --write docs/evidence/guards.md`: change tools/guards/guards.toml. -->

# Guards

Each of these is a few words of the code that keep people safe. The command takes them out one at a time, in a copy,
and runs the tests listed with it. Those tests have to fail. {told}

| guard | file | without it | tests |
| --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Removal:
    """What came of taking one guard out."""

    guard: Guard
    result: str
    seconds: float

    @property
    def is_noticed(self) -> bool:
        """Whether the tests failed without the guard."""
        return self.result == MISSED


def main(arguments: Sequence[str] | None = None) -> int:
    """Take them out."""
    asked = _asked(arguments)
    guards = [guard for guard in read_guards() if asked.only in f"{guard.name} {guard.file}"]
    if faults := faults_of(guards):
        sys.stderr.write("".join(f"{fault}\n" for fault in faults))
        return 1
    with tempfile.TemporaryDirectory(prefix="ageingwell-guards-") as place:
        copies: SimpleQueue[Path] = SimpleQueue()
        for n in range(asked.processes):
            copies.put(_copy(Path(place) / str(n)))
        whole = copies.get()
        tests = {test for guard in guards for test in guard.tests}
        # What many tests read is made here, with every guard in its place.
        if code := _tested(whole, sorted(test for test in tests if "::" in test or not asked.fast)):
            sys.stderr.write(f"the tests fail with every guard in its place (pytest ended with {code})\n")
            return 1
        copies.put(whole)
        with ThreadPoolExecutor(asked.processes) as pool:
            removals = list(pool.map(lambda guard: _told(_without(guard, copies)), guards))
    unnoticed = [removal for removal in removals if not removal.is_noticed]
    if asked.write:
        asked.write.write_text(page(removals), encoding="utf-8")
    sys.stdout.write(f"{len(removals) - len(unnoticed)} of {len(removals)} removals were noticed\n")
    return 1 if unnoticed else 0


def page(removals: Sequence[Removal]) -> str:
    """The table as a page."""
    n = sum(removal.is_noticed for removal in removals)
    rows = [
        f"| {one.guard.name} | `{one.guard.file}` | {one.result} | {_listed(one.guard.tests)} |" for one in removals
    ]
    return PAGE.format(told=f"{n} of {len(removals)} removals were noticed.") + "\n".join(rows) + "\n"


def _listed(tests: Sequence[str]) -> str:
    return ", ".join(f"`{test}`" for test in tests)


def _told(removal: Removal) -> Removal:
    sys.stdout.write(f"{removal.result:<22} {removal.seconds:5.1f}s  {removal.guard.name} ({removal.guard.file})\n")
    sys.stdout.flush()
    return removal


def _copy(to: Path) -> Path:
    to.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, to / part, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        elif (ROOT / part).exists():
            shutil.copyfile(ROOT / part, to / part)
    return to


def _without(guard: Guard, copies: "SimpleQueue[Path]") -> Removal:
    copy, began = copies.get(), time.monotonic()
    file = copy / "src" / "ageingwell" / guard.file
    whole = file.read_text(encoding="utf-8")
    try:
        file.write_text(whole.replace(guard.text, guard.instead), encoding="utf-8")
        code = _tested(copy, guard.tests)
    finally:
        file.write_text(whole, encoding="utf-8")
        copies.put(copy)
    result = MISSED if code in _FAILED else UNNOTICED if code == 0 else BROKEN
    return Removal(guard, result, time.monotonic() - began)


def _tested(copy: Path, tests: Sequence[str]) -> int:
    """Run tests in a copy, until the first that fails; what pytest ends with, 0 where there are none."""
    if not tests:
        return 0
    path = os.pathsep.join(str(copy / part) for part in ("src", ".", "tests"))
    # Without kept bytecode: a file put back within a second would be taken for the one without its guard.
    env = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "POLARS_MAX_THREADS": "1"}
    env["AGEINGWELL_SHARED_FOLDERS"] = str(copy.parent / "shared")
    env.pop("AGEINGWELL_EVIDENCE", None)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    base = ["--basetemp", str(copy / "tmp")]
    return subprocess.run([*command, *base], cwd=copy, env=env, capture_output=True, check=False).returncode  # noqa: S603


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m tools.guards", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="WORD")
    parser.add_argument("--write", type=Path, metavar="FILE")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--fast", action="store_true", help="run only a few tests with every guard in its place first")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
