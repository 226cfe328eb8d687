"""Drawn data of shapes that are hard on one kind of model or another; the same seed draws the same rows."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import expit

Table = tuple[pd.DataFrame, np.ndarray]
Draw = np.random.Generator


def mixed(seed: int, *, n: int, share: float, missing: float) -> Table:
    """Steps, interactions, skewed and counted values, two categories, missing values."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 15))
    x[:, 3], x[:, 4] = np.exp(x[:, 3]), draw.poisson(1, n)
    few, many = draw.integers(0, 6, n), np.minimum(draw.zipf(1.5, n), 200)
    odds = x @ (draw.normal(size=15) * 0.3) + (draw.normal(size=6) * 0.5)[few] + (draw.normal(size=201) * 0.5)[many]
    odds += (x[:, 0] > 1) * (x[:, 1] > 0) + 0.6 * np.abs(x[:, 2]) + 0.5 * x[:, 5] * x[:, 6]
    outcome = happened(draw, odds, share)
    x[draw.random(x.shape) < missing] = np.nan
    x[(x[:, 0] > 1.5) & (draw.random(n) < 0.3), 0] = np.nan
    return numbers(x).assign(few=words(few, draw.random(n) < missing / 2), many=words(many)), outcome


def linear(seed: int, *, n: int, share: float) -> Table:
    """Straight lines only: logistic regression is the truth."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 12)) @ (np.eye(12) + 0.3)
    return numbers(x), happened(draw, x @ (draw.normal(size=12) * 0.3), share)


def curves(seed: int, *, n: int, share: float) -> Table:
    """Smooth curves that add up."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 10))
    odds = np.sin(2 * x[:, 0]) + 0.5 * x[:, 1] ** 2 + np.tanh(3 * x[:, 2]) + 0.4 * x[:, 3] - np.exp(-(x[:, 4] ** 2) * 2)
    return numbers(x), happened(draw, odds, share)


def deep(seed: int, *, n: int, share: float, missing: float = 0.0) -> Table:
    """Signs of three and four numbers at a time, and products: only deep trees see them."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 16))
    odds = np.sign(x[:, 0] * x[:, 1] * x[:, 2]) + 0.8 * x[:, 3] * x[:, 4] + 0.3 * x[:, 5]
    odds += 1.2 * (x[:, 6] > 0) * (x[:, 7] > 0) * (x[:, 8] > 0) + 0.5 * np.sign(x[:, 9] * x[:, 10]) * np.abs(x[:, 11])
    outcome = happened(draw, odds, share)
    x[draw.random(x.shape) < missing] = np.nan
    return numbers(x), outcome


def practices(seed: int, *, n: int, share: float, levels: int) -> Table:
    """Three categories of very many levels with strong effects, and some numbers."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 5))
    odds = x @ np.array([0.5, -0.3, 0.2, 0.0, 0.0])
    table = numbers(x)
    for place in range(3):
        level = np.minimum((levels * draw.random(n) ** 1.7).astype(int), levels - 1)
        odds += draw.normal(size=levels)[level] * 0.8
        table[f"practice_{place}"] = words(level)
    return table, happened(draw, odds, share)


def pairs(seed: int, *, n: int, share: float, levels: int = 6) -> Table:
    """Categories whose pairs count, not each alone."""
    draw = np.random.default_rng(seed)
    level = draw.integers(0, levels, size=(n, 8))
    odds = np.zeros(n)
    for one, other in ((0, 1), (2, 3), (0, 4), (5, 6)):
        odds += draw.normal(size=(levels, levels))[level[:, one], level[:, other]] * 0.7
    x = draw.normal(size=(n, 4))
    odds += 0.4 * x[:, 0] * (level[:, 7] > 2)
    return numbers(x).assign(**{f"kind_{place}": words(level[:, place]) for place in range(8)}), happened(
        draw, odds, share
    )


