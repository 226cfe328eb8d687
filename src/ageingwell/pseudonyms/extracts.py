"""`pseudonymise`: an agency's raw tables in, contract tables without identities out. Runs at the agency."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.config.score import SourceSettings, TableSettings
from ageingwell.disk import DISK
from ageingwell.errors import AgeingWellError, KeyFileError, SourceError
from ageingwell.profiles.profile import Profile
from ageingwell.pseudonyms.addresses import addresses_of, with_addresses
from ageingwell.pseudonyms.areas import Areas, areas_of, with_areas
from ageingwell.pseudonyms.carrying import names_of, with_carried
from ageingwell.pseudonyms.conversion import BORN, MADE, RAW, Conversion, conversion, masked
from ageingwell.pseudonyms.counts import Pseudonymised, TableCounts, added, record_text, stop_if_too_many
from ageingwell.pseudonyms.coverage import register_coverage
from ageingwell.pseudonyms.fingerprints import IDS, KEY_FINGERPRINT, NOT_HELD, RECORD
from ageingwell.pseudonyms.keys import Key
from ageingwell.pseudonyms.local_people import (
    NOBODY,
    LocalPeople,
    gathered,
    keeps_local_people,
    stop_if_nobody_has_a_number,
    told_people,
    with_local_people,
)
from ageingwell.pseudonyms.own_ids import own_counts, raw_headings, stop_if_nhs_numbers, tables_with_own_ids
from ageingwell.pseudonyms.postcodes import look_up_among, read_lookup
from ageingwell.pseudonyms.reading import SYNTHETIC_MARK, RawChunk, folded
from ageingwell.pseudonyms.screening import Fault, birth_day, refused_cells, with_canonical
from ageingwell.pseudonyms.short_form import in_our_words
from ageingwell.pseudonyms.tables import RawFolder, RawTable, raw_folder, told_sources
from ageingwell.reading.headings import folded_heading
from ageingwell.reading.limits import json_within, small_bytes
from ageingwell.room import staged_folder

REFUSED: Final = pl.Schema(
    {"file": pl.String(), "row_number": pl.Int64(), "column": pl.String(), "rules": pl.List(pl.String)}
)
_LONGEST_MARK_BYTES: Final = 65_536


@dataclass(frozen=True)
class _Work:
    """All that the work on every table needs."""

    key: Key
    contract_columns: Mapping[str, Sequence[str]]
    column_names: Mapping[str, Mapping[str, str]]
    areas: Areas
    is_marked: bool
    rows_at_once: int
    own_ids: frozenset[str]
    not_held: Mapping[str, Sequence[str]]
    settings: Mapping[str, TableSettings] = field(default_factory=dict)
    mapping: Mapping[str, TableSettings] = field(default_factory=dict)
    addresses: pl.DataFrame | None = None
    births: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"_nhs_number": pl.String, BORN: pl.Date}))

    def ids(self, table: str) -> str:
        """Whose ids a table holds, as its files tell it."""
        return "own" if table in self.own_ids else "nhs_number"


def pseudonymise(
    raw: Path,
    *,
    out: Path,
    key: Key,
    contract_columns: Mapping[str, Sequence[str]],
    lsoa_lookup: Path | None = None,
    column_names: Mapping[str, Mapping[str, str]] | None = None,
    profiles: Mapping[str, Profile] | None = None,
    settings: Mapping[str, TableSettings] | None = None,
    sources: Mapping[str, SourceSettings] | None = None,
    extracted_on: date | None = None,
    own_ids: Mapping[str, bool] | Collection[str] = (),
    not_held: Mapping[str, Sequence[str]] | None = None,
    max_refused_share: float = 0.10,
    rows_at_once: int = 100_000,
) -> Pseudonymised:
    """Turn an agency's raw tables into contract tables in a new folder `out`, without anything that names anyone.

    `raw` is a folder with `<table>.csv` or `.parquet` (or a folder of parts) for any of the contract tables, or one
    such file. `nhs_number` becomes `person_id`, `uprn` `household_id`, `linked_nhs_number` `linked_person_id`,
    `birth_date` the first of its month, `postcode` its `lsoa21` from `lsoa_lookup` (columns `postcode`, `lsoa21`), or
    from `postcode_lookup.csv` in `raw`; `la_person_id` and `case_id` become keyed digests. A column that
    `contract_columns` does not list for its table is left out and named in the record. `column_names` maps a
    table's own column names to these; headings are compared
    without regard to capitals, spaces and points. Rows without a good identifier go to `refused/<table>.parquet`
    (file, row_number, column, rules; never values). An identifier that may be blank and cannot be read is emptied, and
    `emptied/<table>.parquet` tells where in the same columns. Each Parquet file carries the key's fingerprint.

    In `care_events` a row without an NHS number stays if it has a `la_person_id`: it gets the one number that other
    rows carry for that id, or else a pseudonym of the id itself. `linked_la_person_id` names linked people likewise.
    `own_ids` are the tables whose `nhs_number` and `uprn` hold the agency's own ids of any text, which get pseudonyms
    apart from those of NHS numbers and UPRNs. `not_held` names columns that the layout of a table never holds; the
    table's Parquet file says so.

    Raises `SourceError` for a fault of a file; `RefusedRowsError` above `max_refused_share` of a table's rows, or of
    the values sent in a column that may be blank, and for any refused row of `permissions`, since a lost opt-out is an
    unheeded person; `KeyFileError` for real NHS numbers with a made-up key; `PublishError` if `out` is there already.
    On any error nothing is left behind.
    """
    lsoa_lookup = lsoa_lookup or look_up_among(raw)
    with staged_folder(out) as staging, private_workspace(staging) as workspace:
        folder = raw_folder(
            raw,
            known=contract_columns.keys(),
            workspace=workspace,
            profiles=profiles or {},
            settings=settings,
            sources=sources,
            extracted_on=extracted_on,
            beside=lsoa_lookup,
        )
        work = _Work(
            key=key,
            contract_columns=contract_columns,
            column_names=column_names or {},
            areas=areas_of(
                folder.ran.lookup("areas"), postcodes=None if lsoa_lookup is None else read_lookup(lsoa_lookup)
            ),
            is_marked=raw.is_dir() and (raw / SYNTHETIC_MARK).exists(),
            rows_at_once=rows_at_once,
            own_ids=tables_with_own_ids(own_ids, known=contract_columns.keys()),
            not_held=not_held or {},
            settings=settings or {},
            mapping=settings or {},
            addresses=addresses_of(folder.ran.lookup("addresses")),
        )
        result = replace(_written(folder, staging, work, max_refused_share=max_refused_share), folder=out)
        if lsoa_lookup is not None:
            result = replace(result, sources={**result.sources, lsoa_lookup.name: "the look-up of postcodes"})
        DISK.write(staging / RECORD, record_text(result).encode())
        if work.is_marked:
            DISK.write(staging / SYNTHETIC_MARK, _mark(raw / SYNTHETIC_MARK))
        elif key.is_made_up:
            # Nobody real has a number of the reserved range, and a made-up key takes no other.
            DISK.write(staging / SYNTHETIC_MARK, b'{"synthetic": true}\n')
    return result


@contextmanager
def private_workspace(staging: Path) -> Iterator[Path]:
    """A folder for what still names people; it is gone before anything of `staging` is published."""
    workspace = staging / ".sources"
    DISK.make_folder(workspace)
    try:
        yield workspace
    finally:
        DISK.remove(workspace)


def pseudonymise_found(
    folder: RawFolder,
    *,
    out: Path,
    key: Key,
    contract_columns: Mapping[str, Sequence[str]],
    faults: list[str],
    lsoa_lookup: Path | None = None,
    mapping: Mapping[str, TableSettings] | None = None,
) -> Pseudonymised:
    """Turn tables already found into contract tables in the folder `out`; a table's own fault goes to `faults`.

    `mapping` are the settings by which the tables will be read: what they name may leave.
    It is for looking at extracts, before anything is sent to anybody: nothing stops on how many rows are refused.
    """
    work = _Work(
        key=key,
        contract_columns=contract_columns,
        column_names={},
        areas=areas_of(folder.ran.lookup("areas"), postcodes=None if lsoa_lookup is None else read_lookup(lsoa_lookup)),
        is_marked=False,
        rows_at_once=100_000,
        own_ids=frozenset(),
        not_held={},
        mapping=mapping or {},
        addresses=addresses_of(folder.ran.lookup("addresses")),
    )
    return _written(folder, out, work, max_refused_share=1.0, faults=faults)


def _written(
    folder: RawFolder, staging: Path, work: _Work, *, max_refused_share: float, faults: list[str] | None = None
) -> Pseudonymised:
    tables = {}
    work = replace(work, births=_births(folder.tables, work))
    for table, raw_table in folder.tables.items():
        try:
            counts = _convert_table(table, raw_table, staging, _of_table(work, table, raw_table))
            stop_if_nhs_numbers(table, counts)
            if faults is None:
                stop_if_too_many(table, counts, max_refused_share)
            stop_if_nobody_has_a_number(table, counts)
        except AgeingWellError as fault:
            if faults is None:
                raise
            faults.append(str(fault))
        else:
            tables[table] = counts
    coverage = register_coverage(folder.ran.lookup("coverage"), staging / "gp_patients.parquet", key=work.key)
    return Pseudonymised(staging, work.key.fingerprint, work.key.is_made_up, tables, told_sources(folder), coverage)


def _of_table(work: _Work, table: str, raw_table: RawTable) -> _Work:
    """The work with what the source profiles of one table say of its ids and of columns that they never have."""
    own = work.own_ids | ({table} if raw_table.has_own_ids else set())
    never = (*work.not_held.get(table, ()), *raw_table.not_held)
    return replace(work, own_ids=own, not_held={**work.not_held, table: never})


def _convert_table(table: str, raw_table: RawTable, staging: Path, work: _Work) -> TableCounts:
    chunks_at = staging / f".{table}"
    refused_at, emptied_at = staging / f".refused_{table}", staging / f".emptied_{table}"
    for folder in (chunks_at, refused_at, emptied_at):
        DISK.make_folder(folder)
    counts, n_chunks = TableCounts(left_out=raw_table.left_out, n_left_out=sum(raw_table.left_out.values())), 0
    people = _local_people(table, raw_table, work)
    for chunk in _chunks(raw_table, work):
        good, refused, emptied, found = _convert_chunk(table, chunk, work, people)
        for place, rows in ((chunks_at, good), (refused_at, refused), (emptied_at, emptied)):
            DISK.write_frame(place / f"{n_chunks:08}.parquet", rows)
        counts, n_chunks = added(counts, found), n_chunks + 1
    told = {KEY_FINGERPRINT: work.key.fingerprint, IDS: work.ids(table)}
    _joined(refused_at, staging / "refused" / f"{table}.parquet", told=told)
    _joined(emptied_at, staging / "emptied" / f"{table}.parquet", told=told)
    not_held = _not_held(table, chunks_at, work)
    if not_held:
        told |= {NOT_HELD: ",".join(not_held)}
    _joined(chunks_at, staging / f"{table}.parquet", told=told, without=not_held)
    written = pl.read_parquet_schema(staging / f"{table}.parquet")
    return replace(
        counts,
        # One source may lack what another sends: of the whole table a column is missing that none of them sent.
        columns_not_sent=tuple(name for name in work.contract_columns[table] if name not in written),
        ids=work.ids(table),
        columns_not_held=not_held,
        local_people=told_people(counts.local_people, people),
    )


def _chunks(raw_table: RawTable, work: _Work) -> Iterator[RawChunk]:
    # A profile names the postcode wherever its layout has one; without a look-up nothing can be made of it.
    without = () if work.areas.are_known else ("postcode",)
    return raw_table.chunks(rows_at_once=work.rows_at_once, without=without)


def _local_people(table: str, raw_table: RawTable, work: _Work) -> LocalPeople:
    """A first pass over a table that keeps people by the council's id: which id carries which NHS number."""
    if not keeps_local_people(contract := work.contract_columns[table], contract):
        return NOBODY
    is_own = table in work.own_ids
    rows = (_our_chunk(table, chunk, work)[0].rows for chunk in _chunks(raw_table, work))
    return gathered(with_canonical(part, own=is_own) for part in rows)


