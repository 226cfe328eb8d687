"""The tables of an evaluation, measured on made-up arrays: what a bundle holds of one outcome."""

from functools import cache

import numpy as np
import polars as pl
from scipy.special import expit

from ageingwell.learning.measuring import Held, measure


@cache
def measured_tables(n: int = 1_500) -> dict[str, pl.DataFrame]:
    """Every table of one outcome, of people whose risk rises with age; one ethnic group has three people."""
    draw = np.random.default_rng(5)
    age = draw.uniform(65, 95, n)
    risk = expit((age - 95) / 6)
    rare = np.where(np.arange(n) < 3, "other", "white")
    held = Held(
        outcome=(draw.random(n) < risk).astype(np.int8),
        age=age,
        scores={
            "model": risk,
            "age alone": age,
            "frailty index": draw.random(n),
            "2+ emergency admissions": (draw.random(n) < 0.1).astype(float),
            "emergency admissions": draw.integers(0, 3, n).astype(float),
            "logistic regression": expit((age - 94) / 7),
        },
        groupings={
            "sex": pl.Series(np.where(draw.random(n) < 0.5, "female", "male")),
            "ethnic_group": pl.Series(rare),
            "practice": pl.Series(np.where(draw.random(n) < 0.5, "Z$0000", "Z<b>01")),
        },
        places={"fire": 60, "gp": 40},
        households=np.arange(n).astype(str),
        alike=np.where(draw.random(n) < 0.5, "80 to 84, 1", "80 to 84, 0"),
    )
    return measure(held, cost_gbp=None, draws=20, seed=1)
