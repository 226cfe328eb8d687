"""Read all tables of all agencies: each split into good rows, refused rows and counts."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from ageingwell.config.score import TableSettings
from ageingwell.contracts.registry import MUST_BE_TOLD, TABLES
from ageingwell.errors import RefusedRowsError, SourceError
from ageingwell.pseudonyms.fingerprints import stop_on_mixed_ids, stop_on_two_keys
from ageingwell.reading.limits import json_within, small_bytes
from ageingwell.sources.checked import CheckedTable, Records
from ageingwell.sources.declared import declared_in, differences, stop_on_differences
from ageingwell.sources.folder import near_files, stop_on_near_file, unused_files
from ageingwell.sources.headings import nearest
from ageingwell.sources.locate import MARK_OF_MADE_UP_DATA, is_database, locate, readable
from ageingwell.sources.mapping import stop_on_wrong_mapping
from ageingwell.sources.table import read_table

__all__ = ["MARK_OF_MADE_UP_DATA", "CheckedTable", "Records", "is_made_up", "read_agencies", "read_table"]

# What a run would do without a column that must be told.
WITHOUT = {
    "died_on": "nobody would be known to have died",
    "left_on": "nobody would be known to have left",
    "household_id": "nobody would have a home",
}
# In a smaller register it may well be that nobody died or left.
PEOPLE_FOR_EMPTY = 100


def read_agencies(
    data: Path,
    settings: Mapping[str, TableSettings],
    *,
    workspace: Path,
    max_refused_share: float,
    only: tuple[str, ...] = tuple(TABLES),
    progress: Callable[[str], None] = lambda _: None,
) -> Records:
    """Read and check every contract table found in the folder `data`.

    Large tables are kept as checked Parquet files in `workspace`, so memory does not grow with the data. Raises
    `ConfigError` for settings that name what no contract has, `SourceError` for a fault of a file, for a missing
    required table, for a column that must be told and for files that are not as their sender says, `RefusedRowsError`
    above `max_refused_share` and for any refused row of the permissions table: an opt-out never fails open.
    """
    stop_on_wrong_mapping(settings)
    stop_without_folder(data)
    one_key(data, settings, only=only)
    declared = declared_in(data)
    tables = {}
    for name in only:
        with _way_out(name, settings[name]):
            table = read_source(name, data, settings, workspace=workspace / name, progress=progress)
        if table is None:
            continue
        tables[name] = table
        stop_on_differences(differences(name, table.files, declared))
        for stop in (stop_on_empty_table, stop_on_untold_column):
            stop(table, settings[name])
        stop_if_too_many_refused(table, max_refused_share)
    stop_on_differences(told for name in only if name not in tables for told in differences(name, (), declared))
    missing = [name for name in only if name not in tables]
    return Records(
        tables,
        missing=tuple(name for name in missing if settings[name].held),
        made_up=is_made_up(data),
        not_held=tuple(name for name in missing if not settings[name].held),
        unused_files=unused_files(data, settings),
        near_files=near_files(data, settings, missing=missing),
        key_fingerprint=one_key(data, settings, only=only),
    )


@contextmanager
def _way_out(name: str, settings: TableSettings) -> Iterator[None]:
    """A damaged table stops the night, needed or not: what it would have told may keep somebody off the list, or on it.

    Of one that need not come the error says how to go on without it.
    """
    try:
        yield
    except SourceError as fault:
        if settings.required or is_database(settings):
            raise
        without = f"or take it out of the data folder: the night then goes on without {name}, and says so"
        raise type(fault)(fault.found, without if fault.remedy is None else f"{fault.remedy}; {without}") from None


def one_key(data: Path, settings: Mapping[str, TableSettings], *, only: tuple[str, ...] = tuple(TABLES)) -> str | None:
    """The fingerprint of the key that all tables were made with; None where no table tells one.

    Raises `SourceError` where tables were made with different keys: their people and homes do not join, and an opt-out
    made under another key is heeded for nobody. The same where some hold NHS numbers and others an agency's own ids.
    """
    found = {name: locate(name, settings[name], data) for name in only}
    files = {name: place.files for name, place in found.items() if place is not None}
    key = stop_on_two_keys(files)
    stop_on_mixed_ids(files, own=[name for name in files if settings[name].ids == "own"])
    return key


def stop_without_folder(data: Path) -> None:
    """Stop where the data folder is not there, or may not be read."""
    with readable(data):
        if not data.is_dir():
            raise SourceError(f"{data.name}: there is no such data folder", "give the folder that holds the tables")


def read_source(
    name: str,
    data: Path,
    settings: Mapping[str, TableSettings],
    *,
    workspace: Path,
    progress: Callable[[str], None] = lambda _: None,
) -> CheckedTable | None:
    """Read one table of the folder; None where it is not there and need not be.

    Raises `SourceError` for a fault of a file, and for a missing table that is required or has a file of a near name.
    """
    location = locate(name, settings[name], data)
    if location is None:
        stop_on_near_file(name, data, settings)
    if location is None and settings[name].required:
        raise SourceError(f"{name}: the table is required and was not found", f"send {name}.parquet or {name}.csv")
    if location is None:
        return None
    progress(name)
    return read_table(location, settings[name], workspace=workspace)


def stop_on_empty_table(table: CheckedTable, settings: TableSettings) -> None:
    """Stop on a required table without rows; of an empty table of opt-outs the ledger says whether it is believed."""
    if settings.required and table.n_read == 0 and table.name != "permissions":
        raise SourceError(f"{table.name}: the table is required and has no rows", "send the table again")


def stop_on_untold_column(table: CheckedTable, settings: TableSettings) -> None:
    """Stop where a column without which people would be wrongly listed was not sent, unless it is not held there."""
    found = [
        column
        for column in MUST_BE_TOLD.get(table.name, ())
        if column not in (*settings.not_held, *table.not_held_columns) and _is_untold(column, table)
    ]
    if not found:
        return
    first, near = found[0], nearest(found[0], table.dropped_columns) or "its name there"
    listed = ", ".join(f'"{column}"' for column in found)
    raise SourceError(
        "; ".join(_untold(column, table) for column in found) + _not_used(table),
        f'map the agency\'s name for it in agencies.toml ([{table.name}.columns] {first} = "{near}"), or, where the '
        f"agency does not hold it, write not_held = [{listed}] under [{table.name}]",
    )


def _is_untold(column: str, table: CheckedTable) -> bool:
    partly = {name for name, _ in table.partly_absent}
    if column in table.absent_columns or column in partly:
        return True
    return column in table.empty_columns and _n_people(table) >= PEOPLE_FOR_EMPTY


def _n_people(table: CheckedTable) -> int:
    return int(table.rows.select(pl.col("person_id").n_unique()).collect().item())


def _untold(column: str, table: CheckedTable) -> str:
    without = next((file for name, file in table.partly_absent if name == column), None)
    if without is not None:
        return f"{table.name}: {without} has no column `{column}`, and without it {WITHOUT[column]}"
    how = "holds no value" if column in table.empty_columns else "was not sent"
    return f"{table.name}: column `{column}` {how}, and without it {WITHOUT[column]}"


def _not_used(table: CheckedTable) -> str:
    if not table.dropped_columns:
        return ""
    return "; headings that were not used: " + ", ".join(f"`{heading}`" for heading in table.dropped_columns)


def is_made_up(data: Path) -> bool:
    """Whether the folder carries the mark of made-up data."""
    mark = data / MARK_OF_MADE_UP_DATA
    if not mark.exists():
        return False
    try:
        return json_within(small_bytes(mark).decode("utf-8"), mark.name).get("synthetic") is True
    except (SourceError, OSError, ValueError, AttributeError):
        raise SourceError(
            f"{MARK_OF_MADE_UP_DATA}: cannot be read", "make the county again, or remove the file"
        ) from None


def stop_if_too_many_refused(table: CheckedTable, max_refused_share: float) -> None:
    """Stop on a source that is mostly wrong, and on any doubt about an opt-out."""
    allowed = 0.0 if table.name == "permissions" else max_refused_share
    if table.n_refused <= allowed * (table.n_read - table.n_left_out):
        return
    told = told_causes(table)
    first = table.refused.row(0, named=True)
    raise RefusedRowsError(
        f"{table.name}: {table.n_refused:,} of {table.n_read:,} rows break the contract, more than the share of "
        f"{allowed:g} allowed; the first is {first['file']}, row {first['row_number']}; most often {told}",
        "run `ageingwell check` for the whole list, and have the agency send the table again",
    )


def told_causes(table: CheckedTable) -> str:
    """The three rules that most rows were refused for, each with its rows and their share of the table.

    >>> refused = pl.DataFrame({"file": ["a.csv"], "row_number": [7], "column": ["sex"], "rules": [["unknown_label"]]})
    >>> told_causes(CheckedTable("gp_patients", pl.LazyFrame(), refused, n_read=8, n_good=7))
    'sex: unknown_label (1 row, 12%)'
    """
    worst = table.refused_by_rule().sort("n_rows", "column", "rule", descending=[True, False, False]).head(3)
    return "; ".join(
        f"{row['column'] or 'row'}: {row['rule']} ({row['n_rows']:,} row{'' if row['n_rows'] == 1 else 's'}, "
        f"{row['n_rows'] / table.n_read:.0%})"
        for row in worst.to_dicts()
    )
