"""Which rows of the list one agency sees."""

import polars as pl

DOOR = pl.coalesce("household_id", "person_id")


def rows_for(recipient: str, *, rows: pl.DataFrame) -> pl.DataFrame:
    """Keep the rows one agency leads, and those at a door where it comes along; the group sees every row.

    Adds `door` (which never leaves this folder), `leads` and `part`.
    """
    doors = rows.with_columns(door=DOOR, leads=pl.col("lead_agency") == recipient)
    if recipient == "group":
        return doors.with_columns(part=pl.lit("The group"))
    joins = pl.col("joint_with").list.contains(recipient)
    return doors.filter(pl.col("leads") | joins).with_columns(
        part=pl.when("leads").then(pl.lit("You lead")).otherwise(pl.lit("Please join this visit"))
    )
