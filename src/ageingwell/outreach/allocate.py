"""Share each agency's and team's weekly places among the doors so that the most risk and need is reached."""

import math
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ageingwell.config.outreach import Capacity, Floors, OutreachSettings
from ageingwell.errors import ConfigError
from ageingwell.outreach.solve import STEPS, Problem, best_choice
from ageingwell.register import LEAD_AGENCIES

# Offers of one kind use the same places, count for the same floors and meet as many urgent needs.
_KIND = ("teams_key", "groups", "urgent_met")


@dataclass(frozen=True, slots=True)
class Allocation:
    """What came of sharing the places.

    `visits`: one row a door with a place: the columns of `doors`, with `is_drawn` (by lot at the margin). Who comes
    along (`joint_with`) uses a place too; the agencies in `not_coming` are needed there and have none left.
    `just_missed`: the next doors of each agency, best first, `position` from 1.
    `marginal`: one row an agency: its places, how many are used, and what one more a week would reach.
    `draw`: the doors that took part in the lot, won or not; empty unless `random_share` is set.
    `messages`: what a reader has to be told, such as a floor that could not be filled.
    `total_value`: worth reached in units of risk, without floor credit or the bonus for those already listed.
    """

    visits: pl.DataFrame
    just_missed: pl.DataFrame
    marginal: pl.DataFrame
    draw: pl.DataFrame
    messages: tuple[str, ...]
    total_value: float


def allocate(
    doors: pl.DataFrame,
    *,
    capacity: Capacity,
    floors: Floors,
    settings: OutreachSettings,
    seed: int | None = None,
) -> Allocation:
    """Choose who comes to each door, within every agency's places, to reach the most urgent need and then the most value.

    `doors` is one row a door and set of agencies that could come, as `one_knock_a_door` gives it; each agency that
    comes uses one of its places. What a meeting agreed (`is_frozen`) takes its lead's place first and keeps it,
    also beyond the week's places: that is told, and no place is then left for anybody new. Then the choice is the exact
    optimum of the problem stated in `solve`: as many urgent needs as the places allow, each met by the
    agency that leads it; then the floors and the most value.
    `value` of a door with the lead it was listed with last time counts `stay_margin` more, so a newcomer displaces it
    only when clearly worth more. Among equal choices the better rank wins; the order of rows changes nothing. A place
    that a team of an agency serves is visited within that team's places, and every other place within the rest of the
    agency's.

    >>> doors = pl.DataFrame({
    ...     "door_id": ["h1", "h1", "h2"], "household_id": ["h1", "h1", "h2"], "rank": [1, 1, 2], "place": ["x"] * 3,
    ...     "lead_agency": ["fire", "gp", "fire"], "value": [0.5, 0.4, 0.3], "risk_reached": [0.3, 0.3, 0.2],
    ...     "is_unknown_to_every_service": [False] * 3, "is_most_deprived_fifth": [False] * 3, "is_rural": [False] * 3,
    ...     "was_listed": [False] * 3, "is_frozen": [False] * 3, "previous_lead": [None] * 3,
    ...     "joint_with": [[]] * 3, "not_coming": [["gp"], ["fire"], []], "urgent_met": [0] * 3, "is_urgent": [False] * 3,
    ... }, schema_overrides={"previous_lead": pl.String, "joint_with": pl.List(pl.String)})
    >>> week = Capacity(gp=1, social_care=0, housing=0, fire=1, voluntary=0)
    >>> shared = allocate(doors, capacity=week, floors=Floors(), settings=OutreachSettings())
    >>> shared.visits.select("door_id", "lead_agency").rows()
    [('h1', 'gp'), ('h2', 'fire')]
    >>> round(shared.total_value, 2)
    0.7
    """
    offers = _in_order(doors, capacity, floors, settings)
    places = np.array([n for _, n in capacity.by_team()], dtype=np.int64)
    # Each with its lead alone: whether others come along is settled with all other places.
    of_lead = offers.filter(pl.col("is_agreed_lead") & (pl.col("joint_with").list.len() == 0))
    agreed = of_lead.sort("rank", "door_id")
    open_offers = offers.filter(~pl.col("door_id").is_in(agreed["door_id"].implode()))
    week = _Week(agreed, _company(offers, agreed), floors)
    left = np.maximum(places - _used(agreed, places), 0)
    reduced = pl.concat([week.company, reduce_offers(open_offers, n_places=int(left.sum()) + 1)])
    unbound = _problem(reduced, left)
    floor = _floor_places(floors, _n_usable(unbound, reduced) + agreed.height)
    problem = _with_floors(unbound, reduced, week, floor=floor)
    chosen = reduced.filter(best_choice(problem))
    won, draw = _draw(chosen.filter(~pl.col("is_agreed_lead")), open_offers, capacity, floors, settings, seed)
    not_drawn = pl.lit(value=False).alias("is_drawn")
    visits = pl.concat([week.visits(chosen).with_columns(not_drawn), won]).sort("rank", "door_id")
    return Allocation(
        visits=visits.select(*doors.columns, "is_drawn"),
        just_missed=_just_missed(open_offers, visits, settings.just_missed_shown),
        marginal=_marginal(reduced, problem, chosen, week, capacity),
        draw=draw,
        messages=(*_unfilled(visits, floor, floors), *_beyond_the_week(agreed, capacity)),
        total_value=_sum(visits["value"]),
    )


