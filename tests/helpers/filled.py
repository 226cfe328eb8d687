"""Filling in a list as people do, with another library than the one that wrote it; and looking at the ledger."""

import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl

from ageingwell.decisions.choices import folded
from ageingwell.report.choices import headings

OFFICE = shutil.which("soffice")
Answers = Mapping[str, Mapping[str, Any]]


def fill(
    path: Path,
    answers: Answers,
    *,
    to: Path,
    added: list[Mapping[str, Any]] | None = None,
    cells: Answers | None = None,
) -> Path:
    """Write answers beside row keys (column name to value), rows to the sheet Add someone, and `cells` over others."""
    book = openpyxl.load_workbook(path)
    for key, given in {**(cells or {}), **answers}.items():
        both = {**dict(answers.get(key, {})), **dict((cells or {}).get(key, {}))} if cells else given
        _write(book["List"], _row_of(book["List"], key), both)
    for number, row in enumerate(added or [], start=2):
        _write(book["Add someone"], number, row)
    book.save(to)
    return to


def _columns(sheet: Any) -> dict[str, int]:
    names = headings()
    titles = [(cell.column, folded(str(cell.value or ""))) for cell in sheet[1]]
    # What an agency's own register lends to a list has a heading of its own.
    return {names[title]: at for at, title in titles if title and not title.startswith("own_register_")}


def _row_of(sheet: Any, key: str) -> int:
    column = _columns(sheet)["row_key"]
    return next(row for row in range(2, sheet.max_row + 1) if sheet.cell(row, column).value == key)


def _write(sheet: Any, row: int, given: Mapping[str, Any]) -> None:
    at = _columns(sheet)
    for name, value in given.items():
        sheet.cell(row, at[name]).value = value


def cells_of(path: Path, sheet: str = "List") -> list[dict[str, Any]]:
    """The rows of a sheet as dictionaries by column name; empty rows left out."""
    page = openpyxl.load_workbook(path)[sheet]
    at = _columns(page)
    rows = ({name: page.cell(row, column).value for name, column in at.items()} for row in range(2, page.max_row + 1))
    return [row for row in rows if any(value is not None for value in row.values())]


def keys_of(path: Path) -> list[str]:
    """The row keys of a list, in its order."""
    return [row["row_key"] for row in cells_of(path)]


def saved_again(path: Path, folder: Path, *, to: str = "xlsx") -> Path:
    """Open a file in LibreOffice and save it."""
    return each_saved_again([path], folder, to=to)[0]


def each_saved_again(paths: list[Path], folder: Path, *, to: str = "xlsx") -> list[Path]:
    """Open files in LibreOffice, started once, and save each, in a profile of its own."""
    assert OFFICE is not None
    command = [OFFICE, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--convert-to", to,
               "--outdir", str(folder), *map(str, paths)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    return [folder / f"{path.stem}.{to}" for path in paths]


def tamper(path: Path, statement: str, *, guarded: bool = False) -> None:
    """Change a ledger behind its back; without its guards unless `guarded`."""
    with closing(sqlite3.connect(path)) as database, database:
        if not guarded:
            database.execute("DROP TRIGGER entries_are_not_changed")
            database.execute("DROP TRIGGER entries_are_not_removed")
        database.execute(statement)


def fill_plans(path: Path, plans: Answers, *, to: Path) -> Path:
    """Write plans beside row keys on the sheet Plans."""
    book = openpyxl.load_workbook(path)
    for key, given in plans.items():
        _write(book["Plans"], _row_of(book["Plans"], key), given)
    book.save(to)
    return to