def _not_held(table: str, chunks_at: Path, work: _Work) -> tuple[str, ...]:
    """The columns that such an extract need not hold, and of which no value came after all."""
    never = work.not_held.get(table, ())
    told = {name for part in chunks_at.iterdir() for name in _with_values(part, never)}
    return tuple(name for name in work.contract_columns[table] if name in never and name not in told)


def _with_values(part: Path, names: Sequence[str]) -> list[str]:
    here = [name for name in pl.read_parquet_schema(part) if name in names]
    has_value = pl.scan_parquet(part).select(pl.col(name).is_not_null().any() for name in here).collect()
    return [name for name in here if has_value[name].item()]


def _joined(folder: Path, path: Path, *, told: Mapping[str, str], without: Sequence[str] = ()) -> None:
    DISK.make_folders(path.parent)
    # Parts of one table may have different optional columns.
    every = pl.concat([pl.scan_parquet(part) for part in sorted(folder.iterdir())], how="diagonal")
    DISK.sink_frame(path, every.drop(without, strict=False), metadata=dict(told))
    DISK.remove(folder)


def _convert_chunk(
    table: str, chunk: RawChunk, work: _Work, people: LocalPeople
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, TableCounts]:
    contract, is_own = work.contract_columns[table], table in work.own_ids
    chunk, left_out = _our_chunk(table, chunk, work)
    rows, columns = with_addresses(chunk.rows, table, work.addresses), chunk.columns
    plan = conversion(
        table,
        rows.columns,
        contract=contract,
        key=work.key,
        has_lookup=work.areas.are_known,
        own=is_own,
    )
    settings = work.mapping.get(table)
    rows = with_carried(rows, table, plan.carried, names_of(rows, settings, plan.carried))
    rows = with_local_people(with_canonical(with_areas(rows, work.areas), own=is_own), people)
    rows = _with_births(rows, work.births)
    _stop_if_real(table, rows, plan, work)
    cells = refused_cells(rows, plan.faults)
    is_good = ~pl.int_range(pl.len(), dtype=pl.UInt32).is_in(cells["row"].unique().implode())
    good_rows = rows.filter(is_good)
    refused = _refused(chunk, cells, chunk.misshapen)
    emptied = _refused(chunk, _cells_that_stay(rows, plan.emptied, cells), ())
    telling = _refused(chunk, _cells_that_stay(rows, plan.telling, cells), ())
    made = good_rows.select(plan.outputs)
    sent = {name: position for position, name in enumerate(columns, start=1) if name not in rows.columns}
    sent |= {name: columns.index(name) + 1 for name in plan.refused if name in columns}
    sent_own, alike = own_counts(rows) if is_own else ({}, {})
    found = TableCounts(
        n_rows=rows.height + len(chunk.misshapen),
        n_written=good_rows.height,
        n_refused=refused["row_number"].n_unique(),
        n_reserved_numbers=_count(good_rows, plan.is_reserved),
        refused_by_rule=_by_rule(refused),
        left_empty=dict(sorted(Counter(emptied["column"].to_list()).items())),
        sent={name: _count(good_rows, is_sent) for name, is_sent in plan.sent.items()},
        emptied_by_rule=_by_rule(emptied),
        refused_columns=masked(dict(sorted(sent.items(), key=lambda item: item[1]))),
        columns_not_sent=tuple(name for name in contract if name not in made.columns),
        read_without_decimal={name: n for name, read in plan.decimals.items() if (n := _count(good_rows, read))},
        local_people={name: _count(good_rows, is_so) for name, is_so in plan.local.items()},
        not_carried={name: n for name in plan.carried if (n := _count(good_rows, pl.col(f"_stays_{name}")))},
        telling=_by_rule(telling),
        own_ids=sent_own,
        own_ids_like_nhs_numbers=alike,
        n_left_out=sum(left_out.values()),
        left_out=dict(sorted(left_out.items())),
    )
    return made, refused, pl.concat([emptied, telling]).sort("row_number", "column"), found


