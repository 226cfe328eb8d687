"""A booster whose own prediction comes to the same bits as the sum of a row's contributions."""

import re
from typing import TYPE_CHECKING

import numpy as np

from ageingwell.lookup.forest import Forest
from ageingwell.lookup.grid import on_grid

if TYPE_CHECKING:
    import lightgbm as lgb


def on_the_grid(booster: "lgb.Booster", forest: Forest) -> "lgb.Booster":
    """The booster with every leaf times the slope and in whole units, so that LightGBM's sums are exact.

    The contributions of a tree add up to the leaf that a row reaches, in whole units, less the tree's start: so
    `forest.start`, the curves and this booster's raw score are the calibrated log-odds, to the last bit.
    """
    import lightgbm as lgb

    values = iter([on_grid(forest.line[1] * tree.leaf_values, forest.unit) for tree in forest.trees])
    text = re.sub(
        r"^leaf_value=.*$", lambda _: f"leaf_value={_written(next(values))}", booster.model_to_string(), flags=re.M
    )
    # The sizes of the trees' texts, which are others now, only serve to read them on several threads.
    return lgb.Booster(model_str=re.sub(r"^tree_sizes=.*\n", "", text, flags=re.M))


def _written(values: np.ndarray) -> str:
    return " ".join(map(repr, values.tolist()))
