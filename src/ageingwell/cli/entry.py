"""What enters at the command line and is handed down: settings, keys, the cache, and who watches."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ageingwell.errors import KeyFileError

if TYPE_CHECKING:
    from ageingwell.config.load import Config
    from ageingwell.context import Surroundings
    from ageingwell.pseudonyms import Key


# Where a command notes what `--log` asked for.
LOG: Final = "ageingwell.log"


def config_of(path: Path | None) -> "Config":
    """The settings in a file, or the shipped ones."""
    from ageingwell.config.load import load_config

    return load_config(path)


def needed_key(path: Path | None, descriptor: int | None, made_up: int | None) -> "Key":
    """The one key that was given, in whichever way; `KeyFileError` where it is none or several."""
    from ageingwell.pseudonyms import Key

    given = [way for way in (path, descriptor, made_up) if way is not None]
    if len(given) != 1:
        raise KeyFileError("one key is needed", "give --key-file, --key-fd or, for made-up records, --made-up-key")
    if path is not None:
        return Key.read(path)
    return Key.read_fd(descriptor) if descriptor is not None else Key.made_up(made_up or 0)


def throwaway_key() -> "Key":
    """A key for one look at raw files: nothing that is made with it is kept."""
    import secrets

    from ageingwell.pseudonyms import Key

    return Key(secrets.token_bytes(32))


@contextmanager
def progress() -> Iterator["Surroundings"]:
    """Tell each stage: a moving line when a person watches, nothing on a pipe, and a line of JSON where asked for."""
    from rich.console import Console

    from ageingwell.context import Surroundings, user_cache

    cache = user_cache(os.environ, sys.platform)
    if cache is not None:
        # Its list of fonts belongs to our cache too, not beside the user's other things.
        os.environ.setdefault("MPLCONFIGDIR", str(cache / "matplotlib"))
    context = click.get_current_context(silent=True)
    if context is not None and context.meta.get(LOG) == "json":
        log = _log()
        yield Surroundings(tell=lambda stage: log.info("stage", stage=stage), cache=cache)
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Surroundings(cache=cache)
        return
    with console.status("") as status:
        yield Surroundings(tell=lambda stage: status.update(f"{stage} …"), cache=cache)


def _log() -> Any:
    """One line of JSON a stage on standard error, for a job scheduler; only fixed names of stages and tables."""
    import structlog

    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
    )
