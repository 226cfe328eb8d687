"""How long `RiskModel().fit` takes, in what memory, and how well it tells new people apart.

    python benchmarks/fit_speed.py                           # 30,000 rows x 55 columns
    python benchmarks/fit_speed.py --size 1000000 140        # and as many other sizes as you like
    python benchmarks/fit_speed.py --beside ../before/src    # the same fits by another version's source, in turn

Half of the columns are yes or no, the others numbers, some of them counts and a tenth of their values missing; three
are categories of 6, 12 and 60 levels. 6 in 100 have the outcome. Each fit runs in a process of its own on one thread,
so that peak memory is its own, the table included; versions take turns `--times` times. Judged by 30,000 fresh rows.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit

JUDGED_BY = 30_000
HERE = Path(__file__).resolve().parents[1] / "src"
LEVELS = (6, 12, 60)


def drawn(n: int, p: int, *, seed: int = 1) -> tuple[pl.DataFrame, np.ndarray]:
    """`n` rows of `p` columns and their outcome: 32-bit numbers and three categories."""
    draw = np.random.default_rng(seed)
    numbers = p - len(LEVELS)
    effects, at = draw.normal(size=numbers) * 0.3, numbers // 2
    columns, odds = {}, np.full(n, -3.2)
    for place in range(numbers):
        values = draw.standard_normal(n, dtype=np.float32)
        if place < at:
            values = (values > 0.8).astype(np.float32)
        elif place < at + 5:
            values = draw.poisson(1.0, n).astype(np.float32)
        odds += effects[place] * values * np.sqrt(52 / numbers)
        columns[f"x{place}"] = values
    odds += 0.5 * (columns[f"x{at + 5}"] > 1) * (columns[f"x{at + 6}"] > 0) + 0.4 * np.abs(columns[f"x{at + 7}"])
    for place in range(at, numbers):
        columns[f"x{place}"][draw.random(n, dtype=np.float32) < 0.1] = np.nan
    made = {name: pl.Series(values, nan_to_null=True) for name, values in columns.items()}
    for levels in LEVELS:
        level = draw.integers(0, levels, n)
        odds += (draw.normal(size=levels) * 0.3)[level]
        made[f"of_{levels}"] = pl.Series([f"level {one}" for one in range(levels)])[level]
    return pl.DataFrame(made), (draw.random(n) < expit(odds)).astype(int)


def measured(n: int, p: int, most_rows: int | None = None) -> dict[str, float]:
    """One fit: rows, columns, rows used, events, seconds, CPU seconds, peak GiB, AUROC and log loss of fresh rows."""
    from sklearn.metrics import log_loss, roc_auc_score

    from ageingwell.model.estimator import RiskModel

    table, outcome = drawn(n + JUDGED_BY, p)
    if most_rows is not None:
        table, outcome = pl.concat([table[:most_rows], table[n:]]), np.append(outcome[:most_rows], outcome[n:])
    n_fit = len(outcome) - JUDGED_BY
    # What is worked out once in a process is no part of a fit.
    RiskModel(warn_on_few_events=False, max_trees=1, n_folds=2).fit(table[:500], outcome[:500])
    start, cpu = time.perf_counter(), time.process_time()
    model = RiskModel(warn_on_few_events=False).fit(table[:n_fit], outcome[:n_fit])
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    risk = np.clip(model.predict_proba(table[n_fit:])[:, 1], 1e-7, 1 - 1e-7)
    fresh, sampled = outcome[n_fit:], getattr(model.fitted_, "sampled", None)
    return {
        "rows": n_fit,
        "columns": p,
        "rows_used": n_fit if sampled is None else sampled.n_used,
        "events": int(outcome[:n_fit].sum()),
        "trees": model.booster_.num_trees(),
        "seconds": seconds,
        "cpu_seconds": cpu,
        "peak_gib": peak,
        "auroc": float(roc_auc_score(fresh, risk)),
        "log_loss": float(log_loss(fresh, risk)),
    }


def in_a_process(source: Path, *given: int) -> dict[str, float]:
    """`measured` in a process of its own, with the source of one version."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
    environ = {**os.environ, **threads, "PYTHONPATH": str(source)}
    command = [sys.executable, __file__, "--measure", *map(str, given)]
    done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main(words: list[str] | None = None) -> pl.DataFrame:
    """A line a fit, printed and returned."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", nargs=2, type=int, action="append", metavar=("ROWS", "COLUMNS"))
    parser.add_argument("--beside", type=Path, action="append", default=[], help="the src folder of another version")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--measure", nargs="+", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(words)
    if given.measure:
        warnings.filterwarnings("ignore")
        print(json.dumps(measured(*given.measure)))
        return pl.DataFrame()
    lines = [
        {"version": str(source), **in_a_process(source.resolve(), *size)}
        for size in given.size or [(30_000, 55)]
        for _ in range(given.times)
        for source in (*given.beside, HERE)
    ]
    table = pl.DataFrame(lines)
    with pl.Config(tbl_cols=-1, tbl_rows=-1, float_precision=4, tbl_width_chars=200):
        print(table)
    return table


if __name__ == "__main__":
    main()
