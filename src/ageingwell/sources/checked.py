"""What reading leaves: each table with its good rows, its refused rows, and everything that was counted on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from ageingwell.sources.check import EMPTIED_CELLS, REFUSED
from ageingwell.sources.labels import TOLD_LABELS
from ageingwell.sources.raw import FileRead

REFUSED_PEOPLE = pl.Schema({"person_id": pl.String, "recorded_on": pl.Date})
UNREAD_PEOPLE = pl.Schema([*REFUSED_PEOPLE.items(), ("column", pl.String())])
REFUSED_OF = pl.Schema({"person_id": pl.String})
LEFT_OUT = pl.Schema({"column": pl.String, "n_rows": pl.Int64})
BY_DAY = pl.Schema({"day": pl.Date, "n_rows": pl.Int64})


@dataclass(frozen=True)
class CheckedTable:
    """One table after its contract: the good rows, the refused rows, and what was counted on the way.

    `dropped_columns` are the headings nobody knows, as sent. `absent_columns` are the optional columns that no file of
    the table sent, `partly_absent` those that some files did not send (column, file). `empty_columns` are those sent
    without one value in any good row of a table of some length, `not_held_columns` those that the settings, or the
    files that lack them, say the agency does not hold. `emptied` counts the cells that were not empty and are read as
    missing: column, rule, n_cells; `emptied_cells` names the first 10,000 of each column and rule as refused rows are
    named. `badly_read` are the optional columns of which more than half of what was sent could not be read.
    `unread_people` are those of the GP register whose good rows have such a cell that may not be taken for empty:
    person_id, recorded_on, column. `unknown_labels` counts the rows whose label is none of a closed list, and
    the different labels in them (column, n_rows, n_labels), never naming one. `left_out` counts the rows that the
    settings say to ignore: column, n_rows. `n_repeated` counts the good rows that repeat an earlier one but the day of
    recording, `n_twice` the versions of the register that came twice and count once. `refused_of` are the people of
    rows that were refused, where a row names one: person_id, a row each. `by_day` counts the good rows of each day of
    recording (of checking, for permissions): day, n_rows.
    """

    name: str
    rows: pl.LazyFrame
    refused: pl.DataFrame
    n_read: int
    n_good: int
    files: tuple[FileRead, ...] = ()
    newest_on: date | None = None
    dropped_columns: tuple[str, ...] = ()
    made_recorded_on: str | None = None
    refused_people: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REFUSED_PEOPLE))
    absent_columns: tuple[str, ...] = ()
    partly_absent: tuple[tuple[str, str], ...] = ()
    empty_columns: tuple[str, ...] = ()
    not_held_columns: tuple[str, ...] = ()
    emptied: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=EMPTIED_CELLS))
    emptied_cells: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REFUSED))
    badly_read: tuple[str, ...] = ()
    unread_people: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=UNREAD_PEOPLE))
    unknown_labels: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TOLD_LABELS))
    left_out: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LEFT_OUT))
    n_repeated: int = 0
    n_twice: int = 0
    refused_of: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REFUSED_OF))
    by_day: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=BY_DAY))

    @property
    def n_refused(self) -> int:
        """How many rows were refused; a row that repeats another and was left out is not among them."""
        return self.refused.select("file", "row_number").n_unique() if self.refused.height else 0

    @property
    def n_left_out(self) -> int:
        """How many rows the settings say to ignore."""
        return int(self.left_out["n_rows"].sum())

    def refused_by_rule(self) -> pl.DataFrame:
        """How many rows broke each rule: column, rule, n_rows."""
        rows = self.refused.explode("rules", empty_as_null=True).rename({"rules": "rule"})
        return (
            rows.group_by("column", "rule").agg(n_rows=pl.len().cast(pl.Int64)).sort("column", "rule", nulls_last=True)
        )

    def n_dated_ahead(self, on: date) -> int:
        """How many good rows were recorded, or checked, after a day: on that day nobody can have known them."""
        return int(self.by_day.filter(pl.col("day") > on)["n_rows"].sum())

    def newest_known(self, on: date) -> date | None:
        """The newest day of recording, or of checking, that is not after a day; None where there is none.

        >>> days = pl.DataFrame({"day": [date(2026, 11, 1), date(2062, 11, 1)], "n_rows": [5, 1]})
        >>> table = CheckedTable("homes", pl.LazyFrame(), pl.DataFrame(), n_read=6, n_good=6, by_day=days)
        >>> table.newest_known(date(2026, 11, 22)), table.n_dated_ahead(date(2026, 11, 22))
        (datetime.date(2026, 11, 1), 1)
        """
        newest: date | None = self.by_day.filter(pl.col("day") <= on)["day"].max()  # type: ignore[assignment]
        return newest


@dataclass(frozen=True)
class Records:
    """Everything the agencies sent, checked: the tables by name, those that are missing, and whether all is made up.

    `not_held` are the tables that the settings say do not exist here: they are not `missing`. `unused_files` names what
    lies in the data folder and was not read, and `near_files` which of it looks like a missing table (table to file).
    `key_fingerprint` is that of the key all tables were pseudonymised with, where one of them tells it.
    """

    tables: dict[str, CheckedTable]
    missing: tuple[str, ...]
    made_up: bool
    not_held: tuple[str, ...] = ()
    unused_files: tuple[str, ...] = ()
    near_files: Mapping[str, str] = field(default_factory=dict)
    key_fingerprint: str | None = None

    def rows(self) -> dict[str, pl.LazyFrame]:
        """The good rows of each table."""
        return {name: table.rows for name, table in self.tables.items()}

    def with_rows(self, rows: Mapping[str, pl.LazyFrame]) -> "Records":
        """The same records with other rows, such as those that may be used."""
        return replace(self, tables={name: replace(table, rows=rows[name]) for name, table in self.tables.items()})

    def untold(self) -> dict[str, frozenset[str]]:
        """The columns of each table that nobody told anything in: absent, sent without a value, or hardly readable.

        What rests on one of them is unknown, never no. The table of permissions is left out: there an empty cell has a
        meaning of its own.
        """
        return {
            name: frozenset((*table.absent_columns, *table.empty_columns, *table.badly_read))
            for name, table in self.tables.items()
            if name != "permissions"
        }
