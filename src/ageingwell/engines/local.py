"""The local engine: work done in this process, one item after another, or in several processes beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ageingwell.engines.pool import in_processes
from ageingwell.errors import ConfigError

if TYPE_CHECKING:
    from ageingwell.engines.engine import Item, Result


@dataclass(frozen=True)
class LocalEngine:
    """Work on this machine.

    With one process the work is done here, and an error comes as it was raised. With more, each process takes the next
    item when it is free, and Polars' threads are divided between them.

    >>> import math
    >>> LocalEngine().map(math.isqrt, [9, 16])
    [3, 4]
    """

    processes: int = 1
    name: str = "local"

    def __post_init__(self) -> None:
        if self.processes < 1:
            raise ConfigError("`processes` is smaller than 1", "give 1, or how many processes may work at once")

    def map(self, work: "Callable[[Item], Result]", items: "Sequence[Item]") -> "list[Result]":
        """Run `work` on every item; see `Engine.map`."""
        processes = min(self.processes, len(items))
        return in_processes(work, items, processes=processes) if processes > 1 else [work(item) for item in items]
