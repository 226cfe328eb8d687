"""How fast contributions by look-up are, and whether they are right: one command, one table.

    python benchmarks/shap_by_lookup.py [--rows 1000000] [--sample 20000] [--write benchmarks/shap_by_lookup.md]

The model: 500 trees of 31 leaves and depth 8 on 60 features (44 of them 0/1, 16 numeric, five with gaps), trained on
made-up people. Every contender runs on one thread; rows per CPU second are the median of three interleaved rounds.
Contenders that are not installed are left out and named. All rows are checked against LightGBM's raw prediction
(base plus contributions is the score); a sample of them, value by value, against `pred_contrib`.

The bundles in `models/` are measured whole as well: margin, trees and calibration, by the tables of the night and by
LightGBM with the margin's curves added, on rows drawn around the knots of the curves.
"""

import argparse
import contextlib
import datetime
import importlib.metadata
import io
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from ageingwell.bundle import load_bundle
from ageingwell.config.load import load_config
from ageingwell.lookup import LookupTables, compile_booster
from ageingwell.lookup.trees import read_trees
from ageingwell.model.compiled import CompiledRisk
from ageingwell.model.fitted import FittedRisk

Floats = NDArray[np.float64]
BINARY, NUMERIC, WITH_GAPS = 44, 16, 5
CHUNK = 100_000
PER_CPU_SECOND = {"LightGBM predict": 20_000, "LightGBM pred_contrib": 1_000, "look-up tables": 100_000}


def made_up_people(n: int, *, seed: int) -> Floats:
    """(n, 60): 0/1 columns of 2 to 40%, then counts, ages and measures; the last five have gaps of 5 to 25%."""
    draw = np.random.default_rng(seed)
    yes_or_no = (draw.random((n, BINARY)) < np.linspace(0.02, 0.4, BINARY)).astype(float)
    numbers = draw.normal(size=(n, NUMERIC))
    numbers[:, :4] = np.round(3 * np.exp(numbers[:, :4]))
    numbers[:, 4] = np.round(65 + 30 * draw.random(n))
    for column in range(WITH_GAPS):
        numbers[draw.random(n) < 0.05 * (column + 1), NUMERIC - 1 - column] = np.nan
    return np.concatenate([yes_or_no, numbers], axis=1)


def made_up_outcome(x: Floats, *, seed: int) -> NDArray[np.int64]:
    draw = np.random.default_rng(seed)
    known = np.nan_to_num(x)
    scaled = (known - known.mean(0)) / known.std(0)
    weights = np.concatenate([draw.normal(size=BINARY) * 0.15, draw.normal(size=NUMERIC) * 0.5])
    odds = scaled @ weights + 0.6 * np.abs(scaled[:, 48]) + 0.4 * scaled[:, 50] * scaled[:, 55] - 2.5
    return (draw.random(len(x)) < 1 / (1 + np.exp(-odds))).astype(np.int64)


def train(n: int) -> lgb.Booster:
    x = made_up_people(n, seed=1)
    settings = {"objective": "binary", "num_leaves": 31, "max_depth": 8, "learning_rate": 0.05, "min_data_in_leaf": 100}
    fixed = {"seed": 1, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1}
    return lgb.train({**settings, **fixed}, lgb.Dataset(x, made_up_outcome(x, seed=2)), 500)


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def ours(booster: lgb.Booster, tables: LookupTables, x: Floats) -> dict[str, Callable[[], object]]:
    most = PER_CPU_SECOND
    return {
        "LightGBM predict": lambda: booster.predict(x[: most["LightGBM predict"]], raw_score=True, num_threads=1),
        "LightGBM pred_contrib": lambda: booster.predict(
            x[: most["LightGBM pred_contrib"]], pred_contrib=True, num_threads=1
        ),
        "look-up tables": lambda: tables.explain(x[: most["look-up tables"]], threads=1),
    }


def whole_models(compiled: CompiledRisk, x: Floats) -> dict[str, Callable[[], object]]:
    """The three ways to a whole model's log-odds: `x` is the matrix of codes, as a night makes it."""
    model, most = compiled.fitted, PER_CPU_SECOND

    def predict() -> Floats:
        some = x[: most["LightGBM predict"]]
        trees = model.booster_.predict(model.numbers(some), raw_score=True, num_threads=1)
        return model.log_odds(model.margin.log_odds(some) + trees)

    def pred_contrib() -> Floats:
        some = x[: most["LightGBM pred_contrib"]]
        trees = np.asarray(model.booster_.predict(model.numbers(some), pred_contrib=True, num_threads=1))
        return np.asarray(model.line.slope * (model.margin.contributions(some) + trees[:, :-1]))

    return {
        "LightGBM predict": predict,
        "LightGBM pred_contrib": pred_contrib,
        "look-up tables": lambda: compiled.tables.explain(x[: most["look-up tables"]], threads=1),
    }


