"""Paths named on the command line: asked about before any work, so that none of them ends in a traceback.

What a path is for decides the exit code. A path where nothing is yet is left to the command, which knows what to say.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from ageingwell.errors import (
    AgeingWellError,
    ConfigError,
    DecisionFileError,
    PublishError,
    SignoffError,
    SourceError,
)
from ageingwell.room import failed_write, publish_error


class Told(click.ClickException):
    """An error a user can mend, as the command line ends with it."""

    def __init__(self, fault: AgeingWellError) -> None:
        super().__init__(str(fault))
        self.exit_code = fault.exit_code  # type: ignore[misc]

    def show(self, file: Any = None) -> None:
        """One sentence to standard error; the exit code says of which kind it is, for programs."""
        with suppress(OSError):
            click.echo(f"Error: {self.message}", err=True)


class Place(click.Path):
    """A file or folder that is read, or written where `is_out`; `fault` is the kind of error where it cannot be."""

    def __init__(self, fault: type[AgeingWellError], *, is_folder: bool, is_out: bool = False) -> None:
        # `readable=False`: click would tell it as a mistake in writing the command, with exit code 2.
        super().__init__(path_type=Path, file_okay=not is_folder, dir_okay=is_folder, readable=False)
        self.fault, self.is_folder, self.is_out = fault, is_folder, is_out

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, or a sentence that says what is wrong with it."""
        if not os.fspath(value):
            self.fail("the path is empty", param, ctx)
        try:
            # Polars opens only what is UTF-8; `stat` takes no NUL.
            os.fspath(value).encode()
            path = Path(os.fsdecode(super().convert(value, param, ctx)))
            self._ask(path)
        except OSError as error:
            raise Told(self.told(Path(value), error)) from None
        except ValueError:
            raise Told(self._wrong("the path has characters that are not text", "rename the file or folder")) from None
        return path

    def told(self, path: Path, error: OSError) -> AgeingWellError:
        """What the operating system refused, as an error that a user can mend."""
        name = path.name or str(path)
        shown = name if len(name) <= 60 else f"{name[:60]}…"
        done = "opened or written" if self.is_out else "read"
        remedy = "check the path and its rights"
        return self._wrong(f"{shown} cannot be {done} ({error.strerror or type(error).__name__})", remedy)

    def _wrong(self, found: str, remedy: str) -> AgeingWellError:
        return self.fault(found, remedy)

    def _ask(self, path: Path) -> None:
        if self.is_out and path.is_symlink():
            # What a link leads to is not ours to change, and may be changed meanwhile.
            raise Told(self._wrong(f"{path.name} is a link", "name the file or folder that it leads to"))
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            return
        if self.is_folder:
            with os.scandir(path):
                return
        if self.is_out:
            if not stat.S_ISREG(mode):
                raise Told(self._wrong(f"{path.name} is not a file on a disk", "name a file"))
            return
        if not stat.S_ISREG(mode):
            # A pipe ends at the first reading, a device never; and every file here is read more than once.
            raise Told(
                self._wrong(f"{path.name} is not a file on a disk", "save what it holds to a file, and name that")
            )
        with path.open("rb"):
            return


DATA = Place(SourceError, is_folder=True)
PACK = Place(SignoffError, is_folder=True)
OUT = Place(PublishError, is_folder=True, is_out=True)
OUT_FILE = Place(PublishError, is_folder=False, is_out=True)
SOURCE_FILE = Place(SourceError, is_folder=False)
DECISIONS = Place(DecisionFileError, is_folder=False)
SETTINGS = Place(ConfigError, is_folder=False)


class KeyPath(click.Path):
    """A key file, which its own reader judges: a bad one must not stop `score` before it has withdrawn anybody."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, whatever is there."""
        if "\0" in os.fsdecode(value):
            self.fail("no path holds a NUL", param, ctx)
        return super().convert(value, param, ctx)


KEY_FILE = KeyPath(path_type=Path, readable=False)


class AsGiven(KeyPath):
    """A path that a night reads, whatever is there: what is wrong with it must not come before the withdrawals."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path as it was given."""
        if not os.fspath(value):
            self.fail("the path is empty", param, ctx)
        return super().convert(value, param, ctx)


AS_GIVEN = AsGiven(path_type=Path, readable=False)


def fault_of(error: OSError, command: click.Command, values: dict[str, Any]) -> AgeingWellError:
    """The error of the path, among those given to the command, that the operating system refused something below."""
    named = error.filename if isinstance(error.filename, str) else None
    if named is not None:
        for param in command.params:
            given = values.get(param.name or "")
            for path in given if isinstance(given, tuple) else (given,):
                if isinstance(param.type, Place) and isinstance(path, Path) and Path(named).is_relative_to(path):
                    return param.type.told(Path(named), error)
    if (number := failed_write(error)) is not None:
        what = "what this command prints" if named is None else Path(named).name
        return publish_error(f"{what} cannot be written", number, place="the folder")
    reason = error.strerror or type(error).__name__
    found = f"{named or 'a file, or what this command prints,'} cannot be read or written ({reason})"
    return AgeingWellError(found, "check the disk and the rights, then run again")
