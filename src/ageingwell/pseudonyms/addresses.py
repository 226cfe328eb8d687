"""The home of each person on a GP register whose own rows tell none: by the list that address matching gives."""

from typing import Final

import polars as pl

from ageingwell.pseudonyms.identifiers import canonical_nhs_number, canonical_uprn, is_missing

_PERSON: Final = "_matched_person"
_HOME: Final = "_matched_home"
_MATCH: Final = "_matched_how"
# The one table whose people are looked up.
REGISTER: Final = "gp_patients"


def addresses_of(matches: pl.LazyFrame | None) -> pl.DataFrame | None:
    """Make the look-up from a list of matches (`nhs_number`, `uprn`, `household_match`), one line a person.

    A person whom the list puts into two homes is left out: nobody can say which is theirs.
    """
    if matches is None:
        return None
    known = matches.select(
        canonical_nhs_number(pl.col("nhs_number")).alias(_PERSON),
        canonical_uprn(pl.col("uprn")).alias(_HOME),
        pl.col("household_match").alias(_MATCH),
    ).drop_nulls([_PERSON, _HOME])
    in_one_home = pl.col(_HOME).n_unique().over(_PERSON) == 1
    # Of two lines about one home the less sure one counts.
    surest = pl.col(_MATCH).str.to_lowercase() == "exact"
    is_low = pl.col(_MATCH).str.to_lowercase() == "low"
    ordered = known.filter(in_one_home).sort(
        _PERSON, ~is_low.fill_null(value=False), surest.fill_null(value=False), _MATCH, nulls_last=False
    )
    return ordered.unique(_PERSON, keep="first", maintain_order=True).collect()


def with_addresses(rows: pl.DataFrame, table: str, addresses: pl.DataFrame | None) -> pl.DataFrame:
    """Give each row of the register without a home the one of the look-up, and how surely it was matched."""
    if addresses is None or table != REGISTER or "nhs_number" not in rows.columns:
        return rows
    for name in ("uprn", "household_match"):
        if name not in rows.columns:
            rows = rows.with_columns(pl.lit(None, pl.String).alias(name))
    found = rows.with_columns(canonical_nhs_number(pl.col("nhs_number")).alias(_PERSON))
    found = found.join(addresses, on=_PERSON, how="left", maintain_order="left")
    looked_up = is_missing(pl.col("uprn")) & pl.col(_HOME).is_not_null()
    return found.with_columns(
        uprn=pl.when(looked_up).then(_HOME).otherwise("uprn"),
        household_match=pl.when(looked_up).then(_MATCH).otherwise("household_match"),
    ).select(rows.columns)
