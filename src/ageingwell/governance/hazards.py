"""The hazard log as data: what can go wrong, what the software does about it, and how the tests of that ended.

`hazards.toml` names each hazard with its controls, and for each control the tests that prove it. `results.json` is
written by the build from a run of these tests and shipped with the package, for an installed package has no tests to
run. Where it has no record of a test, or is of another version, the test counts as not run: never as passed.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from ageingwell.config.files import Settings, mistakes, read_toml
from ageingwell.errors import ConfigError

Outcome = Literal["passed", "failed", "skipped"]
NOT_RUN: Final = "not run"
HAZARDS, RESULTS = "hazards.toml", "results.json"
_TEST: Final = r"^tests/[a-z_/]+\.py::test_[a-z0-9_]+$"


class Control(Settings):
    """What the software does about a hazard, and the tests that prove it."""

    says: str = Field(min_length=20, description="what the software does, in a sentence or two")
    tests: tuple[str, ...] = Field(min_length=1, description="the tests that prove it, as pytest names them")

    @field_validator("tests")
    @classmethod
    def _are_tests(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [test for test in value if not re.fullmatch(_TEST, test)]:
            raise ValueError(f"write a test as pytest names it (tests/…/test_x.py::test_y), not {wrong[0]}")
        return value


class Hazard(Settings):
    """One thing that can go wrong for a person. Its risk is for the clinical safety officer to judge."""

    id: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$", description="a name of its own, which later packs are compared by")
    about: str = Field(min_length=3, description="what the hazard is about")
    hazard: str = Field(min_length=20, description="what can go wrong")
    cause: str = Field(min_length=10, description="how it comes about")
    effect: str = Field(min_length=3, description="what it does to people")
    stays: str = Field(min_length=20, description="what the group has to do, which no software can")
    control: tuple[Control, ...] = Field(min_length=1, description="what the software does about it")

    @property
    def tests(self) -> tuple[str, ...]:
        """The tests of all its controls."""
        return tuple(dict.fromkeys(test for control in self.control for test in control.tests))


class _Log(Settings):
    hazard: tuple[Hazard, ...] = Field(min_length=1, description="the hazards, in the order of the log")

    @model_validator(mode="after")
    def _named_once(self) -> "_Log":
        ids = [one.id for one in self.hazard]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(f"two hazards have the id {twice[0]}")
        return self


class Results(Settings):
    """How the tests of the hazard log ended in the build: of which version, and on which day."""

    version: str = Field(description="the version of the package that was tested")
    made_on: date = Field(description="the day of the run")
    tests: dict[str, Outcome] = Field(description="each test, and the worst way in which a case of it ended")


def read_hazards(path: Path) -> tuple[Hazard, ...]:
    """The hazards of a log; every mistake in it is a `ConfigError`."""
    try:
        return _Log.model_validate(read_toml(path)).hazard
    except ValidationError as fault:
        raise ConfigError("; ".join(mistakes(_Log, path, fault)), f"correct {path.name}") from None


def shipped_hazards() -> tuple[Hazard, ...]:
    """The hazard log that comes with the software.

    >>> len(shipped_hazards()) >= 25
    True
    """
    return read_hazards(_here(HAZARDS))


def shipped_results(version: str) -> Results | None:
    """How the tests ended for this version; None where the file is not there, is unreadable or is of another one.

    >>> shipped_results("another version") is None
    True
    """
    try:
        found = Results.model_validate_json(_here(RESULTS).read_bytes())
    except (OSError, ValueError):
        return None
    return found if found.version == version else None


def named_tests(hazards: Iterable[Hazard]) -> tuple[str, ...]:
    """Every test that a control names, once, in order."""
    return tuple(sorted({test for hazard in hazards for test in hazard.tests}))


def result_of(test: str, results: Results | None) -> str:
    """How a test ended, in a word: never passed without a record.

    >>> result_of("tests/spec/test_x.py::test_y", None)
    'not run'
    """
    return NOT_RUN if results is None else results.tests.get(test, NOT_RUN)


def worst_of(outcomes: Iterable[str]) -> str:
    """The worst of several ends: a control holds where every one of its tests passed.

    >>> worst_of(["passed", "not run"]), worst_of(["passed", "passed"]), worst_of([])
    ('not run', 'passed', 'not run')
    """
    order = ("failed", "skipped", NOT_RUN, "passed")
    found = set(outcomes)
    return next((one for one in order if one in found), NOT_RUN)


def as_results(ends: Mapping[str, Iterable[str]], *, version: str, made_on: date) -> str:
    """The text of `results.json`, from every way in which a case of each test ended."""
    told = {test: worst_of(outcomes) for test, outcomes in sorted(ends.items())}
    return json.dumps({"version": version, "made_on": made_on.isoformat(), "tests": told}, indent=1) + "\n"


def _here(name: str) -> Path:
    return Path(str(resources.files("ageingwell.governance").joinpath(name)))
