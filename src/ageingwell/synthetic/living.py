"""Makes one part of the county: draws its households, lives its years, and keeps just as many as were asked for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from ageingwell.synthetic.conditions import draw_onsets
from ageingwell.synthetic.dwellings import Dwellings, draw_care_homes, draw_dwellings, join
from ageingwell.synthetic.history import STEP, History, World, boundaries
from ageingwell.synthetic.identifiers import home_ids, nhs_numbers, person_ids, uprns
from ageingwell.synthetic.medicines import Courses, draw_courses
from ageingwell.synthetic.part import DAYS_TO_COME_HOME, Part, moves_of
from ageingwell.synthetic.people import People, draw_people
from ageingwell.synthetic.years import RUN_UP, live

Array = np.ndarray
# Households drawn for each older person wanted: some hold couples, some have died out or left by the end.
UNITS_A_PERSON, SPARE_UNITS = 2.1, 30
UNLINKED_SHARE = 0.01


@dataclass(frozen=True)
class Where:
    """Which part: the areas, the numbers that seed it, the day the extracts are taken (days since 1970)."""

    places: pl.DataFrame
    seed: int
    chunk: int
    as_of: int
    years: int
    shift: float


def make_part(where: Where, *, n_people_before: int, n_homes_before: int, as_raw: bool = False) -> Part:
    """Make one part of the county.

    Its random numbers depend on the seed and the part's number alone; its ids on how many people and homes came
    before: pseudonyms, or NHS numbers and UPRNs with `as_raw`. Too few survivors in an area is rare: the whole part is
    then drawn again with more households.
    """
    margin, kept = 1.0, None
    while kept is None:
        people, dwellings, history, onsets, courses, office = _lived(where, margin=margin)
        until = np.minimum(history.died, history.left)
        registered, moved_in = _registrations(people, start=history.began, rng=office)
        is_counted = people.is_older & (until >= 0)
        kept = keep_units(people, is_counted, quota=where.places["n_people"].to_numpy())
        margin += 0.25
    is_known = kept[people.unit] & (registered < until) & (registered < 0) & (until > history.days[0])
    house_move, care_home_move = moves_of(history, is_care_home=dwellings.is_care_home)
    is_used = np.zeros(len(dwellings), dtype=bool)
    known = np.flatnonzero(is_known)
    is_used[history.first_home[known]] = True
    for day, home in (house_move, care_home_move):
        moved = known[day[known] < np.minimum(until[known], 0)]
        is_used[home[moved]] = True
    is_unlinked = ~is_used & ~dwellings.is_care_home & (office.random(len(dwellings)) < UNLINKED_SHARE)
    person_numbers = n_people_before + np.cumsum(is_known) - 1
    home_numbers = n_homes_before + np.cumsum(is_used | is_unlinked) - 1
    return Part(
        places=where.places,
        people=people,
        dwellings=dwellings,
        history=history,
        onsets=onsets,
        courses=courses,
        as_of=where.as_of,
        start=history.days[0],
        registered=registered,
        moved_in=moved_in,
        is_known=is_known,
        is_used=is_used,
        is_unlinked=is_unlinked,
        person_numbers=person_numbers,
        home_numbers=home_numbers,
        person_ids=_where(nhs_numbers if as_raw else person_ids, person_numbers, is_known, seed=where.seed),
        home_ids=_where(uprns if as_raw else home_ids, home_numbers, is_used | is_unlinked, seed=where.seed),
        house_move=house_move,
        care_home_move=care_home_move,
    )


def _lived(where: Where, *, margin: float) -> tuple[People, Dwellings, History, Array, Courses, np.random.Generator]:
    streams = np.random.SeedSequence([where.seed, where.chunk, round(margin * 100)]).spawn(6)
    for_people, for_homes, for_health, for_medicines, for_life, office = map(np.random.default_rng, streams)
    days, places = boundaries(where.years), where.places
    n_units = np.ceil(places["n_people"].to_numpy() * UNITS_A_PERSON * margin).astype(int) + SPARE_UNITS
    people = draw_people(places, n_units=n_units, as_of=where.as_of, span=RUN_UP * STEP - days[0], rng=for_people)
    dwellings, care_home_of, new_home_of = _homes(places, people, rng=for_homes)
    deprivation = ((5.5 - places["imd25_decile"].to_numpy()) / 3)[people.place]
    onsets = draw_onsets(people, deprivation=deprivation, shift=where.shift / 2, rng=for_health)
    courses = draw_courses(people, onsets=onsets, rng=for_medicines)
    world = World(people, dwellings, onsets, courses, deprivation, care_home_of, new_home_of)
    history = live(world, days=days, shift=where.shift, rng=for_life)
    return people, dwellings, history, onsets, courses, office


def _homes(places: pl.DataFrame, people: People, *, rng: np.random.Generator) -> tuple[Dwellings, Array, Array]:
    """A home and a spare one for each household, and the care homes; with the rows a person would move to."""
    head = np.flatnonzero(np.r_[True, people.unit[1:] != people.unit[:-1]])
    age = people.age(0)[head]
    first = draw_dwellings(places, people.unit_place, age=age, rng=rng)
    care = draw_care_homes(places, rng=rng)
    second = draw_dwellings(places, people.unit_place, age=age + 3, rng=rng)
    nearest = np.clip(np.searchsorted(care.place, people.place), 0, len(care) - 1)
    care_home_of = people.n_units + nearest
    return join(first, care, second), care_home_of, people.n_units + len(care) + people.unit


def keep_units(people: People, is_counted: Array, *, quota: Array) -> Array | None:
    """Choose households so that each area holds exactly its number of older people; None if there are too few.

    Households are taken in the order drawn, the dead and those who left with them, so the choice knows nothing of
    anybody's fate; the last place in an area is filled by the next household with one older person.
    """
    count = np.bincount(people.unit[is_counted], minlength=people.n_units)
    place = people.unit_place
    total = np.cumsum(count)
    first = np.searchsorted(place, np.arange(len(quota)))
    before = np.where(first > 0, total[first - 1], 0)
    so_far = total - before[place]
    kept = so_far <= quota[place]
    held = np.bincount(place[kept], weights=count[kept], minlength=len(quota)).astype(int)
    for area in np.flatnonzero(held < quota):
        singles = np.flatnonzero((place == area) & ~kept & (count == 1))[: quota[area] - held[area]]
        if len(singles) < quota[area] - held[area]:
            return None
        kept[singles] = True
    return np.asarray(kept)


def _registrations(people: People, *, start: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """The days people registered with their practice and moved into their first home; households move together."""
    settled = start - 30 - rng.exponential(18 * 365, people.n_units)[people.unit]
    settled = np.where(people.began_in_care_home, start - 30 - rng.exponential(600, len(people)), settled)
    came = people.arrived >= start
    first = people.born + DAYS_TO_COME_HOME
    moved_in = np.maximum(np.where(came, people.arrived, settled), first).astype(int)
    joined = moved_in - rng.exponential(6 * 365, len(people)) * (rng.random(len(people)) < 0.5)
    joined = np.where(came, people.arrived + rng.integers(0, 40, len(people)), joined)
    return np.maximum(joined, first).astype(int), moved_in


def _where(make: Callable[..., pl.Series], numbers: Array, is_there: Array, *, seed: int) -> pl.Series:
    """Ids in the rows where somebody is, null elsewhere."""
    rows = np.flatnonzero(is_there)
    position = np.full(len(numbers), -1)
    position[rows] = np.arange(len(rows))
    ids = make(numbers[rows], seed=seed)
    return ids.append(pl.Series([None], dtype=pl.String)).gather(np.where(position < 0, len(rows), position))
