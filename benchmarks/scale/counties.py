"""Made-up counties for the benchmarks, by their number of people; one that is there is used again."""

import shutil
import sys
from pathlib import Path

from benchmarks.scale.children import cost_of

AS_OF = "2026-11-22"


def county_of(people: int, work: Path) -> Path:
    """The folder of a county of so many people aged 65 and over, made by the command unless it is there."""
    folder = work / f"county-{people}"
    if not (folder / "synthetic.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        command = [sys.executable, "-m", "ageingwell", "synth", "--people", str(people), "--out", str(folder)]
        cost_of([*command, "--as-of", AS_OF])
    return folder
