"""Numba's compiler, with the compiled code kept where Numba can write."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def jit(kernel: Kernel) -> Kernel:
    """Compile at the first call; other threads run meanwhile; nothing is reordered, so sums are bit for bit the same.

    The compiled code is kept beside the source, or in the user's cache folder, or where NUMBA_CACHE_DIR says. Where
    none of them can be written, each process compiles anew.
    """
    try:
        return cast(Kernel, numba.njit(nogil=True, cache=True, fastmath=False)(kernel))
    except RuntimeError:  # "no locator available": no folder can be written
        return cast(Kernel, numba.njit(nogil=True, fastmath=False)(kernel))
