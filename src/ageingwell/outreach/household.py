"""One knock a door: people who share a home are visited together, by one lead agency and those who come along."""

from itertools import combinations

import polars as pl

from ageingwell.config.outreach import OutreachSettings
from ageingwell.outreach.rank import need_value
from ageingwell.register import LEAD_AGENCIES

ONLY_BY_LETTER = "gp"  # who writes or telephones where no home is linked to the person
URGENCY = {"urgent": 0, "soon": 1, "routine": 2}
NO_NEED = len(URGENCY)
_NUMBERS = {agency: number for number, agency in enumerate(LEAD_AGENCIES)}


def one_knock_a_door(ranked: pl.DataFrame, needs: pl.DataFrame, *, settings: OutreachSettings) -> pl.DataFrame:
    """Join people into doors and say which agencies could come to each, who would lead, and what that would be worth.

    One row a door and set of agencies that could come there together. A door is a household; a person without one is a
    door of their own, for the practice to write to. An agency can come where it leads a need of someone at the door;
    where the model alone brought everyone at the door, the lead follows the theme of the strongest reason
    (`top_theme`, if it is there) and comes alone.

    Of those that come the one with the most urgent need leads; among equals who led last time, then whose needs are
    worth more. `joint_with` names the others, and `not_coming` the agencies that lead a need there and stay away:
    each agency that comes uses one of its own places.

    `value`, in units of risk: the risks of the `people_a_visit` highest risks at the door, plus the worth of each
    need there, counted once a door, in full where the lead leads it and at `joint_share` where another agency comes
    for it. `urgent_met` counts the agencies with an urgent need that come; `is_urgent` tells whether there is one.

    A home is unknown to every service where the records of each came and know nobody there: `not_told_by`, if it is
    there, names those that could not be looked in.

    >>> ranked = pl.DataFrame({
    ...     "person_id": ["p1", "p2"], "household_id": ["h1", "h1"], "rank": [1, 2], "risk": [0.30, 0.10],
    ...     "why": ["both", "rule"], "place": ["Ludlow"] * 2, "known_to": [["fire"], []], "is_rural": [1.0, 1.0],
    ...     "deprivation_decile": [4, 4], "previous_lead": [None] * 2, "is_frozen": [False] * 2,
    ... }, schema_overrides={"previous_lead": pl.String, "known_to": pl.List(pl.String)})
    >>> needs = pl.DataFrame({
    ...     "person_id": ["p1", "p2"], "need": ["no_working_alarm", "cold_home"], "lead_agency": ["fire", "housing"],
    ...     "urgency": ["soon", "soon"],
    ... })
    >>> doors = one_knock_a_door(ranked, needs, settings=OutreachSettings())
    >>> doors.select("door_id", "lead_agency", "joint_with", "not_coming", "value").rows()
    [('h1', 'fire', [], ['housing'], 0.5), ('h1', 'housing', [], ['fire'], 0.5), ('h1', 'housing', ['fire'], [], 0.55)]
    """
    people = ranked.with_columns(door_id=pl.coalesce("household_id", "person_id")).sort("rank")
    candidates = people.filter(pl.col("why").is_not_null())
    doors = _doors(candidates, people, settings)
    worth = _needs_at_doors(candidates, needs, settings)
    could_come = pl.concat(
        [worth, _leads_without_need(candidates, worth, settings), _frozen_leads(doors)], how="diagonal"
    ).unique(["door_id", "lead_agency"], keep="first", maintain_order=True)
    sets = _sets_of_agencies(could_come.with_columns(pl.col("own_need").fill_null(0.0)), doors, settings)
    return (
        sets.join(doors, on="door_id")
        .with_columns(
            value=(pl.col("risk_reached") + pl.col("met")).round(6),
            was_listed=(pl.col("lead_agency") == pl.col("previous_lead")).fill_null(value=False),
        )
        .drop("met")
        .sort("rank", "door_id", "lead_agency", "joint_with")
    )


def _doors(candidates: pl.DataFrame, people: pl.DataFrame, settings: OutreachSettings) -> pl.DataFrame:
    """One row a door. A home is unknown to every service only if everyone there is, listed or not."""
    unknown = people.group_by("door_id").agg(_is_known_to_nobody(people).all().alias("is_unknown_to_every_service"))
    risks = pl.col("risk").cast(pl.Float64).fill_null(0.0).sort(descending=True)
    return (
        candidates.group_by("door_id", maintain_order=True)
        .agg(
            pl.col("household_id").first(),
            pl.col("place").first(),
            pl.col("rank").min(),
            pl.col("person_id").alias("person_ids"),
            risks.head(settings.people_a_visit).sum().round(6).alias("risk_reached"),
            (pl.col("deprivation_decile") <= 2).any().fill_null(value=False).alias("is_most_deprived_fifth"),
            (pl.col("is_rural").cast(pl.Float64) == 1).any().fill_null(value=False).alias("is_rural"),
            pl.col("previous_lead").drop_nulls().first(),
            pl.col("is_frozen").any(),
        )
        .join(unknown, on="door_id", how="left")
    )


def _is_known_to_nobody(people: pl.DataFrame) -> pl.Expr:
    knows_nobody = pl.col("known_to").list.len().fill_null(0) == 0
    if "not_told_by" not in people.columns:
        return knows_nobody
    return knows_nobody & (pl.col("not_told_by").list.len().fill_null(0) == 0)


