"""Numba's compiler, without its cache."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def jit(kernel: Kernel) -> Kernel:
    """Compile at the first call; other threads run meanwhile; nothing is reordered, so sums are bit for bit the same.

    Each process compiles anew. What Numba keeps of compiled code are pickles, beside the source or in a folder of the
    user or of the environment, and whoever can write one of them has their code run by the next night.
    """
    return cast(Kernel, numba.njit(nogil=True, cache=False, fastmath=False)(kernel))
