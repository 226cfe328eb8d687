"""Small boosters, values around their thresholds, and Shapley values worked out from all subsets."""

from collections.abc import Sequence
from itertools import combinations
from math import factorial
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.margin import Explained
from ageingwell.lookup.trees import read_trees

Floats = NDArray[np.float64]


def train(x: Floats, y: Floats, *, trees: int = 20, categories: Sequence[int] = (), **settings: Any) -> lgb.Booster:
    """A small regression booster, the same every time, on one thread."""
    small = {"num_leaves": 12, "min_data_in_leaf": 5, "min_data_in_bin": 1, "min_data_per_group": 1, "cat_smooth": 1.0}
    fixed = {"objective": "regression", "seed": 7, "deterministic": True, "force_row_wise": True, "num_threads": 1}
    data = lgb.Dataset(x, y, categorical_feature=list(categories), params={"verbosity": -1, **small, **settings})
    return lgb.train({**small, **fixed, "verbosity": -1, **settings}, data, trees)


def people(n: int = 400, *, seed: int = 1) -> tuple[Floats, Floats]:
    """Six features (0/1, a count, two measures, the second with gaps, few values, a constant) and a target."""
    draw = np.random.default_rng(seed)
    x = np.column_stack(
        [
            draw.integers(0, 2, n),
            draw.poisson(2, n),
            draw.normal(size=n),
            np.where(draw.random(n) < 0.2, np.nan, draw.normal(size=n)),
            draw.integers(-2, 3, n),
            np.ones(n),
        ]
    ).astype(np.float64)
    gap = np.isnan(x[:, 3])
    y = x[:, 0] * x[:, 1] + np.abs(x[:, 2]) + np.where(gap, 1.5, np.nan_to_num(x[:, 3])) * x[:, 0] - x[:, 4] ** 2
    return x, y + 0.1 * draw.normal(size=n)


def around_thresholds(booster: lgb.Booster, x: Floats) -> Floats:
    """Rows of `x` in which one value after the other lies on, just under and just over each threshold, or is odd."""
    rows = []
    odd = [np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, -1e-36, 1e-35, 2e-35, -0.5, 1e300, 3e9, -1.0, 7.9]
    splits = {(s.feature, t) for tree in read_trees(booster) for s in tree.splits for t in (s.threshold, *s.categories)}
    near = [(f, v) for f, t in sorted(splits) for v in (t, np.nextafter(t, np.inf), np.nextafter(t, -np.inf))]
    for at, (feature, value) in enumerate(near + [(f, v) for f in range(x.shape[1]) for v in odd]):
        row = x[at % len(x)].copy()
        row[feature] = value
        rows.append(row)
    return np.array(rows)


def pred_contrib(booster: lgb.Booster, x: Floats) -> Explained:
    """LightGBM's own exact contributions."""
    raw = np.asarray(booster.predict(x, pred_contrib=True, num_threads=1))
    return Explained(float(raw[0, -1]), raw[:, :-1], raw.sum(axis=1))


def furthest(ours: Explained, reference: Explained) -> float:
    """The largest difference of any number, relative to the largest contribution (or 1)."""
    scale = max(1.0, float(np.abs(reference.contributions).max()), abs(reference.base))
    apart = [
        np.abs(ours.contributions - reference.contributions).max(),
        np.abs(ours.log_odds - reference.log_odds).max(),
    ]
    return float(max(*apart, abs(ours.base - reference.base)) / scale)


def shapley_of_all_subsets(booster: lgb.Booster, row: Floats) -> Floats:
    """φ by its definition: over all sets of known features, the gain of knowing one more."""
    roots = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    p = len(row)
    worth = {
        known: sum(expected(root, row, frozenset(known)) for root in roots)
        for size in range(p + 1)
        for known in combinations(range(p), size)
    }
    phi = np.zeros(p)
    for known, value in worth.items():
        for player in set(range(p)) - set(known):
            share = factorial(len(known)) * factorial(p - len(known) - 1) / factorial(p)
            phi[player] += share * (worth[tuple(sorted((*known, player)))] - value)
    return phi


def expected(node: dict[str, Any], row: Floats, known: frozenset[int]) -> float:
    """The mean of the leaves a row could reach when only some features are known, by the rows that went each way."""
    if "leaf_value" in node:
        return float(node["leaf_value"])
    sides = [node["left_child"], node["right_child"]]
    if node["split_feature"] in known:
        return expected(sides[0] if goes_left(node, row[node["split_feature"]]) else sides[1], row, known)
    counts = [side.get("internal_count", side.get("leaf_count")) for side in sides]
    return sum(count * expected(side, row, known) for count, side in zip(counts, sides, strict=True)) / sum(counts)


def goes_left(node: dict[str, Any], value: float) -> bool:
    """LightGBM's rule, as its documentation tells it."""
    if node["decision_type"] == "==":
        return not np.isnan(value) and str(int(value)) in node["threshold"].split("||")
    if np.isnan(value) and node["missing_type"] != "NaN":
        value = 0.0
    absent = np.isnan(value) if node["missing_type"] == "NaN" else node["missing_type"] == "Zero" and abs(value) < 1e-35
    return bool(node["default_left"]) if absent else value <= node["threshold"]
