"""Homes that nobody is linked to: which of them may be called on, and from when their facts count.

Linked first, excluded after: a home where somebody opted out, died or left is not one that nobody lives in. Homes are
compared with everybody the register ever named, whoever may be used, however late a row was recorded.
"""

from collections.abc import Mapping
from datetime import date

import polars as pl

from ageingwell.config.outreach import CoolingOff

# Why a home with facts of its own is not on the sheet, first reason that holds: an opt-out before all else.
REASONS = ("opted_out", "somebody_is_registered", "care_home", "cooling_off")
LEFT_OUT = pl.Schema({"household_id": pl.String, "reason": pl.String})


def linked_homes(versions: pl.LazyFrame) -> pl.DataFrame:
    """What the whole register says of each home it names: household_id, is_lived_in, empty_since, why_empty.

    `versions` are all rows of the GP register: of people who may not be used, and recorded on the night or later, too.
    `empty_since` is the last day on which somebody is known to have died there or to have left, where nobody is
    registered there now; `why_empty` is `deceased` or `moved`.

    >>> rows = pl.LazyFrame({
    ...     "person_id": ["p1", "p1", "p2"], "household_id": ["h1", "h2", "h3"],
    ...     "recorded_on": [date(2024, 1, 9), date(2025, 3, 9), date(2026, 11, 1)],
    ...     "moved_in_on": [None, date(2025, 3, 1), None], "left_on": [None, None, None],
    ...     "died_on": [None, None, date(2026, 10, 30)],
    ... }, schema_overrides={"left_on": pl.Date})
    >>> linked_homes(rows).rows()
    [('h1', False, datetime.date(2025, 3, 1), 'moved'), ('h2', True, None, None),
     ('h3', False, datetime.date(2026, 10, 30), 'deceased')]
    """
    ordered = versions.drop_nulls("household_id").sort("person_id", "recorded_on")
    last = ordered.unique(["person_id", "household_id"], keep="last", maintain_order=True)
    # Where somebody went on to is the next home the register names for them; the last one is where they are.
    moved_on = pl.coalesce("moved_in_on", "recorded_on").shift(-1).over("person_id")
    ends = last.sort("person_id", "recorded_on").with_columns(_moved=moved_on)
    gone_on = pl.coalesce("_moved", "died_on", "left_on")
    why = pl.when(pl.col("_moved").is_null() & pl.col("died_on").is_not_null()).then(pl.lit("deceased"))
    stays = ends.with_columns(_gone=gone_on, _why=why.otherwise(pl.lit("moved")))
    lived_in = pl.col("_gone").is_null().any()
    newest = pl.col("_gone").max()
    # Of a death and a move on one day the death is told: the alphabet has it first.
    reason = pl.col("_why").filter(pl.col("_gone") == newest).min()
    found = stays.group_by("household_id").agg(is_lived_in=lived_in, empty_since=newest, why_empty=reason)
    empty = ~pl.col("is_lived_in")
    return (
        found.with_columns(pl.when(empty).then(name).alias(name) for name in ("empty_since", "why_empty"))
        .sort("household_id")
        .collect()
    )


def only_since_empty(tables: Mapping[str, pl.LazyFrame], homes: pl.DataFrame) -> dict[str, pl.LazyFrame]:
    """The tables of homes without what was found while somebody now dead or gone still lived there.

    `homes` is what `linked_homes` gives.
    """
    empty = homes.filter(pl.col("empty_since").is_not_null()).select("household_id", "empty_since").lazy()
    days = {"fire_visits": "visited_on", "fire_incidents": "happened_on"}
    since = {
        name: rows.join(empty, on="household_id", how="left")
        .filter(pl.col("empty_since").is_null() | (pl.col(days[name]) > pl.col("empty_since")))
        .drop("empty_since")
        for name, rows in tables.items()
        if name in days
    }
    return {**tables, **since}


def homes_left_out(
    homes: pl.Series,
    *,
    register: pl.DataFrame,
    opted_out: pl.Series,
    care_homes: pl.Series,
    contacts: pl.DataFrame,
    visits: pl.DataFrame,
    days: CoolingOff,
    as_of: date,
    routed: pl.Series,
) -> pl.DataFrame:
    """Which of these homes are not called on although they have facts of their own, and why: household_id, reason.

    `register` is what `linked_homes` gives. `contacts` (household_id, outcome, contacted_on, recorded_on) are those
    made with the home; `visits` the fire service's own (household_id, visit_outcome, visited_on, recorded_on): one
    refused, or at which nobody came to the door, counts as a contact. A home is recently contacted, too, where
    its last resident died or left: it rests as long as the register has to follow. A home in `routed` is left to the
    safeguarding lead, so that nothing but an opt-out takes it out.
    """
    resting = pl.concat(
        [
            contacts.select("household_id", "outcome", day="contacted_on", recorded_on="recorded_on"),
            visits.filter(pl.col("visit_outcome").is_in(["refused", "no_access"])).select(
                "household_id", outcome="visit_outcome", day="visited_on", recorded_on="recorded_on"
            ),
        ]
    ).filter(pl.col("recorded_on") < as_of)
    emptied = register.drop_nulls("empty_since").select("household_id", outcome="why_empty", day="empty_since")
    until = pl.col("day") + pl.duration(
        days=pl.col("outcome").replace_strict(days.model_dump(), default=0, return_dtype=pl.Int64)
    )
    called = pl.concat([resting.drop("recorded_on"), emptied]).filter(until > as_of)
    lived_in = register.filter("is_lived_in")["household_id"]
    by_reason = dict(zip(REASONS, (opted_out, lived_in, care_homes, called["household_id"]), strict=True))
    first = pl.coalesce(
        pl.when(pl.col("household_id").is_in(found.unique().implode())).then(pl.lit(reason))
        for reason, found in by_reason.items()
    )
    asked = pl.DataFrame({"household_id": homes.unique()}, schema={"household_id": pl.String})
    is_routed = pl.col("household_id").is_in(routed.unique().implode()) & (pl.col("reason") != "opted_out")
    left_out = asked.with_columns(reason=first).drop_nulls("reason").filter(~is_routed)
    return left_out.sort("household_id").cast(LEFT_OUT)
