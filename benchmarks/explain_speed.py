"""How fast `RiskModel.explain` is beside LightGBM's own `pred_contrib` and prediction, in one run.

    python benchmarks/explain_speed.py [large] [default] [sets] [--rows 100000]

All go from the frame to the answer of the whole model: curves, trees and calibration line, on one thread. Rows per CPU
second are the median of three rounds in which all take turns, after a first call that makes tables and compiled code;
what that first call took stands beside them. Each set's contributions are compared with `pred_contrib`'s. Models:

- `large`: 500 trees of 31 leaves and depth 8 on 60 columns, with gaps, two categories and levels that were not seen.
  `RiskModel` chooses its own trees, so these are boosted by LightGBM, put beside the curves of a fitted one, and
  saved and loaded as any model is.
- `default`: what `RiskModel()` fits to 30,000 drawn rows of 55 columns.
- `sets`: what it fits to each set of `risk_model.py` (which needs the packages named there), explaining its rows. They
  are left out unless named.
"""

import argparse
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import lightgbm as lgb
import numpy as np
import polars as pl
from shap_by_lookup import made_up_outcome, made_up_people

from ageingwell.lookup import kernels
from ageingwell.model.estimator import RiskModel
from ageingwell.model.saving import load_folder, save_folder

# So many rows are enough to time the slower two.
EXPLAINED_BY_LIGHTGBM, PREDICTED_BY_LIGHTGBM = 2_000, 20_000
Timed = tuple[str, float]


def large_model(n: int) -> tuple[RiskModel, pl.DataFrame]:
    """The model of 500 trees, saved and loaded, and `n` other people."""
    people = frame_of(made_up_people(60_000, seed=1), seed=11)
    outcome = made_up_outcome(made_up_people(60_000, seed=1), seed=2)
    model = RiskModel(max_trees=1, warn_on_few_events=False).fit(people.head(3_000), outcome[:3_000])
    codes = model.fitted_.matrix(people, gaps="fill")
    fixed = {"seed": 1, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1}
    shape = {"objective": "binary", "num_leaves": 31, "max_depth": 8, "learning_rate": 0.05, "min_data_in_leaf": 50}
    data = lgb.Dataset(
        model.fitted_.numbers(codes),
        outcome,
        init_score=model.fitted_.margin.log_odds(codes),
        categorical_feature=[place for place, column in enumerate(model.fitted_.columns) if column.is_category],
    )
    fitted = replace(model.fitted_, booster_=lgb.train({**shape, **fixed}, data, 500))
    with tempfile.TemporaryDirectory() as folder:
        model.fitted_ = load_folder(save_folder(fitted, Path(folder)))[0]
    return model, frame_of(made_up_people(n, seed=5), seed=12, unseen=0.02)


def frame_of(x: np.ndarray, *, seed: int, unseen: float = 0.0) -> pl.DataFrame:
    """60 columns, two of them categories of 6 and 12 levels; a share of `unseen` of levels that nobody else has."""
    draw = np.random.default_rng(seed)
    frame = pl.DataFrame({f"x{place}": column for place, column in enumerate(x.T)}, nan_to_null=True)
    for place, levels in ((0, 6), (50, 12)):
        codes = np.where(draw.random(len(x)) < unseen, 99, draw.integers(0, levels, len(x)))
        level = pl.Series([None if code == 1 else f"level {code}" for code in codes.tolist()])
        frame = frame.with_columns(level.alias(f"x{place}"))
    return frame


def default_model() -> tuple[RiskModel, pl.DataFrame]:
    """What `RiskModel()` fits to 30,000 drawn rows of 55 columns, and those rows."""
    draw = np.random.default_rng(1)
    x = draw.normal(size=(30_000, 55))
    x[:, :20] = (x[:, :20] > 1).astype(float)
    odds = (
        x[:, 20:] @ (draw.normal(size=35) * 0.2) + x[:, 20] * x[:, 21] + np.abs(x[:, 22]) + x[:, :20].sum(1) * 0.2 - 4
    )
    outcome = (draw.random(30_000) < 1 / (1 + np.exp(-odds))).astype(int)
    x[draw.random(x.shape) < 0.05] = np.nan
    people = pl.DataFrame({f"x{place}": column for place, column in enumerate(x.T)}, nan_to_null=True)
    return RiskModel(warn_on_few_events=False).fit(people, outcome), people