@dataclass(frozen=True)
class _Week:
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


def _company(offers: pl.DataFrame, agreed: pl.DataFrame) -> pl.DataFrame:
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


def offers_that_matter(
    doors: pl.DataFrame, *, capacity: Capacity, floors: Floors, settings: OutreachSettings
) -> pl.DataFrame:
    """Keep, of some doors' offers, those that could come to count beside any other doors' in `allocate`.

    These are every offer of a door that a meeting agreed on, and of each kind the offers of the most worth: no more
    doors than the week's places are visited, as many again may be drawn by lot on either side of the margin, and a few
    are told as just missed. What is left out would stand behind all of these.
    """
    offers = _in_order(doors, capacity, floors, settings)
    settled = pl.col("is_agreed_lead").any().over("door_id")
    places = sum(capacity.places().values())
    open_offers = reduce_offers(offers.filter(~settled), n_places=3 * places + settings.just_missed_shown + 1)
    return pl.concat([offers.filter(settled), open_offers]).select(doors.columns)


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


def _in_order(doors: pl.DataFrame, capacity: Capacity, floors: Floors, settings: OutreachSettings) -> pl.DataFrame:
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


# Of two offers worth the same the one to which more agencies come is the better.
_ORDER = ("worth", "rank", "door_id", "n_stay_away", "lead_agency", "teams_key")
_DESCENDING = (True, False, False, False, False, False)


