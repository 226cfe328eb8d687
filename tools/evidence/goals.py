"""The goals of reliability, privacy and security, as `goals.toml` lists them, and the figures of full-size runs."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GOALS = Path(__file__).with_name("goals.toml")


@dataclass(frozen=True)
class Measure:
    """One thing that is counted for a goal: `how` it is tested, and the fewest cases that count as tested."""

    how: str
    at_least: int = 1


@dataclass(frozen=True)
class Goal:
    """A promise in one plain sentence, and what is counted for it, by name."""

    id: str
    group: str
    says: str
    measures: Mapping[str, Measure]


def read_goals(file: Path = GOALS) -> dict[str, Goal]:
    """Every goal by its id, in the order of the file."""
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        id_: Goal(id_, group, one["says"], {f"{id_}.{name}": _measure(m) for name, m in one.get("counts", {}).items()})
        for group, goals in told.items()
        for id_, one in goals.items()
    }


def _measure(told: str | Mapping[str, Any]) -> Measure:
    return Measure(told) if isinstance(told, str) else Measure(told["how"], told["at_least"])


def read_full(folder: Path) -> dict[str, dict[str, Any]]:
    """The figures of full-size runs, by measure: n, bad, seed, command."""
    found = (json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json")))
    return {figure["goal"]: figure for figure in found}
