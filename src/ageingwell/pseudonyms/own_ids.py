"""Tables whose people and homes are known by an agency's own ids: research extracts, practice software, pseudonyms.

Such an id is re-keyed under a domain of its own, so it can never meet the pseudonym of an NHS number or a UPRN. That is
also the danger: a table of NHS numbers that is called a table of own ids would join nothing, in silence.
"""

from collections.abc import Collection, Mapping
from typing import Final, Literal

import polars as pl

from ageingwell.errors import SourceError
from ageingwell.pseudonyms.counts import TableCounts
from ageingwell.pseudonyms.digests import Domain, keyed_letters, pseudonym
from ageingwell.pseudonyms.identifiers import canonical_nhs_number, is_missing
from ageingwell.pseudonyms.keys import Key

Ids = Literal["nhs_number", "own"]

# Of ten-digit numbers drawn at random one in eleven passes the check digit.
_LIKE_NHS_NUMBERS: Final = 0.5
# Pseudonyms made elsewhere often come under our own names of columns.
_RAW_NAMES: Final = {"person_id": "nhs_number", "household_id": "uprn", "linked_person_id": "linked_nhs_number"}
_COLUMNS: Final = tuple(_RAW_NAMES.values())


def tables_with_own_ids(told: Mapping[str, bool] | Collection[str], *, known: Collection[str]) -> frozenset[str]:
    """The tables that are said to hold own ids; `SourceError` for one that no contract knows.

    >>> sorted(tables_with_own_ids({"gp_patients": True, "homes": False}, known=["gp_patients", "homes"]))
    ['gp_patients']
    """
    tables = frozenset(table for table in told if not isinstance(told, Mapping) or told[table])
    if unknown := sorted(tables - frozenset(known)):
        raise SourceError(
            f"the settings give own ids for {', '.join(unknown)}, which is not a table of the contracts",
            f"the tables are {', '.join(sorted(known))}",
        )
    return tables


def raw_headings(columns: Collection[str]) -> dict[str, str]:
    """How the columns of a table with own ids are renamed: `person_id` stands where `nhs_number` is looked for.

    >>> raw_headings(["person_id", "sex"])
    {'person_id': 'nhs_number'}
    """
    return {ours: raw for ours, raw in _RAW_NAMES.items() if ours in columns and raw not in columns}


def named(canonical: pl.Expr, *, domain: Domain, own: bool, key: Key) -> pl.Expr:
    """The pseudonyms of identifiers in their canonical spelling, under the domain of their kind.

    >>> ids = pl.DataFrame({"id": ["9990000018"]})
    >>> key = Key.made_up(1)
    >>> number, other = (named(pl.col("id"), domain="person", own=own, key=key) for own in (False, True))
    >>> ids.select(meet=number == other).item()
    False
    """
    if own:
        return keyed_letters(canonical, label=f"own {domain}", key=key)
    return pseudonym(canonical, domain=domain, key=key)


def own_counts(rows: pl.DataFrame) -> tuple[dict[str, int], dict[str, int]]:
    """How many own ids each column of identifiers holds, and how many of them would pass as NHS numbers."""
    columns = [name for name in _COLUMNS if name in rows.columns]
    if not columns:
        return {}, {}
    sent = rows.select((~is_missing(pl.col(name))).sum() for name in columns).row(0, named=True)
    alike = rows.select(canonical_nhs_number(pl.col(name)).is_not_null().sum() for name in columns)
    return dict(sent), dict(alike.row(0, named=True))


def stop_if_nhs_numbers(table: str, counts: TableCounts) -> None:
    """Raise `SourceError` where most own ids of a column are NHS numbers: re-keyed as own ids they would join nothing.

    >>> stop_if_nhs_numbers("gp_patients", TableCounts(own_ids={"nhs_number": 9}, own_ids_like_nhs_numbers={
    ...     "nhs_number": 9}))
    Traceback (most recent call last):
    ageingwell.errors.SourceError: gp_patients: 9 of 9 own ids in nhs_number are NHS numbers by their check digit, and
    under own ids they would join no other agency's records. What to do: leave out `ids = "own"` (--ids own) ...
    """
    for column, n_alike in counts.own_ids_like_nhs_numbers.items():
        n_sent = counts.own_ids[column]
        if n_alike > _LIKE_NHS_NUMBERS * n_sent:
            raise SourceError(
                f"{table}: {n_alike:,} of {n_sent:,} own ids in {column} are NHS numbers by their check digit, and "
                "under own ids they would join no other agency's records",
                'leave out `ids = "own"` (--ids own) for this table; nothing was written',
            )
