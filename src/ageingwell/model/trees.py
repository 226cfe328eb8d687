"""Trees boosted from the margin, from shallow to deep, and how many of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# How the risk may move with a feature, as LightGBM counts it.
SIGNS: Mapping[str, int] = {"up": 1, "down": -1, "either": 0}


@dataclass(frozen=True)
class Shape:
    """The shape of the trees and how fast they learn."""

    leaves: int = 4
    learning_rate: float = 0.07
    events_per_leaf: float = 4.0
    people_per_leaf: int = 20
    ridge: float = 10.0
    # More of it where levels are parted in sets.
    set_ridge: float = 10.0
    feature_share: float = 0.5
    row_share: float = 0.6
    # Splits from the root to a leaf: look-up tables hold the joint outcomes of a path, which deeper ones may outgrow.
    depth: int = 8


_DEEP = Shape(
    learning_rate=0.1,
    leaves=63,
    events_per_leaf=0.2,
    people_per_leaf=2,
    ridge=1.0,
    feature_share=0.8,
    row_share=0.9,
)
# From shallow to deep. The last two are for rows that know each other again, such as one person's in several years.
SHAPES = (
    Shape(leaves=4),
    Shape(leaves=12),
    Shape(leaves=31, events_per_leaf=1.0, people_per_leaf=5, ridge=3.0, feature_share=0.6, row_share=0.7),
    _DEEP,
    replace(_DEEP, leaves=127, events_per_leaf=0.1, depth=12),
    replace(_DEEP, leaves=255, events_per_leaf=0.1, depth=16),
)
# Tried first where there are levels to part in sets: which go together shows when every tree may try every feature.
FOR_SETS = Shape(leaves=4, learning_rate=0.1, set_ridge=1.0, feature_share=1.0)
# Thresholds between values that a split may choose from.
MOST_BINS = 255
# A tree sees no fewer features than this, if there are so many: with one at a time no two could act together.
FEWEST_FEATURES = 4
# No leaf can hold so many people: a tree of one leaf.
STUMP = Shape(leaves=2, people_per_leaf=2**30)


@dataclass(frozen=True)
class Rows:
    """Rows to fit or judge trees on: matrix (n, p), outcome, weight and the margin to start from, each (n,)."""

    matrix: Floats
    outcome: Floats
    weight: Floats
    margin: Floats


@dataclass(frozen=True)
class Binned:
    """Rows as LightGBM holds them: each value's bin. Made once, for trees of any shape and boosted from any margin."""

    dataset: lgb.Dataset

    def boosted_from(self, margin: Floats) -> lgb.Dataset:
        """The rows with the margins that trees start from."""
        return self.dataset.set_init_score(margin)


def binned(rows: Rows, *, names: Sequence[str], categories: Sequence[int], like: Binned | None = None) -> Binned:
    """Put rows into bins, or into those of other rows; `categories` are the places of columns that hold codes."""
    return Binned(
        lgb.Dataset(
            rows.matrix,
            label=rows.outcome,
            weight=rows.weight,
            init_score=rows.margin,
            feature_name=list(names),
            categorical_feature=list(categories),
            reference=None if like is None else like.dataset,
            params={
                "max_bin": MOST_BINS,
                "min_data_in_bin": 3,
                "verbosity": -1,
                "feature_pre_filter": False,
                "num_threads": 1,
            },
        ).construct()
    )


def parameters(shape: Shape, *, signs: Sequence[int], seed: int, threads: int) -> dict[str, object]:
    """LightGBM's parameters; the same rows give the same trees, bit for bit, on any number of threads."""
    made: dict[str, object] = {
        "objective": "binary",
        "metric": "binary_logloss",
        "boost_from_average": False,
        "num_leaves": shape.leaves,
        "max_depth": shape.depth,
        "learning_rate": shape.learning_rate,
        "min_data_in_leaf": shape.people_per_leaf,
        "min_sum_hessian_in_leaf": shape.events_per_leaf,
        "lambda_l2": shape.ridge,
        # Drawn at each split: drawn for each tree, LightGBM copies the bins of the features drawn for every tree.
        "feature_fraction_bynode": min(1.0, max(shape.feature_share, FEWEST_FEATURES / max(len(signs), 1))),
        "bagging_fraction": shape.row_share,
        "bagging_freq": 1,
        "max_bin": MOST_BINS,
        # Sets of levels may be small: the ridge on a leaf and the least people in it guard against chance.
        "min_data_per_group": 10,
        "cat_l2": shape.set_ridge,
        "max_cat_to_onehot": 2,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "feature_pre_filter": False,
        "num_threads": threads,
        "verbosity": -1,
    }
    if any(signs):
        made |= {"monotone_constraints": list(signs), "monotone_constraints_method": "intermediate"}
    return made


def fit_trees(
    rows: Binned, margin: Floats, *, shape: Shape, signs: Sequence[int], n_trees: int, seed: int, threads: int
) -> lgb.Booster:
    """Boost `n_trees` trees from the margin of the rows; none is written as one tree of one leaf that adds 0."""
    if n_trees == 0:
        shape, n_trees = STUMP, 1
    return lgb.train(
        parameters(shape, signs=signs, seed=seed, threads=threads),
        rows.boosted_from(margin),
        num_boost_round=n_trees,
    )


def scaled(booster: lgb.Booster, share: float) -> lgb.Booster:
    """The trees with each leaf's value multiplied by a share."""
    for tree, info in enumerate(booster.dump_model()["tree_info"]):
        for leaf in range(info["num_leaves"]):
            booster.set_leaf_output(tree, leaf, share * booster.get_leaf_output(tree, leaf))
    return booster


def joined(boosters: Sequence[lgb.Booster]) -> lgb.Booster:
    """One booster of all the trees, one booster's after the other's; what it adds is what they add together."""
    if len(boosters) == 1:
        return boosters[0]
    texts = [booster.model_to_string().split("end of trees", 1) for booster in boosters]
    head = re.sub(r"\ntree_sizes=[^\n]*", "", texts[0][0].split("\nTree=", 1)[0])
    trees = [tree for before, _ in texts for tree in before.split("\nTree=")[1:]]
    numbered = "".join(f"\nTree={number}\n{tree.split(chr(10), 1)[1]}" for number, tree in enumerate(trees))
    return lgb.Booster(model_str=f"{head}{numbered}end of trees{texts[0][1]}")


def losses_by_trees(
    fit: Binned,
    margin: Floats,
    judge: Rows,
    judge_bins: Binned,
    *,
    shape: Shape,
    signs: Sequence[int],
    most: int,
    patience: int,
    seed: int,
    threads: int,
) -> tuple[lgb.Booster, Floats]:
    """The trees, and the log loss on the rows that judge after 0, 1, 2 … trees."""
    seen: dict[str, dict[str, list[float]]] = {}
    booster = lgb.train(
        parameters(shape, signs=signs, seed=seed, threads=threads),
        fit.boosted_from(margin),
        num_boost_round=most,
        valid_sets=[judge_bins.boosted_from(judge.margin)],
        valid_names=["judge"],
        callbacks=[lgb.record_evaluation(seen), lgb.early_stopping(patience, verbose=False)],
    )
    start = np.average(np.logaddexp(0.0, judge.margin) - judge.outcome * judge.margin, weights=judge.weight)
    return booster, np.array([start, *seen["judge"]["binary_logloss"]])


def model_text(booster: lgb.Booster) -> str:
    """The trees as LightGBM's text, without the block of run-time parameters that follows them."""
    return re.sub(r"\nparameters:\n.*?end of parameters\n", "\n", booster.model_to_string(), flags=re.DOTALL)