def _uses(offers: pl.DataFrame, places: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which teams' places each offer uses: one row a team, one column an offer."""
    uses = np.zeros((len(places), offers.height), dtype=bool)
    pairs = offers.select("teams").with_row_index("at").explode("teams").drop_nulls()
    uses[pairs["teams"].to_numpy(), pairs["at"].to_numpy()] = True
    return uses


def _used(visits: pl.DataFrame, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places taken, by team."""
    return _uses(visits, places).sum(axis=1).astype(np.int64)


def _floor_places(floors: Floors, n_places: int) -> NDArray[np.int64]:
    # Rounded before the ceiling: 0.1 × 30 is a hair above 3 in binary and must stay 3.
    return np.array([math.ceil(round(share * n_places, 6)) for share in floors.shares().values()], dtype=np.int64)


def _in_groups(offers: pl.DataFrame, floors: Floors) -> NDArray[np.bool_]:
    """Membership of the floor groups: one row a group, one column an offer."""
    counts = offers["counts_for_floors"].to_numpy()
    names = list(floors.shares())
    members = np.array([offers[f"is_{name}"].to_list() for name in names], dtype=bool)
    return members.reshape(len(names), offers.height) & counts


def _problem(offers: pl.DataFrame, places: NDArray[np.int64]) -> Problem:
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


def _n_usable(unbound: Problem, offers: pl.DataFrame) -> int:
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


def _with_floors(unbound: Problem, offers: pl.DataFrame, week: _Week, *, floor: NDArray[np.int64]) -> Problem:
    """The choice with the floors that visits already agreed do not fill."""
    still = floor - _in_groups(week.agreed, week.floors).sum(axis=1)
    return replace(unbound, in_group=_in_groups(offers, week.floors)[still > 0], floor=still[still > 0])


def _just_missed(offers: pl.DataFrame, visits: pl.DataFrame, shown: int) -> pl.DataFrame:
    """The next doors of each agency among those that nobody visits; a door may stand under several agencies."""
    return (
        offers.filter((pl.col("joint_with").list.len() == 0) & ~pl.col("door_id").is_in(visits["door_id"].implode()))
        .sort("is_urgent", descending=True, maintain_order=True)
        .filter(pl.int_range(pl.len()).over("lead_agency") < shown)
        .with_columns(position=pl.int_range(1, pl.len() + 1).over("lead_agency"))
        .select("lead_agency", "position", "door_id", "household_id", "place", "rank", "value", "risk_reached")
        .sort("lead_agency", "position")
    )


def _marginal(
    offers: pl.DataFrame, problem: Problem, now: pl.DataFrame, week: _Week, capacity: Capacity
) -> pl.DataFrame:
    """Solve again with one more place for each agency in turn, as a night with it would: what it would reach.

    Of an agency with teams the place goes to the one where it reaches the most worth.
    """
    used, by_agreed = _used(now, problem.places), _used(week.agreed, problem.places)
    places = np.array([n for _, n in capacity.by_team()], dtype=np.int64)
    # Where agreed visits go beyond the week already, one more place reaches nobody new.
    is_over = by_agreed > places
    rows = []
    for agency in LEAD_AGENCIES:
        teams = [number for number, (of, _) in enumerate(capacity.by_team()) if of == agency]
        full = [number for number in teams if used[number] == problem.places[number] and not is_over[number]]
        thens = [_with_one_more(number, offers, problem, week) for number in full]
        then = max(thens, key=lambda reached: _sum(reached["value"]), default=now)
        rows.append(
            {
                "lead_agency": agency,
                "places": int(places[teams].sum()),
                "used": int((used + by_agreed)[teams].sum()),
                "extra_value": _sum(then["value"]) - _sum(now["value"]),
                "extra_risk": _sum(then["risk_reached"]) - _sum(now["risk_reached"]),
                "extra_doors": sorted(set(then["door_id"]) - set(now["door_id"]) - set(week.agreed["door_id"])),
            }
        )
    return pl.DataFrame(rows, schema_overrides={"extra_doors": pl.List(pl.String)}).with_columns(
        pl.col("extra_value", "extra_risk").round(6)
    )


def _with_one_more(team: int, offers: pl.DataFrame, problem: Problem, week: _Week) -> pl.DataFrame:
    """The offers that would be chosen if a team had one more place."""
    more = _problem(offers, problem.places + (np.arange(len(problem.places)) == team))
    floor = _floor_places(week.floors, _n_usable(more, offers) + week.agreed.height)
    return offers.filter(best_choice(_with_floors(more, offers, week, floor=floor)))


def _sum(values: pl.Series) -> float:
    # Sorted first: the sum of floats then never depends on the order of rows.
    return float(values.sort().sum())


def _draw(
    visits: pl.DataFrame,
    offers: pl.DataFrame,
    capacity: Capacity,
    floors: Floors,
    settings: OutreachSettings,
    seed: int | None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Draw the last places of each team by lot between those who just got one and those who just missed it.

    Doors that a floor keeps a place for, doors already listed, doors with an urgent need and doors that several
    agencies are needed at are not drawn. The two sides are of one size, so
    each door in the lot had an even chance, and comparing winners with losers measures the effect of a visit.
    """
    visits = visits.with_columns(is_drawn=pl.lit(value=False))
    empty = visits.clear().select("lead_agency", "door_id", pl.lit(value=True).alias("is_won"))
    if settings.random_share == 0:
        return visits, empty
    if seed is None:
        raise ConfigError("random_share is set and no seed was handed down", "give the run a seed")
    kept_by_floor = pl.any_horizontal(
        pl.lit(value=False), *(pl.col(f"is_{name}") for name, share in floors.shares().items() if share > 0)
    )
    lots, taken = [], set(visits["door_id"])
    # Only visits that one agency makes alone, to a door where nobody else is needed, and never an urgent one.
    is_plain = (pl.col("joint_with").list.len() + pl.col("not_coming").list.len() == 0) & ~pl.col("is_urgent")
    for index, (_, places) in enumerate(capacity.by_team()):
        size = round(settings.random_share * places)
        of_team = is_plain & (pl.col("team") == index)
        inside = visits.filter(of_team & ~kept_by_floor & ~pl.col("was_listed")).tail(size)
        outside = offers.filter(of_team & ~pl.col("door_id").is_in(list(taken))).head(size)
        side = min(inside.height, outside.height)
        if side == 0:
            continue
        pool = pl.concat([inside.tail(side).select(offers.columns), outside.head(side)]).sort("door_id")
        won = np.random.default_rng([seed, index]).permutation(2 * side) < side
        taken |= set(pool["door_id"])
        lots.append(pool.with_columns(is_won=pl.Series(won)))
    if not lots:
        return visits, empty
    lot = pl.concat(lots)
    stay = visits.filter(~pl.col("door_id").is_in(lot["door_id"].implode()))
    winners = lot.filter("is_won").drop("is_won").with_columns(is_drawn=pl.lit(value=True))
    return pl.concat([stay, winners]), lot.select("lead_agency", "door_id", "is_won").sort("lead_agency", "door_id")


def _unfilled(visits: pl.DataFrame, floor: NDArray[np.int64], floors: Floors) -> list[str]:
    filled = _in_groups(visits, floors).sum(axis=1)
    return [
        f"the floor `{name}` keeps {wanted} place{'' if wanted == 1 else 's'} and only {got} could be filled"
        for name, wanted, got in zip(floors.shares(), floor, filled, strict=True)
        if got < wanted
    ]


def _beyond_the_week(agreed: pl.DataFrame, capacity: Capacity) -> list[str]:
    """Say which team has more agreed visits than places: all of them stay on the list."""
    by_team = dict(agreed.group_by("team").len().iter_rows())
    over = [(agency, by_team.get(number, 0) - places) for number, (agency, places) in enumerate(capacity.by_team())]
    return [
        f"agreed visits beyond the week of `{agency}`, all of which stay on the list: {n}"
        for agency, n in over
        if n > 0
    ]
