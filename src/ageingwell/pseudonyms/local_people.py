"""People whom a council knows by its own id: rows without an NHS number, and links that name a council id.

In the Client Level Data return about one row in eight has no NHS number. DHSC's own method keeps such people by the
number traced, else the number given, else the council's id. So do we, with the numbers that stand in the same table:

* where other rows with the same council id carry one NHS number, and one alone, it is lent to the rows without;
* otherwise the person stays a stranger: the pseudonym is that of the council id, in a domain of its own, which cannot
  meet that of an NHS number.

A number that was sent is never changed. Two numbers under one council id are two people or a mistake: none is lent.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from ageingwell.errors import SourceError
from ageingwell.pseudonyms.counts import TableCounts
from ageingwell.pseudonyms.digests import keyed_letters
from ageingwell.pseudonyms.keys import Key
from ageingwell.pseudonyms.screening import Fault, canonical, local_id, needed_person

LOCAL: Final = "la_person_id"
LINKED_LOCAL: Final = "linked_la_person_id"

# Apart from `la_person_id`, under which the council id itself leaves as a digest.
_STRANGER: Final = "local person"
_ID: Final = "_local"
_NUMBER: Final = "_number"
_TWO: Final = "_two"
# Fewer rows than these may well be people who have no NHS number.
_ROWS_FOR_NONE: Final = 30

_SCHEMA: Final = {_ID: pl.String, _NUMBER: pl.String}


@dataclass(frozen=True)
class LocalPeople:
    """What a table tells of its council ids: `numbers` (id, its one NHS number) and `ambiguous` (ids with two)."""

    numbers: pl.DataFrame
    ambiguous: pl.DataFrame
    n_without_number: int = 0


NOBODY: Final = LocalPeople(pl.DataFrame(schema=_SCHEMA), pl.DataFrame(schema={_ID: pl.String}))


def keeps_local_people(present: Collection[str], contract: Collection[str]) -> bool:
    """Whether rows of a table are kept by the council's id where they have no NHS number."""
    return LOCAL in present and LOCAL in contract and "person_id" in contract


def links_local_people(present: Collection[str], contract: Collection[str]) -> bool:
    """Whether a table names linked people by the council's id."""
    return LINKED_LOCAL in present and "linked_person_id" in contract


def gathered(chunks: Iterable[pl.DataFrame]) -> LocalPeople:
    """Read which NHS numbers the rows of a table carry for each council id, over all its files.

    Each chunk has gone through `with_canonical`; only the different pairs of id and number stay in memory.

    >>> rows = pl.DataFrame({"la_person_id": ["7", "7", "8"], "_nhs_number": ["9990000018", None, None]})
    >>> found = gathered([rows])
    >>> found.numbers.rows(), found.n_without_number
    ([('7', '9990000018')], 1)
    """
    pairs = pl.DataFrame(schema=_SCHEMA)
    for rows in chunks:
        if LOCAL in rows.columns and "_nhs_number" in rows.columns:
            told = rows.select(local_id(LOCAL).alias(_ID), canonical("nhs_number").alias(_NUMBER))
            pairs = pl.concat([pairs, told.drop_nulls(_ID)]).unique()
    by_id = pairs.group_by(_ID).agg(pl.col(_NUMBER).drop_nulls().unique())
    n_numbers = pl.col(_NUMBER).list.len()
    return LocalPeople(
        numbers=by_id.filter(n_numbers == 1).with_columns(pl.col(_NUMBER).list.first()).sort(_ID),
        ambiguous=by_id.filter(n_numbers > 1).select(_ID).sort(_ID),
        n_without_number=by_id.filter(n_numbers == 0).height,
    )


def with_local_people(rows: pl.DataFrame, people: LocalPeople) -> pl.DataFrame:
    """Put beside each council id the number it lends, and whether it has two."""
    two = people.ambiguous.with_columns(pl.lit(value=True).alias(_TWO))
    for column in (LOCAL, LINKED_LOCAL):
        if column in rows.columns:
            rows = rows.with_columns(local_id(column).alias(f"_{column}"))
            for known, name in ((people.numbers, _NUMBER), (two, _TWO)):
                known = known.rename({_ID: f"_{column}", name: f"{name}_of_{column}"})
                rows = rows.join(known, on=f"_{column}", how="left", maintain_order="left")
    return rows


def person_or_local(column: str, *, own: bool) -> list[Fault]:
    """Faults of an NHS number that must be there, unless the council's id is."""
    nobody = pl.col(f"_{LOCAL}").is_null()
    return [Fault(fault.column, fault.rule, fault.is_broken & nobody) for fault in needed_person(column, own=own)]


def number_of(column: str) -> pl.Expr:
    """The NHS number that a council id lends, in rows that `with_local_people` has seen."""
    return pl.col(f"{_NUMBER}_of_{column}")


def stranger(column: str, *, key: Key) -> pl.Expr:
    """The pseudonyms of people known by a council id alone: no NHS number can have one of them."""
    return keyed_letters(pl.col(f"_{column}"), label=_STRANGER, key=key)


def local_counts(present: Collection[str], contract: Collection[str]) -> dict[str, pl.Expr]:
    """What is counted of rows that are written, by the names of `counts.LOCAL_PEOPLE`."""
    found: dict[str, pl.Expr] = {}
    if keeps_local_people(present, contract):
        is_without = canonical("nhs_number").is_null() & pl.col(f"_{LOCAL}").is_not_null()
        is_kept = is_without & number_of(LOCAL).is_null()
        found["number_lent"] = is_without & number_of(LOCAL).is_not_null()
        found["kept_by_local_id"] = is_kept
        found["two_numbers"] = is_kept & pl.col(f"{_TWO}_of_{LOCAL}").is_not_null()
    if links_local_people(present, contract):
        sent = "linked_nhs_number" in present
        is_local = pl.col(f"_{LINKED_LOCAL}").is_not_null()
        is_local = is_local & canonical("linked_nhs_number").is_null() if sent else is_local
        found["link_by_number"] = is_local & number_of(LINKED_LOCAL).is_not_null()
        found["link_by_local_id"] = is_local & number_of(LINKED_LOCAL).is_null()
    return found


def told_people(counts: Mapping[str, int], people: LocalPeople) -> dict[str, int]:
    """The counts of a whole table, with the council ids that have no number or two."""
    if not counts:
        return {}
    ids = {"ids_without_number": people.n_without_number, "ids_with_two_numbers": people.ambiguous.height}
    return {**counts, **ids} if "kept_by_local_id" in counts else dict(counts)


def stop_if_nobody_has_a_number(table: str, counts: TableCounts) -> None:
    """Raise `SourceError` where every row of a table of some length is a stranger: none could meet another record.

    >>> stop_if_nobody_has_a_number("care_events", TableCounts(n_written=500, local_people={"kept_by_local_id": 500}))
    Traceback (most recent call last):
    ageingwell.errors.SourceError: care_events: none of 500 rows has an NHS number, so nobody in it can be linked. ...
    """
    if counts.n_written >= _ROWS_FOR_NONE and counts.local_people.get("kept_by_local_id") == counts.n_written:
        raise SourceError(
            f"{table}: none of {counts.n_written:,} rows has an NHS number, so nobody in it can be linked",
            "ask for the extract with the NHS numbers in it, or map their column; nothing was written",
        )
