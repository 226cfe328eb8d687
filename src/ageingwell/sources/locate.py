"""Where a table lies: one file, a folder of files, or a database."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ageingwell.config.score import TableSettings
from ageingwell.engines.spark_reading import is_for_spark
from ageingwell.errors import ConfigError, SourceError
from ageingwell.reading.forms import READABLE, SUFFIXES, is_readable, suffix_of

MARK_OF_MADE_UP_DATA = "synthetic.json"
DATABASES = ("postgresql", "postgres", "sqlite", "mysql", "mssql")


@dataclass(frozen=True)
class Location:
    """The files of a table in reading order, or a database URI and its query."""

    table: str
    files: tuple[Path, ...] = ()
    uri: str | None = None
    query: str | None = None


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what the operating system says of a file or folder that may not be read into a `SourceError`."""
    try:
        yield
    except OSError as fault:
        raise SourceError(
            f"{path.name}: cannot be read ({fault.strerror})", "let this account read the data folder and what is in it"
        ) from None


def locate(table: str, settings: TableSettings, data: Path) -> Location | None:
    """Find a table; `None` where it is absent. Two candidates for one table are a `SourceError`."""
    if is_database(settings):
        query = settings.query or f"SELECT * FROM {table}"  # noqa: S608 - a contract's name, never a user's text
        return Location(table, uri=settings.location, query=query)
    _stop_on_location_of_spark(table, settings)
    found = candidates(table, settings, data)
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise SourceError(f"{table}: more than one candidate in the data folder: {names}", "leave the right one there")
    with readable(data):
        if found and found[0].is_symlink() and not found[0].exists():
            raise SourceError(f"{found[0].name}: a link that leads to no file", "send the table, or take the link away")
        # A place that the settings name may lie anywhere; what merely lies in the data folder may not lead out of it.
        root = data if settings.location is None else found[0] if found else data
        return _of_path(table, found[0], root=Path(os.path.realpath(root))) if found else None


def _stop_on_location_of_spark(table: str, settings: TableSettings) -> None:
    if settings.location is not None and is_for_spark(settings.location):
        kind = settings.location.partition(":")[0]
        raise ConfigError(
            f"{table}: only Spark reads a location that begins with `{kind}:`",
            'let `ageingwell score` read it, with name = "spark" under [engine] in score.toml (docs/how-to/spark.md), '
            f"or give {table} as a file",
        )


def is_database(settings: TableSettings) -> bool:
    """Whether a table is read by a query."""
    return settings.location is not None and urlsplit(settings.location).scheme in DATABASES


def candidates(table: str, settings: TableSettings, data: Path) -> list[Path]:
    """What lies where a table may lie: one path, unless there is doubt or nothing."""
    paths = (
        [data / table, *(data / f"{table}{suffix}" for suffix in SUFFIXES)]
        if settings.location is None
        else [data / settings.location]
    )
    with readable(data):
        return [path for path in paths if _is_there(path)]


def _is_there(path: Path) -> bool:
    """Whether something has the name: a link that leads nowhere is a table that was lost, and not one never sent."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def stop_on_way_out(path: Path, *, root: Path) -> None:
    """Stop where a link leads out of the folder that was named: a file elsewhere is not part of what was sent."""
    # `Path.resolve` raises for a link that leads to itself before Python 3.13.
    if not Path(os.path.realpath(path)).is_relative_to(root):
        raise SourceError(
            f"{path.name}: a link that leads out of the folder",
            "put the file itself there, or name its place in agencies.toml",
        )


def _of_path(table: str, path: Path, *, root: Path) -> Location:
    stop_on_way_out(path, root=root)
    if path.is_file():
        if not is_readable(path):
            raise SourceError(f"{path.name}: no file that can be read", f"send it as {READABLE}")
        return Location(table, files=(path,))
    # Names that start with a dot or an underscore are the marks that file systems and Spark leave behind.
    files = tuple(sorted(file for file in path.iterdir() if not file.name.startswith((".", "_"))))
    for file in files:
        stop_on_way_out(file, root=root)
    if not files:
        raise SourceError(f"{table}: the folder {path.name}/ holds no file", "send the files again")
    if strange := [file.name for file in files if not is_readable(file) or not file.is_file()]:
        raise SourceError(
            f"{table}: {path.name}/{strange[0]} is not a file that can be read",
            f"take it out, or send it as {READABLE}",
        )
    # The same part may lie there packed and unpacked: read twice, every event would count twice.
    if len(kinds := sorted({suffix_of(file.name) or "" for file in files})) > 1:
        raise SourceError(f"{table}: the folder {path.name}/ mixes {' and '.join(kinds)} files", "send one kind")
    return Location(table, files=files)
