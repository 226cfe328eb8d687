"""A model as it is tabulated: its trees as arrays, what surrounds them, and the unit of its contributions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain
from typing import TYPE_CHECKING

import numpy as np

from ageingwell.lookup.grid import on_grid, unit_of
from ageingwell.lookup.leaves import Alike, alike
from ageingwell.lookup.margin import CurveMargin
from ageingwell.lookup.pieces import whole
from ageingwell.lookup.readings import Readings, read_splits
from ageingwell.lookup.shapley import leaf_starts
from ageingwell.lookup.trees import Tree, read_trees

if TYPE_CHECKING:
    import lightgbm as lgb


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees, the line `intercept, slope` that calibrates their sum, and the curves they were boosted from."""

    trees: tuple[Tree, ...]
    readings: Readings
    line: tuple[float, float]
    margin: CurveMargin
    unit: float

    @property
    def start(self) -> float:
        """What every row begins with before curves and trees, in whole units."""
        intercept, slope = self.line
        return float(on_grid(np.array(intercept + slope * self.margin.intercept), self.unit))

    @cached_property
    def leaves(self) -> list[Alike]:
        """The leaves of all trees that have a split, those of fewest players first."""
        grown = (
            whole(tree, self.readings, first_leaf=first)
            for tree, first in zip(self.trees, self.first_leaf)
            if tree.splits
        )
        return alike(chain.from_iterable(grown), self.readings)

    @cached_property
    def first_leaf(self) -> list[int]:
        """The number of each tree's first leaf."""
        return [0, *accumulate(len(tree.leaf_values) for tree in self.trees)][:-1]

    @cached_property
    def base(self) -> float:
        """The calibrated log-odds of a row of which nothing is known, in whole units."""
        slope = self.line[1]
        flat = np.array([float(tree.leaf_values[0]) for tree in self.trees if not tree.splits])
        starts = [leaf_starts(some.z, slope * some.v, self.unit).sum() for some in self.leaves]
        return float(self.start + on_grid(slope * flat, self.unit).sum() + sum(starts))


def read_forest(booster: "lgb.Booster", *, line: tuple[float, float], margin: CurveMargin) -> Forest:
    """Read a booster's trees; `UnfitError` where they are of a kind that cannot be tabulated."""
    trees = tuple(read_trees(booster))
    return Forest(trees, read_splits(trees), line, margin, unit_of(_most(trees, line, margin)))


def _most(trees: Sequence[Tree], line: tuple[float, float], margin: CurveMargin) -> float:
    """More than any sum of a row's parts can come to, whichever of them are added first.

    A leaf's values for one row go up and down by no more than twice its own; twice that again is room for rounding.
    """
    leaves = sum(float(np.abs(tree.leaf_values).sum()) for tree in trees)
    curves = sum(max(*np.abs(curve.adds), abs(curve.missing)) for curve in margin.curves if curve is not None)
    intercept, slope = line
    return 4 * float(abs(intercept) + abs(slope) * (abs(margin.intercept) + curves + leaves))
