"""Where a table lies: one file, a folder of files, or a database."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ageingwell.config.score import TableSettings
from ageingwell.errors import SourceError

SUFFIXES = (".parquet", ".csv")
DATABASES = ("postgresql", "postgres", "sqlite", "mysql", "mssql")


@dataclass(frozen=True)
class Location:
    """The files of a table in reading order, or a database URI and its query."""

    table: str
    files: tuple[Path, ...] = ()
    uri: str | None = None
    query: str | None = None


def locate(table: str, settings: TableSettings, data: Path) -> Location | None:
    """Find a table; `None` where it is absent. Two candidates for one table are a `SourceError`."""
    if settings.location is None:
        return _in_folder(table, data)
    if urlsplit(settings.location).scheme in DATABASES:
        query = settings.query or f"SELECT * FROM {table}"  # noqa: S608 - a contract's name, never a user's text
        return Location(table, uri=settings.location, query=query)
    path = data / settings.location
    return _of_path(table, path) if path.exists() else None


def _in_folder(table: str, data: Path) -> Location | None:
    candidates = [path for path in (data / table, *(data / f"{table}{suffix}" for suffix in SUFFIXES)) if path.exists()]
    if len(candidates) > 1:
        names = ", ".join(path.name for path in candidates)
        raise SourceError(f"{table}: more than one candidate in the data folder: {names}", "leave the right one there")
    return _of_path(table, candidates[0]) if candidates else None


def _of_path(table: str, path: Path) -> Location:
    if path.is_file():
        if path.suffix not in SUFFIXES:
            raise SourceError(f"{path.name}: neither .parquet nor .csv", "send one of the two")
        return Location(table, files=(path,))
    # Names that start with a dot or an underscore are the marks that file systems and Spark leave behind.
    files = tuple(sorted(file for file in path.iterdir() if not file.name.startswith((".", "_"))))
    if not files:
        raise SourceError(f"{table}: the folder {path.name}/ holds no .parquet or .csv file", "send the files again")
    if strange := [file.name for file in files if file.suffix not in SUFFIXES or not file.is_file()]:
        raise SourceError(
            f"{table}: {path.name}/{strange[0]} is neither a .parquet nor a .csv file", "take it out, or send it as one"
        )
    if len({file.suffix for file in files}) > 1:
        raise SourceError(f"{table}: the folder {path.name}/ mixes .parquet and .csv files", "send one kind")
    return Location(table, files=files)
