"""Tonight's list: one row an allocated person, what is new on it, and what became of everyone else."""

from datetime import date

import polars as pl

from ageingwell.config.outreach import OutreachSettings
from ageingwell.outreach.eligible import LEFT
from ageingwell.outreach.household import URGENCY
from ageingwell.outreach.order import act_by, in_printed_order, most_urgent_at
from ageingwell.outreach.rank import need_value
from ageingwell.register import AGENCY_WORDS

LIST_COLUMNS = (
    "position",
    "urgency",
    "act_by",
    "rank",
    "person_id",
    "household_id",
    "place",
    "lead_agency",
    "joint_with",
    "partners_full",
    "needs",
    "risk",
    "risk_low",
    "risk_high",
    "band",
    "why",
    "known_to",
    "action",
    "status",
)


def list_rows(
    visits: pl.DataFrame, *, ranked: pl.DataFrame, needs: pl.DataFrame, settings: OutreachSettings, as_of: date
) -> pl.DataFrame:
    """List everyone at the doors that got a place: one row a person, in the order in which the list is printed.

    `urgency` is that of the most urgent need of anybody listed at the door, and `act_by` the day by which to act on it:
    one visit sees to all of them. `position` is the printed order. `joint_with` are the agencies that come along, and
    `partners_full` those that lead a need here and have no place left.

    `action` is the next step for the most urgent need that the lead agency leads there, the person's own before the
    door's, with who is asked to come along; before it stands what the visitor has to know first. `needs` holds every
    need of the person, whoever leads it.
    """
    people = visits.select(
        "lead_agency", "joint_with", pl.col("not_coming").alias("partners_full"), person_id="person_ids"
    ).explode("person_id")
    rows = (
        people.join(ranked, on="person_id", how="left")
        .join(_needs_of(needs), on="person_id", how="left")
        .join(_next_actions(people, ranked, needs, settings), on="person_id", how="left")
        .with_columns(pl.col("needs").fill_null([]), pl.col("known_to").fill_null([]).list.sort())
    )
    told = rows.with_columns(
        action=_action(settings),
        status=pl.when("is_frozen").then(pl.col("previous_status")).otherwise(pl.lit("proposed")),
    )
    urgent = most_urgent_at(told, needs).with_columns(act_by=act_by(pl.col("urgency"), as_of=as_of, settings=settings))
    return in_printed_order(urgent).select(LIST_COLUMNS)


def unplaced(ranked: pl.DataFrame, *, listed: pl.Series, losers: pl.DataFrame | None = None) -> pl.DataFrame:
    """Say of every eligible person who is not on the list where they left: one row a person, as `eligible` does.

    `listed` are the people on the list (person_id); `losers` those who lost a lot and are left in peace (person_id,
    re_enters_on).

    `rank`: no need was found and the risk is not among the highest. `allocate`: a need or a high risk, and no place
    this week, or none because the lot was lost.
    """
    nobody = pl.DataFrame(schema={"person_id": pl.String, "re_enters_on": pl.Date})
    off = ranked.filter(~pl.col("person_id").is_in(listed.implode()))
    is_candidate = pl.col("why").is_not_null()
    lost = is_candidate & pl.col("re_enters_on").is_not_null()
    return (
        off.join(nobody if losers is None else losers, on="person_id", how="left")
        .select(
            "person_id",
            pl.when(is_candidate).then(pl.lit("allocate")).otherwise(pl.lit("rank")).alias("step"),
            pl.when(lost)
            .then(pl.lit("lost_the_lot"))
            .when(is_candidate)
            .then(pl.lit("no_place_this_week"))
            .otherwise(pl.lit("no_need_or_high_risk"))
            .alias("reason"),
            pl.when(lost).then("re_enters_on"),
        )
        .sort("person_id")
        .cast(LEFT)
    )