def telling_gaps(seed: int, *, n: int, share: float) -> Table:
    """Half of the values missing, and that they are tells of the outcome."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 12))
    odds = x @ (draw.normal(size=12) * 0.4) + 0.6 * x[:, 0] * x[:, 1]
    ill = draw.normal(size=n)
    outcome = happened(draw, odds + ill, share)
    x[draw.random(x.shape) < expit(draw.normal(size=12) + np.outer(ill, draw.normal(size=12)))] = np.nan
    return numbers(x), outcome


def network(seed: int, *, n: int, share: float, missing: float) -> Table:
    """A random network of two layers over numbers and a category."""
    draw = np.random.default_rng(seed)
    x, kind = draw.normal(size=(n, 12)), draw.integers(0, 12, n)
    seen = np.column_stack([x[:, :8], draw.normal(size=(12, 3))[kind]])
    hidden = np.tanh(seen @ draw.normal(size=(11, 16)) * 0.6)
    odds = np.tanh(hidden @ draw.normal(size=(16, 8)) * 0.8) @ draw.normal(size=8) * 0.8
    outcome = happened(draw, odds, share)
    x[draw.random(x.shape) < missing] = np.nan
    return numbers(x).assign(kind=words(kind, draw.random(n) < missing / 2)), outcome


def forest(seed: int, *, n: int, share: float, missing: float) -> Table:
    """Random trees of depth 2 to 5 over numbers, counts and codes."""
    draw = np.random.default_rng(seed)
    x = np.column_stack([draw.normal(size=(n, 8)), draw.poisson(0.7, size=(n, 4)), draw.integers(0, 40, size=(n, 2))])
    odds = np.zeros(n)
    for _ in range(40):
        leaf = np.zeros(n, dtype=int)
        for place in draw.integers(0, 14, size=draw.integers(2, 6)):
            leaf = 2 * leaf + (x[:, place] > draw.choice(x[:, place]))
        odds += draw.normal(size=leaf.max() + 1)[leaf] * 0.3
    outcome = happened(draw, odds, share)
    codes = x[:, 12:].astype(int)
    x[draw.random(x.shape) < missing] = np.nan
    return numbers(x[:, :12]).assign(area=words(codes[:, 0]), team=words(codes[:, 1])), outcome


def happened(draw: Draw, odds: np.ndarray, share: float) -> np.ndarray:
    """Outcomes of these log-odds, shifted so that about a share of the rows have it."""
    shifts = np.linspace(-15, 10, 2000)
    some = odds[:20_000]
    shift = shifts[np.argmin([abs(expit(some + s).mean() - share) for s in shifts])]
    return np.asarray((draw.random(len(odds)) < expit(odds + shift)).astype(int))


def numbers(x: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(x, columns=[f"x{place}" for place in range(x.shape[1])])


def words(codes: np.ndarray, gone: np.ndarray | None = None) -> list[str | None]:
    lost = np.zeros(len(codes), dtype=bool) if gone is None else gone
    return [None if m else f"level {c}" for c, m in zip(codes, lost)]


Shapes = dict[str, Callable[[], Table]]
TUNED_SHAPES: Shapes = {
    "1,000 rows, 10% events, 20% missing": partial(mixed, 0, n=1000, share=0.1, missing=0.2),
    "1,000 rows, 2% events, 20% missing": partial(mixed, 1, n=1000, share=0.02, missing=0.2),
    "3,000 rows, 2% events, 30% missing": partial(mixed, 2, n=3000, share=0.02, missing=0.3),
    "3,000 rows, 2% events, again": partial(mixed, 3, n=3000, share=0.02, missing=0.3),
    "3,000 rows, 2% events, a third time": partial(mixed, 4, n=3000, share=0.02, missing=0.3),
    "5,000 rows, 10% events, 50% missing": partial(mixed, 5, n=5000, share=0.1, missing=0.5),
    "10,000 rows, 2% events, 20% missing": partial(mixed, 6, n=10_000, share=0.02, missing=0.2),
    "30,000 rows, 5% events, 30% missing": partial(mixed, 7, n=30_000, share=0.05, missing=0.3),
    "straight lines, 2,000 rows": partial(linear, 10, n=2000, share=0.1),
    "straight lines, 3,000 rows, 2% events": partial(linear, 11, n=3000, share=0.02),
    "straight lines, 20,000 rows": partial(linear, 12, n=20_000, share=0.1),
    "curves, 4,000 rows": partial(curves, 13, n=4000, share=0.15),
    "curves, 20,000 rows": partial(curves, 14, n=20_000, share=0.1),
    "deep interactions, 8,000 rows": partial(deep, 15, n=8000, share=0.3),
    "deep interactions, 50,000 rows": partial(deep, 16, n=50_000, share=0.1),
    "three categories of 500 levels, 20,000 rows": partial(practices, 17, n=20_000, share=0.1, levels=500),
    "three categories of 1,000 levels, 5,000 rows": partial(practices, 18, n=5000, share=0.2, levels=1000),
    "pairs of categories, 5,000 rows": partial(pairs, 19, n=5000, share=0.15),
    "pairs of categories, 20,000 rows": partial(pairs, 20, n=20_000, share=0.1),
    "telling gaps, 10,000 rows": partial(telling_gaps, 21, n=10_000, share=0.1),
    "telling gaps, 2,000 rows": partial(telling_gaps, 22, n=2000, share=0.1),
}
HELD_BACK_SHAPES: Shapes = {
    "mixed, 1,000 rows, 10% events, 20% missing": partial(mixed, 101, n=1000, share=0.1, missing=0.2),
    "mixed, 3,000 rows, 2% events, 30% missing": partial(mixed, 102, n=3000, share=0.02, missing=0.3),
    "mixed, 12,000 rows, 2% events, 50% missing": partial(mixed, 103, n=12_000, share=0.02, missing=0.5),
    "mixed, 100,000 rows, 5% events, 30% missing": partial(mixed, 104, n=100_000, share=0.05, missing=0.3),
    "a network, 4,000 rows": partial(network, 105, n=4000, share=0.2, missing=0.0),
    "a network, 60,000 rows, 30% missing": partial(network, 106, n=60_000, share=0.08, missing=0.3),
    "a forest, 6,000 rows, 20% missing": partial(forest, 107, n=6000, share=0.1, missing=0.2),
    "a forest, 40,000 rows": partial(forest, 108, n=40_000, share=0.05, missing=0.0),
    "categories of 2,000 levels, 15,000 rows": partial(practices, 109, n=15_000, share=0.05, levels=2000),
    "pairs of categories of 9 levels, 10,000 rows": partial(pairs, 110, n=10_000, share=0.1, levels=9),
}
