"""Many small drawn sets, each judged by 20,000 fresh rows: `python benchmarks/risk_model_fresh.py > table.md`.

Out-of-fold slopes of a set with 50 events say little: their standard error is about 0.2. Here every fit is judged where
there are events enough, and it is the mean over many draws that tells whether risks are over-confident. A number after
the name draws so many sets of each shape instead of 5; a word picks shapes by name: `risk_model_fresh.py 10 pairs`.
"""

import sys
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from risk_model import histgb, logistic, ours
from risk_model_data import frame_of
from risk_model_drawn import Table, curves, forest, linear, mixed, network, pairs, telling_gaps
from scipy.special import logit
from sklearn.metrics import log_loss, roc_auc_score

from ageingwell.evaluation.calibration import calibration_line

JUDGED_BY = 20_000
FITS = {"RiskModel": ours, "logistic regression": logistic, "HistGradientBoosting": histgb}
# How many rows are fitted on, and how they are drawn.
SHAPES: dict[str, tuple[int, Callable[..., Table]]] = {
    "mixed, 1,000 rows, 10% events": (1000, partial(mixed, share=0.1, missing=0.2)),
    "mixed, 3,000 rows, 2% events": (3000, partial(mixed, share=0.02, missing=0.3)),
    "straight lines, 1,500 rows, 5% events": (1500, partial(linear, share=0.05)),
    "telling gaps, 2,000 rows, 4% events": (2000, partial(telling_gaps, share=0.04)),
    "a network, 2,000 rows, 5% events": (2000, partial(network, share=0.05, missing=0.1)),
    "a forest, 3,000 rows, 3% events": (3000, partial(forest, share=0.03, missing=0.2)),
    "curves, 1,500 rows, 4% events": (1500, partial(curves, share=0.04)),
    "pairs of categories, 5,000 rows, 15% events": (5000, partial(pairs, share=0.15)),
}


def judged(draw: Callable[..., Table], n: int, seed: int) -> pd.DataFrame:
    """One drawn set: a line a fit, with AUROC, slope and log loss among the fresh rows."""
    table, outcome = draw(seed, n=n + JUDGED_BY)
    frame, lines = frame_of(table), []
    for name, fit in FITS.items():
        risk = np.clip(fit(frame[:n], outcome[:n], frame[n:]), 1e-7, 1 - 1e-7)
        fresh = outcome[n:]
        slope = calibration_line(fresh, logit(risk)).slope
        lines.append({"fit": name, "events": outcome[:n].sum(), "AUROC": roc_auc_score(fresh, risk), "slope": slope})
        lines[-1]["log loss"] = log_loss(fresh, risk)
    return pd.DataFrame(lines)


def main() -> None:
    warnings.filterwarnings("ignore")
    n_draws = next((int(word) for word in sys.argv[1:] if word.isdigit()), 5)
    wanted = [word for word in sys.argv[1:] if not word.isdigit()]
    print("| shape | events | fit | AUROC | RiskModel's less this one's | slope | slopes' spread | log loss |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (n, draw) in SHAPES.items():
        if not wanted or any(word in name for word in wanted):
            print_shape(name, pd.concat([judged(draw, n, 9000 + seed) for seed in range(n_draws)], keys=range(n_draws)))


def print_shape(name: str, found: pd.DataFrame) -> None:
    mine = found[found["fit"] == "RiskModel"]["AUROC"].to_numpy()
    for fit, lines in found.groupby("fit", sort=False):
        apart = mine - lines["AUROC"].to_numpy()
        error = apart.std(ddof=1) / np.sqrt(len(apart))
        print(
            f"| {name} | {lines['events'].min()}-{lines['events'].max()} | {fit} | {lines['AUROC'].mean():.4f} "
            f"| {apart.mean():+.4f} ± {error:.4f} | {lines['slope'].mean():.2f} | {lines['slope'].std():.2f} "
            f"| {lines['log loss'].mean():.4f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
