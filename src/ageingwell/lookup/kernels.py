"""Which of the two kernels explains rows: plain NumPy, or Numba where it is installed and there is enough to do.

Both give the same bytes, so that the choice is one of time alone. Numba takes up to ten seconds to import and to
compile, in every process anew (`jit.py` says why); then it is about four times as fast. So a process begins
with plain NumPy, and changes over once it has done as much as compiling would have taken: whatever is still to come,
it then takes at most twice as long as whoever had known it beforehand.
"""

import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol, cast

from numpy.typing import NDArray

from ageingwell.lookup import plain

if TYPE_CHECKING:
    from ageingwell.lookup.tables import LookupTables

Array = NDArray[Any]

# Numbers looked up by plain NumPy in about seven seconds.
WORK_THAT_PAYS = 4_500_000_000


class Kernel(Protocol):
    """A module of loops."""

    ROWS_IN_A_TILE: int

    @staticmethod
    def explain_tile(
        tables: "LookupTables", columns: Array, codes: Array, outcome: Array, sums: Array, log_odds: Array, rows: int
    ) -> None:
        """Write the sums and the log-odds of a tile of rows."""


PLAIN = cast(Kernel, plain)


class _Chosen:
    """What this process has done by plain NumPy, and the kernel it takes from then on."""

    done = 0
    kernel = PLAIN
    is_settled = find_spec("numba") is None


def kernel_for(work: int) -> Kernel:
    """The kernel for looking up so many numbers more."""
    if not _Chosen.is_settled:
        _Chosen.done += work
        if _Chosen.done >= WORK_THAT_PAYS:
            _Chosen.kernel, _Chosen.is_settled = compiled_kernel() or PLAIN, True
    return _Chosen.kernel


def is_compiled() -> bool:
    """Whether this process has changed over to Numba."""
    return _Chosen.kernel is not PLAIN


def compiled_kernel() -> Kernel | None:
    """Numba's kernel; None where Numba is not installed, and with a warning where it does not work with this NumPy."""
    try:
        from ageingwell.lookup import kernel
    except ImportError as why:
        if find_spec("numba") is not None:
            warnings.warn(
                f"Numba is installed and cannot be imported ({why}); contributions take up to four times as long",
                RuntimeWarning,
                stacklevel=2,
            )
        return None
    return cast(Kernel, kernel)
