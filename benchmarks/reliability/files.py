"""Ten thousand spoilt files of every form through everything that reads them (goal R4).

`python -m benchmarks.reliability files --files 10000 --seed 1`: 0 uncaught, 0 aborts, 0 hangs. Each form's files are
read by processes of their own.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
FULL = ROOT / "docs" / "evidence" / "full"


def main(argv: Sequence[str]) -> int:
    """Run it, and write the count down."""
    sys.path[:0] = [str(ROOT / "tests")]
    from helpers.fuzzed_files import READERS, fuzz

    asked = argparse.ArgumentParser(prog="files", description=__doc__)
    asked.add_argument("--files", type=int, default=10_000)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args(argv)
    bad: list[str] = []
    for form in READERS:
        with tempfile.TemporaryDirectory() as folder:
            found = fuzz(form, n=given.files // len(READERS), seed=given.seed, folder=Path(folder), batch=250)
        bad += found.bad
        print(f"{form}: {found.n} files, {found.n_refused} refused, {len(found.bad)} went wrong", flush=True)
    for one in bad[:30]:
        print(one)
    n = given.files // len(READERS) * len(READERS)
    command = f"python -m benchmarks.reliability files --files {given.files} --seed {given.seed}"
    told = {"goal": "R4.files", "n": n, "bad": len(bad), "seed": given.seed, "command": command}
    FULL.mkdir(parents=True, exist_ok=True)
    (FULL / "R4.files.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 1 if bad else 0
