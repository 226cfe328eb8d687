"""Every contribution is a whole number of units, so that sums are exact and no order of adding changes a bit.

The unit is a power of two of the model's own, so small that rounding to it is far below what anybody could see (about
1e-12 of a log-odd), and so large that no sum of a row's parts needs more than the 53 bits of a float. Whatever adds
them up, in whatever order, comes to the same number: one thread or many, NumPy or Numba, tables or LightGBM.
"""

from math import frexp, ldexp

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A float holds every whole number up to 2**53; one bit is left over for what rounding adds.
BITS = 52
# Units below this would be so near the least float there is that dividing by them could overflow.
LEAST_EXPONENT = -900


def unit_of(total: float) -> float:
    """The unit for numbers whose sizes add up to `total` at most.

    >>> unit_of(3.0) == 2.0**-50
    True
    """
    return ldexp(1.0, max(frexp(total)[1], LEAST_EXPONENT) - BITS)


def on_grid(numbers: Floats, unit: float) -> Floats:
    """The nearest whole number of units, half to even.

    >>> on_grid(np.array([0.3, 0.7, 1.1]), 0.5).tolist()
    [0.5, 0.5, 1.0]
    """
    return np.asarray(np.rint(numbers / unit) * unit)
