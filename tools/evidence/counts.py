"""What the tests counted: read from the folder of one run, and kept beside the page."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Count:
    """How many cases of a measure one test tried, how many went wrong, with which seeds, and what it says of them."""

    n: int = 0
    bad: int = 0
    seeds: set[int] = field(default_factory=set)
    notes: set[str] = field(default_factory=set)

    def add(self, line: Mapping[str, Any]) -> None:
        """Add what one call counted: several calls, in several processes, count for one test."""
        self.n += line["n"]
        self.bad += line["bad"]
        if line["seed"] is not None:
            self.seeds.add(line["seed"])
        if line["note"]:
            self.notes.add(line["note"])


# Of each measure, such as R1.crash_points, the count of each test function.
Counts = dict[str, dict[str, Count]]


@dataclass(frozen=True)
class Run:
    """One run of the tests: what was counted, and the tests that were skipped, with the reason of each."""

    counts: Counts
    skipped: Mapping[str, str]


def read_run(folder: Path) -> Run:
    """Read the lines that every process wrote, also in folders within; a folder without any counted nothing."""
    counts: Counts = {}
    skipped: dict[str, str] = {}
    for line in _lines(sorted(folder.rglob("*.jsonl"))):
        test = _function(line["test"])
        if "skipped" in line:
            skipped[test] = line["skipped"]
        elif "goal" in line:
            counts.setdefault(line["goal"], {}).setdefault(test, Count()).add(line)
    return Run(counts, skipped)


def _lines(files: Iterable[Path]) -> Iterable[dict[str, Any]]:
    for file in files:
        for text in file.read_text(encoding="utf-8").splitlines():
            yield json.loads(text)


def _function(test: str) -> str:
    """The test function, without the case of a table-driven test.

    >>> _function("tests/unit/test_disk.py::test_room[a full disk]")
    'tests/unit/test_disk.py::test_room'
    """
    return test.split("[")[0]


def read_kept(file: Path) -> Counts:
    """The counts that the page shows; nothing where none were kept yet."""
    if not file.exists():
        return {}
    told = json.loads(file.read_text(encoding="utf-8"))
    return {
        measure: {
            test: Count(one["n"], one["bad"], set(one["seeds"]), set(one["notes"])) for test, one in tests.items()
        }
        for measure, tests in told.items()
    }


def as_json(counts: Counts) -> str:
    """The counts as they are kept, in a fixed order."""
    told = {
        measure: {
            test: {"n": one.n, "bad": one.bad, "seeds": sorted(one.seeds), "notes": sorted(one.notes)}
            for test, one in sorted(tests.items())
        }
        for measure, tests in sorted(counts.items())
    }
    return json.dumps(told, indent=1) + "\n"


def merged(kept: Counts, run: Run, *, partial: bool) -> Counts:
    """What is to be kept after a run: its counts, and the old ones of tests that were skipped.

    With `partial` the run was of some tests only, and the old counts of all others stay too.
    """
    counts: Counts = {measure: dict(tests) for measure, tests in run.counts.items()}
    ran = {test for tests in run.counts.values() for test in tests}
    for measure, tests in kept.items():
        for test, one in tests.items():
            stays = test in run.skipped or (partial and test not in ran)
            if stays and test not in counts.get(measure, {}):
                counts.setdefault(measure, {})[test] = one
    return counts


def differences(kept: Counts, run: Run) -> tuple[list[str], list[str]]:
    """What differs between the counts kept and a whole run, and which measures lacked a test that was skipped."""
    wrong, lacking = [], []
    for measure in sorted({*kept, *run.counts}):
        then, now = kept.get(measure, {}), run.counts.get(measure, {})
        for test in sorted({*then, *now}):
            if test in run.skipped:
                lacking.append(f"{measure}: {test} was skipped here ({run.skipped[test]})")
            elif test not in now:
                wrong.append(f"{measure}: {test} counted {then[test].n:,} cases before, and none now")
            elif test not in then:
                wrong.append(f"{measure}: {test} counts {now[test].n:,} cases that the page does not show")
            else:
                wrong += _changes(f"{measure}: {test}", then[test], now[test])
    return wrong, lacking


def _changes(where: str, then: Count, now: Count) -> list[str]:
    told = []
    if now.n != then.n:
        told.append(f"{where} {'fell' if now.n < then.n else 'rose'} from {then.n:,} cases to {now.n:,}")
    if now.bad != then.bad:
        told.append(f"{where}: {now.bad:,} went wrong, and the page says {then.bad:,}")
    if now.seeds != then.seeds:
        told.append(f"{where}: other seeds than the page says")
    return told
