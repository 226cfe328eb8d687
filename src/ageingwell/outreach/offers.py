"""A week's offers in order, and the choice stated over them: who could come to which door, using whose places."""

import math
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ageingwell.config.outreach import Capacity, Floors, OutreachSettings
from ageingwell.outreach.solve import STEPS, Problem, best_choice
from ageingwell.register import LEAD_AGENCIES

# Offers of one kind use the same places, count for the same floors and meet as many urgent needs.
_KIND = ("teams_key", "groups", "urgent_met")
# Of two offers worth the same the one to which more agencies come is the better.
_ORDER = ("worth", "rank", "door_id", "n_stay_away", "lead_agency", "teams_key")
_DESCENDING = (True, False, False, False, False, False)


@dataclass(frozen=True)
class Week:
    """What is settled before the week's choice: `agreed`, the doors a meeting agreed on, each with its lead alone;
    `company`, who could come along to them, worth what they add; and the floors."""

    agreed: pl.DataFrame
    company: pl.DataFrame
    floors: Floors

    def visits(self, chosen: pl.DataFrame) -> pl.DataFrame:
        """The agreed doors, with whoever was chosen to come along."""
        joined = chosen.filter("is_agreed_lead").with_columns(
            value=pl.col("value_in_all"), urgent_met=pl.col("urgent_in_all")
        )
        alone = self.agreed.filter(~pl.col("door_id").is_in(joined["door_id"].implode()))
        return pl.concat([alone, joined.select(alone.columns)])


def company_of(offers: pl.DataFrame, agreed: pl.DataFrame) -> pl.DataFrame:
    """Who could come along to the doors agreed: offers that use the others' places and are worth what these add.

    They count for no floor, as their door counts already.
    """
    alone = agreed.select("door_id", base="value", base_worth="worth", base_met="urgent_met", lead_team="team")
    joint = offers.filter(pl.col("is_agreed_lead") & (pl.col("joint_with").list.len() > 0))
    return (
        joint.join(alone, on="door_id")
        .with_columns(
            value=pl.col("value") - pl.col("base"),
            worth=(pl.col("worth") - pl.col("base_worth")).clip(0),
            urgent_met=pl.col("urgent_met") - pl.col("base_met"),
            teams=pl.col("teams").list.set_difference(pl.concat_list("lead_team")).list.sort(),
            risk_reached=pl.lit(0.0),
            counts_for_floors=pl.lit(value=False),
        )
        .select(offers.columns)
        .sort(*_ORDER, descending=_DESCENDING)
    )


def reduce_offers(offers: pl.DataFrame, *, n_places: int) -> pl.DataFrame:
    """Keep, of each kind of offer, the `n_places` of the most worth; offers are of one kind that use the same places,
    count for the same floors and meet as much urgent need.

    This loses nothing. At most `n_places` doors are visited in all. If a best choice uses an offer outside those
    kept, one of the `n_places` kept offers of its kind has a door nobody visits; taking it instead leaves every
    team's places, every floor and the urgent need met as they were, and is worth no less. So the size of the
    problem depends on the week's places, not on the number of doors.
    """
    return offers.filter(pl.int_range(pl.len()).over(_KIND) < n_places)


def _team(capacity: Capacity) -> pl.Expr:
    """The number, in the order of `by_team`, of the team of an agency that would serve an offer's place."""
    team = pl.col("agency").replace_strict(
        {agency: number for number, agency in enumerate(LEAD_AGENCIES)}, return_dtype=pl.Int64
    )
    for number, one in enumerate(capacity.place_teams, start=len(LEAD_AGENCIES)):
        is_theirs = (pl.col("agency") == one.agency) & pl.col("place").is_in(one.places)
        team = pl.when(is_theirs).then(pl.lit(number, dtype=pl.Int64)).otherwise(team)
    return team


def _teams(doors: pl.DataFrame, capacity: Capacity) -> pl.DataFrame:
    """The teams whose places each offer would use: `team` of the lead, `teams` of everybody who comes, in order."""
    offers = doors.with_row_index("_offer")
    agencies = pl.concat_list("lead_agency", "joint_with").alias("agency")
    coming = offers.select("_offer", "place", agencies).explode("agency").with_columns(team=_team(capacity))
    by_offer = coming.group_by("_offer", maintain_order=True).agg(pl.col("team").first(), teams=pl.col("team").sort())
    return offers.join(by_offer, on="_offer", maintain_order="left").drop("_offer")


