"""Check the records: read every table as a night would, and say everything that a night would say or stop on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.config.load import Config, GivenConfig, config_given
from ageingwell.context import Surroundings
from ageingwell.contracts.registry import TABLES
from ageingwell.disk import DISK
from ageingwell.errors import AgeingWellError
from ageingwell.given import GivenDay, maybe_day_of
from ageingwell.governance import link_words
from ageingwell.governance.asking import asks, asks_of_refused, coverage
from ageingwell.governance.recognised import described
from ageingwell.night.matches import low_matches, unsure_people
from ageingwell.permitted import measured_links
from ageingwell.reasons import stop_on_unknown_facts
from ageingwell.recognition.counting import recognised
from ageingwell.recognition.labels import new_labels
from ageingwell.recognition.link_floors import below_floor, stop_on_strangers
from ageingwell.recognition.links import LINKS, REGISTER
from ageingwell.room import scratch, staged_folder
from ageingwell.shown import Screen, Shown, listed
from ageingwell.sources.checked import CheckedTable, Records
from ageingwell.sources.declared import declared_in, differences, stop_on_differences
from ageingwell.sources.dmd_to_bnf import read_dmd_to_bnf, with_bnf_codes
from ageingwell.sources.folder import near_files, unused_files
from ageingwell.sources.labels import TOLD_LABELS
from ageingwell.sources.mapping import stop_on_wrong_mapping
from ageingwell.sources.notes import COLUMNS, badly_read_notes, file_notes, notes_of, told_columns
from ageingwell.sources.read import (
    is_made_up,
    one_key,
    read_source,
    stop_if_too_many_refused,
    stop_on_empty_table,
    stop_on_untold_column,
    stop_without_folder,
    told_causes,
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
_UNKNOWN = pl.Schema([("table", pl.String()), *TOLD_LABELS.items()])


@dataclass(frozen=True, repr=False)
class CheckedRecords(Shown):
    """What a check found.

    `tables` has a row a table, `refused` a row a table, column and rule; `columns` names the columns that were not sent
    or hold no value and the headings that were not used (table, column, what, perhaps); `emptied` counts the cells read
    as empty (table, column, rule, n_cells). `unknown_labels` counts the rows whose label is none of a closed
    list, and the different labels in them (table, column, n_rows, n_labels). `recognised` counts which codes and labels
    are known (as `described` gives it). `links` counts which rows, people and homes meet the register (`LINKS`), and
    `linked` says so table by table (as `link_words.described` gives it). `notes` says in sentences what is not there.
    `problems` are what a night would stop on.
    """

    tables: pl.DataFrame
    refused: pl.DataFrame
    missing: tuple[str, ...]
    made_up: bool
    problems: tuple[str, ...]
    columns: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COLUMNS))
    emptied: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_EMPTIED))
    unknown_labels: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_UNKNOWN))
    unused_files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    recognised: pl.DataFrame = field(default_factory=pl.DataFrame)
    links: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LINKS))
    linked: pl.DataFrame = field(default_factory=pl.DataFrame)

    def _screen(self) -> Screen:
        facts = {
            "people": "made-up people" if self.made_up else "real people",
            "missing": listed(self.missing),
            "a night would stop on": len(self.problems),
            "notes": len(self.notes),
        }
        rows = self.tables.select("table", "n_read", "n_good", "n_refused").rows()
        hint = self.problems[0] if self.problems else "tables, refused, columns, emptied, links, notes, problems"
        return Screen("Records checked", facts, ("table", "rows read", "good", "refused"), rows, hint)


def check(
    data: str | Path,
    *,
    config: GivenConfig = None,
    refused_to: str | Path | None = None,
    on: GivenDay | None = None,
    surroundings: Surroundings | None = None,
) -> CheckedRecords:
    """Read every table against its contract and say what would be refused and why; nothing is scored.

    A fault that would stop a night is told in `problems`, table by table, instead of stopping here. With `refused_to`,
    every refused row is written there as `<table>.parquet`: file, row number, column, rules; and the emptied cells as
    `<table>_emptied.parquet`, of each column and rule the first 10,000. Rows dated after `on`, by default today, are
    counted: a night of that day cannot know them.
    """
    world = surroundings or Surroundings()
    data, config = Path(data), config_given(config)
    day = maybe_day_of(on, name="on") or world.now().date()
    problems: list[str] = []
    with _told(problems):
        stop_on_unknown_facts(config.may_lower)
    with scratch() as place:
        records = _read_all(data, config, workspace=place, problems=problems, world=world)
        if refused_to is not None:
            _write_refused(records, Path(refused_to))
        words, told = _recognised(records, config, problems=problems, on=day)
        unsure = low_matches(records, unsure_people(records), on=day)
        links = _links(records, config, on=day)
        with _told(problems):
            stop_on_strangers(links, config.tables)
    tables = list(records.tables.values())
    return CheckedRecords(
        tables=pl.DataFrame([_row(table, on=day) for table in tables], schema=_TABLES, orient="row"),
        refused=_stacked([(table.name, table.refused_by_rule()) for table in tables], _BY_RULE),
        missing=records.missing,
        made_up=records.made_up,
        problems=tuple(problems),
        columns=pl.concat([pl.DataFrame(schema=COLUMNS), *map(told_columns, tables)]),
        emptied=_stacked([(table.name, table.emptied) for table in tables], _EMPTIED),
        unknown_labels=_stacked([(table.name, table.unknown_labels) for table in tables], _UNKNOWN),
        unused_files=records.unused_files,
        recognised=words,
        links=links,
        linked=link_words.described(links, config.tables),
        notes=(
            *(note for table in tables for note in badly_read_notes(table)),
            *(note for table in tables for note in notes_of(table, on=day)),
            *unsure,
            *told,
            *asks_of_refused((table.name, table.refused_by_rule()) for table in tables),
            *asks_of_refused((table.name, table.emptied.rename({"n_cells": "n_rows"})) for table in tables),
            *file_notes(records),
            *link_words.below_sentences(below_floor(links, config.tables)),
        ),
    )


def _recognised(
    records: Records, config: Config, *, problems: list[str], on: date
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Which codes and labels are known, in all and by practice, and in sentences how far that reaches and what to ask.

    Without a register nothing is told by practice.
    """
    look_up = None
    with _told(problems):
        look_up = None if config.dmd_to_bnf is None else read_dmd_to_bnf(config.dmd_to_bnf)
    rows = with_bnf_codes(records, look_up).rows()
    counted = recognised(rows, places=config.places, codelists=config.codelists, floors=config.score.recognition)
    of_look_up = [] if look_up is None else look_up.notes(on)
    return described(counted, new_labels(rows)), (*of_look_up, *coverage(counted), *asks(counted))


