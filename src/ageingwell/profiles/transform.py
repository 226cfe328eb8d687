"""Run a profile over its files: raw files in, tables in the shape of the contracts out, with every row accounted for.

A table out of a profile still carries what names people (`nhs_number`, `uprn`, `birth_date`): it lives in a private
folder at the agency until `pseudonymise` has read it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.contracts.registry import columns
from ageingwell.disk import DISK
from ageingwell.errors import SourceError
from ageingwell.profiles.database import create_view, run_select, sandbox
from ageingwell.profiles.labels import labelled
from ageingwell.profiles.profile import LOOKUPS, Profile
from ageingwell.profiles.recognise import Recognised
from ageingwell.reading.as_text import as_text
from ageingwell.reading.chunks import Chunk, FileRead, file_chunks
from ageingwell.reading.headings import folded_heading

# What the SQL may say of a row beside the contract's columns.
FILE, ROW, LEFT_OUT, EXTRACTED_ON = "_file", "_row", "_left_out", "_extracted_on"
# Whose ids name people, `nhs_number` or `own`, in a profile whose extracts have either.
IDS = "_ids"
# From which columns `pseudonymise` makes those of the contract.
RAW_IDENTITIES = ("nhs_number", "uprn", "linked_nhs_number", "linked_la_person_id", "birth_date", "postcode")


@dataclass(frozen=True)
class MadeTable:
    """One table that a profile made: a Parquet file of text columns with `_file` and `_row`, where each came from.

    `left_out` counts, by reason, the rows that the profile leaves out on purpose (deleted, of no person); `n_ragged`
    counts rows of its files with a wrong number of fields, by file and row in `ragged`. `ids` says whose ids name
    people: `nhs_number`, or the extract's `own`.
    """

    table: str
    profile: Profile
    path: Path
    columns: tuple[str, ...]
    n_rows: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    unknown_labels: Mapping[tuple[str, str], int] = field(default_factory=dict)
    ids: str = "nhs_number"


@dataclass(frozen=True)
class Made:
    """All that one profile made of its files: the tables, the files read, and the rows that were no rows."""

    tables: tuple[MadeTable, ...]
    files: tuple[FileRead, ...]
    ragged: tuple[tuple[str, int], ...] = ()


def run_profile(
    profile: Profile,
    files: Iterable[Recognised],
    *,
    workspace: Path,
    extracted_on: date | None = None,
    areas: Sequence[Path] = (),
) -> Made:
    """Make the tables of a profile from its files, in the folder `workspace`.

    `extracted_on` is the day of the extract where the files do not tell it. `areas` are tables of where homes lie
    (uprn, postcode, lsoa21) that another profile made; the SQL sees them as the view `areas`. Raises `SourceError`
    where a needed file is missing or the day of the extract is needed and not known; `ConfigError` for a fault of the
    SQL.
    """
    by_kind = _by_kind(profile, files)
    read: list[FileRead] = []
    ragged: list[tuple[str, int]] = []
    staged: dict[str, list[Path]] = {kind: [] for kind in by_kind}
    for number, one in enumerate(one for found in by_kind.values() for one in found):
        part = workspace / f"{number:05d}"
        DISK.make_folder(part)
        staged[one.kind] += _staged(one, read, ragged, part, extracted_on)
    made = []
    for table, sql in profile.sql.items():
        if not _can_run(sql, by_kind):
            continue
        _stop_without_day(profile, sql, by_kind, extracted_on)
        found = _table(profile, table, sql, staged, workspace, areas)
        # No row at all, not even one left out: nothing was sent of it. An empty table would say that nobody has any.
        # A record without an opt-out is one that was searched.
        made += [found] if found.n_rows or found.left_out or table in ("permissions", *LOOKUPS) else []
    return Made(tuple(made), tuple(read), tuple(ragged))


def _by_kind(profile: Profile, files: Iterable[Recognised]) -> dict[str, list[Recognised]]:
    found: dict[str, list[Recognised]] = {kind: [] for kind, file in profile.files.items() if file.used}
    for one in files:
        if one.file.used:
            found[one.kind].append(one)
    lacking = [kind for kind, those in found.items() if not those and profile.files[kind].required]
    if lacking:
        titles = "; ".join(profile.files[kind].title for kind in lacking)
        raise SourceError(f"{profile.name}: a file of the extract is missing: {titles}", profile.ask_for)
    return found


def tables_of(profile: Profile, kind: str) -> tuple[str, ...]:
    """The tables that a kind of file feeds, first the one that is mostly made of it."""
    found = [table for table, sql in profile.sql.items() if re.search(rf"\b{re.escape(kind)}\b", sql)]
    first = profile.files[kind].feeds
    return tuple(sorted(found, key=lambda table: (table != first, list(profile.sql).index(table))))


def _can_run(sql: str, by_kind: Mapping[str, Sequence[Recognised]]) -> bool:
    """Whether any file that the SELECT reads is there: a table of files that nobody sent is not an empty table."""
    named = [kind for kind in by_kind if re.search(rf"\b{re.escape(kind)}\b", sql)]
    return any(by_kind[kind] for kind in named)


def _stop_without_day(
    profile: Profile, sql: str, by_kind: Mapping[str, Sequence[Recognised]], extracted_on: date | None
) -> None:
    if EXTRACTED_ON not in sql or extracted_on is not None:
        return
    undated = [
        one.path.name
        for kind, those in by_kind.items()
        for one in those
        if one.extracted_on is None and _reads_day_of(kind, sql)
    ]
    if undated:
        raise SourceError(
            f"{undated[0]}: the day this extract was taken is not known, and {profile.name} needs it",
            "give it as --extracted-on 2026-11-01, or in agencies.toml: "
            f"[sources.{profile.name}] extracted_on = 2026-11-01",
        )


def _reads_day_of(kind: str, sql: str) -> bool:
    return re.search(rf"\b{re.escape(kind)}\b", sql) is not None


def _staged(
    one: Recognised, read: list[FileRead], ragged: list[tuple[str, int]], folder: Path, extracted_on: date | None
) -> Iterable[Path]:
    """The columns that the profile uses, as Parquet: rows of one file in parts."""
    own = {heading: column for column, heading in one.headings.items()}
    day = one.extracted_on or extracted_on
    for number, chunk in enumerate(
        file_chunks(one.path, read, options=one.options, wanted=own.__contains__, flat="document" not in one.headings)
    ):
        ragged += [(one.name, row) for row in chunk.ragged]
        frame = _numbered(chunk, own).with_columns(
            pl.lit(one.name).alias(FILE), pl.lit(None if day is None else str(day), pl.String).alias(EXTRACTED_ON)
        )
        path = folder / f"{number:05d}.parquet"
        DISK.write_frame(path, frame, compression="lz4")
        yield path


def _numbered(chunk: Chunk, own: Mapping[str, str]) -> pl.DataFrame:
    rows = as_text(chunk.rows.select(name for name in chunk.rows.columns if name in own)).rename(own, strict=False)
    trimmed = rows.with_columns(pl.all().str.strip_chars().replace("", None))
    numbers = pl.int_range(chunk.first_row, chunk.first_row + chunk.rows.height, dtype=pl.Int64, eager=True)
    numbered = trimmed.with_columns(numbers.alias(ROW))
    return numbered.filter(~pl.col(ROW).is_in(list(chunk.ragged))) if chunk.ragged else numbered


def _table(
    profile: Profile,
    table: str,
    sql: str,
    parts: Mapping[str, Sequence[Path]],
    workspace: Path,
    areas: Sequence[Path],
) -> MadeTable:
    path = workspace / f"made-{table}.parquet"
    with sandbox(workspace, also=areas, date_formats=profile.date_formats) as connection:
        for kind, those in parts.items():
            create_view(
                connection, kind, parts=those or [_nothing(workspace)], columns=_view_columns(profile, kind, those)
            )
        create_view(
            connection,
            "areas",
            parts=areas or [_nothing(workspace)],
            columns={name: f'"{name}"' if areas else "NULL::VARCHAR" for name in LOOKUPS["areas"]},
        )
        names = run_select(connection, sql, to=path, source=f"{profile.name}/{table}.sql")
    stop_on_strange_columns(profile, table, names)
    sent, ids = _without_ids(profile, table, pl.scan_parquet(path, glob=False))
    kept, left_out = _without_left_out(sent)
    finished = labelled(kept, table, profile.labels.get(table, {}), empty=profile.empty)
    DISK.sink_frame(workspace / f"{table}.parquet", finished.rows, compression="lz4")
    DISK.remove_file(path)
    return MadeTable(
        table=table,
        profile=profile,
        path=workspace / f"{table}.parquet",
        columns=tuple(name for name in names if not name.startswith("_")),
        n_rows=int(pl.scan_parquet(workspace / f"{table}.parquet", glob=False).select(pl.len()).collect().item()),
        left_out=dict(sorted((left_out + finished.left_out).items())),
        unknown_labels=finished.unknown,
        ids=ids,
    )


def _view_columns(profile: Profile, kind: str, parts: Sequence[Path]) -> dict[str, str]:
    """The expression of each column of a view: one that no part has is empty, so that the SQL may name it."""
    file = profile.files[kind]
    here = {name for part in parts for name in pl.read_parquet_schema(part)}
    declared = [folded_heading(name) for name in (*file.columns, *file.optional, *file.reader.names)]
    every = [*dict.fromkeys([*declared, *sorted(here - {FILE, ROW, EXTRACTED_ON})]), FILE, EXTRACTED_ON]
    told = {name: f'"{name}"' if name in here else "NULL::VARCHAR" for name in every}
    return told | {ROW: ROW if ROW in here else "NULL::BIGINT"}


def _nothing(workspace: Path) -> Path:
    path = workspace / "nothing.parquet"
    DISK.write_frame(path, pl.DataFrame(schema={FILE: pl.String, ROW: pl.Int64, EXTRACTED_ON: pl.String}))
    return path


def stop_on_strange_columns(profile: Profile, table: str, names: Sequence[str]) -> None:
    """Stop on a column that the SQL gives and no contract has: what it holds would be lost without a word."""
    contract = LOOKUPS[table] if table in LOOKUPS else [column.name for column in columns(table)]
    known = {*contract, *RAW_IDENTITIES, FILE, ROW, LEFT_OUT, IDS}
    if strange := [name for name in names if name not in known]:
        raise SourceError(
            f"{profile.name}/{table}.sql: the contract has no column {', '.join(f'`{name}`' for name in strange)}",
            "call it by the contract's name, or leave it out of the SELECT",
        )


def _without_ids(profile: Profile, table: str, rows: pl.LazyFrame) -> tuple[pl.LazyFrame, str]:
    """The rows without what they say of ids, and what that is."""
    if profile.ids != "either":
        return rows, profile.ids
    found = rows.select(pl.col(IDS).drop_nulls().unique()).collect()[IDS].to_list()
    if not set(found) <= {"nhs_number", "own"} or len(found) > 1:
        raise SourceError(
            f"{profile.name}/{table}.sql: `{IDS}` is not one of nhs_number and own, the same in every row",
            "correct the SQL of the profile",
        )
    return rows.drop(IDS), next(iter(found), "nhs_number")


def _without_left_out(rows: pl.LazyFrame) -> tuple[pl.LazyFrame, Counter[str]]:
    if LEFT_OUT not in rows.collect_schema().names():
        return rows, Counter()
    counted = rows.drop_nulls(LEFT_OUT).group_by(LEFT_OUT).len().collect()
    return rows.filter(pl.col(LEFT_OUT).is_null()).drop(LEFT_OUT), Counter(dict(counted.iter_rows()))
