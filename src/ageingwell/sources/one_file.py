"""Read one file of a table, or its query: each chunk held against the contract, good rows put aside, all counted.

What a file adds up to depends on the file and the settings alone, and can be handed from process to process: the files
of all tables may be read in any order and in as many processes as there are, and `table.put_together` makes the same
of them.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from ageingwell.config.score import TableSettings
from ageingwell.contracts.registry import VERSION_KEYS, columns, recorded_column
from ageingwell.disk import DISK
from ageingwell.reading.options import reader_options
from ageingwell.sources.check import EMPTIED_CELLS, REFUSED, UNKNOWN_LABELS, Typed, refused, split, typed
from ageingwell.sources.checked import BY_DAY, REFUSED_OF, REFUSED_PEOPLE, UNREAD_PEOPLE
from ageingwell.sources.chunk_columns import renamed, without_left_out
from ageingwell.sources.headings import column_by_heading
from ageingwell.sources.labels import sources_apart
from ageingwell.sources.locate import Location
from ageingwell.sources.raw import Chunk, FileRead, raw_chunks
from ageingwell.sources.versions import put_numbers_aside, put_versions_aside, what_they_say

# Of one fault of one column this many cells are named; all are counted.
CELLS_NAMED = 10_000
# So many frames of counts are kept before they are added up, so that memory does not grow with the file.
_FRAMES_AT_ONCE = 16


@dataclass(frozen=True)
class FileToRead:
    """One file of a table, or its query, with the settings of the table; `workspace` is a folder for it alone."""

    location: Location
    settings: TableSettings
    workspace: Path


@dataclass(frozen=True)
class Part:
    """Good rows put aside on disk, and beside them what they say as numbers, and whose versions they are."""

    rows: Path
    numbers: Path
    versions: Path | None


@dataclass
class FileFound:
    """What the chunks of one file add up to.

    `has_value` are the columns with a value in some good row; `cells` names the first 10,000 emptied cells of each
    column and rule. The others are told in `CheckedTable`.
    """

    read: list[FileRead] = field(default_factory=list)
    sent: dict[str, tuple[str, ...]] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    n_good: int = 0
    by_day: list[pl.DataFrame] = field(default_factory=list)
    has_value: set[str] = field(default_factory=set)
    refused: list[pl.DataFrame] = field(default_factory=list)
    held: list[pl.DataFrame] = field(default_factory=list)
    refused_of: list[pl.DataFrame] = field(default_factory=list)
    unread: list[pl.DataFrame] = field(default_factory=list)
    emptied: list[pl.DataFrame] = field(default_factory=list)
    cells: list[pl.DataFrame] = field(default_factory=list)
    n_named: Counter[tuple[str, str]] = field(default_factory=Counter)
    n_sent: Counter[str] = field(default_factory=Counter)
    unknown: list[pl.DataFrame] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def read_file(file: FileToRead) -> FileFound:
    """Read and check one file; its good rows lie in its workspace then.

    Raises `SourceError` for a fault of the file.
    """
    found = FileFound()
    DISK.make_folders(file.workspace)
    ours = column_by_heading(file.location.table, file.settings)
    options = reader_options(file.settings.reader)
    for chunk in raw_chunks(file.location, found.read, wanted=frozenset(ours), options=options):
        found.sent[chunk.file] = chunk.sent
        _gather(chunk, found, file, ours)
    return found


def _gather(chunk: Chunk, found: FileFound, file: FileToRead, ours: dict[str, str]) -> None:
    """Read one chunk as the contract means it, and put its good and its refused rows aside."""
    name, settings = file.location.table, file.settings
    wanted = columns(name)
    raw = renamed(chunk, name, settings, ours)
    numbers = pl.int_range(chunk.first_row, chunk.first_row + chunk.rows.height, dtype=pl.Int64, eager=True)
    raw, numbers = without_left_out(raw, numbers, found.left_out, wanted, settings)
    ragged = numbers.is_in(list(chunk.ragged)).arg_true()
    read, is_good, broken = split(name, typed(raw, wanted, settings.words, settings.reader), ragged)
    if name == "homes":
        read = replace(read, rows=sources_apart(read.rows))
    refused_rows = read.rows.clear() if is_good.all() else read.rows.filter(~is_good)
    found.held.append(people_of(name, refused_rows))
    found.refused_of.append(whose(refused_rows))
    found.unread.append(_unread_people(name, read, is_good))
    found.refused.append(refused(broken, file=chunk.file, row_numbers=numbers))
    _count_cells(read, found, file=chunk.file, numbers=numbers)
    good, numbers = (read.rows, numbers) if is_good.all() else (read.rows.filter(is_good), numbers.filter(is_good))
    _count_good(good, found, name)
    found.parts.append(_put_aside(good, name, file.workspace / f"{len(found.parts):05d}", chunk.file, numbers))


def _put_aside(rows: pl.DataFrame, table: str, place: Path, file: str, numbers: pl.Series) -> Part:
    """Good rows put aside on disk, so that no table has to fit in memory."""
    part = Part(
        rows=place.with_suffix(".parquet"),
        numbers=place.with_suffix(".numbers"),
        versions=place.with_suffix(".versions") if table in VERSION_KEYS else None,
    )
    DISK.write_frame(part.rows, rows, compression="lz4", statistics=False)
    says = what_they_say(rows, table)
    put_numbers_aside(says, part.numbers)
    if part.versions is not None:
        put_versions_aside(rows, table, says=says, file=file, numbers=numbers, path=part.versions)
    return part


def _count_good(rows: pl.DataFrame, found: FileFound, table: str) -> None:
    found.n_good += rows.height
    found.by_day.append(days_counted(rows, recorded_column(table)))
    if len(found.by_day) > _FRAMES_AT_ONCE:
        found.by_day = [added_days(found.by_day)]
    found.has_value |= {
        column.name
        for column in columns(table)
        if column.name not in found.has_value and _has_value(rows[column.name], column.labels)
    }


def days_counted(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """How many rows there are of each day of a column: day, n_rows; in any order."""
    return rows.group_by(day=pl.col(column)).agg(n_rows=pl.len().cast(pl.Int64))


def added_days(counted: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The rows of each day, added up and in order: day, n_rows; a day of no row is gone."""
    every = pl.concat([pl.DataFrame(schema=BY_DAY), *counted]).group_by("day").agg(pl.col("n_rows").sum())
    return every.filter(pl.col("n_rows") != 0).sort("day")


