"""Write how the tests of the hazard log ended, or say which of them are not known to have passed.

    python -m tools.hazards --write FOLDER   after all tests, or those that the log names: write governance/results.json
    python -m tools.hazards --check FOLDER   write nothing; ends with 1 and names each test that did not pass there
    python -m tools.hazards --tests          the tests that the log names, one a line, to run them alone

FOLDER is where the tests wrote how they ended (the variable AGEINGWELL_EVIDENCE); `start.py test` makes it `.evidence`.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import ageingwell
from ageingwell.governance.hazards import RESULTS, as_results, named_tests, shipped_hazards, worst_of

RESULTS_FILE = Path(ageingwell.__file__).parent / "governance" / RESULTS
REMEDY = "What to do: mend the test, or the hazard log, and run `python3 start.py test` again.\n"


def main(arguments: Sequence[str] | None = None, *, to: Path = RESULTS_FILE, today: date | None = None) -> int:
    """Write, check or list."""
    asked = _asked(arguments)
    tests = named_tests(shipped_hazards())
    if asked.tests:
        sys.stdout.write("".join(f"{test}\n" for test in tests))
        return 0
    ends = ends_in(asked.write or asked.check)
    told = {test: ends.get(test, []) for test in tests}
    left = {test: worst_of(outcomes) for test, outcomes in told.items() if worst_of(outcomes) != "passed"}
    for test, end in left.items():
        sys.stderr.write(f"{test}: {end}\n")
    if asked.write:
        ran = {test: outcomes for test, outcomes in told.items() if outcomes}
        text = as_results(ran, version=ageingwell.__version__, made_on=today or date.today())
        to.write_text(text, encoding="utf-8")
    sys.stderr.write(REMEDY if left else "")
    return 1 if left else 0


def ends_in(folder: Path) -> dict[str, list[str]]:
    """Every way in which a case of each test ended, as all processes of a run wrote it."""
    found: dict[str, list[str]] = {}
    for file in sorted(folder.rglob("*.jsonl")):
        for text in file.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            if "outcome" in line:
                found.setdefault(line["test"].split("[")[0], []).append(line["outcome"])
    return found


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m tools.hazards", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    one = parser.add_mutually_exclusive_group(required=True)
    for name in ("write", "check"):
        one.add_argument(f"--{name}", type=Path, metavar="FOLDER")
    one.add_argument("--tests", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
