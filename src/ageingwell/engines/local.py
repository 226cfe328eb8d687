"""The local engine: work done in this process, one item after another, or in several processes beside it."""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from ageingwell.engines.pool import Pool
from ageingwell.errors import ConfigError

if TYPE_CHECKING:
    from typing import Self

    from ageingwell.engines.engine import Item, Result


class LocalEngine:
    """Work on this machine.

    With one process the work is done here, and an error comes as it was raised. With more, each process takes the next
    item when it is free, and Polars' threads are divided between them. Inside `with` the processes stay for the next
    `map`, and need not import everything again.

    >>> import math
    >>> LocalEngine().map(math.isqrt, [9, 16])
    [3, 4]
    """

    name = "local"

    def __init__(self, processes: int = 1) -> None:
        if processes < 1:
            raise ConfigError("`processes` is smaller than 1", "give 1, or how many processes may work at once")
        self.processes = processes
        self._pool: Pool | None = None

    def __repr__(self) -> str:
        return f"LocalEngine(processes={self.processes})"

    def __enter__(self) -> "Self":
        self._pool = Pool(self.processes)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.close()
        self._pool = None

    def map(self, work: "Callable[[Item], Result]", items: "Sequence[Item]") -> "list[Result]":
        """Run `work` on every item; see `Engine.map`."""
        if min(self.processes, len(items)) < 2:
            return [work(item) for item in items]
        if self._pool is not None:
            return self._pool.map(work, items)
        with LocalEngine(self.processes) as engine:
            return engine.map(work, items)
