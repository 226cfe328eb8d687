"""Homes that an address was matched to with low certainty: what is told of them, for nothing is left out in silence."""

from datetime import date

import polars as pl

from ageingwell.contracts.fields import LOW_MATCH
from ageingwell.contracts.registry import TABLES
from ageingwell.sources.read import Records
from ageingwell.spine import unsure_homes


def low_matches(records: Records, unsure: pl.DataFrame, *, on: date) -> list[str]:
    """A sentence on the people and one on the rows of homes whose match is of low certainty; none where there are none.

    `unsure` are the people it is about, as `unsure_homes` gives them; of the other tables rows recorded before `on`
    count. Without a count: every recipient reads it each night, and two nights would show who opted out between them.
    """
    told: list[str] = []
    if not unsure.is_empty():
        told.append(
            "the address of some people may be matched to the wrong home. They get a letter or a call, not a visit. "
            "Nothing recorded about that home is used"
        )
    by_table = [name for name in records.tables if name != "gp_patients" and _n_rows(records, name, on)]
    if by_table:
        names = ", ".join(name.replace("_", " ") for name in by_table)
        told.append(f"records of a home that may be the wrong one, which are not used, are in: {names}")
    return told


def unsure_people(records: Records) -> pl.DataFrame:
    """Of everybody on the register, those whose address was matched with low certainty: person_id, household_id."""
    if "gp_patients" not in records.tables:
        return pl.DataFrame(schema={"person_id": pl.String, "household_id": pl.String})
    return unsure_homes(records.tables["gp_patients"].rows)


def _n_rows(records: Records, name: str, on: date) -> int:
    if "household_match" not in TABLES[name].to_schema().columns:
        return 0
    low = (pl.col("household_match") == LOW_MATCH) & (pl.col("recorded_on") < on)
    return int(records.tables[name].rows.filter(low).select(pl.len()).collect().item())
