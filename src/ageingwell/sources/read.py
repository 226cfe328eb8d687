"""Read all tables of all agencies: each split into good rows, refused rows and counts."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.config.score import RECORDED_ON, TableSettings
from ageingwell.contracts.registry import TABLES, VERSION_KEYS, Column, columns
from ageingwell.errors import ConfigError, RefusedRowsError, SourceError
from ageingwell.sources.check import REFUSED, refused, split, typed
from ageingwell.sources.locate import Location, locate
from ageingwell.sources.parse import parsed
from ageingwell.sources.raw import Chunk, FileRead, raw_chunks

MARK_OF_MADE_UP_DATA = "synthetic.json"
_REFUSED_PEOPLE = pl.Schema({"person_id": pl.String, "recorded_on": pl.Date})


@dataclass(frozen=True)
class CheckedTable:
    """One table after its contract: the good rows, the refused rows, and what was counted on the way."""

    name: str
    rows: pl.LazyFrame
    refused: pl.DataFrame
    n_read: int
    n_good: int
    files: tuple[FileRead, ...] = ()
    newest_on: date | None = None
    dropped_columns: tuple[str, ...] = ()
    made_recorded_on: str | None = None
    refused_people: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_REFUSED_PEOPLE))

    @property
    def n_refused(self) -> int:
        """How many rows were refused."""
        return self.n_read - self.n_good

    def refused_by_rule(self) -> pl.DataFrame:
        """How many rows broke each rule: column, rule, n_rows."""
        rows = self.refused.explode("rules", empty_as_null=True).rename({"rules": "rule"})
        return (
            rows.group_by("column", "rule").agg(n_rows=pl.len().cast(pl.Int64)).sort("column", "rule", nulls_last=True)
        )


@dataclass(frozen=True)
class Records:
    """Everything the agencies sent, checked: the tables by name, those that are missing, and whether all is made up."""

    tables: dict[str, CheckedTable]
    missing: tuple[str, ...]
    made_up: bool

    def rows(self) -> dict[str, pl.LazyFrame]:
        """The good rows of each table."""
        return {name: table.rows for name, table in self.tables.items()}

    def with_rows(self, rows: Mapping[str, pl.LazyFrame]) -> "Records":
        """The same records with other rows, such as those that may be used."""
        return replace(self, tables={name: replace(table, rows=rows[name]) for name, table in self.tables.items()})


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
    `SourceError` for a fault of a file and for a missing required table, `RefusedRowsError` above `max_refused_share`
    and for any refused row of the permissions table: an opt-out never fails open.
    """
    stop_on_wrong_mapping(settings)
    if not data.is_dir():
        raise SourceError(f"{data.name}: there is no such data folder", "give the folder that holds the tables")
    tables, missing = {}, []
    for name in only:
        location = locate(name, settings[name], data)
        if location is None and settings[name].required:
            raise SourceError(f"{name}: the table is required and was not found", f"send {name}.parquet or {name}.csv")
        if location is None:
            missing.append(name)
            continue
        progress(name)
        tables[name] = read_table(location, settings[name], workspace=workspace / name)
        if settings[name].required and tables[name].n_read == 0 and name != "permissions":
            # Of an empty table of opt-outs the ledger says whether it is believed.
            raise SourceError(f"{name}: the table is required and has no rows", "send the table again")
        stop_if_too_many_refused(tables[name], max_refused_share)
    return Records(tables, tuple(missing), made_up=is_made_up(data))


def stop_on_wrong_mapping(settings: Mapping[str, TableSettings]) -> None:
    """Stop on a mapping that names a column or label no contract has: it would quietly map nothing.

    Raises `ConfigError` with every such mistake.
    """
    found = [mistake for name, table in settings.items() if name in TABLES for mistake in _wrong_mapping(name, table)]
    if found:
        raise ConfigError(
            "agencies.toml: " + "; ".join(found), "correct them; the data dictionary lists the columns and labels"
        )


