"""Which rows of the list one agency sees, and what it is asked to do there."""

import polars as pl

from ageingwell.config.outreach import OutreachSettings

URGENCY = {"urgent": 0, "soon": 1, "routine": 2}
NO_NEED_URGENCY = len(URGENCY)

_DOOR = pl.coalesce("household_id", "person_id")


def rows_for(recipient: str, *, rows: pl.DataFrame, needs: pl.DataFrame, settings: OutreachSettings) -> pl.DataFrame:
    """Keep the rows one agency leads, and those at a door where a need it leads stands under another lead.

    The group sees every row. Adds `door` (which never leaves this folder), `part` and `told`, the action in this
    agency's own words: the list's where it leads, its own next step where it comes along.
    """
    doors = rows.with_columns(door=_DOOR)
    if recipient == "group":
        return doors.with_columns(part=pl.lit("The group"), told=pl.col("action"))
    own = own_needs(recipient, doors=doors, needs=needs)
    leads = pl.col("lead_agency") == recipient
    # Where no home is linked, nobody knocks: the practice writes, and nobody comes along.
    joins = ~leads & pl.col("household_id").is_not_null() & pl.col("door").is_in(own["door"].implode())
    steps = _next_steps(own)
    return (
        doors.filter(leads | joins)
        .join(steps, on=["door", "person_id"], how="left")
        .join(_door_steps(own), on="door", how="left")
        .with_columns(
            part=pl.when(leads).then(pl.lit("You lead")).otherwise(pl.lit("You are asked to come along")),
            told=pl.when(leads).then("action").otherwise(_coming_along(settings)),
        )
        .drop("own_step", "door_step")
    )


def own_needs(recipient: str, *, doors: pl.DataFrame, needs: pl.DataFrame) -> pl.DataFrame:
    """Give the needs an agency leads on for people on the list, with their `door`."""
    listed = doors.select("person_id", "door")
    return needs.filter(pl.col("lead_agency") == recipient).drop("household_id").join(listed, on="person_id")


def most_urgent(own: pl.DataFrame) -> pl.DataFrame:
    """Give each door the rank of its most urgent own need, 0 the most: the one thing a blind order may follow."""
    rank = pl.col("urgency").replace_strict(URGENCY, return_dtype=pl.Int64)
    return own.group_by("door").agg(urgency_rank=rank.min())


def _next_steps(own: pl.DataFrame) -> pl.DataFrame:
    return _in_order(own).group_by("door", "person_id").agg(own_step=pl.col("action").first())


def _door_steps(own: pl.DataFrame) -> pl.DataFrame:
    return _in_order(own).group_by("door").agg(door_step=pl.col("action").first())


def _in_order(own: pl.DataFrame) -> pl.DataFrame:
    rank = pl.col("urgency").replace_strict(URGENCY, return_dtype=pl.Int64)
    return own.with_columns(_urgency=rank).sort("_urgency", "need", "action", "person_id")


def _coming_along(settings: OutreachSettings) -> pl.Expr:
    """What a visitor has to know first, and this agency's own next step; the lead's own step is the lead's."""
    notes = [
        pl.when(pl.col("action").str.contains(note, literal=True)).then(pl.lit(note))
        for note in (settings.staff_safety_note, settings.care_home_check_note)
    ]
    step = pl.coalesce("own_step", "door_step")
    return pl.concat_str(*notes, step, separator=". ", ignore_nulls=True)
