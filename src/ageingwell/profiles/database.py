"""An embedded database for the SQL of source profiles: in process, no network, no files but those of one folder."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ageingwell.disk import DISK
from ageingwell.errors import ConfigError, SourceError

if TYPE_CHECKING:
    import duckdb

# Written as our own readers write it; what cannot be read as a day stays as sent, so that reading names the cell.
_DAYS = """
CREATE MACRO day(written) AS CASE
    WHEN regexp_matches(trim(written), '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') THEN trim(written)
    WHEN year(try_strptime(trim(written), {formats})) < 1000 THEN written
    ELSE coalesce(strftime(try_strptime(trim(written), {formats}), '%Y-%m-%d'), written)
END
"""
# A part of a day that is not told is the first: the month's, the year's.
_MACROS = (
    "CREATE MACRO as_day(written) AS try_cast(left(day(written), 10) AS DATE)",
    "CREATE MACRO day_text(moment) AS strftime(moment, '%Y-%m-%d')",
    "CREATE MACRO month_of(written) AS left(day(written), 7) || '-01'",
    "CREATE MACRO without_braces(written) AS upper(trim(trim(written), '{{}}'))",
    "CREATE MACRO whole_text(written) AS regexp_replace(trim(written), '\\.0+$', '')",
)
_NO_FORMAT = "%Y-%m-%d"


@contextmanager
def sandbox(
    folder: Path, *, also: Sequence[Path] = (), date_formats: Sequence[str] = (), threads: int = 2
) -> "Iterator[duckdb.DuckDBPyConnection]":
    """Open a database that can read and write in `folder` alone, and read the files `also`.

    It has the macros `day` (a day by the formats, as year-month-day; what cannot be read stays as it is), `as_day` (the
    same as a date, or nothing), `day_text`, `month_of`, `without_braces` and `whole_text` (drops a `.0`). Extensions,
    other files and the network are out of reach, and no statement can change that. `SourceError` without the extra
    `profiles`, which brings the database.
    """
    connection = _duckdb().connect(":memory:", config={"threads": str(threads)})
    try:
        for setting in ("autoinstall_known_extensions", "autoload_known_extensions", "allow_community_extensions"):
            connection.execute(f"SET {setting} = false")
        connection.execute(f"SET temp_directory = {_quoted(str(folder / 'spill'))}")
        connection.execute(f"SET allowed_directories = [{_quoted(str(folder))}]")
        connection.execute(f"SET allowed_paths = [{', '.join(_quoted(str(path)) for path in also)}]")
        connection.execute("SET enable_external_access = false")
        # Days must not depend on where the machine stands.
        connection.execute("SET TimeZone = 'UTC'")
        # Years of two digits first: `%Y` would read 26 as the year 26, while `%y` does not read 2026 at all.
        ordered = sorted(date_formats or (_NO_FORMAT,), key=lambda each: "%Y" in each)
        formats = "[" + ", ".join(_quoted(each) for each in ordered) + "]"
        connection.execute(_DAYS.format(formats=formats))
        for macro in _MACROS:
            connection.execute(macro)
        connection.execute("SET lock_configuration = true")
        yield connection
    finally:
        connection.close()


def run_select(
    connection: "duckdb.DuckDBPyConnection",
    sql: str,
    *,
    to: Path,
    source: str,
    needed: Sequence[str] = ("_file", "_row"),
) -> tuple[str, ...]:
    """Write what one SELECT gives to a Parquet file, every column as text, in the order of file and row.

    Gives the names of the columns. Raises `ConfigError` for SQL that cannot be run or is no single SELECT. The
    database's own message can hold a value of a row; only its kind, and what it says of names, is passed on.
    """
    duckdb = _duckdb()
    try:
        statements = duckdb.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise ConfigError(f"{source}: not one SELECT", "write one SELECT, without a semicolon between statements")
        text = statements[0].query.rstrip().rstrip(";")
        names = tuple(name for name, *_ in connection.execute(f"DESCRIBE ({text})").fetchall())
        if lacking := [name for name in needed if name not in names]:
            raise ConfigError(f"{source}: the SELECT does not give {', '.join(lacking)}", "add what is lacking")
        columns = ", ".join(
            f"{_named(name)}::BIGINT AS _row" if name == "_row" else f"{_named(name)}::VARCHAR AS {_named(name)}"
            for name in names
        )
        # Rows of one place (an unpivoted line) are told apart by their values, so that the order is always the same.
        order = ", ".join(dict.fromkeys(["_file", "_row", *(_named(name) for name in names)]))
        rows = f"SELECT {columns} FROM ({text}) ORDER BY {order}"  # noqa: S608 - the profile's own, in a closed database
        with DISK.handed_over(to):
            connection.execute(f"COPY ({rows}) TO {_quoted(str(to))} (FORMAT parquet, USE_TMP_FILE false)")
    except duckdb.Error as fault:
        reason, raised = _told(fault)
    else:
        return names
    if raised is not None:
        # The sentence speaks of the agency's files, not of our SQL.
        raise SourceError(f"{source.split('/')[0]}: {raised}", "correct the files, or ask for them again")
    raise ConfigError(f"{source}: the SQL cannot be run ({reason})", "correct the SQL of the profile")


def _told(fault: "duckdb.Error") -> tuple[str, str | None]:
    """What a fault says without a record's value, and the sentence a profile itself raised with `error('…')`."""
    duckdb, text = _duckdb(), str(fault).split("\n")[0]
    if isinstance(fault, duckdb.InvalidInputException) and (own := re.search(r"profile: (.*)", text)):
        return "", own[1]
    if isinstance(fault, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException):
        return text, None
    if isinstance(fault, duckdb.PermissionException):
        return "it reaches for a file or a setting that it may not use", None
    return type(fault).__name__, None


def _duckdb() -> ModuleType:
    """DuckDB, imported when raw files are first read."""
    try:
        import duckdb
    except ImportError:
        raise SourceError(
            "reading raw files by source profiles needs an extra", "pip install 'ageingwell[profiles]'"
        ) from None
    return duckdb


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _named(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def create_view(
    connection: "duckdb.DuckDBPyConnection", name: str, *, parts: Sequence[Path], columns: Mapping[str, str]
) -> None:
    """Make a view over Parquet files; of `columns`, those that no part has are empty in every row."""
    listed = ", ".join(_quoted(str(part)) for part in parts)
    told = ", ".join(f"{source} AS {_named(column)}" for column, source in columns.items())
    connection.execute(
        f"CREATE VIEW {_named(name)} AS SELECT {told} FROM read_parquet([{listed}], union_by_name = true)"  # noqa: S608 - names quoted
    )