def _has_value(column: pl.Series, labels: tuple[str, ...]) -> bool:
    """Whether some row holds a value; `unknown` is no value."""
    if column.null_count() == len(column):
        return False
    return "unknown" not in labels or bool((column != "unknown").any())


def _count_cells(read: Typed, found: FileFound, *, file: str, numbers: pl.Series) -> None:
    """Count the emptied cells and name the first of each column and rule, and count the labels nobody knows."""
    found.n_sent.update(read.n_sent)
    if read.unknown.height:
        found.unknown.append(read.unknown)
    if len(found.unknown) > _FRAMES_AT_ONCE:
        found.unknown = [added_labels(found.unknown)]
    for (column, rule), cells in sorted(read.emptied.partition_by("column", "rule", as_dict=True).items()):
        named = cells.sort("row").head(CELLS_NAMED - found.n_named[column, rule])
        found.n_named[column, rule] += named.height
        found.cells.append(refused(named, file=file, row_numbers=numbers))
        found.emptied.append(pl.DataFrame([(column, rule, cells.height)], schema=EMPTIED_CELLS, orient="row"))


def added_labels(unknown: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The rows of each label that nobody knows, added up: column, label, n_rows."""
    every = pl.concat([pl.DataFrame(schema=UNKNOWN_LABELS), *unknown])
    return every.group_by("column", "label").agg(pl.col("n_rows").sum())


def people_of(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Whose rows of the GP register were refused: what the newest of them said is not known."""
    if table != "gp_patients" or rows.is_empty():
        return pl.DataFrame(schema=REFUSED_PEOPLE)
    return rows.select("person_id", "recorded_on").drop_nulls("person_id")


def whose(rows: pl.DataFrame) -> pl.DataFrame:
    """The people whom rows name, a row each, whatever the table: those of refused rows are counted by group."""
    if "person_id" not in rows.columns:
        return pl.DataFrame(schema=REFUSED_OF)
    return rows.select("person_id").drop_nulls()


def _unread_people(table: str, read: Typed, is_good: pl.Series) -> pl.DataFrame:
    """Whose good rows of the GP register have a cell that could not be read and may not be taken for empty."""
    holding = read.emptied.filter("holds").select("row", "column")
    if table != "gp_patients" or holding.is_empty():
        return pl.DataFrame(schema=UNREAD_PEOPLE)
    rows = read.rows.select("person_id", "recorded_on", is_good=is_good)[holding["row"]]
    return rows.with_columns(holding["column"]).filter("is_good").select(list(UNREAD_PEOPLE))


def named_cells(cells: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """One line a cell, with every rule by which it was emptied: of each column and rule the first 10,000."""
    some = [frame for frame in cells if frame.height]
    if not some:
        return pl.DataFrame(schema=REFUSED)
    every = pl.concat(some).explode("rules", empty_as_null=True)
    every = every.filter(pl.int_range(pl.len()).over("column", "rules") < CELLS_NAMED)
    keys = ("file", "row_number", "column")
    return every.group_by(keys).agg(pl.col("rules").unique().sort()).sort(keys).cast(REFUSED)
