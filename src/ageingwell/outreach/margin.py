"""The margin of a week: who just missed a place, what one more place would reach, and the last places drawn by lot."""

import numpy as np
import polars as pl

from ageingwell.config.outreach import Capacity, Floors, OutreachSettings
from ageingwell.errors import ConfigError
from ageingwell.outreach.lot import with_numbers
from ageingwell.outreach.offers import Week, floor_places, n_usable, places_used, problem_of, with_floors
from ageingwell.outreach.solve import Problem, best_choice
from ageingwell.register import LEAD_AGENCIES


def sum_of(values: pl.Series) -> float:
    """The sum of some values, the same in whatever order they come."""
    # Sorted first: the sum of floats then never depends on the order of rows.
    return float(values.sort().sum())


def doors_just_missed(offers: pl.DataFrame, visits: pl.DataFrame, shown: int) -> pl.DataFrame:
    """The next doors of each agency among those that nobody visits; a door may stand under several agencies."""
    return (
        offers.filter((pl.col("joint_with").list.len() == 0) & ~pl.col("door_id").is_in(visits["door_id"].implode()))
        .sort("is_urgent", descending=True, maintain_order=True)
        .filter(pl.int_range(pl.len()).over("lead_agency") < shown)
        .with_columns(position=pl.int_range(1, pl.len() + 1).over("lead_agency"))
        .select("lead_agency", "position", "door_id", "household_id", "place", "rank", "value", "risk_reached")
        .sort("lead_agency", "position")
    )


def one_more_place(
    offers: pl.DataFrame, problem: Problem, now: pl.DataFrame, week: Week, capacity: Capacity
) -> pl.DataFrame:
    """Solve again with one more place for each agency in turn, as a night with it would: what it would reach.

    Of an agency with teams the place goes to the one where it reaches the most worth.
    """
    used, by_agreed = places_used(now, problem.places), places_used(week.agreed, problem.places)
    places = np.array([n for _, n in capacity.by_team()], dtype=np.int64)
    # Where agreed visits go beyond the week already, one more place reaches nobody new.
    is_over = by_agreed > places
    rows = []
    for agency in LEAD_AGENCIES:
        teams = [number for number, (of, _) in enumerate(capacity.by_team()) if of == agency]
        full = [number for number in teams if used[number] == problem.places[number] and not is_over[number]]
        thens = [_with_one_more(number, offers, problem, week) for number in full]
        then = max(thens, key=lambda reached: sum_of(reached["value"]), default=now)
        rows.append(
            {
                "lead_agency": agency,
                "places": int(places[teams].sum()),
                "used": int((used + by_agreed)[teams].sum()),
                "extra_value": sum_of(then["value"]) - sum_of(now["value"]),
                "extra_risk": sum_of(then["risk_reached"]) - sum_of(now["risk_reached"]),
                "extra_doors": sorted(set(then["door_id"]) - set(now["door_id"]) - set(week.agreed["door_id"])),
            }
        )
    return pl.DataFrame(rows, schema_overrides={"extra_doors": pl.List(pl.String)}).with_columns(
        pl.col("extra_value", "extra_risk").round(6)
    )


def one_more_worker(
    offers: pl.DataFrame, problem: Problem, now: pl.DataFrame, week: Week, capacity: Capacity, *, places: int
) -> pl.DataFrame:
    """Solve again with the `places` of one more worker for each agency in turn: what a week would then reach.

    Of an agency with teams the worker joins the first. Gives lead_agency, homes and people: those visited by anybody
    then and not now, less those who would not be visited any more.
    """
    rows = []
    # Doors that a meeting agreed on are visited either way, whoever comes along to them.
    now = now.filter(~pl.col("is_agreed_lead"))
    for agency in LEAD_AGENCIES if places else ():
        team = next(number for number, (of, _) in enumerate(capacity.by_team()) if of == agency)
        then = _with_one_more(team, offers, problem, week, places=places).filter(~pl.col("is_agreed_lead"))
        homes = then["door_id"].n_unique() - now["door_id"].n_unique()
        people = _people(then) - _people(now)
        rows.append((agency, max(homes, 0), max(people, 0)))
    schema = {"lead_agency": pl.String, "homes": pl.Int64, "people": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _people(visits: pl.DataFrame) -> int:
    return visits["person_ids"].explode(empty_as_null=False).n_unique()


def _with_one_more(team: int, offers: pl.DataFrame, problem: Problem, week: Week, *, places: int = 1) -> pl.DataFrame:
    """The offers that would be chosen if a team had more places."""
    more = problem_of(offers, problem.places + places * (np.arange(len(problem.places)) == team))
    floor = floor_places(week.floors, n_usable(more, offers) + week.agreed.height)
    return offers.filter(best_choice(with_floors(more, offers, week, floor=floor)))


def draw_by_lot(
    visits: pl.DataFrame,
    offers: pl.DataFrame,
    capacity: Capacity,
    floors: Floors,
    settings: OutreachSettings,
    *,
    seed: int | None,
    week: str,
    not_drawn: pl.Series,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Draw the last places of each team by lot between those who just got one and those who just missed it.

    Doors that a floor keeps a place for, doors already listed, doors with an urgent need, doors that several agencies
    are needed at and doors of somebody `not_drawn` (person_id) are not drawn. The two sides are of one size, so each
    door in the lot had an even chance, and comparing winners with losers measures the effect of a visit. The doors with
    the lowest numbers of the `week` win (`lot_number`). Gives the visits, and the lot: lead_agency, team, door_id,
    household_id, person_ids, number, is_won.
    """
    visits = visits.with_columns(is_drawn=pl.lit(value=False))
    told = ("lead_agency", "team", "door_id", "household_id", "person_ids", "number", "is_won")
    nothing = {"number": pl.lit(0.0), "is_won": pl.lit(value=True)}
    empty = visits.clear().with_columns(**nothing).select(told)
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
    is_plain &= pl.col("person_ids").list.set_intersection(not_drawn.to_list()).list.len() == 0
    for index, (_, places) in enumerate(capacity.by_team()):
        size = round(settings.random_share * places)
        of_team = is_plain & (pl.col("team") == index)
        inside = visits.filter(of_team & ~kept_by_floor & ~pl.col("was_listed")).tail(size)
        outside = offers.filter(of_team & ~pl.col("door_id").is_in(list(taken))).head(size)
        side = min(inside.height, outside.height)
        if side == 0:
            continue
        pool = pl.concat([inside.tail(side).select(offers.columns), outside.head(side)])
        pool = with_numbers(pool, week=week, seed=seed).sort("number", "door_id")
        taken |= set(pool["door_id"])
        lots.append(pool.with_columns(is_won=pl.int_range(pl.len()) < side))
    if not lots:
        return visits, empty
    lot = pl.concat(lots)
    stay = visits.filter(~pl.col("door_id").is_in(lot["door_id"].implode()))
    winners = lot.filter("is_won").drop("is_won", "number").with_columns(is_drawn=pl.lit(value=True))
    return pl.concat([stay, winners]), lot.select(told).sort("lead_agency", "door_id")