def _wrong_mapping(table: str, settings: TableSettings) -> list[str]:
    ours = {column.name: column for column in columns(table)}
    theirs = [settings.columns.get(name, name) for name in ours]
    base = settings.recorded_on and settings.recorded_on.split(" ")[0]
    unknown = [
        *(f"columns.{name}" for name in settings.columns if name not in ours),
        *(f"values.{name}" for name in settings.values if name not in ours),
        *([] if base is None or (base in ours and ours[base].kind == "date") else [f"recorded_on = {base}"]),
    ]
    labels = [
        f"values.{name}: `{label}` is not one of its labels"
        for name, values in settings.values.items()
        if name in ours and ours[name].labels
        for label in values.values()
        if label not in ours[name].labels
    ]
    twice = sorted({name for name in theirs if theirs.count(name) > 1})
    return [
        *(f"[{table}] {key}: the contract has no such column" for key in unknown),
        *(f"[{table}] {mistake}" for mistake in labels),
        *(f"[{table}] columns: `{name}` is mapped to two columns" for name in twice),
    ]


def is_made_up(data: Path) -> bool:
    """Whether the folder carries the mark of made-up data."""
    try:
        return json.loads((data / MARK_OF_MADE_UP_DATA).read_text(encoding="utf-8")).get("synthetic") is True
    except FileNotFoundError:
        return False
    except (OSError, ValueError, AttributeError):
        raise SourceError(
            f"{MARK_OF_MADE_UP_DATA}: cannot be read", "make the county again, or remove the file"
        ) from None


def stop_if_too_many_refused(table: CheckedTable, max_refused_share: float) -> None:
    """Stop on a source that is mostly wrong, and on any doubt about an opt-out."""
    allowed = 0.0 if table.name == "permissions" else max_refused_share
    if table.n_refused <= allowed * table.n_read:
        return
    worst = table.refused_by_rule().sort("n_rows", "column", "rule", descending=[True, False, False]).head(3)
    told = "; ".join(f"{row['column'] or 'row'}: {row['rule']} ({row['n_rows']:,})" for row in worst.to_dicts())
    first = table.refused.row(0, named=True)
    raise RefusedRowsError(
        f"{table.name}: {table.n_refused:,} of {table.n_read:,} rows break the contract, more than the share of "
        f"{allowed:g} allowed; the first is {first['file']}, row {first['row_number']}; most often {told}",
        "run `ageingwell check` for the whole list, and have the agency send the table again",
    )


def read_table(location: Location, settings: TableSettings, *, workspace: Path) -> CheckedTable:
    """Read and check one table."""
    name, wanted = location.table, columns(location.table)
    read: list[FileRead] = []
    sent: set[str] = set()
    made = False
    good: list[pl.LazyFrame] = []
    refusals: list[pl.DataFrame] = []
    held: list[pl.DataFrame] = []
    theirs = frozenset(settings.columns.get(column.name, column.name) for column in wanted)
    for chunk in raw_chunks(location, read, wanted=theirs):
        sent.update(chunk.sent)
        made = made or "recorded_on" not in _ours(chunk.sent, settings)
        renamed = _renamed(chunk, name, settings, wanted)
        rows, faults = typed(renamed, wanted, settings.values)
        ragged = pl.Series("row", [row - chunk.first_row for row in chunk.ragged], dtype=pl.Int64)
        is_good, broken = split(name, rows, faults, ragged)
        numbered = rows.with_columns(
            _file=pl.lit(chunk.file), _row=pl.int_range(chunk.first_row, chunk.first_row + rows.height, dtype=pl.Int64)
        )
        held.append(_people_of(name, rows.filter(~is_good)))
        refusals.append(refused(broken, file=chunk.file, first_row=chunk.first_row))
        good.append(_kept(numbered.filter(is_good), name, workspace, len(good)))
    frame, tied = _without_ties(pl.concat(good), name)
    n_read = sum(file.n_rows for file in read)
    all_refused = pl.concat([*refusals, _ties_refused(tied)]).sort("file", "row_number", "column", nulls_last=False)
    newest = frame.select(pl.col("recorded_on" if "recorded_on" in _names(wanted) else "checked_on").max()).collect()
    n_good = frame.select(pl.len()).collect().item()
    return CheckedTable(
        name=name,
        rows=frame.drop("_file", "_row"),
        refused=all_refused,
        n_read=n_read,
        n_good=n_good,
        files=tuple(read),
        newest_on=newest.item(),
        dropped_columns=tuple(sorted(sent - theirs)),
        made_recorded_on=settings.recorded_on if made else None,
        refused_people=pl.concat([*held, _people_of(name, tied)]),
    )


