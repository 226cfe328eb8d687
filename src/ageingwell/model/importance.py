"""How far a model leans on each feature, from what it adds for rows it was fitted on."""

import numpy as np
from numpy.typing import NDArray

from ageingwell.model.fitted import FittedRisk
from ageingwell.model.order import row_hashes

Floats = NDArray[np.float64]
# Those of the least hashes, in whatever order the rows stand; more would change the third digit at most.
ROWS_LOOKED_AT = 2_000


def importances(model: FittedRisk, codes: Floats, *, threads: int = 1) -> Floats:
    """Each feature's share (p,) of the mean size of contributions to rows of a matrix (n, p); they add up to 1.

    All are 0 where the model gives everybody the same risk.
    """
    rows = np.argsort(row_hashes(codes), kind="stable")[:ROWS_LOOKED_AT]
    added = model.explanation_of(np.asfortranarray(codes[rows]), threads=threads).contributions
    size = np.abs(added - added.mean(axis=0)).mean(axis=0)
    whole = size.sum()
    return np.asarray(size / whole if whole > 0 else size)
