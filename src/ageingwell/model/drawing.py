"""Plots of contributions for a notebook, drawn by shap from values the model worked out: nothing is computed again.

The extra `notebook` (or `annex`) brings shap and matplotlib; they are imported only when something is drawn.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ageingwell.errors import FrameError
from ageingwell.given import library

if TYPE_CHECKING:
    from ageingwell.model.explanation import Explanation


def shap_library() -> Any:
    """The library shap; `MissingExtraError` without it."""
    # shap sets up its colours in a way that matplotlib will give up one day; readers can do nothing about that.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return library("shap", extra="notebook", wanted_for="a plot of contributions")


@contextmanager
def drawn_by(seed: int) -> Iterator[None]:
    """shap spreads the dots by NumPy's global generator: set it for the drawing, and leave it as it was."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)


def as_shap(explained: "Explanation") -> Any:
    """A `shap.Explanation` of the same contributions: values, base_values, data to colour by, and data to show.

    Categories have no order, so that they are missing in what is coloured by.
    """
    values = explained.values
    data, shown = None, None
    if values is not None:
        numbers = [
            column.to_numpy() if column.dtype == pl.Float64 else np.full(len(column), np.nan) for column in values
        ]
        data = np.column_stack(numbers).astype(float)
        shown = np.array([["" if cell is None else cell for cell in row] for row in values.rows()], dtype=object)
    return shap_library().Explanation(
        values=explained.contributions,
        base_values=explained.base,
        data=data,
        display_data=shown,
        feature_names=list(explained.features),
    )


def waterfall(one: "Explanation", *, most: int) -> Any:
    """The axes of a waterfall of the only row."""
    shap, plt = shap_library(), _pyplot()
    given = as_shap(one)[0]
    plt.figure()
    axes = shap.plots.waterfall(given, max_display=most, show=False)
    axes.set_xlabel("Log-odds of the risk")
    return axes


def beeswarm(explained: "Explanation", *, most: int, seed: int) -> Any:
    """The axes of a beeswarm of all rows."""
    if not len(explained):
        raise FrameError("no rows are explained, so there is nothing to draw", "explain some rows")
    shap, plt = shap_library(), _pyplot()
    plt.figure()
    with drawn_by(seed), warnings.catch_warnings():
        # Of a category, which has no middle value to colour by, shap says so.
        warnings.filterwarnings("ignore", "All-NaN slice encountered", RuntimeWarning)
        axes = shap.plots.beeswarm(as_shap(explained), max_display=most, show=False)
    axes.set_xlabel("Contribution to the log-odds (to the right: a higher chance)")
    return axes


def _pyplot() -> Any:
    return library("matplotlib.pyplot", extra="notebook", wanted_for="a plot of contributions")
