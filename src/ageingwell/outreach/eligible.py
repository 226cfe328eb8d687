"""Who may be offered help tonight, and why each of the others may not.

Everyone who comes in goes out once: among the eligible, or among those who left, with the first reason that holds.
"""

from datetime import date

import polars as pl

from ageingwell.config.outreach import CoolingOff, OutreachSettings

LEFT = pl.Schema({"person_id": pl.String, "step": pl.String, "reason": pl.String, "re_enters_on": pl.Date})

# First reason that holds wins: facts that end every contact come before those that only put it off, and
# safeguarding before all that merely postpones, so that it is always counted and routed.
REASONS: tuple[tuple[str, pl.Expr], ...] = (
    ("deceased", pl.col("is_deceased") | pl.col("is_reported_deceased")),
    ("moved", pl.col("has_moved") | pl.col("is_reported_moved")),
    ("safeguarding", pl.col("is_safeguarded")),
    ("safeguarding_at_home", pl.col("is_safeguarded_at_home")),
    ("record_held", pl.col("is_record_held")),
    ("care_home", pl.col("care_home") == "yes"),
    ("end_of_life", pl.col("is_end_of_life")),
    ("in_hospital", pl.col("is_in_hospital")),
    ("no_to_settle", pl.col("is_held")),
    ("cooling_off", pl.col("re_enters_on").is_not_null()),
    ("decided_otherwise", pl.col("rests_until").is_not_null()),
)
_PUT_OFF = ("cooling_off", "decided_otherwise")


