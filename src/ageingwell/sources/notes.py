"""What reading found and went on with, in sentences: nothing is lost without being told."""

from datetime import date

import polars as pl

from ageingwell.contracts.fields import EMPTIED, SAY_NOTHING
from ageingwell.contracts.registry import columns, recorded_column
from ageingwell.sources.checked import CheckedTable, Records
from ageingwell.sources.headings import nearest
from ageingwell.sources.labels import label_notes

COLUMNS = pl.Schema({"table": pl.String, "column": pl.String, "what": pl.String, "perhaps": pl.String})


def told_columns(table: CheckedTable) -> pl.DataFrame:
    """Every column and heading of a table that gave nothing: table, column, what, perhaps.

    `what` is `absent`, `absent_in_some_files`, `empty`, `not_held` or `heading_not_used`; `perhaps` names for a heading
    the contract column that it may be meant for, and for a column the heading.
    """
    missing = (*table.absent_columns, *dict(table.partly_absent))
    contract = [column.name for column in columns(table.name)]
    found = [
        *((name, _what(name, table), nearest(name, table.dropped_columns)) for name in contract if name in missing),
        *((name, "empty", None) for name in table.empty_columns),
        *((name, "heading_not_used", nearest(name, missing)) for name in table.dropped_columns),
    ]
    return pl.DataFrame([(table.name, *row) for row in found], schema=COLUMNS, orient="row")


def _what(name: str, table: CheckedTable) -> str:
    if name not in table.absent_columns:
        return "absent_in_some_files"
    return "not_held" if name in table.not_held_columns else "absent"


def notes_of(table: CheckedTable, *, on: date) -> list[str]:
    """What a reader should know of a table that was read, one sentence a line; nothing of a row but its number.

    >>> table = CheckedTable("homes", pl.LazyFrame(), pl.DataFrame(), n_read=9, n_good=9, n_repeated=2,
    ...                      absent_columns=("main_fuel",), dropped_columns=("Main fuels",))
    >>> for note in notes_of(table, on=date(2026, 11, 22)):
    ...     print(note)
    homes: columns not sent: main_fuel (perhaps under the heading `Main fuels`)
    homes: headings not used: `Main fuels` (perhaps main_fuel)
    homes: 2 rows sent again, with nothing else than the day of recording new
    """
    return [f"{table.name}: {note}" for note in (*_column_notes(table), *_row_notes(table, on=on))]


def badly_read_notes(table: CheckedTable) -> list[str]:
    """The columns of which more than half of what was sent could not be read, a sentence each.

    >>> emptied = pl.DataFrame({"column": ["unit_cost"], "rule": ["not_a_number"], "n_cells": [6]})
    >>> table = CheckedTable("care_events", pl.LazyFrame(), pl.DataFrame(), n_read=9, n_good=9, emptied=emptied,
    ...                      badly_read=("unit_cost",))
    >>> badly_read_notes(table)
    ['care_events: more than half of what was sent in unit_cost could not be read (6 cells): the value is not a number']
    """
    notes = []
    for name in table.badly_read:
        rows = table.emptied.filter((pl.col("column") == name) & ~pl.col("rule").is_in(SAY_NOTHING))
        why = "; ".join(EMPTIED[rule] for rule in rows["rule"])
        cells = _counted(int(rows["n_cells"].sum()), "cell")
        notes.append(f"{table.name}: more than half of what was sent in {name} could not be read ({cells}): {why}")
    return notes


def _column_notes(table: CheckedTable) -> list[str]:
    told = told_columns(table).rows_by_key("what", named=True, include_key=True)
    kinds = {
        "absent": "columns not sent: {}",
        "absent_in_some_files": "columns that some files did not send: {}",
        "not_held": "columns not sent, and not held by the agency, as agencies.toml or the table itself says: {}",
        "empty": "columns sent without a value: {}",
        "heading_not_used": "headings not used: {}",
    }
    notes = [text.format(", ".join(map(_named, told[what]))) for what, text in kinds.items() if what in told]
    sent = [name for name in table.not_held_columns if name not in (*table.absent_columns, *table.empty_columns)]
    return [
        *notes,
        *([f"columns used, though agencies.toml says they are not held: {', '.join(sent)}"] if sent else []),
    ]


def _named(row: dict[str, str | None]) -> str:
    if row["what"] == "heading_not_used":
        return f"`{row['column']}`" + (f" (perhaps {row['perhaps']})" if row["perhaps"] else "")
    return f"{row['column']}" + (f" (perhaps under the heading `{row['perhaps']}`)" if row["perhaps"] else "")


def _row_notes(table: CheckedTable, *, on: date) -> list[str]:
    notes = [
        f"{_counted(row['n_cells'], 'cell')} of {row['column']} read as empty: {EMPTIED[row['rule']]}"
        for row in table.emptied.to_dicts()
    ]
    notes += label_notes(table.unknown_labels)
    if held := table.unread_people.height:
        what = "a day of death or leaving, or a home, that could not be read: whose it is is held off the list"
        notes.append(f"{_counted(held, 'cell')} with {what}")
    notes += [
        f"{_counted(row['n_rows'], 'row')} left out, as agencies.toml says to ignore what their {row['column']} says"
        for row in table.left_out.to_dicts()
    ]
    if table.n_repeated:
        notes.append(f"{_counted(table.n_repeated, 'row')} sent again, with nothing else than the day of recording new")
    if ahead := table.n_dated_ahead(on):
        day = recorded_column(table.name)
        notes.append(f"{_counted(ahead, 'row')} with a {day} after {on}, when nobody can know of them")
    return notes


def _counted(n: int, what: str) -> str:
    return f"1 {what}" if n == 1 else f"{n:,} {what}s"


def file_notes(records: Records) -> list[str]:
    """What a reader should know of the data folder: files nobody read, and those that look like a missing table."""
    near = [
        f"{table}: not found; `{file}` looks like it and was not read" for table, file in records.near_files.items()
    ]
    others = [file for file in records.unused_files if file not in records.near_files.values()]
    return [*near, *([f"files not used: {', '.join(f'`{file}`' for file in others)}"] if others else [])]
