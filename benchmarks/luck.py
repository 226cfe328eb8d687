"""How much of a list is luck: the same fit with other seeds, and with its rows in another order.

    python benchmarks/luck.py                          # three drawn sets
    python benchmarks/luck.py --beside ../before/src   # the same by another version's source, in turn
    python benchmarks/luck.py --county fit.parquet test.parquet   # parts of `look_back`, as `ageingwell train` fits

For each set the model is fitted with seeds 1 to 4, and once more with seed 1 on rows in another order; all are asked
for the risks of the same new people. Told are the share of the highest 5% that changes between two seeds, how far a
risk moves at most and on average (root of the mean square) when rows change places, AUROC, log loss and CPU seconds.
"""

import argparse
import itertools
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import polars as pl

HERE = Path(__file__).resolve().parents[1] / "src"
SEEDS = (1, 2, 3, 4)
TOP = 0.05


def drawn(name: str) -> tuple[pl.DataFrame, np.ndarray, pl.DataFrame, np.ndarray]:
    """Rows and outcome to fit on, and to judge by."""
    from fit_speed import drawn as mixed
    from risk_model_data import frame_of
    from risk_model_drawn import TUNED_SHAPES

    if name == "mixed":
        table, outcome = mixed(14_000, 40)
    else:
        frame, outcome = TUNED_SHAPES[name]()
        table = frame_of(frame)
    n = table.height // 2
    return table[:n], outcome[:n], table[n:], outcome[n:]


def fitted(fit_on: pl.DataFrame, outcome: np.ndarray, judge: pl.DataFrame, *, seed: int) -> np.ndarray:
    from ageingwell.model.estimator import RiskModel

    model = RiskModel(warn_on_few_events=False, seed=seed).fit(fit_on, outcome)
    return model.predict_proba(judge)[:, 1]


def as_trained(fit: pl.DataFrame, judge: pl.DataFrame, *, seed: int) -> np.ndarray:
    """The county's ranking outcome, as `ageingwell train` fits it, by one seed."""
    from ageingwell.config.load import load_config
    from ageingwell.features.build import names
    from ageingwell.learning.training import fit_outcome, left_without_help

    settings = load_config().train.model_copy(update={"seed": seed})
    model = fit_outcome(COUNTY, *left_without_help(COUNTY, fit, settings), settings)
    return model.risk(model.score(judge.select(names())))


COUNTY = "loss_of_independence"


def measured(name: str, files: list[str]) -> dict[str, float | str]:
    """One set by the version whose source is on the path."""
    from sklearn.metrics import log_loss, roc_auc_score

    if files:
        fit, judge = (pl.read_parquet(file) for file in files)
        judge = judge.drop_nulls(COUNTY)
        outcome = judge[COUNTY].to_numpy()
        risks_of = lambda rows, seed: as_trained(fit[rows], judge, seed=seed)  # noqa: E731
        n = fit.height
    else:
        table, had, judge, outcome = drawn(name)
        risks_of = lambda rows, seed: fitted(table[rows], had[rows], judge, seed=seed)  # noqa: E731
        n = table.height
    start = time.process_time()
    risks = [risks_of(np.arange(n), seed) for seed in SEEDS]
    seconds = (time.process_time() - start) / len(SEEDS)
    again = risks_of(np.random.default_rng(1).permutation(n), SEEDS[0])
    k = int(TOP * judge.height)
    tops = [set(np.argsort(-risk, kind="stable")[:k].tolist()) for risk in risks]
    changes = [1 - len(one & other) / k for one, other in itertools.combinations(tops, 2)]
    return {
        "set": name,
        "rows": n,
        "top 5% changed": float(np.mean(changes)),
        "order: most": float(np.abs(again - risks[0]).max()),
        "order: usual": float(np.sqrt(np.mean((again - risks[0]) ** 2))),
        "AUROC": float(np.mean([roc_auc_score(outcome, risk) for risk in risks])),
        "log loss": float(np.mean([log_loss(outcome, np.clip(risk, 1e-6, 1 - 1e-6)) for risk in risks])),
        "CPU s": seconds,
    }


SETS = ("mixed", "30,000 rows, 5% events, 30% missing", "pairs of categories, 20,000 rows", "curves, 20,000 rows")


def main(words: list[str] | None = None) -> None:
    """A line a set and version, printed as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beside", type=Path, action="append", default=[], help="the src folder of another version")
    parser.add_argument("--county", nargs=2, metavar=("FIT", "TEST"), default=[])
    parser.add_argument("--sets", nargs="*", default=SETS)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    given = parser.parse_args(words)
    if given.measure:
        warnings.filterwarnings("ignore")
        print(json.dumps(measured(given.measure, given.county)))
        return
    county = ["--county", *map(str, given.county)] if given.county else []
    for name in [COUNTY] if county else given.sets:
        for source in (*given.beside, HERE):
            path = f"{source.resolve()}:{Path(__file__).parent}"
            environ = {
                "PYTHONPATH": path,
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
                "POLARS_MAX_THREADS": "1",
            }
            command = [sys.executable, __file__, "--measure", name, *county]
            done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
            found = json.loads(done.stdout.splitlines()[-1])
            print(source, {key: round(value, 5) if isinstance(value, float) else value for key, value in found.items()})


if __name__ == "__main__":
    main()