def compare_with_previous(
    rows: pl.DataFrame, *, previous: pl.DataFrame | None, left: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Mark who is new since the last list, and say who has left it and why.

    `left` is everyone's reason (`person_id`, `step`, `reason`, `re_enters_on`), from every step of the night. Gives
    the rows with `new_since_last`, and those who are gone: `person_id`, `household_id`, `lead_agency` of last time,
    `reason` and `re_enters_on`. Someone no step has seen is `no_longer_in_the_records`: not permitted any more, or
    not registered. Without an earlier list everyone is new.

    >>> rows = pl.DataFrame({"person_id": ["p1", "p2"]})
    >>> last = pl.DataFrame({"person_id": ["p1", "p9"], "household_id": ["h1", "h9"], "lead_agency": ["gp", "fire"]})
    >>> left = pl.DataFrame({"person_id": ["p9"], "step": ["eligible"], "reason": ["moved"], "re_enters_on": [None]})
    >>> new, gone = compare_with_previous(rows, previous=last, left=left)
    >>> new["new_since_last"].to_list(), gone.select("person_id", "reason").rows()
    ([False, True], [('p9', 'moved')])
    """
    if previous is None:
        nobody = pl.DataFrame(schema={"person_id": pl.String, "household_id": pl.String, "lead_agency": pl.String})
        return compare_with_previous(rows, previous=nobody, left=left)
    marked = rows.with_columns(new_since_last=~pl.col("person_id").is_in(previous["person_id"].implode()))
    reasons = left.select("person_id", "reason", "re_enters_on").unique("person_id", keep="first", maintain_order=True)
    gone = (
        previous.filter(~pl.col("person_id").is_in(rows["person_id"].implode()))
        .select("person_id", "household_id", "lead_agency")
        .join(reasons, on="person_id", how="left")
        .with_columns(pl.col("reason").fill_null("no_longer_in_the_records"))
        .sort("person_id")
    )
    return marked, gone


def _needs_of(needs: pl.DataFrame) -> pl.DataFrame:
    return (
        needs.filter(pl.col("person_id").is_not_null()).group_by("person_id").agg(pl.col("need").sort().alias("needs"))
    )


def _next_actions(
    people: pl.DataFrame, ranked: pl.DataFrame, needs: pl.DataFrame, settings: OutreachSettings
) -> pl.DataFrame:
    """The next step for each person at a visited door: their own most urgent need of the lead, else the door's."""
    at_door = people.join(ranked.select("person_id", "household_id"), on="person_id").with_columns(
        door_id=pl.coalesce("household_id", "person_id")
    )
    theirs = at_door.join(needs.select("person_id", "need", "urgency", "lead_agency", "action"), on="person_id")
    led = theirs.filter(pl.col("lead_agency") == pl.col("lead_agency_right")).with_columns(
        worth=need_value(settings.need_values),
        urgency_rank=pl.col("urgency").replace_strict(URGENCY, return_dtype=pl.Int64),
    )
    first = led.sort("urgency_rank", "worth", "need", "person_id", descending=[False, True, False, False])
    own = first.group_by("person_id").agg(pl.col("action").first().alias("own_action"))
    of_door = first.group_by("door_id").agg(pl.col("action").first().alias("door_action"))
    return (
        at_door.join(own, on="person_id", how="left")
        .join(of_door, on="door_id", how="left")
        .select("person_id", pl.coalesce("own_action", "door_action").alias("next_action"))
    )


def _action(settings: OutreachSettings) -> pl.Expr:
    """One line: what to know first, the next step, who is needed and cannot come, who comes along."""
    step = (
        pl.when(pl.col("household_id").is_null())
        .then(pl.lit(settings.no_door_action))
        .otherwise(pl.col("next_action").fill_null(settings.high_risk_action))
    )
    partners, full = (
        pl.col(name).list.eval(pl.element().replace_strict(AGENCY_WORDS, return_dtype=pl.String)).list.join(", ")
        for name in ("joint_with", "partners_full")
    )
    return pl.concat_str(
        pl.when(pl.col("has_staff_safety_marker").fill_null(value=False)).then(pl.lit(settings.staff_safety_note)),
        pl.when(pl.col("care_home") == "check").then(pl.lit(settings.care_home_check_note)),
        step,
        pl.when(pl.col("partners_full").list.len() > 0).then(pl.format("Needed here, with no place left: {}", full)),
        pl.when(pl.col("joint_with").list.len() > 0).then(pl.format("Joint visit with: {}", partners)),
        separator=". ",
        ignore_nulls=True,
    )
