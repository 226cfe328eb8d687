"""Which heading of a file is which column of the contract, however it is spelt.

Headings are folded as labels are: `Died_On`, `died on`, `DIED-ON` and `died.on` are all `died_on`.
"""

import difflib
from collections.abc import Iterable, Mapping

from ageingwell.config.score import TableSettings
from ageingwell.contracts.registry import columns
from ageingwell.errors import SourceError
from ageingwell.reading.headings import folded_heading

__all__ = ["column_by_heading", "columns_sent", "folded_heading", "nearest"]

# Below this share of letters in common two names are not taken for the same thing misspelt.
ALIKE = 0.6


def column_by_heading(table: str, settings: TableSettings) -> dict[str, str]:
    """Our column for each folded heading of the agency's.

    >>> column_by_heading("fire_incidents", TableSettings(required=False, columns={"happened_on": "Day of Call"}))
    {'happened_on': 'happened_on', 'household_id': 'household_id', 'incident_type': 'incident_type',
     'day_of_call': 'happened_on', 'household_match': 'household_match', 'recorded_on': 'recorded_on'}

    A table that `pseudonymise` has renamed carries our names by then, so these count too where the agency's is absent.
    """
    names = [column.name for column in columns(table)]
    theirs = {folded_heading(settings.columns.get(name, name)): name for name in names}
    return {name: name for name in names if name not in theirs} | theirs


def columns_sent(sent: Iterable[str], ours: Mapping[str, str], *, file: str) -> dict[str, str]:
    """Our column for each heading of a file that is one; two headings for one column are a `SourceError`.

    A heading that the settings map to a column stands before one that is the column's own name.
    """
    headings = tuple(sent)
    found: dict[str, str] = {}
    for heading in headings:
        column = ours.get(folded_heading(heading))
        if column is None or (folded_heading(heading) == column and _stands_back(column, headings, ours)):
            continue
        if other := next((earlier for earlier, name in found.items() if name == column), None):
            raise SourceError(
                f"{file}: the headings `{other}` and `{heading}` both mean `{column}`",
                "leave one of them, or give the other a name of its own",
            )
        found[heading] = column
    return found


def _stands_back(column: str, headings: Iterable[str], ours: Mapping[str, str]) -> bool:
    folded = [folded_heading(heading) for heading in headings]
    return any(ours.get(name) == column and name != column for name in folded)


def nearest(name: str, others: Iterable[str]) -> str | None:
    """Return the one of `others` that is spelt most like a name, or None where none is near.

    >>> nearest("died_on", ["Dead On", "surname"]), nearest("died_on", ["surname"])
    ('Dead On', None)
    """
    by_folded = {folded_heading(other): other for other in sorted(others, reverse=True)}
    found = difflib.get_close_matches(folded_heading(name), sorted(by_folded), n=1, cutoff=ALIKE)
    return by_folded[found[0]] if found else None