def _needs_at_doors(candidates: pl.DataFrame, needs: pl.DataFrame, settings: OutreachSettings) -> pl.DataFrame:
    """What the needs an agency leads at a door are worth, and how urgent the most urgent of them is; a need that two
    people share is one need of the door.
    """
    at_doors = needs.join(candidates.select("person_id", "door_id", "household_id"), on="person_id")
    return (
        at_doors.with_columns(
            lead_agency=pl.when(pl.col("household_id").is_null())
            .then(pl.lit(ONLY_BY_LETTER))
            .otherwise(pl.col("lead_agency")),
            worth=need_value(settings.need_values),
            urgency_rank=pl.col("urgency").replace_strict(URGENCY, return_dtype=pl.Int64),
        )
        .group_by("door_id", "lead_agency", "need")
        .agg(pl.col("worth").max(), pl.col("urgency_rank").min())
        .group_by("door_id", "lead_agency")
        .agg(pl.col("worth").sort().sum().alias("own_need"), pl.col("urgency_rank").min())
    )


def _leads_without_need(candidates: pl.DataFrame, worth: pl.DataFrame, settings: OutreachSettings) -> pl.DataFrame:
    """The default lead of a door to which the model alone brought everyone."""
    theme = pl.col("top_theme") if "top_theme" in candidates.columns else pl.lit(None, dtype=pl.String)
    by_theme = settings.default_leads.model_dump()
    return (
        candidates.join(worth, on="door_id", how="anti")
        .with_columns(
            lead_agency=pl.when(pl.col("household_id").is_null())
            .then(pl.lit(ONLY_BY_LETTER))
            .otherwise(theme.fill_null("unknown").replace_strict(by_theme, return_dtype=pl.String))
        )
        .sort("rank")
        .group_by("door_id")
        .agg(pl.col("lead_agency").first())
    )


def _frozen_leads(doors: pl.DataFrame) -> pl.DataFrame:
    """The lead a meeting agreed on stays possible, whatever has become of the need."""
    return doors.filter(pl.col("is_frozen") & pl.col("previous_lead").is_not_null()).select(
        "door_id", pl.col("previous_lead").alias("lead_agency")
    )


def _sets_of_agencies(could_come: pl.DataFrame, doors: pl.DataFrame, settings: OutreachSettings) -> pl.DataFrame:
    """Every set of agencies that could come to a door together: who leads, who comes along, who does not, and what
    their needs are worth. Whoever comes along has a need there.
    """
    of_lead, of_all = pl.col("own_need").first(), pl.col("own_need").sort().sum()
    found = (
        _members(could_come, doors)
        .group_by("door_id", "comes", maintain_order=True)
        .agg(
            pl.col("lead_agency").first(),
            joint_with=pl.col("lead_agency").slice(1).sort(),
            met=of_lead + settings.joint_share * (of_all - of_lead),
            urgent_met=(pl.col("urgency_rank") == URGENCY["urgent"]).sum().cast(pl.Int64),
            _is_asked=pl.col("urgency_rank").slice(1).is_not_null().all(),
        )
    )
    return (
        found.filter("_is_asked")
        .join(_with_needs(could_come), on="door_id", how="left")
        .with_columns(not_coming=pl.col("with_needs").fill_null([]).list.set_difference("comes").list.sort())
        .drop("comes", "with_needs", "_is_asked")
        .with_columns(pl.col("is_urgent").fill_null(value=False))
    )


def _members(could_come: pl.DataFrame, doors: pl.DataFrame) -> pl.DataFrame:
    """One row a door, set and agency of it (`lead_agency`): the one that would lead first."""
    ordered = could_come.sort("door_id", "lead_agency").group_by("door_id", maintain_order=True)
    there = ordered.agg(all_there=pl.col("lead_agency").str.join(" "))
    pairs = there.join(_SETS, on="all_there").join(
        doors.select("door_id", "household_id", "previous_lead", "is_frozen"), on="door_id"
    )
    # Where no home is linked, nobody knocks: one agency writes, and nobody comes along.
    pairs = pairs.filter(pl.col("household_id").is_not_null() | (pl.col("comes").list.len() == 1))
    members = pairs.with_columns(lead_agency="comes").explode("lead_agency")
    led_before = (pl.col("lead_agency") == pl.col("previous_lead")).fill_null(value=False)
    agency = pl.col("lead_agency").replace_strict(_NUMBERS, return_dtype=pl.Int64)
    return members.join(could_come, on=["door_id", "lead_agency"], how="left").sort(
        "door_id",
        pl.col("comes").list.join(" "),
        ~(led_before & pl.col("is_frozen")),  # what a meeting agreed is led as agreed
        pl.col("urgency_rank").fill_null(NO_NEED),
        ~led_before,
        -pl.col("own_need"),
        agency,
    )


def _with_needs(could_come: pl.DataFrame) -> pl.DataFrame:
    """The agencies that lead a need at a door, and whether one is urgent: door_id, with_needs, is_urgent."""
    led = could_come.filter(pl.col("urgency_rank").is_not_null())
    return led.group_by("door_id").agg(
        with_needs=pl.col("lead_agency"), is_urgent=(pl.col("urgency_rank") == URGENCY["urgent"]).any()
    )


def _every_set() -> pl.DataFrame:
    """For all agencies that could come to one door, in order of their names, every set of them."""
    names = sorted(LEAD_AGENCIES)
    groups = [group for size in range(1, len(names) + 1) for group in combinations(names, size)]
    rows = [(" ".join(there), list(comes)) for there in groups for comes in groups if set(comes) <= set(there)]
    return pl.DataFrame(rows, schema={"all_there": pl.String, "comes": pl.List(pl.String)}, orient="row")


_SETS = _every_set()
