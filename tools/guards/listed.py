"""The list of guards, and whether it is still true of the code."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("guards.toml")


@dataclass(frozen=True)
class Guard:
    """A few words of a file that keep somebody safe, what is there without them, and the tests that then fail."""

    name: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]


def read_guards(file: Path = LIST) -> list[Guard]:
    """Every guard, in the order of the list."""
    told = tomllib.loads(file.read_text(encoding="utf-8"))["guard"]
    return [Guard(one["name"], one["file"], one["text"], one["instead"], tuple(one["tests"])) for one in told]


def faults_of(guards: Iterable[Guard], root: Path = ROOT) -> list[str]:
    """Of which guards the text is not there exactly once, or a test is not there at all."""
    told = []
    for guard in guards:
        path = root / "src" / "ageingwell" / guard.file
        n = path.read_text(encoding="utf-8").count(guard.text) if path.exists() else 0
        if n != 1:
            told.append(f"{guard.file}: the text of the guard {guard.name!r} is there {n} times, not once")
        told += [
            f"{test}: no such test of the guard {guard.name!r}" for test in guard.tests if not _is_there(test, root)
        ]
    return told


def _is_there(test: str, root: Path) -> bool:
    file, _, name = test.partition("::")
    if not (root / file).exists():
        return False
    function = name.split("[")[0]
    return not name or re.search(rf"def {function}\(", (root / file).read_text(encoding="utf-8")) is not None
