"""Homes that an address was matched to with low certainty: what is told of them, for nothing is left out in silence."""

import polars as pl

from ageingwell.contracts.fields import LOW_MATCH
from ageingwell.contracts.registry import TABLES
from ageingwell.sources.read import Records
from ageingwell.spine import unsure_homes


def low_matches(records: Records, unsure: pl.DataFrame | None = None) -> list[str]:
    """A sentence on the people and one on the rows of homes whose match is of low certainty; none where there are none.

    `unsure` is what `unsure_homes` gives for these records, where it is known already.
    """
    told = []
    if unsure is None and "gp_patients" in records.tables:
        unsure = unsure_homes(records.tables["gp_patients"].rows)
    if unsure is not None and not unsure.is_empty():
        told.append(
            f"gp_patients: the home of {unsure.height:,} people was matched with low certainty (`household_match`). "
            "They get a letter or a call and no visit, and nothing recorded about that home is used for them"
        )
    by_table = {name: n for name in records.tables if name != "gp_patients" and (n := _n_rows(records, name))}
    if by_table:
        rows = ", ".join(f"{n:,} rows of {name}" for name, n in by_table.items())
        told.append(f"{rows} are about a home that was matched with low certainty (`household_match`) and are not used")
    return told


def _n_rows(records: Records, name: str) -> int:
    if "household_match" not in TABLES[name].to_schema().columns:
        return 0
    low = pl.col("household_match") == LOW_MATCH
    return int(records.tables[name].rows.filter(low).select(pl.len()).collect().item())
