"""Columns that an agency does not hold: as the settings say, or as the table itself tells of its layout."""

from collections.abc import Collection, Mapping

from ageingwell.config.score import TableSettings
from ageingwell.contracts.registry import columns
from ageingwell.pseudonyms.fingerprints import told_by
from ageingwell.sources.locate import Location


def not_held_columns(
    location: Location, settings: TableSettings, sent: Mapping[str, Collection[str]]
) -> tuple[str, ...]:
    """The optional columns of a table that are not held where it comes from.

    `sent` are our columns that each file sent. A file speaks for itself alone: a column that another file lacks without
    a word is not held only where the settings say so.
    """
    told = {path.name: set(told_by(location.table, path).not_held) for path in location.files}
    optional = [column.name for column in columns(location.table) if not column.required]
    found = [name for name in optional if _is_told(name, told, sent)]
    return tuple(dict.fromkeys((*settings.not_held, *found)))


def _is_told(column: str, told: Mapping[str, Collection[str]], sent: Mapping[str, Collection[str]]) -> bool:
    lacking = [file for file, names in sent.items() if column not in names]
    return bool(lacking) and all(column in told.get(file, ()) for file in lacking)
