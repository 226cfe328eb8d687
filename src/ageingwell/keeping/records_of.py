"""What the agencies' own records hold of one person: how many rows of which table, since when; no value of a row."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.config.load import Config
from ageingwell.errors import AgeingWellError
from ageingwell.permissions import ALLOWED
from ageingwell.register import AGENCY_OF, AGENCY_WORDS, GP_REGISTER, TABLE_NAMES
from ageingwell.sources.locate import locate
from ageingwell.sources.table import read_table
from ageingwell.spine import latest_versions
from ageingwell.views.words import label_words

# What a person asked for is told to them; markers that others set are not, nor that there are any.
ASKED: Final = ("type_1", "national", "objection", "restriction")
_OPT_OUTS: Final = "permissions"
_CONTACTS: Final = "contacts"


@dataclass(frozen=True)
class TableHeld:
    """One table that has rows of a person: whose it is, about whom, how many rows, the first and the newest day."""

    table: str
    sent_by: str
    about: str
    n: int
    since: date | None
    newest: date | None


@dataclass(frozen=True)
class RecordsHeld:
    """What the records hold of one person. `asked` are the kinds of opt-outs in force, `unread` the tables that could
    not be read."""

    tables: tuple[TableHeld, ...] = ()
    asked: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def records_of(person: str, data: Path, *, config: Config, workspace: Path, on: date) -> RecordsHeld:
    """Count a person's rows in every table of the folder `data`; what cannot be read is told and stops nothing."""
    found, unread = _read_all(data, config, workspace)
    home, since = _home_of(person, found.get(GP_REGISTER))
    held = [part for name, rows in found.items() for part in _held(name, rows, person, home, since)]
    return RecordsHeld(tuple(held), _asked(person, found.get(_OPT_OUTS), on), tuple(unread))


def _read_all(data: Path, config: Config, workspace: Path) -> tuple[dict[str, pl.LazyFrame], list[str]]:
    found: dict[str, pl.LazyFrame] = {}
    unread: list[str] = []
    for name in TABLE_NAMES:
        try:
            location = locate(name, config.tables[name], data)
            if location is not None:
                found[name] = read_table(location, config.tables[name], workspace=workspace / name).rows
        except (AgeingWellError, OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            unread.append(name)
    return found, unread


def _home_of(person: str, patients: pl.LazyFrame | None) -> tuple[str | None, date | None]:
    """Where a person is registered, and since when the register says so."""
    if patients is None:
        return None, None
    theirs = patients.filter(pl.col("person_id") == person).select("household_id", "recorded_on").collect()
    last = latest_versions(patients.filter(pl.col("person_id") == person))["household_id"].to_list()
    home = last[0] if last else None
    since: date | None = theirs.filter(household_id=home)["recorded_on"].min() if home else None  # type: ignore[assignment]
    return home, since


def _held(name: str, rows: pl.LazyFrame, person: str, home: str | None, since: date | None) -> Iterator[TableHeld]:
    columns = rows.collect_schema().names()
    if name == _OPT_OUTS:
        rows = rows.filter(pl.col("kind").is_in([*ASKED, ALLOWED]))
    day = next(one for one in ("recorded_on", "checked_on") if one in columns)
    if "person_id" in columns:
        yield from _counted(name, rows.filter(pl.col("person_id") == person), day, about="you")
    # What is said of a home holds for whoever lives there: only what was recorded since they do, and never an opt-out
    # or a contact, which somebody else in the home may have had.
    if "household_id" in columns and home is not None and name not in (GP_REGISTER, _OPT_OUTS, _CONTACTS):
        nobody = pl.col("person_id").is_null() if "person_id" in columns else pl.lit(value=True)
        here = rows.filter((pl.col("household_id") == home) & nobody & (pl.col(day) >= since))
        yield from _counted(name, here, day, about="your home")


def _counted(name: str, rows: pl.LazyFrame, day: str, *, about: str) -> Iterator[TableHeld]:
    n, first, last = rows.select(n=pl.len(), first=pl.col(day).min(), last=pl.col(day).max()).collect().row(0)
    if n:
        sent_by = AGENCY_WORDS.get(AGENCY_OF[name], "The agencies")
        yield TableHeld(label_words(name), sent_by, about, n, first, last)


def _asked(person: str, rows: pl.LazyFrame | None, on: date) -> tuple[str, ...]:
    if rows is None:
        return ()
    not_ended = pl.col("to_on").is_null() | (pl.col("to_on") >= on)
    theirs = rows.filter((pl.col("person_id") == person) & not_ended & pl.col("kind").is_in(ASKED))
    return tuple(theirs.select(pl.col("kind").cast(pl.String)).unique().sort("kind").collect()["kind"])