def _births(raw_tables: Mapping[str, RawTable], work: _Work) -> pl.DataFrame:
    """The day of birth of everybody on the register of the extract: _nhs_number, _born; nobody without one."""
    parts = [pl.DataFrame(schema={"_nhs_number": pl.String, BORN: pl.Date})]
    if "gp_patients" in raw_tables:
        own = "gp_patients" in work.own_ids
        for chunk in _chunks(raw_tables["gp_patients"], work):
            rows = _our_chunk("gp_patients", chunk, work)[0].rows
            if {"nhs_number", "birth_date"} <= set(rows.columns):
                born = with_canonical(rows.select("nhs_number", "birth_date"), own=own)
                parts.append(born.select("_nhs_number", birth_day("birth_date").alias(BORN)).drop_nulls())
    return pl.concat(parts).unique("_nhs_number", keep="first", maintain_order=True)


def _with_births(rows: pl.DataFrame, births: pl.DataFrame) -> pl.DataFrame:
    if "_nhs_number" not in rows.columns:
        return rows.with_columns(pl.lit(None, dtype=pl.Date).alias(BORN))
    return rows.join(births, on="_nhs_number", how="left", maintain_order="left")


def _cells_that_stay(rows: pl.DataFrame, faults: list[Fault], cells: pl.DataFrame) -> pl.DataFrame:
    """The cells with faults in rows that are not refused."""
    return refused_cells(rows, faults).join(cells, on="row", how="anti", maintain_order="left")


