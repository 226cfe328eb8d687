"""What is known of held-out rows beside their features: the outcome, and a simple score to compare with."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import column_or_1d

from ageingwell.errors import FrameError
from ageingwell.evaluation.checked import missing_in
from ageingwell.model.columns import Column


def happened_of(y: ArrayLike, classes: NDArray[Any], *, n: int) -> NDArray[np.int8]:
    """Whether each of `n` rows is of the second of the two classes, (n,), as 0 and 1.

    >>> happened_of(["no", "yes"], np.array(["no", "yes"]), n=2).tolist()
    [0, 1]
    """
    target = column_or_1d(y, warn=True)
    if len(target) != n:
        raise FrameError(f"X has {n:,} rows and y has {len(target):,}", "give one outcome per row")
    lost = int(missing_in(target).sum())
    if lost:
        raise FrameError(f"y is missing in {lost:,} rows", "leave out rows whose outcome is unknown")
    known = np.isin(target, classes)
    if not known.all():
        raise FrameError(f"y holds other classes than the fit in {int((~known).sum()):,} rows", "give the same two")
    return np.asarray(target == classes[1], dtype=np.int8)


def numbers_of(codes: NDArray[np.float64], name: str, columns: Sequence[Column]) -> NDArray[np.float64]:
    """A column of numbers of a matrix (n, p) by its name, without gaps."""
    places = {column.name: place for place, column in enumerate(columns) if not column.is_category}
    if name not in places:
        raise FrameError(
            "the baseline is not a column of numbers that the model was fitted on", "name one, or give an array"
        )
    found = np.asarray(codes[:, places[name]])
    lost = int(np.isnan(found).sum())
    if lost:
        raise FrameError(f"the baseline {name} is missing in {lost:,} rows", "give an array without gaps")
    return found
