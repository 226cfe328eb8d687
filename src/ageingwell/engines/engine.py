"""What an engine promises: the same work on every item, the results in the order of the items."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Engine(Protocol):
    """Where work is done: in this process, in several processes, or on a cluster."""

    @property
    def name(self) -> str:
        """What the settings call it: `local` or `spark`."""
        ...

    def map(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Run `work` on every item and give the results in the order of the items.

        Parameters
        ----------
        work
            A function of a module, or a `functools.partial` of one, that can be pickled. It is deterministic, and reads
            and writes files only in folders that its item names. It may be run again from the start after a failure,
            and two runs of one item may overlap: so it writes to a name of its own and renames, and what a killed run
            leaves counts for nothing.
        items
            What to work on: paths, numbers, text and frames that are small beside a part. Never a key or an open file.
            All items travel together, once to each process or task, so that what they share travels once.

        Raises
        ------
        AgeingWellError
            What `work` raised, with its text and exit code; of several, that of the first item.
        EngineError
            The work did not come to an end: a process was ended by the system, or a part failed in a way nobody
            foresaw.
        """
        ...