def _our_chunk(table: str, chunk: RawChunk, work: _Work) -> tuple[RawChunk, Counter[str]]:
    """A chunk under our names of columns and in our words, and the rows its settings leave out, by column."""
    names = {} if chunk.is_made else work.column_names.get(table, {})
    rows, columns = _renamed(table, chunk, names, work.contract_columns[table])
    numbers, left_out = chunk.row_numbers, Counter[str]()
    if not chunk.is_made and rows.width and table in work.settings:
        rows, kept, left_out = in_our_words(rows, table, work.settings[table])
        rows, numbers = rows.filter(kept), numbers.filter(kept)
    columns += [name for name in rows.columns if name not in columns]
    headings = raw_headings(columns) if table in work.own_ids else {}
    named = tuple(headings.get(name, name) for name in columns)
    return replace(chunk, rows=rows.rename(headings, strict=False), row_numbers=numbers, columns=named), left_out


def _renamed(
    table: str, chunk: RawChunk, names: Mapping[str, str], contract: Sequence[str]
) -> tuple[pl.DataFrame, list[str]]:
    """The rows under our names of columns: those that the settings map, then those that differ in writing alone."""
    known = {*contract, *(raw for raws in RAW.values() for raw in raws)}
    mapped = {folded_heading(theirs): ours for theirs, ours in names.items()}
    here = {folded_heading(name) for name in chunk.columns}
    if lost := [theirs for theirs in mapped if theirs not in here and chunk.columns]:
        raise SourceError(
            f"{table}: a column that the settings map to `{mapped[lost[0]]}` is not in {chunk.file}",
            'write columns as: our name = "the agency\'s name"',
        )
    columns = [
        mapped.get(folded_heading(name)) or (folded(name) if folded(name) in known else name) for name in chunk.columns
    ]
    if len(set(columns)) < len(columns):
        raise SourceError(f"{table}: two columns are given one name", "look at the headings and their mapping")
    ours = dict(zip(chunk.columns, columns, strict=True))
    return chunk.rows.rename({name: ours[name] for name in chunk.rows.columns}), columns