def measure(name: str, model: RiskModel, people: pl.DataFrame) -> pl.DataFrame:
    """One row a contender: rows per CPU second, and how many times those of the two of LightGBM."""
    fitted = model.fitted_
    codes = fitted.matrix(people, gaps="fill")
    first, _ = cpu_seconds(lambda: model.explain(people))
    ways: dict[str, tuple[int, Callable[[], object]]] = {
        "pred_contrib": (EXPLAINED_BY_LIGHTGBM, lambda: by_lightgbm(model, people.head(EXPLAINED_BY_LIGHTGBM))),
        "predict": (PREDICTED_BY_LIGHTGBM, lambda: fitted.score(people.head(PREDICTED_BY_LIGHTGBM), gaps="fill")),
        "RiskModel.explain": (people.height, lambda: model.explain(people)),
        "RiskModel.predict_proba": (people.height, lambda: model.predict_proba(people)),
    }
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(3):
        for way, (rows, work) in ways.items():
            taken[way].append(min(rows, people.height) / cpu_seconds(work)[0])
    speed = {way: statistics.median(rates) for way, rates in taken.items()}
    some = people.head(EXPLAINED_BY_LIGHTGBM)
    apart = float(np.abs(by_lightgbm(model, some) - model.explain(some).contributions).max())
    return pl.DataFrame(
        {
            "name": name,
            "trees": fitted.booster_.num_trees(),
            "columns": codes.shape[1],
            "rows": people.height,
            "way": list(speed),
            "kernel": "Numba" if kernels.is_compiled() else "NumPy",
            "rows_per_cpu_second": [round(rate) for rate in speed.values()],
            "times_pred_contrib": [round(rate / speed["pred_contrib"], 2) for rate in speed.values()],
            "times_predict": [round(rate / speed["predict"], 2) for rate in speed.values()],
            "first_call_cpu_seconds": round(first, 2),
            "largest_difference": apart,
        }
    )


def by_lightgbm(model: RiskModel, people: pl.DataFrame) -> np.ndarray:
    """The contributions with `pred_contrib`, as `RiskModel.explain` gave them before it looked them up."""
    fitted = model.fitted_
    codes = fitted.matrix(people, gaps="fill")
    trees = np.asarray(fitted.booster_.predict(fitted.numbers(codes), pred_contrib=True, num_threads=1))
    return np.asarray(fitted.line.slope * (fitted.margin.contributions(codes) + trees[:, :-1]))


def cpu_seconds(work: Callable[[], object]) -> tuple[float, object]:
    start = time.process_time()
    made = work()
    return time.process_time() - start, made


def models(arguments: argparse.Namespace) -> Iterator[tuple[str, RiskModel, pl.DataFrame]]:
    if "default" in arguments.parts:
        yield "RiskModel() on 30,000 x 55", *default_model()
    if "large" in arguments.parts:
        yield "500 trees, 31 leaves, 60 columns", *large_model(arguments.rows)
    if "sets" in arguments.parts:
        from risk_model_data import held_back, tuned_on

        for sets in (tuned_on, held_back):
            for task in sets():
                yield task.name, RiskModel(warn_on_few_events=False).fit(task.frame, task.outcome), task.frame


def main(words: list[str] | None = None) -> pl.DataFrame:
    """Measure, print and return the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="people to explain by the model of 500 trees")
    parser.add_argument("parts", nargs="*", default=["default", "large"], help="large, default and sets")
    arguments = parser.parse_args(words)
    warnings.simplefilter("ignore")  # most levels of a few rows may be new
    tables = []
    for name, model, people in models(arguments):
        tables.append(measure(name, model, people))
        with pl.Config(tbl_cols=-1, tbl_rows=-1, tbl_width_chars=200, fmt_str_lengths=60):
            print(tables[-1], flush=True)
    return pl.concat(tables)


if __name__ == "__main__":
    main()
