"""Read a LightGBM booster's trees into plain arrays, and say why where they cannot be tabulated.

LightGBM's own text is read: it holds every threshold and leaf value with 17 significant digits, so nothing is lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import lightgbm as lgb

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# LightGBM's kZeroThreshold: a value this close to 0 is 0. It is written there as a float32.
NEARLY_ZERO = float(np.float32(1e-35))

# The bits of LightGBM's `decision_type`.
CATEGORICAL = 1
DEFAULT_LEFT = 2


class UnfitError(Exception):
    """The trees cannot be tabulated; the message says why. Caught where a booster is compiled."""


@dataclass(frozen=True)
class Split:
    """One question a tree asks: which feature, and which way its value goes.

    `kind` says how values are read (see `readings.py`). A numeric split sends a value up to `threshold` left; a
    categorical one sends left the whole numbers in `categories`.
    """

    feature: int
    kind: str
    threshold: float
    categories: tuple[int, ...] = ()


@dataclass(frozen=True)
class Tree:
    """One tree. Children at or above 0 are splits; below 0 they are leaves, `~child` their number.

    `cover` counts the training rows that reached each split, `leaf_cover` each leaf.
    """

    splits: tuple[Split, ...]
    left: Integers
    right: Integers
    cover: Floats
    leaf_values: Floats
    leaf_cover: Floats

    def covered(self, child: int) -> float:
        """The training rows that reached a split or a leaf."""
        return float(self.cover[child] if child >= 0 else self.leaf_cover[~child])

    def mean(self) -> float:
        """The cover-weighted mean of the leaves, which is where a row's contributions start."""
        if not self.splits:
            return float(self.leaf_values[0])
        return float(sum(self.leaf_cover / self.cover[0] * self.leaf_values))


def read_trees(booster: "lgb.Booster") -> list[Tree]:
    """The trees a prediction would use (up to the best iteration); raises `UnfitError` with the reason."""
    head, *parts = booster.model_to_string().split("\nTree=")
    facts = _facts(head)
    if int(facts.get("num_tree_per_iteration", "1")) != 1:
        raise UnfitError("it has several outputs; the tables hold one")
    if "average_output" in head.split("\n"):
        raise UnfitError("its trees are averaged (a random forest), not added")
    return [_tree(_facts(part), number) for number, part in enumerate(parts)]


def _facts(text: str) -> dict[str, str]:
    """The `key=value` lines before the first end mark."""
    lines = text.split("\nend of trees")[0].split("\n")
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _tree(facts: dict[str, str], number: int) -> Tree:
    if int(facts.get("is_linear", "0")):
        raise UnfitError(f"tree {number} has linear leaves")
    values = _numbers(facts["leaf_value"])
    # A threshold may be infinite: LightGBM so splits what is missing from all that is known.
    if not np.isfinite(values).all() or np.isnan(_numbers(facts.get("threshold", ""))).any():
        raise UnfitError(f"tree {number} has a leaf or a threshold that is not a number")
    if int(facts["num_leaves"]) == 1:
        none = np.zeros(0, np.int64)
        return Tree((), none, none, np.zeros(0), values, np.ones(1))
    cover = _numbers(facts["internal_count"])
    if (cover <= 0).any():
        raise UnfitError(f"tree {number} has a split that no training row reached, so no chance can be worked out")
    left, right = (np.array(facts[side].split(), np.int64) for side in ("left_child", "right_child"))
    return Tree(tuple(_splits(facts)), left, right, cover, values, _numbers(facts["leaf_count"]))


def _splits(facts: dict[str, str]) -> Iterator[Split]:
    features, decisions = facts["split_feature"].split(), facts["decision_type"].split()
    for feature, decision, threshold in zip(features, decisions, _numbers(facts["threshold"]), strict=True):
        if int(decision) & CATEGORICAL:
            yield Split(int(feature), "categories", 0.0, _categories(facts, int(threshold)))
        else:
            yield Split(int(feature), _kind(int(decision)), float(threshold))


def _kind(decision: int) -> str:
    """How a numeric split reads a missing value: the third and fourth bit of its decision type.

    >>> [_kind(decision) for decision in (0, 2, 4, 6, 8, 10)]
    ['none', 'none', 'zero_right', 'zero_left', 'nan_right', 'nan_left']
    """
    missing = ("none", "zero", "nan")[decision >> 2 & 3]
    side = "left" if decision & DEFAULT_LEFT else "right"
    return "none" if missing == "none" else f"{missing}_{side}"


def _categories(facts: dict[str, str], number: int) -> tuple[int, ...]:
    """The categories a split sends left: LightGBM keeps them as bits of 32-bit words."""
    start, stop = (int(facts["cat_boundaries"].split()[number + step]) for step in (0, 1))
    words = [int(word) for word in facts["cat_threshold"].split()[start:stop]]
    return tuple(32 * place + bit for place, word in enumerate(words) for bit in range(32) if word >> bit & 1)


def _numbers(text: str) -> Floats:
    return np.array(text.split(), np.float64)