def _links(records: Records, config: Config, *, on: date) -> pl.DataFrame:
    """How much of each table links as a night of that day would count it, whoever opted out among them."""
    if REGISTER not in records.tables:
        return pl.DataFrame(schema=LINKS)
    return measured_links(records, records.rows()[REGISTER], config=config, on=on)


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
        with _told(problems):
            declared = declared_in(data)
            stop_on_differences(
                told
                for name in settings
                for told in differences(name, tables[name].files if name in tables else (), declared)
            )
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
        share = table.n_refused / (table.n_read - table.n_left_out)
        told = f"{share:.0%} of the rows break the contract; a night would stop; most often {told_causes(table)}"
        return [f"{table.name}: {told}"]
    return []


@contextmanager
def _told(problems: list[str]) -> Iterator[None]:
    """Put what a night would stop on among the problems, and go on behind it."""
    try:
        yield
    except AgeingWellError as fault:
        problems.append(str(fault))


def _write_refused(records: Records, folder: Path) -> None:
    """Write them all or none; those of an earlier check go, and what else lies in the folder stays."""
    told = {
        f"{file}.parquet": rows
        for name, table in records.tables.items()
        for file, rows in ((name, table.refused), (f"{name}_emptied", table.emptied_cells))
        if rows.height
    }
    ours = {f"{name}{of}.parquet" for name in TABLES for of in ("", "_emptied")}
    if told or any(folder.glob("*.parquet")):
        with staged_folder(folder, ours=ours.__contains__) as staging:
            for name, rows in told.items():
                DISK.write_frame(staging / name, rows)


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


def _stacked(found: list[tuple[str, pl.DataFrame]], schema: Mapping[str, Any]) -> pl.DataFrame:
    parts = (frame.select(pl.lit(name).alias("table"), pl.all()) for name, frame in found)
    return pl.concat([pl.DataFrame(schema=schema), *(part.select(list(schema)) for part in parts)])
