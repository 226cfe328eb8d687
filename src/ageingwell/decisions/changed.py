"""What the group may not change: a row of the list that comes back beside the same row as it was sent."""

from ageingwell.decisions.reading import Filled
from ageingwell.decisions.sent import SentList
from ageingwell.decisions.tables import CODE, KEY, FilledRow, key_of


def changed_cells(filled: Filled, sent: SentList) -> list[tuple[FilledRow, tuple[str, ...]]]:
    """The rows in which a read-only cell is not what was sent, answered or not, with the names of the columns."""
    found = [(row, edited_columns(row, filled.columns, sent)) for row in filled.rows]
    return [(row, columns) for row, columns in found if columns]


def edited_columns(row: FilledRow, columns: tuple[str, ...], sent: SentList) -> tuple[str, ...]:
    """The read-only columns in which a row of the list is not as it was sent; a column taken out changes nothing."""
    cells = sent.cells.get(key_of(row[KEY]))
    if cells is None:
        return ()
    return tuple(name for name in sent.columns if name in columns and name != KEY and row[name] != cells.get(name, ""))


def stands_beside_another(row: FilledRow, key: str, edited: tuple[str, ...], sent: SentList) -> bool:
    """Whether the rest of the row, or all that was changed in it, or its code, is another person's.

    Then nobody can say whom the answers are about: some columns may have been sorted without the others.
    """
    code = key_of(row[CODE])
    if code and not key.startswith(code) and any(other.startswith(code) for other in sent.cells):
        return True  # who fills in a row goes by its code: the key stands hidden at the end
    if len(edited) < 2:
        return False
    told = [name for name in sent.columns if name in row.cells and name != KEY]
    moved = edited if sum(bool(row[name]) for name in edited) > 1 else told
    return any(
        other != key and all(cells.get(name, "") == row[name] for name in moved) for other, cells in sent.cells.items()
    )
