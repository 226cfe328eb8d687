"""Read one table: what its files add up to, put together, with what only the whole table can tell."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from ageingwell.config.score import TableSettings
from ageingwell.contracts.fields import SAY_NOTHING
from ageingwell.contracts.registry import VERSION_KEYS, Column, columns, recorded_column
from ageingwell.disk import DISK
from ageingwell.pseudonyms.fingerprints import fingerprints
from ageingwell.reading.guarded import parquet_facts
from ageingwell.sources.check import EMPTIED_CELLS
from ageingwell.sources.checked import LEFT_OUT, REFUSED_OF, UNREAD_PEOPLE, CheckedTable
from ageingwell.sources.headings import column_by_heading, columns_sent
from ageingwell.sources.labels import told_labels
from ageingwell.sources.locate import Location
from ageingwell.sources.not_held import not_held_columns
from ageingwell.sources.one_file import (
    CELLS_NAMED,
    FileFound,
    FileToRead,
    Part,
    added_days,
    days_counted,
    named_cells,
    people_of,
    read_file,
    whose,
)
from ageingwell.sources.versions import Ties, n_repeated, ties_among, ties_refused

__all__ = ["CELLS_NAMED", "FileFound", "FileToRead", "files_to_read", "put_together", "read_file", "read_table"]

# Fewer rows than these may well hold no value of a rare kind.
ROWS_FOR_EMPTY = 30


def read_table(location: Location, settings: TableSettings, *, workspace: Path) -> CheckedTable:
    """Read and check one table.

    Raises `SourceError` for a fault of a file: one that cannot be read, lacks a required or a mapped column, has two
    headings for one column, or sends a column that the settings give a constant for.
    """
    files = files_to_read(location, settings, workspace=workspace)
    return put_together(location, settings, [read_file(file) for file in files])


def files_to_read(location: Location, settings: TableSettings, *, workspace: Path) -> tuple[FileToRead, ...]:
    """The files of a table in order, each to be read by `read_file`, in whatever process; a query is one of them."""
    settings = without_filled(settings, location)
    alone = [location] if location.uri is not None else [Location(location.table, (path,)) for path in location.files]
    return tuple(FileToRead(one, settings, workspace / f"{place:05d}") for place, one in enumerate(alone))


def put_together(location: Location, settings: TableSettings, files: Sequence[FileFound]) -> CheckedTable:
    """The table that its files add up to, given in the order of `files_to_read`."""
    name, wanted = location.table, columns(location.table)
    settings = without_filled(settings, location)
    found = _added(files)
    ties = _without_ties(found, name)
    by_day = added_days([*found.by_day, _taken_out(ties, name)])
    n_good = int(by_day["n_rows"].sum())
    rows = _rows(found)
    has_value = found.has_value if ties.out.is_empty() else _with_value(rows, wanted)
    ours = column_by_heading(name, settings)
    named = {file: columns_sent(headings, ours, file=file) for file, headings in found.sent.items()}
    sent = {file: set(columns.values()) | settings.constants.keys() for file, columns in named.items()}
    told = set().union(*sent.values())
    dropped = {heading for file, headings in found.sent.items() for heading in headings if heading not in named[file]}
    optional = [column.name for column in wanted if not column.required]
    empty = [column.name for column in wanted if column.name in told and column.name not in has_value]
    emptied = _added_cells(found.emptied)
    return CheckedTable(
        name=name,
        rows=rows,
        refused=pl.concat([*found.refused, ties_refused(ties.tied)]).sort(
            "file", "row_number", "column", nulls_last=False
        ),
        n_read=sum(file.n_rows for file in found.read),
        n_good=n_good,
        files=tuple(found.read),
        newest_on=by_day["day"].max(),  # type: ignore[arg-type]
        dropped_columns=tuple(sorted(dropped)),
        made_recorded_on=settings.recorded_on if any("recorded_on" not in one for one in sent.values()) else None,
        refused_people=pl.concat([*found.held, people_of(name, ties.tied)]),
        absent_columns=tuple(column for column in optional if column not in told),
        partly_absent=tuple(
            (column, file) for column in optional if column in told for file, one in sent.items() if column not in one
        ),
        empty_columns=tuple(empty) if n_good >= ROWS_FOR_EMPTY else (),
        not_held_columns=not_held_columns(location, settings, sent),
        emptied=emptied,
        emptied_cells=named_cells(found.cells),
        badly_read=_badly_read(optional, emptied, found.n_sent),
        unread_people=pl.concat([pl.DataFrame(schema=UNREAD_PEOPLE), *found.unread]),
        unknown_labels=told_labels(found.unknown),
        left_out=pl.DataFrame(sorted(found.left_out.items()), schema=LEFT_OUT, orient="row"),
        n_repeated=_n_repeated(found),
        n_twice=ties.out.height - ties.tied.height,
        refused_of=pl.concat([pl.DataFrame(schema=REFUSED_OF), *found.refused_of, whose(ties.tied)]),
        by_day=by_day,
    )


def without_filled(settings: TableSettings, location: Location) -> TableSettings:
    """The settings without the constants that `pseudonymise` filled in at the agency by the same settings."""
    if not settings.constants or not fingerprints({location.table: location.files}):
        return settings
    files = [path for path in location.files if path.suffix == ".parquet"]
    filled = {name for path in files for name in parquet_facts(path).names}
    left = {name: value for name, value in settings.constants.items() if name not in filled}
    # What was filled in is still a label that the settings name.
    return settings.model_copy(update={"constants": left, "values": settings.words})


def _added(files: Iterable[FileFound]) -> FileFound:
    every = FileFound()
    for file in files:
        for mine, theirs in zip(_lists(every), _lists(file), strict=True):
            mine.extend(theirs)
        every.sent.update(file.sent)
        every.n_good += file.n_good
        every.has_value |= file.has_value
        every.n_sent.update(file.n_sent)
        every.left_out.update(file.left_out)
    return every


def _lists(found: FileFound) -> Iterator[list[object]]:
    for value in vars(found).values():
        if isinstance(value, list):
            yield value


def _rows(found: FileFound) -> pl.LazyFrame:
    return pl.scan_parquet([part.rows for part in found.parts], glob=False)


def _without_ties(found: FileFound, table: str) -> Ties:
    """Take the versions that are not to count out of the rows that were put aside; what was found of them."""
    if table not in VERSION_KEYS:
        return Ties(pl.DataFrame(), pl.DataFrame())
    ties = ties_among([part.versions for part in found.parts if part.versions is not None], table, found.n_good)
    for (place,), out in ties.out.partition_by("_part", as_dict=True).items():
        found.parts[place] = _without(found.parts[place], out["_place"])
    for part in found.parts:
        if part.versions is not None:
            DISK.remove_file(part.versions)
    return ties


def _without(part: Part, places: pl.Series) -> Part:
    rows = pl.read_parquet(part.rows, glob=False)
    is_in = ~pl.int_range(rows.height, dtype=pl.Int64, eager=True).is_in(places.implode())
    # Not onto the file itself: its rows may still be read from there while they are written.
    left = part.rows.with_name(f"{part.rows.stem}-left.parquet")
    DISK.write_frame(left, rows.filter(is_in), compression="lz4", statistics=False)
    DISK.remove_file(part.rows)
    return Part(left, part.numbers, part.versions)


def _taken_out(ties: Ties, table: str) -> pl.DataFrame:
    """By how many rows of each day the table has fewer without the versions that are not to count."""
    if ties.out.is_empty():
        return added_days([])
    return days_counted(ties.out, recorded_column(table)).with_columns(-pl.col("n_rows"))


def _n_repeated(found: FileFound) -> int:
    numbers = [part.numbers for part in found.parts]
    repeated = n_repeated(numbers, found.n_good)
    for path in numbers:
        DISK.remove_file(path)
    return repeated


def _with_value(rows: pl.LazyFrame, wanted: tuple[Column, ...]) -> set[str]:
    """The columns that hold a value in some row; `unknown` is no value."""
    values = [
        (pl.col(column.name).is_not_null() & (pl.col(column.name) != "unknown")).any().alias(column.name)
        if "unknown" in column.labels
        else pl.col(column.name).is_not_null().any()
        for column in wanted
    ]
    return {name for name, has_value in rows.select(values).collect().row(0, named=True).items() if has_value}


def _added_cells(emptied: Iterable[pl.DataFrame]) -> pl.DataFrame:
    counted = (
        pl.concat([pl.DataFrame(schema=EMPTIED_CELLS), *emptied])
        .group_by("column", "rule")
        .agg(pl.col("n_cells").sum())
    )
    return counted.sort("column", "rule").cast(EMPTIED_CELLS)


def _badly_read(columns: Iterable[str], emptied: pl.DataFrame, n_sent: Mapping[str, int]) -> tuple[str, ...]:
    """The columns of which more than half of what was sent could not be read."""
    told = emptied.filter(~pl.col("rule").is_in(SAY_NOTHING)).group_by("column").agg(pl.col("n_cells").sum())
    unread = dict(told.iter_rows())
    return tuple(name for name in columns if 2 * unread.get(name, 0) > n_sent[name])
