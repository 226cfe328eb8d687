"""Check the records: read every table as a night would, and say everything that a night would say or stop on."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.config.load import Config
from ageingwell.errors import AgeingWellError
from ageingwell.governance.recognised import described
from ageingwell.pipeline.matches import low_matches, unsure_people
from ageingwell.pipeline.surroundings import Surroundings
from ageingwell.publish.faults import explained
from ageingwell.recognition.counting import recognised
from ageingwell.recognition.labels import new_labels
from ageingwell.sources.checked import CheckedTable, Records
from ageingwell.sources.folder import near_files, unused_files
from ageingwell.sources.mapping import stop_on_wrong_mapping
from ageingwell.sources.notes import COLUMNS, file_notes, notes_of, told_columns
from ageingwell.sources.read import (
    is_made_up,
    one_key,
    read_source,
    stop_if_too_many_refused,
    stop_on_empty_table,
    stop_on_untold_column,
    stop_without_folder,
)

_TABLES = {
    "table": pl.String,
    "n_read": pl.Int64,
    "n_good": pl.Int64,
    "n_refused": pl.Int64,
    "newest_on": pl.Date,
    "n_repeated": pl.Int64,
    "n_dated_ahead": pl.Int64,
}
_BY_RULE = {"table": pl.String, "column": pl.String, "rule": pl.String, "n_rows": pl.Int64}
_EMPTIED = {"table": pl.String, "column": pl.String, "rule": pl.String, "n_cells": pl.Int64}


@dataclass(frozen=True)
class CheckedRecords:
    """What a check found.

    `tables` has a row a table, `refused` a row a table, column and rule; `columns` names the columns that were not sent
    or hold no value and the headings that were not used (table, column, what, perhaps); `emptied` counts the cells read
    as empty (table, column, rule, n_cells). `recognised` counts which codes and labels are known (as `described` gives
    it). `notes` says what is not there in sentences. `problems` are what a night would stop on.
    """

    tables: pl.DataFrame
    refused: pl.DataFrame
    missing: tuple[str, ...]
    made_up: bool
    problems: tuple[str, ...]
    columns: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COLUMNS))
    emptied: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_EMPTIED))
    unused_files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    recognised: pl.DataFrame = field(default_factory=pl.DataFrame)


def check(
    data: Path,
    *,
    config: Config,
    refused_to: Path | None = None,
    on: date | None = None,
    surroundings: Surroundings | None = None,
) -> CheckedRecords:
    """Read every table against its contract and say what would be refused and why; nothing is scored.

    A fault that would stop a night is told in `problems`, table by table, instead of stopping here. With `refused_to`,
    every refused row is written there as `<table>.parquet`: file, row number, column, rules. Rows dated after `on`, by
    default today, are counted: a night of that day cannot know them.
    """
    world = surroundings or Surroundings()
    day = on or world.now().date()
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="ageingwell-") as scratch:
        records = _read_all(data, config, workspace=Path(scratch), problems=problems, world=world)
        if refused_to is not None:
            _write_refused(records, refused_to)
        words = _recognised(records, config)
        unsure = low_matches(records, unsure_people(records), on=day)
    tables = list(records.tables.values())
    return CheckedRecords(
        tables=pl.DataFrame([_row(table, on=day) for table in tables], schema=_TABLES, orient="row"),
        refused=_stacked([(table.name, table.refused_by_rule()) for table in tables], _BY_RULE),
        missing=records.missing,
        made_up=records.made_up,
        problems=tuple(problems),
        columns=pl.concat([pl.DataFrame(schema=COLUMNS), *map(told_columns, tables)]),
        emptied=_stacked([(table.name, table.emptied) for table in tables], _EMPTIED),
        unused_files=records.unused_files,
        recognised=words,
        notes=(
            *(note for table in tables for note in notes_of(table, on=day)),
            *unsure,
            *file_notes(records),
        ),
    )


def _recognised(records: Records, config: Config) -> pl.DataFrame:
    """Which codes and labels are known, in all and by practice; nothing is counted without a register."""
    rows = records.rows()
    if "gp_patients" not in rows:
        return pl.DataFrame()
    counted = recognised(rows, places=config.places, codelists=config.codelists, floors=config.score.recognition)
    return described(counted, new_labels(rows))


def _read_all(data: Path, config: Config, *, workspace: Path, problems: list[str], world: Surroundings) -> Records:
    """Every table that can be read, whatever is wrong with it; what a night would stop on goes to `problems`."""
    settings = config.tables
    tables: dict[str, CheckedTable] = {}
    missing: list[str] = []
    unused: tuple[str, ...] = ()
    near: dict[str, str] = {}
    made_up = False
    with _told(problems):
        stop_on_wrong_mapping(settings)
    with _told(problems):
        stop_without_folder(data)
        with _told(problems):
            one_key(data, settings)
        for name in settings:
            with _told(problems):
                table = read_source(name, data, settings, workspace=workspace / name, progress=world.tell)
                if table is None:
                    missing.append(name)
                    continue
                tables[name] = table
                for stop in (stop_on_empty_table, stop_on_untold_column):
                    with _told(problems):
                        stop(table, settings[name])
                problems += _too_many_refused(table, config)
        made_up = is_made_up(data)
        unused, near = unused_files(data, settings), near_files(data, settings, missing=missing)
    absent = tuple(name for name in missing if settings[name].held)
    return Records(tables, absent, made_up, unused_files=unused, near_files=near)


def _too_many_refused(table: CheckedTable, config: Config) -> list[str]:
    try:
        stop_if_too_many_refused(table, config.score.max_refused_share)
    except AgeingWellError as fault:
        if table.name == "permissions":
            return [str(fault)]
        share = table.n_refused / table.n_read
        return [f"{table.name}: {share:.0%} of the rows break the contract; a night would stop"]
    return []


@contextmanager
def _told(problems: list[str]) -> Iterator[None]:
    """Put what a night would stop on among the problems, and go on behind it."""
    try:
        yield
    except AgeingWellError as fault:
        problems.append(str(fault))


def _write_refused(records: Records, folder: Path) -> None:
    for name, table in records.tables.items():
        if table.n_refused:
            with explained("the refused rows cannot be written"):
                folder.mkdir(parents=True, exist_ok=True)
                table.refused.write_parquet(folder / f"{name}.parquet")


def _row(table: CheckedTable, *, on: date) -> tuple[str, int, int, int, date | None, int, int]:
    return (
        table.name,
        table.n_read,
        table.n_good,
        table.n_refused,
        table.newest_on,
        table.n_repeated,
        table.n_dated_ahead(on),
    )


def _stacked(found: list[tuple[str, pl.DataFrame]], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    parts = (frame.select(pl.lit(name).alias("table"), pl.all()) for name, frame in found)
    return pl.concat([pl.DataFrame(schema=schema), *(part.select(list(schema)) for part in parts)])
