"""Share each agency's and team's weekly places among the doors so that the most risk and need is reached."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ageingwell.config.outreach import Capacity, Floors, OutreachSettings
from ageingwell.outreach.margin import doors_just_missed, draw_by_lot, one_more_place, one_more_worker, sum_of
from ageingwell.outreach.offers import (
    Week,
    agreed_doors,
    company_of,
    floor_places,
    in_groups,
    in_order,
    n_usable,
    places_used,
    problem_of,
    reduce_offers,
    with_floors,
)
from ageingwell.outreach.solve import best_choice

_NOBODY = pl.Series("person_id", [], dtype=pl.String)


@dataclass(frozen=True, slots=True)
class Allocation:
    """What came of sharing the places.

    `visits`: one row a door with a place: the columns of `doors`, with `is_drawn` (by lot at the margin). Who comes
    along (`joint_with`) uses a place too; the agencies in `not_coming` are needed there and have none left.
    `just_missed`: the next doors of each agency, best first, `position` from 1.
    `marginal`: one row an agency: its places, how many are used, and what one more a week would reach.
    `draw`: the doors that took part in the lot, won or not, with the number each drew; empty unless `random_share` is
    set.
    `one_more_worker`: one row an agency, and the homes and people that a worker more would reach; none where no
    `worker_places` are given.
    `messages`: what a reader has to be told, such as a floor that could not be filled.
    `total_value`: worth reached in units of risk, without floor credit or the bonus for those already listed.
    """

    visits: pl.DataFrame
    just_missed: pl.DataFrame
    marginal: pl.DataFrame
    draw: pl.DataFrame
    messages: tuple[str, ...]
    total_value: float
    one_more_worker: pl.DataFrame


def allocate(
    doors: pl.DataFrame,
    *,
    capacity: Capacity,
    floors: Floors,
    settings: OutreachSettings,
    seed: int | None = None,
    lot_week: str = "",
    never_drawn: pl.Series = _NOBODY,
    worker_places: int = 0,
) -> Allocation:
    """Choose who comes to each door, within every agency's places, to meet the most urgent need, then the most value.

    `doors` is one row a door and set of agencies that could come, as `one_knock_a_door` gives it; each agency that
    comes uses one of its places. What a meeting agreed (`is_frozen`) takes its lead's place first and keeps it, also
    beyond the week's places: that is told, and no place is then left for anybody new. Then the choice is the exact
    optimum of the problem stated in `solve`: as many urgent needs as the places allow, each met by the agency that
    leads it; then the floors and the most value. `value` of a door with the lead it was listed with last time counts
    `stay_margin` more, so a newcomer displaces it only when clearly worth more. Among equal choices the better rank
    wins; the order of rows changes nothing. With `random_share` the lot is drawn anew each `lot_week` from `seed`, and
    never among people `never_drawn` (person_id). A place that a team of an agency serves is visited within that team's
    places, and every other place within the rest of the agency's.
    `worker_places` is how many homes per week one more worker would visit: the choice is then made again with them.

    >>> doors = pl.DataFrame({
    ...     "door_id": ["h1", "h1", "h2"], "household_id": ["h1", "h1", "h2"], "rank": [1, 1, 2], "place": ["x"] * 3,
    ...     "lead_agency": ["fire", "gp", "fire"], "value": [0.5, 0.4, 0.3], "risk_reached": [0.3, 0.3, 0.2],
    ...     "is_unknown_to_every_service": [False] * 3, "is_most_deprived_fifth": [False] * 3, "is_rural": [False] * 3,
    ...     "was_listed": [False] * 3, "is_frozen": [False] * 3, "previous_lead": [None] * 3,
    ...     "person_ids": [["p1"], ["p1"], ["p2"]], "joint_with": [[]] * 3, "not_coming": [["gp"], ["fire"], []],
    ...     "urgent_met": [0] * 3,
    ...     "is_urgent": [False] * 3,
    ... }, schema_overrides={"previous_lead": pl.String, "joint_with": pl.List(pl.String)})
    >>> week = Capacity(gp=1, social_care=0, housing=0, fire=1, voluntary=0)
    >>> shared = allocate(doors, capacity=week, floors=Floors(), settings=OutreachSettings())
    >>> shared.visits.select("door_id", "lead_agency").rows()
    [('h1', 'gp'), ('h2', 'fire')]
    >>> round(shared.total_value, 2)
    0.7
    """
    offers = in_order(doors, capacity, floors, settings)
    places = np.array([n for _, n in capacity.by_team()], dtype=np.int64)
    agreed = agreed_doors(offers)
    open_offers = offers.filter(~pl.col("door_id").is_in(agreed["door_id"].implode()))
    week = Week(agreed, company_of(offers, agreed), floors)
    left = np.maximum(places - places_used(agreed, places), 0)
    reduced = pl.concat([week.company, reduce_offers(open_offers, n_places=int(left.sum()) + 1)])
    unbound = problem_of(reduced, left)
    floor = floor_places(floors, n_usable(unbound, reduced) + agreed.height)
    problem = with_floors(unbound, reduced, week, floor=floor)
    chosen = reduced.filter(best_choice(problem))
    won, draw = draw_by_lot(
        chosen.filter(~pl.col("is_agreed_lead")),
        open_offers,
        capacity,
        floors,
        settings,
        seed=seed,
        week=lot_week,
        not_drawn=never_drawn,
    )
    not_drawn = pl.lit(value=False).alias("is_drawn")
    visits = pl.concat([week.visits(chosen).with_columns(not_drawn), won]).sort("rank", "door_id")
    return Allocation(
        visits=visits.select(*doors.columns, "is_drawn"),
        just_missed=doors_just_missed(open_offers, visits, settings.just_missed_shown),
        marginal=one_more_place(reduced, problem, chosen, week, capacity),
        draw=draw,
        messages=(*_unfilled(visits, floor, floors), *_beyond_the_week(agreed, capacity)),
        total_value=sum_of(visits["value"]),
        one_more_worker=_one_more_worker(open_offers, left, chosen, week, capacity, places=worker_places),
    )


def _one_more_worker(
    offers: pl.DataFrame,
    left: NDArray[np.int64],
    now: pl.DataFrame,
    week: Week,
    capacity: Capacity,
    *,
    places: int,
) -> pl.DataFrame:
    """What one more worker of each agency would reach, from as many offers as all places then can use."""
    n_places = int(left.sum()) + places
    reduced = pl.concat([week.company, reduce_offers(offers, n_places=n_places)])
    return one_more_worker(reduced, problem_of(reduced, left), now, week, capacity, places=places)


def offers_that_matter(
    doors: pl.DataFrame, *, capacity: Capacity, floors: Floors, settings: OutreachSettings
) -> pl.DataFrame:
    """Keep, of some doors' offers, those that could come to count beside any other doors' in `allocate`.

    These are every offer of a door that a meeting agreed on, and of each kind the offers of the most worth: no more
    doors than the week's places are visited, as many again may be drawn by lot on either side of the margin, and a few
    are told as just missed. What is left out would stand behind all of these.
    """
    offers = in_order(doors, capacity, floors, settings)
    settled = pl.col("is_agreed_lead").any().over("door_id")
    places = sum(capacity.places().values())
    open_offers = reduce_offers(offers.filter(~settled), n_places=3 * places + settings.just_missed_shown + 1)
    return pl.concat([offers.filter(settled), open_offers]).select(doors.columns)


def _unfilled(visits: pl.DataFrame, floor: NDArray[np.int64], floors: Floors) -> list[str]:
    filled = in_groups(visits, floors).sum(axis=1)
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
