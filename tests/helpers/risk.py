"""A few hundred drawn people, for tests of the risk model."""

import numpy as np
import polars as pl
from scipy.special import expit

from ageingwell.model.fitted import Explanation, FittedRisk


def drawn_people(n: int = 600, *, seed: int = 1) -> tuple[pl.DataFrame, np.ndarray]:
    """Age, falls, a category of three and one of many levels, missing values; and who had the outcome."""
    draw = np.random.default_rng(seed)
    age, falls = draw.uniform(65, 95, n), draw.poisson(0.7, n).astype(float)
    tenure, practice = draw.choice(["owned", "rented", "other"], n), draw.integers(0, 60, n)
    odds = (age - 85) / 6 + 0.7 * falls + (tenure == "rented") + 0.5 * np.sin(practice) + (falls > 1) * (age > 85)
    happened = draw.random(n) < expit(odds - 0.5)
    frame = pl.DataFrame(
        {
            "age": age,
            "falls": [None if gone else value for value, gone in zip(falls, draw.random(n) < 0.2)],
            "tenure": [None if gone else str(value) for value, gone in zip(tenure, draw.random(n) < 0.1)],
            "practice": [f"practice {number}" for number in practice],
            "is_carer": draw.random(n) < 0.3,
        }
    )
    return frame, happened.astype(int)


def by_lightgbm(model: FittedRisk, people: pl.DataFrame) -> Explanation:
    """What each feature adds by LightGBM's own `pred_contrib`, with the curves' heights and the line."""
    codes = model.matrix(people, gaps="fill")
    trees = np.asarray(model.booster_.predict(model.numbers(codes), pred_contrib=True, num_threads=1))
    base = model.line.intercept + model.line.slope * (model.margin.intercept + trees[:, -1])
    return Explanation(model.features, base, model.line.slope * (model.margin.contributions(codes) + trees[:, :-1]))
