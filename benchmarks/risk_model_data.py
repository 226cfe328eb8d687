"""The data sets of `risk_model.py`: public ones inside installable packages, and shapes that are hard on models."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import polars as pl
from scipy.special import expit


class Task(NamedTuple):
    name: str
    frame: pl.DataFrame
    outcome: np.ndarray


def public_tasks() -> Iterator[Task]:
    """Older or sick people, and two small sets of scikit-learn and statsmodels."""
    from sklearn.datasets import load_breast_cancer, load_diabetes
    from sksurv import datasets
    from statsmodels.datasets import randhie

    people, status = datasets.load_flchain()
    # The chapter of the cause of death is known of the dead only.
    people = people.drop(columns="chapter")
    yield _survived("flchain, death in 1 year", people, status, 365)
    yield _survived("flchain, death in 5 years", people, status, 5 * 365)
    yield _survived("gbsg2, relapse or death in 3 years", *datasets.load_gbsg2(), 3 * 365)
    yield _survived("whas500, death in 1 year", *datasets.load_whas500(), 365)
    cancer = load_breast_cancer(as_frame=True)
    yield Task("breast_cancer, benign", _frame(cancer.data), cancer.target.to_numpy())
    diabetes = load_diabetes(as_frame=True)
    top = diabetes.target > diabetes.target.quantile(0.7)
    yield Task("diabetes, progression in top 30%", _frame(diabetes.data), top.to_numpy().astype(int))
    visits = randhie.load_pandas().data.iloc[:8000].reset_index(drop=True)
    many = visits.pop("mdvis") >= 6
    yield Task("randhie, 6 or more visits", _frame(visits), many.to_numpy().astype(int))


def hard_tasks() -> Iterator[Task]:
    """Drawn shapes: steps, interactions, skewed and counted values, two categories, missing values, rare events."""
    draw = np.random.default_rng(0)
    shapes = ((1000, 0.1, 0.2), (3000, 0.02, 0.3), (5000, 0.1, 0.5), (10_000, 0.02, 0.2), (30_000, 0.05, 0.3))
    for n, share, missing in shapes:
        name = f"drawn: {n:,} rows, {share:.0%} events, {missing:.0%} missing"
        yield Task(name, *_drawn(draw, n=n, share=share, missing=missing))


def _drawn(draw: np.random.Generator, *, n: int, share: float, missing: float) -> tuple[pl.DataFrame, np.ndarray]:
    x = draw.normal(size=(n, 15))
    x[:, 3], x[:, 4] = np.exp(x[:, 3]), draw.poisson(1, n)
    few, many = draw.integers(0, 6, n), np.minimum(draw.zipf(1.5, n), 200)
    odds = x @ (draw.normal(size=15) * 0.3) + (draw.normal(size=6) * 0.5)[few] + (draw.normal(size=201) * 0.5)[many]
    odds += (x[:, 0] > 1) * (x[:, 1] > 0) + 0.6 * np.abs(x[:, 2]) + 0.5 * x[:, 5] * x[:, 6]
    shifts = np.linspace(-15, 10, 2000)
    shift = shifts[np.argmin([abs(expit(odds + s).mean() - share) for s in shifts])]
    outcome = (draw.random(n) < expit(odds + shift)).astype(int)
    x[draw.random(x.shape) < missing] = np.nan
    x[(x[:, 0] > 1.5) & (draw.random(n) < 0.3), 0] = np.nan
    frame = _frame(pd.DataFrame(x, columns=[f"x{place}" for place in range(15)]))
    gone = draw.random(n) < missing / 2
    return frame.with_columns(
        few=pl.Series([None if m else f"level {c}" for c, m in zip(few, gone)]),
        many=pl.Series([f"level {c}" for c in many]),
    ), outcome


def _survived(name: str, people: pd.DataFrame, status: np.ndarray, days: int) -> Task:
    """Who had the event within so many days; people who left earlier are left out."""
    event, time = (status[field] for field in status.dtype.names)
    known = (time >= days) | event
    return Task(name, _frame(people.loc[known].reset_index(drop=True)), (event & (time <= days))[known].astype(int))


def _frame(table: pd.DataFrame) -> pl.DataFrame:
    return pl.DataFrame(
        {
            name: column.to_numpy(dtype=float)
            if pd.api.types.is_numeric_dtype(column)
            else [None if pd.isna(value) else str(value) for value in column]
            for name, column in table.items()
        }
    ).with_columns(pl.selectors.float().fill_nan(None))