def _names(wanted: tuple[Column, ...]) -> list[str]:
    return [column.name for column in wanted]


def _ours(sent: Iterable[str], settings: TableSettings) -> set[str]:
    ours = {theirs: ours for ours, theirs in settings.columns.items()}
    return {ours.get(name, name) for name in sent}


def _renamed(chunk: Chunk, table: str, settings: TableSettings, wanted: tuple[Column, ...]) -> pl.DataFrame:
    """The chunk under our column names, with `recorded_on` made where the agency cannot send it."""
    theirs = {settings.columns.get(name, name): name for name in _names(wanted)}
    rows = chunk.rows.select(name for name in chunk.rows.columns if name in theirs).rename(theirs, strict=False)
    if settings.recorded_on is not None and "recorded_on" not in rows.columns:
        rows = _with_recorded_on(rows, settings.recorded_on, wanted)
    promised = {column.name for column in wanted if column.required} | settings.columns.keys()
    absent = [name for name in _names(wanted) if name in promised and name not in rows.columns]
    if absent:
        named = ", ".join(f"`{settings.columns.get(name, name)}`" for name in absent)
        raise SourceError(
            f"{chunk.file}: {'column' if len(absent) == 1 else 'columns'} {named} of {table} missing",
            "add it, or map the agency's name for it in agencies.toml",
        )
    return rows


def _with_recorded_on(rows: pl.DataFrame, rule: str, wanted: tuple[Column, ...]) -> pl.DataFrame:
    match = re.match(RECORDED_ON, rule)
    base = next((column for column in wanted if match and column.name == match[1]), None)
    if match is None or base is None or base.name not in rows.columns:
        return rows
    day, _ = parsed(rows, base, {})
    return rows.with_columns(recorded_on=day.dt.offset_by(f"{match[2]}d"))


def _kept(rows: pl.DataFrame, table: str, workspace: Path, part: int) -> pl.LazyFrame:
    """Good rows put aside on disk, so that no table has to fit in memory."""
    workspace.mkdir(parents=True, exist_ok=True)
    path = workspace / f"{part:05d}.parquet"
    rows.write_parquet(path, compression="lz4")
    return pl.scan_parquet(path, glob=False)


def _without_ties(rows: pl.LazyFrame, table: str) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """Versions of one person recorded on the same day: none of them can be trusted above the others."""
    keys = VERSION_KEYS.get(table)
    if keys is None:
        return rows, pl.DataFrame()
    index = rows.select(*keys, "_file", "_row").collect()
    tied = index.filter(pl.struct(keys).is_duplicated())
    if tied.is_empty():
        return rows, tied
    return rows.join(tied.lazy().select("_file", "_row"), on=["_file", "_row"], how="anti"), tied


def _ties_refused(tied: pl.DataFrame) -> pl.DataFrame:
    if tied.is_empty():
        return pl.DataFrame(schema=REFUSED)
    return tied.select(
        file="_file", row_number="_row", column=pl.lit("recorded_on"), rules=pl.concat_list(pl.lit("tied_version"))
    )


def _people_of(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Whose rows of the GP register were refused: what the newest of them said is not known."""
    if table != "gp_patients" or rows.is_empty():
        return pl.DataFrame(schema=_REFUSED_PEOPLE)
    return rows.select("person_id", "recorded_on").drop_nulls("person_id")
