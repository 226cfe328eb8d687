"""Millions of spoilt rows of every table, held against both validators (goal R4).

`python -m benchmarks.reliability rows --rows 5000000 --seed 1` takes about ten minutes on two quiet cores.
"""

import argparse
import json
import multiprocessing
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
FULL = ROOT / "docs" / "evidence" / "full"
ROWS_OF_A_PART = 110_000


def part(told: tuple[int, int]) -> list[str]:
    """Hold one part of the rows against both; what they disagree about, by table and column."""
    sys.path[:0] = [str(ROOT / "tests")]
    from helpers.fuzzed_rows import fuzzed

    n, seed = told
    return [f"{one.table}: {one.fast} or {one.slow}" for one in fuzzed(n, seed=seed)]


def main(argv: Sequence[str]) -> int:
    """Run it, and write the count down."""
    asked = argparse.ArgumentParser(prog="rows", description=__doc__)
    asked.add_argument("--rows", type=int, default=5_000_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--processes", type=int, default=2)
    given = asked.parse_args(argv)
    sizes = [ROWS_OF_A_PART] * (given.rows // ROWS_OF_A_PART) + [given.rows % ROWS_OF_A_PART]
    parts = [(n, given.seed + 1_000_003 * place) for place, n in enumerate(sizes) if n]
    bad = []
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        for done, found in enumerate(pool.imap_unordered(part, parts), start=1):
            bad += found
            print(f"{done} of {len(parts)} parts, {len(bad)} disagreements", flush=True)
    for one in bad[:20]:
        print(one)
    command = f"python -m benchmarks.reliability rows --rows {given.rows} --seed {given.seed}"
    told = {"goal": "R4.rows", "n": given.rows, "bad": len(bad), "seed": given.seed, "command": command}
    FULL.mkdir(parents=True, exist_ok=True)
    (FULL / "R4.rows.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 1 if bad else 0