def speeds(contenders: dict[str, Callable[[], object]], rows: int) -> dict[str, float]:
    """Rows per CPU second, the median of three rounds in which the contenders take turns."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    contenders["look-up tables"]()  # compiles, or loads what was compiled
    for _ in range(3):
        for name, work in contenders.items():
            taken[name].append(min(PER_CPU_SECOND[name], rows) / cpu_seconds(work))
    return {name: statistics.median(rates) for name, rates in taken.items()}


def others(booster: lgb.Booster, x: Floats) -> Iterator[tuple[str, float | str]]:
    """Rows per CPU second of what else is installed, or why there is no figure."""
    contenders = (("shap", by_shap), ("xgboost", by_xgboost), ("woodelf-explainer", by_woodelf))
    for name, measure in contenders:
        try:
            label = f"{name} {importlib.metadata.version(name)}"
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                rate = measure(booster, x)
            yield label, rate
        except Exception as why:
            yield name, f"did not run ({type(why).__name__})"


def by_shap(booster: lgb.Booster, x: Floats) -> float:
    import shap

    explainer = shap.TreeExplainer(booster)
    explainer.shap_values(x[:2])
    return 500 / cpu_seconds(lambda: explainer.shap_values(x[:500]))


def by_xgboost(booster: lgb.Booster, x: Floats) -> float:
    """Its own model of the same shape, for it cannot read LightGBM's."""
    import xgboost

    some = made_up_people(20_000, seed=1)
    data = xgboost.DMatrix(some, made_up_outcome(some, seed=2))
    shape = {"max_depth": 8, "max_leaves": 31, "grow_policy": "lossguide", "eta": 0.05, "nthread": 1}
    model = xgboost.train({"objective": "binary:logistic", "tree_method": "hist", **shape}, data, 500)
    return 500 / cpu_seconds(lambda: model.predict(xgboost.DMatrix(x[:500], nthread=1), pred_contribs=True))


def by_woodelf(booster: lgb.Booster, x: Floats) -> float:
    import pandas
    import woodelf

    frame = pandas.DataFrame(x[:20_000], columns=booster.feature_name())
    explainer = woodelf.WoodelfExplainer(booster)
    return len(frame) / cpu_seconds(lambda: explainer.shap_values(frame))


