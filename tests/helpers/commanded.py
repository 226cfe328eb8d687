"""A command that works for long, run once: what it said, what the library gave it, and the people it looked back at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

import pytest
from click.testing import CliRunner

from ageingwell.cli import cli
from ageingwell.learning.hindsight import Past, look_back

Run = TypeVar("Run")


@dataclass(frozen=True)
class Commanded(Generic[Run]):
    """What the command said, the people looked back at, and what the library function gave."""

    stdout: str
    past: Past
    run: Run


def commanded_once(
    module: ModuleType, function: Callable[..., Run], words: Sequence[object], **more: Any
) -> Commanded[Run]:
    """Run a command that calls `function` of `module`, which looks back once; `more` is handed to the function too."""
    pasts: list[Past] = []
    runs: list[Run] = []

    def looked_back(*data: Path, **others: Any) -> Past:
        pasts.append(look_back(*data, **others))
        return pasts[0]

    def once(*data: Path, **others: Any) -> Run:
        runs.append(function(*data, **more, **others))
        return runs[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "look_back", looked_back)
        patch.setattr(module, function.__name__, once)
        answer = CliRunner().invoke(cli, [str(word) for word in words])
    assert answer.exit_code == 0, answer.output
    assert (len(pasts), len(runs)) == (1, 1)
    return Commanded(answer.stdout, pasts[0], runs[0])
