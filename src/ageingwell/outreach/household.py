"""One knock a door: people who share a home are visited together, by one lead agency."""

import polars as pl

from ageingwell.config.outreach import OutreachSettings
from ageingwell.outreach.rank import need_value

ONLY_BY_LETTER = "gp"  # who writes or telephones where no home is linked to the person


def one_knock_a_door(ranked: pl.DataFrame, needs: pl.DataFrame, *, settings: OutreachSettings) -> pl.DataFrame:
    """Join people into doors and say which agencies could lead there, and what each lead would be worth.

    One row a door and possible lead. A door is a household; a person without one is a door of their own, for the
    practice to write to. An agency can lead where it leads a need of someone at the door; where the model alone
    brought everyone at the door, the lead follows the theme of the strongest reason (`top_theme`, if it is there).

    `value`, in units of risk: the risks of the `people_a_visit` highest risks at the door, plus the worth of each
    need there, counted once a door, in full where the agency leads it and at `joint_share` where another does.
    `joint_with` names those others: they are asked to come along.

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
    >>> doors.select("door_id", "lead_agency", "value", "joint_with", "person_ids").rows()
    [('h1', 'fire', 0.55, ['housing'], ['p1', 'p2']), ('h1', 'housing', 0.55, ['fire'], ['p1', 'p2'])]
    """
    people = ranked.with_columns(door_id=pl.coalesce("household_id", "person_id")).sort("rank")
    candidates = people.filter(pl.col("why").is_not_null())
    doors = _doors(candidates, people, settings)
    worth = _needs_at_doors(candidates, needs, settings)
    leads = pl.concat(
        [worth.select("door_id", "lead_agency"), _leads_without_need(candidates, worth, settings), _frozen_leads(doors)]
    ).unique()
    return (
        leads.join(worth, on=["door_id", "lead_agency"], how="left")
        .join(_whole_need(worth), on="door_id", how="left")
        .join(doors, on="door_id")
        .with_columns(pl.col("own_need", "whole_need").fill_null(0.0), pl.col("leads_there").fill_null([]))
        .with_columns(
            value=(
                pl.col("risk_reached")
                + pl.col("own_need")
                + settings.joint_share * (pl.col("whole_need") - pl.col("own_need"))
            ).round(6),
            joint_with=pl.col("leads_there").list.set_difference(pl.concat_list("lead_agency")).list.sort(),
            was_listed=(pl.col("lead_agency") == pl.col("previous_lead")).fill_null(value=False),
        )
        .drop("leads_there", "own_need", "whole_need")
        .sort("rank", "door_id", "lead_agency")
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
    """What the needs an agency leads at a door are worth; a need two people share is one need of the door."""
    at_doors = needs.join(candidates.select("person_id", "door_id", "household_id"), on="person_id")
    return (
        at_doors.with_columns(
            lead_agency=pl.when(pl.col("household_id").is_null())
            .then(pl.lit(ONLY_BY_LETTER))
            .otherwise(pl.col("lead_agency")),
            worth=need_value(settings.need_values),
        )
        .group_by("door_id", "lead_agency", "need")
        .agg(pl.col("worth").max())
        .group_by("door_id", "lead_agency")
        .agg(pl.col("worth").sort().sum().alias("own_need"))
    )


def _whole_need(worth: pl.DataFrame) -> pl.DataFrame:
    return (
        worth.sort("door_id", "lead_agency")
        .group_by("door_id", maintain_order=True)
        .agg(pl.col("own_need").sum().alias("whole_need"), pl.col("lead_agency").alias("leads_there"))
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