def eligible(
    people: pl.DataFrame,
    *,
    contacts: pl.DataFrame,
    settings: OutreachSettings,
    as_of: date,
    resting: pl.DataFrame | None = None,
    agreed: pl.DataFrame | None = None,
    held: pl.DataFrame | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split people into those who may be offered help tonight and those who may not, with the reason.

    `people` is one row a person; the eligible keep its columns and order. Those who left have `person_id`, `step`,
    `reason` and, where it is put off, `re_enters_on`: the first night they can be listed again. `resting` (person_id,
    re_enters_on) are those of whom the group decided otherwise for now. A contact binds everyone
    who lives at the door with someone it was made with, but not those who moved in after it. Somebody whose visit is
    `agreed` (person_id) is put off by contacts with them or with their home, and by a refusal at their door, but not by
    a visit to another there, which is not the one agreed. A visit that is `held` (person_id, household_id) until the
    chair says holds everyone at that door. A staff safety marker of
    anyone at the door, eligible or not, holds for everyone there. Where one of a household is under safeguarding,
    no agency knocks for another of them either: the safeguarding lead decides (`safeguarding_at_home`). That does not
    reach across an address that may be a care home, where many who share it are strangers. Somebody reported as moved
    comes back after the days of the settings, in which the register could follow; a death reported is never undone by
    time.

    >>> flags = ["is_deceased", "has_moved", "is_safeguarded", "is_record_held", "is_end_of_life", "is_in_hospital",
    ...          "has_staff_safety_marker"]
    >>> people = pl.DataFrame({
    ...     "person_id": ["p1", "p2", "p3"], "household_id": ["h1", "h1", "h3"], "care_home": ["no", "no", "yes"],
    ...     "lived_here_from": [date(2020, 1, 1)] * 3, **{flag: [False] * 3 for flag in flags},
    ... })
    >>> contacts = pl.DataFrame({
    ...     "person_id": ["p1"], "household_id": [None], "agency": ["fire"], "contacted_on": [date(2026, 11, 1)],
    ...     "outcome": ["no_access"], "recorded_on": [date(2026, 11, 2)],
    ... }, schema_overrides={"household_id": pl.String})
    >>> _, left = eligible(people, contacts=contacts, settings=OutreachSettings(), as_of=date(2026, 11, 10))
    >>> left.rows()
    [('p1', 'eligible', 'cooling_off', datetime.date(2026, 11, 15)),
     ('p2', 'eligible', 'cooling_off', datetime.date(2026, 11, 15)),
     ('p3', 'eligible', 'care_home', None)]
    """
    asked = people.join(
        _reported(people, contacts, days=settings.cooling_off_days, as_of=as_of).join(
            _in_peace(people, contacts, agreed, days=settings.cooling_off_days, as_of=as_of),
            on="person_id",
            how="full",
            coalesce=True,
        ),
        on="person_id",
        how="left",
        maintain_order="left",
    )
    nobody = pl.DataFrame(schema={"person_id": pl.String, "re_enters_on": pl.Date})
    decided = (nobody if resting is None else resting).select("person_id", rests_until="re_enters_on")
    asked = asked.join(decided, on="person_id", how="left", maintain_order="left")
    asked = asked.with_columns(pl.col("is_reported_deceased").fill_null(value=False))
    told_of_a_move = pl.col("moved_until").is_not_null() & ~pl.col("is_deceased") & ~pl.col("has_moved")
    asked = asked.with_columns(is_reported_moved=told_of_a_move, is_held=_is_held(held))
    asked = asked.with_columns(
        has_staff_safety_marker=_anyone_at_the_door("has_staff_safety_marker"),
        is_safeguarded_at_home=_anyone_at_the_door("is_safeguarded") & (pl.col("care_home") == "no"),
    )
    first = pl.coalesce(pl.when(holds.fill_null(value=False)).then(pl.lit(name)) for name, holds in REASONS)
    sorted_out = asked.with_columns(reason=first)
    left = sorted_out.filter(pl.col("reason").is_not_null()).select(
        "person_id",
        pl.lit("eligible").alias("step"),
        "reason",
        pl.when(pl.col("reason").is_in(_PUT_OFF))
        .then(pl.max_horizontal("re_enters_on", "rests_until"))
        .when((pl.col("reason") == "moved") & pl.col("is_reported_moved"))
        .then(pl.max_horizontal("moved_until", "re_enters_on", "rests_until"))
        .alias("re_enters_on"),
    )
    stay = sorted_out.filter(pl.col("reason").is_null()).select(people.columns)
    return stay, left.sort("person_id").cast(LEFT)


def _is_held(held: pl.DataFrame | None) -> pl.Expr:
    """Whether somebody's agreed visit waits for the chair, or that of somebody at their door."""
    if held is None:
        return pl.lit(value=False)
    own = pl.col("person_id").is_in(held["person_id"].implode())
    return own | pl.col("household_id").is_in(held["household_id"].drop_nulls().implode()).fill_null(value=False)


def _in_peace(
    people: pl.DataFrame, contacts: pl.DataFrame, agreed: pl.DataFrame | None, *, days: CoolingOff, as_of: date
) -> pl.DataFrame:
    """Who is cooling off; of those with an agreed visit by contacts with them or their home, and refusals there."""
    if agreed is None or agreed.is_empty():
        return left_in_peace(people, contacts=contacts, days=days, as_of=as_of)
    everybody = left_in_peace(people, contacts=contacts, days=days, as_of=as_of)
    is_agreed = pl.col("person_id").is_in(agreed["person_id"].implode())
    nowhere = people.with_columns(household_id=pl.lit(None, dtype=pl.String))
    own = left_in_peace(nowhere, contacts=contacts.drop_nulls("person_id"), days=days, as_of=as_of)
    # Of somebody else there a no alone counts: it is one for all at the door, whoever says it.
    of_home = contacts.filter(pl.col("person_id").is_null() | pl.col("outcome").is_in(_NOES))
    theirs = pl.concat([own, left_in_peace(people, contacts=of_home, days=days, as_of=as_of)])
    latest = theirs.filter(is_agreed).group_by("person_id").agg(pl.col("re_enters_on").max())
    return pl.concat([everybody.filter(~is_agreed), latest]).sort("person_id")


# Outcomes that are somebody's no.
_NOES = ("declined_help", "refused")


def with_homes_of_others(contacts: pl.DataFrame, *, people: pl.DataFrame, registered: pl.DataFrame) -> pl.DataFrame:
    """Add, for each contact with somebody too young to be listed, one with the home they lived in: it binds all there.

    `people` are those who may be listed, `registered` everybody of any age: person_id, household_id, lived_here_from.

    >>> contacts = pl.DataFrame({
    ...     "person_id": ["p9"], "household_id": [None], "agency": ["fire"], "contacted_on": [date(2026, 11, 1)],
    ...     "outcome": ["refused"], "recorded_on": [date(2026, 11, 2)],
    ... }, schema_overrides={"household_id": pl.String})
    >>> lives = {"household_id": "h1", "lived_here_from": date(2020, 1, 1)}
    >>> registered = pl.DataFrame([{"person_id": "p1", **lives}, {"person_id": "p9", **lives}])
    >>> both = with_homes_of_others(contacts, people=registered.head(1), registered=registered)
    >>> both.select("person_id", "household_id", "outcome").rows()
    [('p9', None, 'refused'), (None, 'h1', 'refused')]
    """
    others = registered.join(people.select("person_id"), on="person_id", how="anti").drop_nulls("household_id")
    met = (
        contacts.drop("household_id").join(others, on="person_id").filter(_LIVED_HERE & (pl.col("outcome") != "moved"))
    )
    homes = met.with_columns(person_id=pl.lit(None, dtype=pl.String)).select(contacts.columns)
    return pl.concat([contacts, homes])


def _anyone_at_the_door(flag: str) -> pl.Expr:
    mine = pl.col(flag).fill_null(value=False)
    return pl.when(pl.col("household_id").is_null()).then(mine).otherwise(mine.any().over("household_id"))


def left_in_peace(people: pl.DataFrame, *, contacts: pl.DataFrame, days: CoolingOff, as_of: date) -> pl.DataFrame:
    """Find who is still cooling off: `person_id` and `re_enters_on`, the latest where several contacts count.

    Only contacts recorded before `as_of` count; the cooling-off ends on the day itself.
    """
    known = contacts.filter(pl.col("recorded_on") < as_of).with_columns(
        re_enters_on=pl.col("contacted_on")
        + pl.duration(days=pl.col("outcome").replace_strict(days.model_dump(), default=0, return_dtype=pl.Int64))
    )
    bound = pl.concat([_bound_by_person(people, known), _bound_by_home(people, known)]).filter(
        pl.col("re_enters_on") > as_of
    )
    together = (
        bound.filter(pl.col("binds_household") & pl.col("household_id").is_not_null())
        .group_by("household_id")
        .agg(pl.col("re_enters_on").max())
        .join(people.select("household_id", "person_id"), on="household_id")
        .select("person_id", "re_enters_on")
    )
    alone = bound.select("person_id", "re_enters_on")
    return pl.concat([together, alone]).group_by("person_id").agg(pl.col("re_enters_on").max()).sort("person_id")


# The contact counts for the present home if the person lived there on that day, or if nobody knows since when.
_LIVED_HERE = pl.col("lived_here_from").is_null() | (pl.col("lived_here_from") <= pl.col("contacted_on"))


def _bound_by_person(people: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Those with whom a contact was made. One person's move is no reason to leave the others in peace."""
    met = known.filter(pl.col("person_id").is_not_null()).select("person_id", "contacted_on", "outcome", "re_enters_on")
    return people.join(met, on="person_id").select(
        "person_id",
        "household_id",
        "re_enters_on",
        (_LIVED_HERE & (pl.col("outcome") != "moved")).alias("binds_household"),
    )


def _bound_by_home(people: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Those who lived in a home on the day it was contacted."""
    called = known.filter(pl.col("household_id").is_not_null()).select("household_id", "contacted_on", "re_enters_on")
    return (
        people.join(called, on="household_id")
        .filter(_LIVED_HERE)
        .select("person_id", "household_id", "re_enters_on", pl.lit(value=True).alias("binds_household"))
    )


def _reported(people: pl.DataFrame, contacts: pl.DataFrame, *, days: CoolingOff, as_of: date) -> pl.DataFrame:
    """People whom an agency reported as deceased, or as moved: person_id, is_reported_deceased, moved_until.

    `moved_until` is the first night on which the register, which still has them at the same home, is believed again.
    However late they were recorded: a withdrawal is never held back by its recording date.
    """
    met = people.select("person_id", "lived_here_from").join(
        contacts.filter(pl.col("person_id").is_not_null()).select("person_id", "contacted_on", "outcome"),
        on="person_id",
    )
    until = pl.col("contacted_on") + pl.duration(days=days.moved)
    has_moved = (pl.col("outcome") == "moved") & _LIVED_HERE & (until > as_of)
    return met.group_by("person_id").agg(
        is_reported_deceased=(pl.col("outcome") == "deceased").any(), moved_until=until.filter(has_moved).max()
    )
