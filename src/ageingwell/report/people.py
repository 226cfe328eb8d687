"""Everything each person's page says, as plain data: the figure and its comparison, facts, needs, who knows them.

Nothing here is drawn: a page pours these dictionaries out. Only a reader who may read the risk and every theme gets
them; anybody else gets an empty list.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from ageingwell.config.outreach import OutreachSettings
from ageingwell.config.score import Ledger
from ageingwell.pseudonyms.digests import row_key
from ageingwell.pseudonyms.keys import Key
from ageingwell.report.cells import shown_key
from ageingwell.report.person import Chance, Person
from ageingwell.report.person_needs import lead_of, needs_of, notes_of
from ageingwell.views.columns import AgencyView
from ageingwell.views.reader import reader_of
from ageingwell.views.recipient import NO_HOME


def people_told(
    view: AgencyView,
    *,
    rows: pl.DataFrame,
    needs: pl.DataFrame,
    reasons: pl.DataFrame,
    scores: pl.DataFrame,
    facts: Mapping[str, Any],
    ledger: Ledger,
    key: Key,
    settings: OutreachSettings | None = None,
) -> list[Person]:
    """One dictionary a person of the view, in its order; none at all where the reader may not read the risk.

    `rows`, `needs`, `reasons` and `scores` are the night's tables, `facts` what is told of the night. What the view
    itself says of a person (place, age, status, next step) is taken from the view.
    """
    settings = settings or OutreachSettings()
    reader = reader_of(view.recipient, ledger=ledger, thresholds=settings.thresholds)
    if not reader.reads_risk:
        return []
    keys = row_key(pl.col("person_id"), recipient=view.recipient, as_of=view.as_of, key=key)
    by_key = {row["_key"]: row for row in rows.with_columns(_key=keys).iter_rows(named=True)}
    doors = doors_of(view.frame["household_key"].to_list())
    told: list[Person] = []
    for place, (shown, door) in enumerate(zip(view.frame.iter_rows(named=True), doors, strict=True), start=1):
        row = by_key[shown["row_key"]]
        found = needs.filter(pl.col("person_id") == row["person_id"])
        told.append(
            Person(
                anchor=f"person-{place}",
                row_key=shown_key(shown["row_key"]),
                household_key=shown_key(shown["household_key"]),
                door=door,
                place=shown["place"],
                age_band=shown["age_band"],
                band=shown["band"],
                status=shown["status"],
                is_new=shown["new_since_last"] == "New",
                found_by=shown["found_by"],
                chance=_chance(row),
                others=None,
                raises=[],
                lowers=[],
                rest=0,
                sum_words="",
                outcomes=[],
                unknown=[],
                in_touch=[],
                not_in_touch=[],
                needs=needs_of(found, reader),
                lead=lead_of(row, found, reader),
                action=shown["action"],
                communication=shown["communication_need"],
                notes=notes_of(row, settings),
                offers=[],
            )
        )
    return told


def doors_of(homes: Sequence[str]) -> list[int]:
    """Number the doors in the order of the list; who has no home linked is a door of their own.

    >>> doors_of(["a", "a", "no home linked", "b", "no home linked"])
    [1, 1, 2, 3, 4]
    """
    numbers: dict[str, int] = {}
    doors = []
    for place, home in enumerate(homes):
        door = f"{NO_HOME}/{place}" if home == NO_HOME else home
        doors.append(numbers.setdefault(door, len(numbers) + 1))
    return doors


def _chance(row: Mapping[str, Any]) -> Chance | None:
    if row["risk"] is None:
        return None
    middle, low, high = (int(100 * row[name] + 0.5) for name in ("risk", "risk_low", "risk_high"))
    return Chance(in_100=middle, low=low, high=high, words=f"{middle} in 100", range_words=f"{low} to {high}")
