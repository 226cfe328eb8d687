"""How long the made-up county takes, how much memory, and how well its true risks foretell what was drawn.

    python benchmarks/county.py --people 200000 --out county

Prints one line of JSON.
"""

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np
import polars as pl

from ageingwell.synthetic.county import CountyPlan, synthesise
from ageingwell.synthetic.hazards import RISKS


def auroc(risk: np.ndarray, outcome: np.ndarray) -> float:
    rank = np.argsort(np.argsort(risk))
    positives = outcome.sum()
    return float((rank[outcome].sum() - positives * (positives - 1) / 2) / (positives * (~outcome).sum()))


def ceilings(folder: Path, *, seed: int) -> dict[str, float]:
    """AUROC of the true risks of people at home on the test cut-off, against outcomes drawn from them anew."""
    truth = pl.read_parquet(folder / "truth" / "risk.parquet").filter(~pl.col("is_in_care_home"))
    cutoff = truth["as_of"].unique().sort()[-2]
    rng = np.random.default_rng(seed)
    found = {}
    for name in RISKS:
        risk = truth.filter(pl.col("as_of") == cutoff)[f"risk_{name}"].drop_nulls().to_numpy()
        found[name] = round(auroc(risk, rng.random(len(risk)) < risk), 4)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    start = time.perf_counter()
    summary = synthesise(CountyPlan(people=arguments.people), arguments.out)
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    result = {"people": arguments.people, "seconds": round(seconds, 1), "peak_gib": round(memory, 2)}
    print(json.dumps({**result, "rows": sum(summary.rows.values()), "auroc": ceilings(arguments.out, seed=1)}))


if __name__ == "__main__":
    main()
