"""Read the local directory: records as sent → checked tables, and every record or part that was refused."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.contracts.made import validated
from ageingwell.contracts.services import SERVICE_TABLES, schema_of
from ageingwell.errors import SourceError
from ageingwell.services.pages import DirectoryFile, Sent, sent_records
from ageingwell.services.records import Fault, rows_of
from ageingwell.sources.check import REFUSED

Row = dict[str, Any]
# Tables in which an identifier stands once: organisations are sent again with each of their services.
_ONCE = {"organisations": ["organisation_id"], "service_places": ["service_id", "location_id"]}


@dataclass(frozen=True)
class Directory:
    """A directory that was read: its tables by name, what was refused, and the files it came from.

    `refused` has the columns of every refused table of a night: file, row_number (the record's number in the file),
    column (the field's path), rules. A part that was refused leaves its record in; `n_refused` counts whole records.
    """

    tables: dict[str, pl.DataFrame]
    refused: pl.DataFrame
    n_read: int
    n_refused: int
    files: tuple[DirectoryFile, ...]

    @property
    def newest_on(self) -> date | None:
        """The newest day on which somebody vouched for a service."""
        newest: date | None = self.tables["services"]["checked_on"].max()  # type: ignore[assignment]
        return newest


def read_directory(path: Path, *, max_refused_share: float = 1.0) -> Directory:
    """Read a directory of services: a JSON file, a folder of JSON pages, or a tabular package.

    Every record is good or refused; none is lost. Raises `SourceError` where a file cannot be read, where there is no
    record at all, or where more than `max_refused_share` of the records are refused.
    """
    sent, files = sent_records(path)
    if not sent:
        raise SourceError(f"{path.name}: the directory has no service in it", "fetch its pages again")
    rows: dict[str, list[Row]] = {name: [] for name in SERVICE_TABLES}
    told: list[tuple[Sent, Fault]] = []
    seen: set[str] = set()
    n_refused = 0
    for record in sent:
        read, faults = rows_of(record.content)
        if read is not None and (identifier := read["services"][0]["service_id"]) in seen:
            read, faults = None, [("id", "twice")]
        elif read is not None:
            seen.add(identifier)
        told += [(record, fault) for fault in faults]
        n_refused += read is None
        for name, more in (read or {}).items():
            rows[name] += more
    _stop_if_mostly_wrong(path, told, n_read=len(sent), n_refused=n_refused, allowed=max_refused_share)
    tables = {name: _table(name, rows[name]) for name in SERVICE_TABLES}
    return Directory(tables, _refused(told), len(sent), n_refused, tuple(files))


def _stop_if_mostly_wrong(
    path: Path, told: list[tuple[Sent, Fault]], *, n_read: int, n_refused: int, allowed: float
) -> None:
    if n_refused <= allowed * n_read:
        return
    first, (field, rule) = told[0]
    raise SourceError(
        f"{path.name}: {n_refused:,} of {n_read:,} records break the contract, more than the share of {allowed:g} "
        f"allowed; the first is {first.file}, record {first.number}, field `{field or 'the record'}`: {rule}",
        "have the directory's keeper correct it, and fetch it again",
    )


def _table(name: str, rows: list[Row]) -> pl.DataFrame:
    model = SERVICE_TABLES[name]
    frame = pl.DataFrame(rows, schema=schema_of(model), orient="row")
    if name in _ONCE:
        frame = frame.unique(_ONCE[name], keep="first", maintain_order=True)
    return validated(model, frame)


def _refused(told: list[tuple[Sent, Fault]]) -> pl.DataFrame:
    rows = [(record.file, record.number, field or None, [rule]) for record, (field, rule) in told]
    frame = pl.DataFrame(rows, schema=REFUSED, orient="row")
    return (
        frame.explode("rules")
        .group_by("file", "row_number", "column")
        .agg(rules=pl.col("rules").unique().sort())
        .sort("file", "row_number", "column", nulls_last=False)
    )
