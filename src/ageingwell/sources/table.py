"""Read one table: its files or its query in chunks, each row held against the contract, and everything counted."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ageingwell.config.score import RECORDED_ON, TableSettings
from ageingwell.contracts.fields import SAY_NOTHING
from ageingwell.contracts.registry import Column, columns, recorded_column
from ageingwell.errors import SourceError
from ageingwell.pseudonyms.fingerprints import fingerprints
from ageingwell.reading.options import reader_options
from ageingwell.sources.check import EMPTIED_CELLS, REFUSED, Typed, refused, split, typed
from ageingwell.sources.checked import LEFT_OUT, REFUSED_PEOPLE, UNREAD_PEOPLE, CheckedTable
from ageingwell.sources.headings import column_by_heading, columns_sent, folded_heading, nearest
from ageingwell.sources.labels import told_labels
from ageingwell.sources.locate import Location
from ageingwell.sources.not_held import not_held_columns
from ageingwell.sources.parse import left_out, parsed
from ageingwell.sources.raw import Chunk, FileRead, raw_chunks
from ageingwell.sources.versions import SAYS, n_repeated, ties_refused, with_what_it_says, without_ties

# Fewer rows than these may well hold no value of a rare kind.
ROWS_FOR_EMPTY = 30
# Of one fault of one column this many cells are named; all are counted.
CELLS_NAMED = 10_000


@dataclass
class _Gathered:
    """What the chunks of one table add up to."""

    read: list[FileRead] = field(default_factory=list)
    sent: dict[str, tuple[str, ...]] = field(default_factory=dict)
    good: list[pl.LazyFrame] = field(default_factory=list)
    n_good: int = 0
    refused: list[pl.DataFrame] = field(default_factory=list)
    held: list[pl.DataFrame] = field(default_factory=list)
    unread: list[pl.DataFrame] = field(default_factory=list)
    emptied: list[pl.DataFrame] = field(default_factory=list)
    cells: list[pl.DataFrame] = field(default_factory=list)
    n_named: Counter[tuple[str, str]] = field(default_factory=Counter)
    n_sent: Counter[str] = field(default_factory=Counter)
    unknown: list[pl.DataFrame] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def read_table(location: Location, settings: TableSettings, *, workspace: Path) -> CheckedTable:
    """Read and check one table.

    Raises `SourceError` for a fault of a file: one that cannot be read, lacks a required or a mapped column, has two
    headings for one column, or sends a column that the settings give a constant for.
    """
    name, wanted = location.table, columns(location.table)
    settings = _without_filled(settings, location)
    ours = column_by_heading(name, settings)
    found = _Gathered()
    options = reader_options(settings.reader)
    for chunk in raw_chunks(location, found.read, wanted=frozenset(ours), options=options):
        found.sent[chunk.file] = chunk.sent
        _gather(chunk, found, name, settings, ours=ours, workspace=workspace)
    everything = pl.concat(found.good)
    frame, tied = without_ties(everything, name)
    by_day = _by_day(frame, recorded_column(name))
    named = {file: columns_sent(headings, ours, file=file) for file, headings in found.sent.items()}
    sent = {file: set(columns.values()) | settings.constants.keys() for file, columns in named.items()}
    told = set().union(*sent.values())
    dropped = {heading for file, headings in found.sent.items() for heading in headings if heading not in named[file]}
    n_good = int(by_day["n_rows"].sum())
    optional = [column.name for column in wanted if not column.required]
    emptied = _added(found.emptied)
    return CheckedTable(
        name=name,
        rows=frame.drop("_file", "_row", SAYS),
        refused=pl.concat([*found.refused, ties_refused(tied)]).sort("file", "row_number", "column", nulls_last=False),
        n_read=sum(file.n_rows for file in found.read),
        n_good=n_good,
        files=tuple(found.read),
        newest_on=by_day["day"].max(),  # type: ignore[arg-type]
        dropped_columns=tuple(sorted(dropped)),
        made_recorded_on=settings.recorded_on if any("recorded_on" not in one for one in sent.values()) else None,
        refused_people=pl.concat([*found.held, _people_of(name, tied)]),
        absent_columns=tuple(column for column in optional if column not in told),
        partly_absent=tuple(
            (column, file) for column in optional if column in told for file, one in sent.items() if column not in one
        ),
        empty_columns=_empty_columns(frame, wanted, told) if n_good >= ROWS_FOR_EMPTY else (),
        not_held_columns=not_held_columns(location, settings, sent),
        emptied=emptied,
        emptied_cells=_by_cell(found.cells),
        badly_read=tuple(name for name in optional if _is_badly_read(name, emptied, n_sent=found.n_sent[name])),
        unread_people=pl.concat([pl.DataFrame(schema=UNREAD_PEOPLE), *found.unread]),
        unknown_labels=told_labels(found.unknown),
        left_out=pl.DataFrame(sorted(found.left_out.items()), schema=LEFT_OUT, orient="row"),
        n_repeated=n_repeated(everything, found.n_good),
        by_day=by_day,
    )


def _without_filled(settings: TableSettings, location: Location) -> TableSettings:
    """The settings without the constants that `pseudonymise` filled in at the agency by the same settings."""
    if not settings.constants or not fingerprints({location.table: location.files}):
        return settings
    filled = {name for path in location.files if path.suffix == ".parquet" for name in pl.read_parquet_schema(path)}
    left = {name: value for name, value in settings.constants.items() if name not in filled}
    return settings.model_copy(update={"constants": left})


def _gather(
    chunk: Chunk, found: _Gathered, name: str, settings: TableSettings, *, ours: Mapping[str, str], workspace: Path
) -> None:
    """Read one chunk as the contract means it, and put its good and its refused rows aside."""
    wanted = columns(name)
    raw = _renamed(chunk, name, settings, ours)
    numbers = pl.int_range(chunk.first_row, chunk.first_row + chunk.rows.height, dtype=pl.Int64, eager=True)
    raw, numbers = _without_left_out(raw, numbers, found, wanted, settings)
    ragged = numbers.is_in(list(chunk.ragged)).arg_true()
    read, is_good, broken = split(name, typed(raw, wanted, settings.values, settings.reader), ragged)
    numbered = with_what_it_says(read.rows, name).with_columns(_file=pl.lit(chunk.file), _row=numbers)
    found.held.append(_people_of(name, read.rows.filter(~is_good)))
    found.unread.append(_unread_people(name, read, is_good))
    found.refused.append(refused(broken, file=chunk.file, row_numbers=numbers))
    _count_cells(read, found, file=chunk.file, numbers=numbers)
    found.n_good += int(is_good.sum())
    found.good.append(_kept(numbered.filter(is_good), workspace, len(found.good)))


def _without_left_out(
    raw: pl.DataFrame, numbers: pl.Series, found: _Gathered, wanted: tuple[Column, ...], settings: TableSettings
) -> tuple[pl.DataFrame, pl.Series]:
    """The rows without those that the settings say to ignore, which are counted by column, and their numbers."""
    for column in wanted:
        out = left_out(raw, column, settings.values.get(column.name, {}))
        if out is not None and out.any():
            found.left_out[column.name] += int(out.sum())
            raw, numbers = raw.filter(~out), numbers.filter(~out)
    return raw, numbers


def _count_cells(read: Typed, found: _Gathered, *, file: str, numbers: pl.Series) -> None:
    """Count the emptied cells and name the first of each column and rule, and count the labels nobody knows."""
    found.n_sent.update(read.n_sent)
    found.unknown.append(read.unknown)
    for (column, rule), cells in sorted(read.emptied.partition_by("column", "rule", as_dict=True).items()):
        named = cells.head(CELLS_NAMED - found.n_named[column, rule])
        found.n_named[column, rule] += named.height
        found.cells.append(refused(named, file=file, row_numbers=numbers))
        found.emptied.append(pl.DataFrame([(column, rule, cells.height)], schema=EMPTIED_CELLS, orient="row"))


def _by_cell(cells: list[pl.DataFrame]) -> pl.DataFrame:
    """One line a cell, with every rule by which it was emptied."""
    every = pl.concat([pl.DataFrame(schema=REFUSED), *cells]).explode("rules", empty_as_null=True)
    keys = ("file", "row_number", "column")
    return every.group_by(keys).agg(pl.col("rules").unique().sort()).sort(keys).cast(REFUSED)


def _is_badly_read(column: str, emptied: pl.DataFrame, *, n_sent: int) -> bool:
    """Whether more than half of what was sent in a column could not be read."""
    told = (pl.col("column") == column) & ~pl.col("rule").is_in(SAY_NOTHING)
    return 2 * int(emptied.filter(told)["n_cells"].sum()) > n_sent


def _renamed(chunk: Chunk, table: str, settings: TableSettings, ours: Mapping[str, str]) -> pl.DataFrame:
    """The chunk under our column names, with `recorded_on` made where the agency cannot send it."""
    wanted = columns(table)
    named = columns_sent(chunk.sent, ours, file=chunk.file)
    rows = chunk.rows.select(heading for heading in chunk.rows.columns if heading in named).rename(named, strict=False)
    rows = _with_constants(rows, chunk, settings)
    if settings.recorded_on is not None and "recorded_on" not in rows.columns:
        rows = _with_recorded_on(rows, settings, wanted)
    promised = {column.name for column in wanted if column.required} | settings.columns.keys()
    absent = [column.name for column in wanted if column.name in promised and column.name not in rows.columns]
    if absent:
        _stop_on_absent(chunk, table, [settings.columns.get(name, name) for name in absent], ours=ours)
    return rows


def _stop_on_absent(chunk: Chunk, table: str, absent: list[str], *, ours: Mapping[str, str]) -> None:
    listed = ", ".join(f"`{name}`" for name in absent)
    unknown = [heading for heading in chunk.sent if folded_heading(heading) not in ours]
    near = sorted({found for name in absent if (found := nearest(name, unknown))})
    hint = f" (perhaps {' and '.join(f'`{heading}`' for heading in near)})" if near else ""
    raise SourceError(
        f"{chunk.file}: {'column' if len(absent) == 1 else 'columns'} {listed} of {table} missing",
        f"add it, or map the agency's name for it in agencies.toml{hint}",
    )


def _with_constants(rows: pl.DataFrame, chunk: Chunk, settings: TableSettings) -> pl.DataFrame:
    """The rows with the columns that the settings give one value for; one that is sent as well is a mistake."""
    if both := [name for name in settings.constants if name in rows.columns]:
        raise SourceError(
            f"{chunk.file}: sent, and given a constant in agencies.toml: {', '.join(f'`{name}`' for name in both)}",
            "take the constant out of agencies.toml, or the column out of the file",
        )
    # Without a column of its own a frame of constants would have one row.
    height = chunk.rows.height
    made = [
        pl.repeat(value, height, dtype=pl.String, eager=True).alias(name) for name, value in settings.constants.items()
    ]
    return pl.DataFrame([*rows.get_columns(), *made])


def _with_recorded_on(rows: pl.DataFrame, settings: TableSettings, wanted: tuple[Column, ...]) -> pl.DataFrame:
    match = re.match(RECORDED_ON, settings.recorded_on or "")
    base = next((column for column in wanted if match and column.name == match[1]), None)
    if match is None or base is None or base.name not in rows.columns:
        return rows
    day = parsed(rows, base, settings.values.get(base.name, {}), settings.reader).read
    return rows.with_columns(recorded_on=day.dt.offset_by(f"{match[2]}d"))


def _kept(rows: pl.DataFrame, workspace: Path, part: int) -> pl.LazyFrame:
    """Good rows put aside on disk, so that no table has to fit in memory."""
    workspace.mkdir(parents=True, exist_ok=True)
    path = workspace / f"{part:05d}.parquet"
    rows.write_parquet(path, compression="lz4")
    return pl.scan_parquet(path, glob=False)


def _by_day(rows: pl.LazyFrame, column: str) -> pl.DataFrame:
    counted = rows.group_by(day=pl.col(column)).agg(n_rows=pl.len().cast(pl.Int64))
    return counted.collect().sort("day")


def _empty_columns(rows: pl.LazyFrame, wanted: tuple[Column, ...], told: Iterable[str]) -> tuple[str, ...]:
    """The columns that were sent and hold no value in any row; `unknown` is no value."""
    sent = [column for column in wanted if column.name in told]
    values = [
        (pl.col(column.name).is_not_null() & (pl.col(column.name) != "unknown")).any().alias(column.name)
        if "unknown" in column.labels
        else pl.col(column.name).is_not_null().any()
        for column in sent
    ]
    found = rows.select(values).collect().row(0, named=True)
    return tuple(name for name, has_value in found.items() if not has_value)


def _added(emptied: Iterable[pl.DataFrame]) -> pl.DataFrame:
    counted = (
        pl.concat([pl.DataFrame(schema=EMPTIED_CELLS), *emptied])
        .group_by("column", "rule")
        .agg(pl.col("n_cells").sum())
    )
    return counted.sort("column", "rule").cast(EMPTIED_CELLS)


def _people_of(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Whose rows of the GP register were refused: what the newest of them said is not known."""
    if table != "gp_patients" or rows.is_empty():
        return pl.DataFrame(schema=REFUSED_PEOPLE)
    return rows.select("person_id", "recorded_on").drop_nulls("person_id")


def _unread_people(table: str, read: Typed, is_good: pl.Series) -> pl.DataFrame:
    """Whose good rows of the GP register have a cell that could not be read and may not be taken for empty."""
    holding = read.emptied.filter("holds").select("row", "column")
    if table != "gp_patients" or holding.is_empty():
        return pl.DataFrame(schema=UNREAD_PEOPLE)
    rows = read.rows.select("person_id", "recorded_on", is_good=is_good)[holding["row"]]
    return rows.with_columns(holding["column"]).filter("is_good").select(list(UNREAD_PEOPLE))
