"""Cut trees into pieces small enough to tabulate.

A leaf's contributions depend only on which conditions of its path a row meets. So the sum over any set of leaves
depends only on the joint *outcome* of the conditions on their paths: with `n` conditions on one reading there are
`n + 1` outcomes, and over several readings they multiply.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.readings import Readings
from ageingwell.lookup.trees import Tree, UnfitError

Step = tuple[int, bool, float]  # a condition, whether the path goes right there, and the share of rows that do


@dataclass(frozen=True)
class Leaf:
    """A leaf's number among those of all trees, its value, and the steps that lead to it from the root."""

    number: int
    value: float
    path: tuple[Step, ...]


@dataclass(frozen=True)
class Piece:
    """Leaves, all conditions on their paths in order of number, and how many joint outcomes these have."""

    leaves: tuple[Leaf, ...]
    conditions: tuple[int, ...]
    outcomes: int


def outcomes(conditions: Collection[int], readings: Readings) -> int:
    """How many joint outcomes some conditions have.

    >>> from ageingwell.lookup.readings import read_splits
    >>> from ageingwell.lookup.trees import Split
    >>> none = np.zeros(0)
    >>> splits = tuple(Split(feature, "none", threshold) for feature, threshold in ((0, 1.0), (0, 2.0), (5, 1.0)))
    >>> outcomes([0, 1, 2], read_splits([Tree(splits, none, none, none, none, none)]))
    6
    """
    return prod(count + 1 for count in Counter(readings.reading_of[list(conditions)].tolist()).values())


def cut(tree: Tree, readings: Readings, *, first_leaf: int, most: int, most_in_a_leaf: int) -> Iterator[Piece]:
    """The largest subtrees of at most `most` outcomes; a leaf alone may have `most_in_a_leaf`.

    `first_leaf` is the number of the tree's first leaf.

    Raises `UnfitError` where a single leaf's path has more.
    """
    conditions = np.array([readings.number[split] for split in tree.splits], np.int64)
    below = _conditions_below(tree, conditions)
    waiting: list[tuple[int, tuple[Step, ...]]] = [(0, ())]
    while waiting:
        node, path = waiting.pop()
        met = {step[0] for step in path} | (below[node] if node >= 0 else set())
        count = outcomes(met, readings)
        if node < 0 and count > most_in_a_leaf:
            raise UnfitError(
                f"the path to one of its leaves has {count:,} joint outcomes; the most is {most_in_a_leaf:,}"
            )
        if node < 0 or count <= most:
            yield Piece(tuple(_leaves(tree, conditions, node, path, first_leaf)), tuple(sorted(met)), count)
        else:
            waiting += _children(tree, conditions, node, path)


def whole(tree: Tree, readings: Readings, *, first_leaf: int) -> Iterator[Leaf]:
    """All leaves of a tree."""
    return _leaves(tree, np.array([readings.number[split] for split in tree.splits], np.int64), 0, (), first_leaf)


def _children(
    tree: Tree, conditions: NDArray[np.int64], node: int, path: tuple[Step, ...]
) -> list[tuple[int, tuple[Step, ...]]]:
    sides = ((int(tree.left[node]), False), (int(tree.right[node]), True))
    condition, covered = int(conditions[node]), float(tree.cover[node])
    return [(child, (*path, (condition, right, tree.covered(child) / covered))) for child, right in sides]


def _leaves(
    tree: Tree, conditions: NDArray[np.int64], node: int, path: tuple[Step, ...], first_leaf: int
) -> Iterator[Leaf]:
    waiting = [(node, path)]
    while waiting:
        node, path = waiting.pop()
        if node < 0:
            yield Leaf(first_leaf + ~node, float(tree.leaf_values[~node]), path)
        else:
            waiting += _children(tree, conditions, node, path)


def _conditions_below(tree: Tree, conditions: NDArray[np.int64]) -> list[set[int]]:
    """The conditions at and below every split. LightGBM numbers a split's children after it."""
    below = [{int(condition)} for condition in conditions]
    for node in reversed(range(len(below))):
        for child in (int(tree.left[node]), int(tree.right[node])):
            if child >= 0:
                below[node] |= below[child]
    return below
