"""A county as plain text, table by table, that can be damaged in one cell, one row or one file."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.pseudonyms.fingerprints import KEY_FINGERPRINT
from helpers.counties import listed

NIGHT = date(2026, 11, 22)
# Of the long tables so many rows are enough.
MOST_ROWS = 300
Rows = list[list[str]]


@dataclass(frozen=True)
class County:
    """The tables as text, header first, and those of the list who are to come off: who objected, and who died."""

    tables: Mapping[str, Rows]
    objected: str
    died: str
    stays: str

    def copy(self) -> dict[str, Rows]:
        """The tables to damage."""
        return {name: self.copy_of(name) for name in self.tables}

    def copy_of(self, name: str) -> Rows:
        """One table to damage."""
        return [list(row) for row in self.tables[name]]


def tables_of(folder: Path) -> dict[str, Rows]:
    """Every table of a county, as text."""
    return {path.stem: _as_text(pl.read_parquet(path)) for path in sorted(folder.glob("*.parquet"))}


def county_since(tables: Mapping[str, Rows], night: Path) -> County:
    """The county since a night of it: the first person on its list has objected, and the second has died."""
    objected, died, stays = (row["person_id"] for row in listed(night)[:3])
    told = {name: [list(row) for row in rows] for name, rows in tables.items()}
    patients, permissions = told["gp_patients"], told["permissions"]
    newest = max((row for row in patients[1:] if row[0] == died), key=lambda row: row[-1])
    ends = {"died_on": str(NIGHT), "recorded_on": str(NIGHT)}
    dead = [ends.get(name, cell) for name, cell in zip(patients[0], newest, strict=True)]
    objection = {"person_id": objected, "kind": "objection", "checked_on": str(NIGHT)}
    # Neither the first row, nor the middle, nor the last: those are damaged.
    patients.insert(5, dead)
    permissions.insert(5, [objection.get(name, "") for name in permissions[0]])
    return County(told, objected, died, stays)


def _as_text(rows: pl.DataFrame) -> Rows:
    few = rows if rows.height <= 2 * MOST_ROWS else rows.head(MOST_ROWS)
    cells = few.with_columns(pl.all().cast(pl.String).fill_null(""))
    return [cells.columns, *(list(row) for row in cells.rows())]


def place_of(rows: Rows, position: str) -> int:
    """Where the first, a middle or the last row stands, counted from 1 below the header."""
    n = len(rows) - 1
    return {"first": 1, "middle": n // 2, "last": n}[position]


def as_csv(rows: Rows) -> bytes:
    """The bytes of a table."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue().encode()


def as_parquet(rows: Rows, *, key: str | None = None) -> bytes:
    """The bytes of a table as Parquet, every column as text; with `key` it tells the fingerprint of its key."""
    file = io.BytesIO()
    frame = pl.DataFrame(rows[1:], schema=dict.fromkeys(rows[0], pl.String), orient="row")
    told = {} if key is None else {KEY_FINGERPRINT: key}
    frame.with_columns(pl.all().replace("", None)).write_parquet(file, metadata=told)
    return file.getvalue()