def check(booster: lgb.Booster, tables: LookupTables, *, rows: int, sample: int) -> dict[str, float]:
    """Every row's log-odds against LightGBM's raw score, and a sample's contributions, against `pred_contrib`."""
    worst = {"score": 0.0, "contribution": 0.0, "base": 0.0, "scale": 0.0}
    for number, first in enumerate(range(0, rows, CHUNK)):
        x = made_up_people(min(CHUNK, rows - first), seed=1_000 + number)
        mine = tables.explain(x, threads=2)
        score = np.asarray(booster.predict(x, raw_score=True, num_threads=2))
        worst["scale"] = max(worst["scale"], float(np.abs(score).max()))
        summed = mine.base + mine.contributions.sum(axis=1)
        worst["score"] = max(
            worst["score"], float(np.abs(summed - score).max()), float(np.abs(mine.log_odds - score).max())
        )
        few = x[: sample * CHUNK // rows]
        reference = np.asarray(booster.predict(few, pred_contrib=True, num_threads=2))
        differences = np.abs(reference[:, :-1] - mine.contributions[: len(few)])
        worst["contribution"] = max(worst["contribution"], float(differences.max()))
        worst["base"] = max(worst["base"], float(np.abs(reference[:, -1] - mine.base).max()))
        print(f"checked {first + len(x):,} rows, {worst}", flush=True)
    return worst


def shipped() -> Iterator[tuple[str, CompiledRisk, Floats]]:
    """The models of the bundles in `models/`, with rows on and between their own knots, and gaps where they may be."""
    codelists = load_config().codelists
    for folder in sorted(path.parent for path in (Path(__file__).parents[1] / "models").glob("*/bundle.json")):
        for outcome, compiled in load_bundle(folder, codelists=codelists).compiled.items():
            yield f"{folder.name}, {outcome}", compiled, around_knots(compiled.fitted, CHUNK)


def around_knots(model: FittedRisk, n: int) -> Floats:
    """(n, p) codes: each value one of the curve's knots, or drawn between and beyond them; one in ten missing."""
    draw = np.random.default_rng(3)
    x = np.empty((n, len(model.columns)), order="F")
    for place, (column, curve) in enumerate(zip(model.columns, model.margin.curves, strict=True)):
        at = np.array(curve.at)
        between = draw.uniform(at.min() - 1, at.max() + 1, n)
        x[:, place] = np.where(
            draw.random(n) < 0.7, draw.choice(at, n), np.round(between) if column.is_category else between
        )
        if column.name in model.missing_in_training:
            x[draw.random(n) < 0.1, place] = np.nan
    return x


def apart(compiled: CompiledRisk, x: Floats) -> tuple[float, float]:
    """How far a shipped model's tables lie from LightGBM's contributions and from its log-odds, on all rows."""
    some = min(len(x), PER_CPU_SECOND["LightGBM pred_contrib"])
    ways, mine = whole_models(compiled, x), compiled.tables.explain(x, threads=2)
    odds = np.asarray(ways["LightGBM predict"]())
    contributions = float(np.abs(np.asarray(ways["LightGBM pred_contrib"]()) - mine.contributions[:some]).max())
    return contributions, float(np.abs(odds - mine.log_odds[: len(odds)]).max())


def lines(title: str, trees: int, tables: LookupTables, measured: dict[str, float]) -> Iterator[str]:
    yield f"\n## {title}\n"
    yield f"{trees} trees, {len(tables.condition_start) - 1:,} groups, {len(tables.entry_table):,}"
    yield f"additions a row, tables of {tables.entries.nbytes / 2**20:.1f} MiB.\n"
    yield "| one thread | rows per CPU second | x pred_contrib | x predict |\n|---|---:|---:|---:|"
    contrib, plain = measured["LightGBM pred_contrib"], measured["LightGBM predict"]
    for name, rate in sorted(measured.items(), key=lambda item: item[1]):
        yield f"| {name} | {rate:,.0f} | {rate / contrib:,.1f} | {rate / plain:,.2f} |"


def report(arguments: argparse.Namespace) -> Iterator[str]:
    booster = train(arguments.people)
    numeric = np.mean([split.feature >= BINARY for tree in read_trees(booster) for split in tree.splits])
    compiled: list[object] = []
    seconds = cpu_seconds(lambda: compiled.append(compile_booster(booster)))
    again = cpu_seconds(lambda: compile_booster(booster))
    (tables,) = compiled
    if not isinstance(tables, LookupTables):
        raise SystemExit(f"the model does not fit the tables: {tables}")
    x = made_up_people(CHUNK, seed=5)
    yield "# Contributions by look-up, measured\n"
    libraries = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("lightgbm", "numba", "numpy"))
    today = f"{datetime.datetime.now(datetime.UTC):%d %B %Y}"
    yield f"{today}; {machine()}; Python {platform.python_version()}, {libraries}."
    asked = f"--people {arguments.people} --rows {arguments.rows} --sample {arguments.sample}"
    yield f"Made by `python benchmarks/shap_by_lookup.py {asked}`."
    measured = speeds(ours(booster, tables, x), len(x))
    remarks = []
    for name, rate in others(booster, x):
        if isinstance(rate, float):
            measured[name] = rate
        else:
            remarks.append(f"{name} {rate}.")
    yield from lines("500 trees, 31 leaves, depth 8, 60 features", booster.num_trees(), tables, measured)
    yield f"\n{numeric:.0%} of the splits are on numeric features. Compiling the model took {seconds:.1f} CPU"
    yield f"seconds the first time, {again:.1f} the second. XGBoost explains its own model of the same shape."
    yield " ".join(remarks)
    for name, model, rows in shipped():
        if model.why_slow is not None:
            yield f"\n## Shipped: {name}\n\nNo tables: {model.why_slow}."
            continue
        trees = model.fitted.booster_.num_trees()
        yield from lines(
            f"Shipped: {name}, the whole model", trees, model.tables, speeds(whole_models(model, rows), len(rows))
        )
        contributions, odds = apart(model, rows)
        yield f"\n{len(rows):,} rows of {rows.shape[1]} facts, margin and calibration included: contributions at most"
        yield f"{contributions:.1e} and log-odds at most {odds:.1e} from LightGBM's with the curves added."
    worst = check(booster, tables, rows=arguments.rows, sample=arguments.sample)
    yield "\n## Equality\n"
    yield f"- {arguments.rows:,} rows, each: base plus contributions, and the log-odds returned, differ from LightGBM's"
    yield f"  raw score by at most {worst['score']:.1e} (scores reach {worst['scale']:.1f})."
    yield f"- {arguments.sample:,} of these rows (from every {CHUNK:,}), every one of the 60 values: at most"
    yield f"  {worst['contribution']:.1e} from `pred_contrib`; the base {worst['base']:.1e}."
    hours = arguments.rows / measured["LightGBM pred_contrib"] / 3600
    yield f"  On all rows `pred_contrib` would take {hours:.1f} CPU hours; `--sample {arguments.rows}` does so."


def machine() -> str:
    known = [line.split(":", 1)[1].strip() for line in cpu_information() if line.startswith("model name")]
    return f"{len(known) or '?'} x {known[0] if known else platform.machine()}, {platform.system()}"


def cpu_information() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100_000, help="people to train on")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows to check against the raw score")
    parser.add_argument("--sample", type=int, default=20_000, help="rows of them to check against pred_contrib")
    parser.add_argument("--write", type=Path, help="also write the table to this file")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # other people's libraries warn of each other
    text = ""
    for line in report(arguments):
        print(line, flush=True)
        text += line + "\n"
    if arguments.write:
        arguments.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
