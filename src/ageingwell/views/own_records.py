"""What an agency's own records say of the people on its list: its earlier contact, dated, and nobody else's.

An agency reads here only what it sent itself, and only where the ledger lets it read the theme at all. The lines of a
home are the home's, whoever lived there then: leaving some out would tell when somebody moved in.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from ageingwell.config.score import Ledger
from ageingwell.pseudonyms.digests import row_key
from ageingwell.pseudonyms.keys import Key
from ageingwell.register import THEME_OF_AGENCY
from ageingwell.views.columns import EARLIER, AgencyView
from ageingwell.views.words import day_words

LINES: Final = 5
NOTHING: Final = "Nothing in your records in three years"
_AFTER: Final = ("offers", "action")


def with_own_records(view: AgencyView, past_events: pl.DataFrame, *, ledger: Ledger, key: Key) -> AgencyView:
    """Put an agency's own earlier contact into its view, the newest first, behind the next step and what is nearby.

    `past_events` is the night's frame (contract: `PastEvents`). A recipient that sends no records, or may not read its
    own theme on a list, gets its view back as it was.
    """
    theme = THEME_OF_AGENCY.get(view.recipient)
    granted = ledger.views.get(view.recipient)
    if theme is None or granted is None or theme not in granted.themes:
        return view
    own = past_events.filter(pl.col("agency") == view.recipient)
    keys = row_key(pl.col("person_id"), recipient=view.recipient, as_of=view.as_of, key=key)
    newest_first = (
        own.select("happened_on", "text", row_key=keys)
        .unique()
        .sort("row_key", "happened_on", "text", descending=[False, True, False])
    )
    told: dict[str, list[str]] = {}
    for day, text, whose in newest_first.iter_rows():
        told.setdefault(whose, []).append(f"{day_words(day)}: {text}")
    cells = [_shown(told.get(whose, ())) for whose in view.frame["row_key"]]
    return _with_column(view, pl.Series(EARLIER.name, cells, dtype=pl.List(pl.String)))


def _shown(lines: Sequence[str]) -> list[str]:
    more = len(lines) - LINES
    return [*lines[:LINES], *([f"and {more} more"] if more > 0 else [])] or [NOTHING]


def _with_column(view: AgencyView, cells: pl.Series) -> AgencyView:
    names = [column.name for column in view.columns]
    place = 1 + next(names.index(name) for name in _AFTER if name in names)
    columns = (*view.columns[:place], EARLIER, *view.columns[place:])
    return replace(view, columns=columns, frame=view.frame.with_columns(cells).select(one.name for one in columns))
