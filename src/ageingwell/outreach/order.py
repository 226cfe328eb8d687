"""The order in which a list is printed: what is overdue, then urgent needs, then the order of people."""

from datetime import date

import polars as pl

from ageingwell.config.outreach import OutreachSettings
from ageingwell.outreach.household import URGENCY

OVERDUE = "overdue"
ROUTINE = "routine"
_DOOR = pl.coalesce("household_id", "person_id")


def most_urgent_at(rows: pl.DataFrame, needs: pl.DataFrame) -> pl.DataFrame:
    """Say of each row how urgent the most urgent need of anybody listed at its door is: `urgency`.

    >>> rows = pl.DataFrame({"person_id": ["p1", "p2", "p3"], "household_id": ["h1", "h1", "h2"]})
    >>> needs = pl.DataFrame({"person_id": ["p2"], "urgency": ["urgent"]})
    >>> most_urgent_at(rows, needs)["urgency"].to_list()
    ['urgent', 'urgent', 'routine']
    """
    doors = rows.select("person_id", _door=_DOOR)
    rank = pl.col("urgency").replace_strict(URGENCY, return_dtype=pl.Int64)
    most = needs.join(doors, on="person_id").group_by("_door").agg(_rank=rank.min())
    words = {rank: name for name, rank in URGENCY.items()}
    return (
        rows.with_columns(_door=_DOOR)
        .join(most, on="_door", how="left", maintain_order="left")
        .with_columns(urgency=pl.col("_rank").fill_null(URGENCY[ROUTINE]).replace_strict(words, return_dtype=pl.String))
        .drop("_rank", "_door")
    )


def act_by(urgency: pl.Expr, *, as_of: date, settings: OutreachSettings) -> pl.Expr:
    """The day by which to act on a need of this urgency on the list of `as_of`; none for a routine one.

    >>> urgencies = pl.DataFrame({"urgency": ["urgent", "soon", "routine"]})
    >>> day = act_by(pl.col("urgency"), as_of=date(2026, 11, 22), settings=OutreachSettings())
    >>> urgencies.select(day.alias("day"))["day"].to_list()
    [datetime.date(2026, 11, 29), datetime.date(2026, 12, 20), None]
    """
    days = urgency.replace_strict(settings.act_within_days.model_dump(), default=None, return_dtype=pl.Int64)
    return pl.lit(as_of) + pl.duration(days=days)


def in_printed_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Number the rows as they are printed: `position` from 1, and the rows in that order.

    Doors with an overdue visit come first, then doors with an urgent need, then all others by rank. Who lives at one
    door stands together: whose visit is overdue, then by rank.

    >>> rows = pl.DataFrame({
    ...     "person_id": ["p1", "p2", "p3", "p4"], "household_id": ["h1", "h2", None, "h2"], "rank": [1, 2, 3, 90],
    ...     "urgency": ["soon", "urgent", "routine", "urgent"], "status": ["proposed"] * 2 + ["overdue", "proposed"],
    ... })
    >>> in_printed_order(rows).select("position", "person_id").rows()
    [(1, 'p3'), (2, 'p2'), (3, 'p4'), (4, 'p1')]
    """
    return (
        rows.sort(
            ~(pl.col("status") == OVERDUE).any().over(_DOOR),
            ~(pl.col("urgency") == "urgent").any().over(_DOOR),
            pl.col("rank").min().over(_DOOR),
            _DOOR,
            pl.col("status") != OVERDUE,
            "rank",
        )
        .with_columns(position=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
        .select("position", *(name for name in rows.columns if name != "position"))
    )
