"""What is done to one row: a cell with something else in it, the row once more, or another version of it."""

from collections.abc import Callable, Mapping

from helpers.faults.catalogue import Case
from helpers.faults.records import Rows, place_of


def cell(rows: Rows, case: Case) -> int:
    """Put the case's text in the place of a cell; `a|b` names two columns that both get it."""
    at = place_of(rows, case.row)
    for column in case.column.split("|"):
        rows[at][rows[0].index(column)] = case.text
    return at


def again(rows: Rows, case: Case) -> int:
    """The row once more, at the end."""
    at = place_of(rows, case.row)
    rows.append(list(rows[at]))
    return len(rows) - 1


def version(rows: Rows, case: Case) -> int:
    """The row once more at the end, with another value in a cell."""
    at = again(rows, case)
    rows[at][rows[0].index(case.column)] = case.text
    return at


ROW_DAMAGES: Mapping[str, Callable[[Rows, Case], int]] = {"cell": cell, "again": again, "version": version}
