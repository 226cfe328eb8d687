"""The CPU seconds of each stage of a child, and of all its threads."""

import time


class Stages:
    """A stop watch of CPU time: `done` names what went on since the last call."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = 0.0  # what Python and its imports took belongs to the first stage

    def done(self, stage: str) -> None:
        """Count what was used since the last stage was done to this one."""
        now = time.process_time()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now
