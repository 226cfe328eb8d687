"""Write `docs/evidence.md` from what the tests counted, or say where the two differ.

    python -m tools.evidence --write FOLDER   after all tests: write the page and its counts
    python -m tools.evidence --add FOLDER     after some tests: their counts take the place of their own, others stay
    python -m tools.evidence --check FOLDER   after all tests: write nothing; ends with 1 and says what differs
    python -m tools.evidence --page           the pages again, after a change of goals.toml or of the fault catalogue

FOLDER is where all cases of the tests wrote their counts (AGEINGWELL_EVIDENCE); `start.py every` makes it `.evidence`.
A test that was skipped, for a package that the machine has not, keeps its count; the command names it.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.evidence.counts import Counts, Run, as_json, differences, merged, read_kept, read_run
from tools.evidence.faults import faults_page
from tools.evidence.goals import Goal, read_full, read_goals
from tools.evidence.page import page, too_few

SOURCES = "the counts kept, goals.toml, docs/evidence/full and the fault catalogue"
DOCS = Path(__file__).resolve().parents[2] / "docs"
REMEDY = (
    "What to do: if the change is meant, run `python3 start.py every` and "
    "`python -m tools.evidence --write .evidence`, and commit docs/evidence.md and docs/evidence/counts.json.\n"
)


def main(arguments: Sequence[str] | None = None, *, docs: Path = DOCS) -> int:
    """Write, or check."""
    asked = _asked(arguments)
    goals, full = read_goals(), read_full(docs / "evidence" / "full")
    kept_in = docs / "evidence" / "counts.json"
    kept = read_kept(kept_in)
    folder = asked.write or asked.add or asked.check
    run = Run({}, {}) if folder is None else read_run(folder)
    wrong, lacking = differences(kept, run) if folder is not None else ([], [])
    if asked.check:
        for at, text in _pages(docs, goals, kept, full).items():
            if not at.exists() or at.read_text(encoding="utf-8") != text:
                wrong.append(f"docs/{at.relative_to(docs)} is not what {SOURCES} make of it")
        wrong += too_few(goals, kept)
        _tell("not tried on this machine", lacking)
        _tell("docs/evidence.md and the tests differ", wrong)
        if wrong:
            sys.stderr.write(REMEDY)
        return 1 if wrong else 0
    counts = kept if folder is None else merged(kept, run, partial=asked.add is not None)
    kept_in.parent.mkdir(parents=True, exist_ok=True)
    kept_in.write_text(as_json(counts), encoding="utf-8")
    for at, text in _pages(docs, goals, counts, full).items():
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text, encoding="utf-8")
    _tell("kept as they were", lacking)
    _tell("changed", [line for line in wrong if " fell " in line or "and none now" in line] if asked.write else [])
    few = too_few(goals, counts)
    _tell("too few", few)
    return 1 if few else 0


def _pages(
    docs: Path, goals: Mapping[str, Goal], counts: Counts, full: Mapping[str, dict[str, Any]]
) -> dict[Path, str]:
    return {docs / "evidence.md": page(goals, counts, full), docs / "explanation" / "faults.md": faults_page()}


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m tools.evidence", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    one = parser.add_mutually_exclusive_group(required=True)
    for name in ("write", "add", "check"):
        one.add_argument(f"--{name}", type=Path, metavar="FOLDER")
    one.add_argument("--page", action="store_true")
    return parser.parse_args(arguments)


def _tell(what: str, lines: Sequence[str]) -> None:
    for line in lines:
        sys.stderr.write(f"{what}: {line}\n")


if __name__ == "__main__":
    sys.exit(main())
