"""How far a model leans on each feature, from what it adds for rows it was fitted on."""

import numpy as np
from numpy.typing import NDArray

from ageingwell.model.fitted import FittedRisk

Floats = NDArray[np.float64]
# Evenly spaced, so that the same rows give the same shares; more would change the third digit at most.
ROWS_LOOKED_AT = 2_000


def importances(model: FittedRisk, codes: Floats, *, threads: int = 1) -> Floats:
    """Each feature's share (p,) of the mean size of contributions to rows of a matrix (n, p); they add up to 1.

    All are 0 where the model gives everybody the same risk.
    """
    rows = np.unique(np.linspace(0, len(codes) - 1, ROWS_LOOKED_AT).astype(int))
    added = model.explanation_of(np.asfortranarray(codes[rows]), threads=threads).contributions
    size = np.abs(added - added.mean(axis=0)).mean(axis=0)
    whole = size.sum()
    return np.asarray(size / whole if whole > 0 else size)
