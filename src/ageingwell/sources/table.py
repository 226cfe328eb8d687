"""Read one table: its files or its query in chunks, each row held against the contract, and everything counted."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ageingwell.config.score import RECORDED_ON, TableSettings
from ageingwell.contracts.registry import Column, columns, recorded_column
from ageingwell.errors import SourceError
from ageingwell.sources.check import EMPTIED_CELLS, refused, split, typed
from ageingwell.sources.checked import REFUSED_PEOPLE, CheckedTable
from ageingwell.sources.headings import column_by_heading, columns_sent, folded_heading, nearest
from ageingwell.sources.locate import Location
from ageingwell.sources.not_held import not_held_columns
from ageingwell.sources.parse import parsed
from ageingwell.sources.raw import Chunk, FileRead, raw_chunks
from ageingwell.sources.versions import SAYS, n_repeated, ties_refused, with_what_it_says, without_ties

# Fewer rows than these may well hold no value of a rare kind.
ROWS_FOR_EMPTY = 30


@dataclass
class _Gathered:
    """What the chunks of one table add up to."""

    read: list[FileRead] = field(default_factory=list)
    sent: dict[str, tuple[str, ...]] = field(default_factory=dict)
    good: list[pl.LazyFrame] = field(default_factory=list)
    n_good: int = 0
    refused: list[pl.DataFrame] = field(default_factory=list)
    held: list[pl.DataFrame] = field(default_factory=list)
    emptied: list[pl.DataFrame] = field(default_factory=list)


def read_table(location: Location, settings: TableSettings, *, workspace: Path) -> CheckedTable:
    """Read and check one table.

    Raises `SourceError` for a fault of a file: one that cannot be read, lacks a required or a mapped column, or has two
    headings for one column.
    """
    name, wanted = location.table, columns(location.table)
    ours = column_by_heading(name, settings)
    found = _Gathered()
    for chunk in raw_chunks(location, found.read, wanted=frozenset(ours)):
        found.sent[chunk.file] = chunk.sent
        _gather(chunk, found, name, settings, ours=ours, workspace=workspace)
    everything = pl.concat(found.good)
    frame, tied = without_ties(everything, name)
    by_day = _by_day(frame, recorded_column(name))
    sent = {file: set(columns_sent(headings, ours, file=file).values()) for file, headings in found.sent.items()}
    told = set().union(*sent.values())
    headings = {heading for sent_ones in found.sent.values() for heading in sent_ones}
    n_good = int(by_day["n_rows"].sum())
    optional = [column.name for column in wanted if not column.required]
    return CheckedTable(
        name=name,
        rows=frame.drop("_file", "_row", SAYS),
        refused=pl.concat([*found.refused, ties_refused(tied)]).sort("file", "row_number", "column", nulls_last=False),
        n_read=sum(file.n_rows for file in found.read),
        n_good=n_good,
        files=tuple(found.read),
        newest_on=by_day["day"].max(),  # type: ignore[arg-type]
        dropped_columns=tuple(sorted(heading for heading in headings if folded_heading(heading) not in ours)),
        made_recorded_on=settings.recorded_on if any("recorded_on" not in one for one in sent.values()) else None,
        refused_people=pl.concat([*found.held, _people_of(name, tied)]),
        absent_columns=tuple(column for column in optional if column not in told),
        partly_absent=tuple(
            (column, file) for column in optional if column in told for file, one in sent.items() if column not in one
        ),
        empty_columns=_empty_columns(frame, wanted, told) if n_good >= ROWS_FOR_EMPTY else (),
        not_held_columns=not_held_columns(location, settings, sent),
        emptied=_added(found.emptied),
        n_repeated=n_repeated(everything, found.n_good),
        by_day=by_day,
    )


def _gather(
    chunk: Chunk, found: _Gathered, name: str, settings: TableSettings, *, ours: Mapping[str, str], workspace: Path
) -> None:
    """Read one chunk as the contract means it, and put its good and its refused rows aside."""
    wanted = columns(name)
    rows, faults, emptied = typed(_renamed(chunk, name, settings, ours), wanted, settings.values)
    ragged = pl.Series("row", [row - chunk.first_row for row in chunk.ragged], dtype=pl.Int64)
    is_good, broken = split(name, rows, faults, ragged)
    numbered = with_what_it_says(rows, name).with_columns(
        _file=pl.lit(chunk.file), _row=pl.int_range(chunk.first_row, chunk.first_row + rows.height, dtype=pl.Int64)
    )
    found.held.append(_people_of(name, rows.filter(~is_good)))
    found.refused.append(refused(broken, file=chunk.file, first_row=chunk.first_row))
    found.emptied.append(emptied)
    found.n_good += int(is_good.sum())
    found.good.append(_kept(numbered.filter(is_good), workspace, len(found.good)))


def _renamed(chunk: Chunk, table: str, settings: TableSettings, ours: Mapping[str, str]) -> pl.DataFrame:
    """The chunk under our column names, with `recorded_on` made where the agency cannot send it."""
    wanted = columns(table)
    named = columns_sent(chunk.sent, ours, file=chunk.file)
    rows = chunk.rows.select(heading for heading in chunk.rows.columns if heading in named).rename(named, strict=False)
    if settings.recorded_on is not None and "recorded_on" not in rows.columns:
        rows = _with_recorded_on(rows, settings.recorded_on, wanted)
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


def _with_recorded_on(rows: pl.DataFrame, rule: str, wanted: tuple[Column, ...]) -> pl.DataFrame:
    match = re.match(RECORDED_ON, rule)
    base = next((column for column in wanted if match and column.name == match[1]), None)
    if match is None or base is None or base.name not in rows.columns:
        return rows
    day = parsed(rows, base, {}).read
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
    counted = pl.concat(emptied).group_by("column", "rule").agg(pl.col("n_cells").sum())
    return counted.sort("column", "rule").cast(EMPTIED_CELLS)


def _people_of(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Whose rows of the GP register were refused: what the newest of them said is not known."""
    if table != "gp_patients" or rows.is_empty():
        return pl.DataFrame(schema=REFUSED_PEOPLE)
    return rows.select("person_id", "recorded_on").drop_nulls("person_id")