def raw_names(columns: Mapping[str, str]) -> dict[str, str]:
    """Turn the settings' mapping (our name = theirs) round, with the raw identifier in place of what is made of it.

    >>> raw_names({"household_id": "UPRN of home", "tenure": "Tenure type"})
    {'UPRN of home': 'uprn', 'Tenure type': 'tenure'}
    """
    return {theirs: RAW[ours][0] if ours in RAW and ours in MADE else ours for ours, theirs in columns.items()}


def _count(rows: pl.DataFrame, is_so: pl.Expr) -> int:
    return int(rows.select(is_so.cast(pl.UInt32).sum().fill_null(0)).item()) if rows.height else 0


def _refused(chunk: RawChunk, cells: pl.DataFrame, misshapen_rows: Sequence[int]) -> pl.DataFrame:
    numbered = cells.with_columns(row_number=chunk.row_numbers.gather(cells["row"])).drop("row")
    misshapen = pl.DataFrame({"row_number": misshapen_rows}, schema={"row_number": pl.Int64}).with_columns(
        column=pl.lit(None, dtype=pl.String), rule=pl.lit("wrong_number_of_fields")
    )
    return (
        pl.concat([numbered, misshapen], how="diagonal")
        .group_by("row_number", "column", maintain_order=True)
        .agg(rules=pl.col("rule"))
        .with_columns(file=pl.lit(chunk.file))
        .select(REFUSED.names())
        .cast(REFUSED)
        .sort("row_number", "column")
    )


def _by_rule(refused: pl.DataFrame) -> dict[str, int]:
    labels = refused.explode("rules").select(pl.concat_str(pl.col("column").fill_null("row"), pl.lit(": "), "rules"))
    return dict(sorted(Counter(labels.to_series().to_list()).items()))


def _stop_if_real(table: str, rows: pl.DataFrame, plan: Conversion, work: _Work) -> None:
    if not (work.key.is_made_up or work.is_marked) or not _count(rows, plan.is_real):
        return
    found = f"{table} holds NHS numbers outside the range reserved for tests"
    if work.key.is_made_up:
        raise KeyFileError(f"{found}, and anyone can compute a made-up key", "use the agency's own key")
    raise SourceError(f"{found}, and {SYNTHETIC_MARK} says its people are made up", "keep the two separate")


def _mark(path: Path) -> bytes:
    content = b""
    try:
        # Its bytes are handed on: a link to something else must not be.
        content = b"" if path.is_symlink() else small_bytes(path, most=_LONGEST_MARK_BYTES)
        is_mark = isinstance(json_within(content.decode("utf-8"), path.name), dict)
    except (ValueError, SourceError):
        is_mark = False
    if not is_mark:
        raise SourceError(f"{path.name} is not a mark of made-up data", "leave it out unless the people are made up")
    return content
