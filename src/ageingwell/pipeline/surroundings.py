"""The outer world, handed down: the clock, the process, and where progress is told."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Surroundings:
    """What a run may ask of the world around it; a test hands in its own.

    `stages` collects how long each stage took, for `run.json`, the one file that differs between two runs.
    """

    now: Callable[[], datetime] = _now
    seconds: Callable[[], float] = time.perf_counter
    process: int = field(default_factory=os.getpid)
    tell: Callable[[str], None] = lambda stage: None
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def holder(self) -> str:
        """Who holds the lock, in words for a second run."""
        return f"process {self.process}, started {self.now():%Y-%m-%d %H:%M} UTC"

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage, and tell a watcher that it has begun."""
        self.tell(name)
        begun = self.seconds()
        try:
            yield
        finally:
            self.stages[name] = round(self.stages.get(name, 0.0) + self.seconds() - begun, 3)


if sys.platform == "win32":

    def peak_memory_bytes() -> int | None:
        """The most memory this process has held; Windows does not tell it to the standard library."""
        return None

else:
    import resource

    def peak_memory_bytes() -> int | None:
        """The most memory this process has held."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
