"""The outer world, handed down: the clock, the process, and where progress is told."""

import getpass
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path


def _now() -> datetime:
    return datetime.now(UTC)


def _user() -> str:
    """The account that runs this, as the operating system knows it: by its name, or else by its number."""
    try:
        import pwd
    except ImportError:  # Windows
        with suppress(OSError, KeyError, ImportError):
            return getpass.getuser()
        return "not known"
    # Not `getpass`: it believes the environment, in which anybody can be anyone.
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"account {number}"


@dataclass
class Surroundings:
    """What a run may ask of the world around it; a test hands in its own.

    `stages` collects how long each stage took, for `run.json`, the one file that differs between two runs. `cache` is a
    folder for what can be made again, such as a model's look-up tables; without one they are made anew in memory.
    `user` is the operating system's account, for the audit log.
    """

    now: Callable[[], datetime] = _now
    seconds: Callable[[], float] = time.perf_counter
    process: int = field(default_factory=os.getpid)
    user: str = field(default_factory=_user)
    tell: Callable[[str], None] = lambda stage: None
    stages: dict[str, float] = field(default_factory=dict)
    cache: Path | None = None

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


def user_cache(environment: Mapping[str, str], platform: str) -> Path | None:
    """The user's cache folder for this program, by the rules of the platform, or what AGEINGWELL_CACHE names.

    None where the environment names no home.

    >>> user_cache({"HOME": "/home/ann"}, "linux").as_posix()
    '/home/ann/.cache/ageingwell'
    """
    if named := environment.get("AGEINGWELL_CACHE"):
        return Path(named)
    home = environment.get("HOME")
    if platform == "win32":
        above = environment.get("LOCALAPPDATA")
    elif platform == "darwin":
        above = home and f"{home}/Library/Caches"
    else:
        above = environment.get("XDG_CACHE_HOME") or (home and f"{home}/.cache")
    return Path(above) / "ageingwell" if above else None


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