def in_order(doors: pl.DataFrame, capacity: Capacity, floors: Floors, settings: OutreachSettings) -> pl.DataFrame:
    """Offers in the one order that breaks ties: worth, rank, door, who comes; with worth in whole steps, and teams."""
    listed = 1 + settings.stay_margin
    groups = [f"is_{name}" for name, share in floors.shares().items() if share > 0]
    return (
        _teams(doors, capacity)
        .with_columns(
            worth=(pl.when(pl.col("was_listed")).then(pl.col("value") * listed).otherwise(pl.col("value")) * STEPS)
            .round()
            .cast(pl.Int64),
            teams_key=pl.col("teams").cast(pl.List(pl.String)).list.join(" "),
            groups=pl.concat_str([pl.lit(""), *(pl.col(name).cast(pl.Int8).cast(pl.String) for name in groups)]),
            is_agreed_lead=pl.col("is_frozen")
            & (pl.col("lead_agency") == pl.col("previous_lead")).fill_null(value=False),
            n_stay_away=pl.col("not_coming").list.len().cast(pl.Int64),
            value_in_all=pl.col("value"),
            urgent_in_all=pl.col("urgent_met"),
            counts_for_floors=pl.lit(value=True),
        )
        .sort(*_ORDER, descending=_DESCENDING)
    )


def agreed_doors(offers: pl.DataFrame) -> pl.DataFrame:
    """The doors a meeting agreed on, each with its lead alone; all of them are visited, places or not."""
    of_lead = offers.filter(pl.col("is_agreed_lead") & (pl.col("joint_with").list.len() == 0))
    return of_lead.sort("rank", "door_id")


def _uses(offers: pl.DataFrame, places: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which teams' places each offer uses: one row a team, one column an offer."""
    uses = np.zeros((len(places), offers.height), dtype=bool)
    pairs = offers.select("teams").with_row_index("at").explode("teams").drop_nulls()
    uses[pairs["teams"].to_numpy(), pairs["at"].to_numpy()] = True
    return uses


def places_used(visits: pl.DataFrame, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places taken, by team."""
    return np.asarray(_uses(visits, places).sum(axis=1), dtype=np.int64)


def floor_places(floors: Floors, n_places: int) -> NDArray[np.int64]:
    """How many places each floor keeps of `n_places` that can be used, in the order of the floors."""
    # Rounded before the ceiling: 0.1 × 30 is a hair above 3 in binary and must stay 3.
    return np.array([math.ceil(round(share * n_places, 6)) for share in floors.shares().values()], dtype=np.int64)


def in_groups(offers: pl.DataFrame, floors: Floors) -> NDArray[np.bool_]:
    """Membership of the floor groups: one row a group, one column an offer."""
    counts = offers["counts_for_floors"].to_numpy()
    names = list(floors.shares())
    members = np.array([offers[f"is_{name}"].to_list() for name in names], dtype=bool)
    return np.asarray(members.reshape(len(names), offers.height) & counts, dtype=bool)


def problem_of(offers: pl.DataFrame, places: NDArray[np.int64]) -> Problem:
    """State the week's choice, without floors, over the offers that can matter."""
    return Problem(
        door=(offers["door_id"].rank("dense").cast(pl.Int64) - 1).to_numpy(),
        uses=_uses(offers, places),
        worth=offers["worth"].to_numpy(),
        urgent=offers["urgent_met"].to_numpy(),
        places=places,
        in_group=np.zeros((0, offers.height), dtype=bool),
        floor=np.array([], dtype=np.int64),
    )


def n_usable(unbound: Problem, offers: pl.DataFrame) -> int:
    """How many of the places can be used at all: the most doors that can be visited, each once and by one agency.

    A floor is a share of these: a place that no door needs is none that could be kept for somebody.
    """
    alone = ((offers["joint_with"].list.len() == 0) & ~offers["is_agreed_lead"]).to_numpy()
    none = np.zeros(int(alone.sum()), dtype=np.int64)
    visits = replace(
        unbound,
        door=np.unique(unbound.door[alone], return_inverse=True)[1],
        uses=unbound.uses[:, alone],
        worth=none + 1,
        urgent=none,
        in_group=unbound.in_group[:, alone],
    )
    return int(best_choice(visits).sum())


def with_floors(unbound: Problem, offers: pl.DataFrame, week: Week, *, floor: NDArray[np.int64]) -> Problem:
    """The choice with the floors that visits already agreed do not fill."""
    still = floor - in_groups(week.agreed, week.floors).sum(axis=1)
    return replace(unbound, in_group=in_groups(offers, week.floors)[still > 0], floor=still[still > 0])
