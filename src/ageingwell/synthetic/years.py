"""Lives the years one after another: draws every event of everybody, and keeps the true risks.

On each boundary every person has a state, and the state gives yearly rates: death, a start of home care, a move into a
care home, an admission after an injurious fall, any other emergency admission. Inside the year the rates stand still
and the events come at random, so that the true risk of each outcome in the year after a boundary is known exactly,
from the rates alone.
"""

import numpy as np

from ageingwell.synthetic.conditions import NEVER
from ageingwell.synthetic.hazards import TERMINAL_AT_HOME, TERMINAL_IN_CARE, one_year_risks, yearly_rates
from ageingwell.synthetic.history import STEP, Carried, History, World
from ageingwell.synthetic.looking import look
from ageingwell.synthetic.people import People
from ageingwell.synthetic.state import State

Array = np.ndarray
Rates = dict[str, Array]
# Years lived before the first recorded one, so that who is frail, ill or in care is nobody's starting guess.
RUN_UP = 3
LEAVE_RATE, MOVE_RATE, HOME_CARE_END_RATE = 0.012, 0.02, 0.14
# How much of a year's noise stays in the next.
STAYS = 0.7


def live(world: World, *, days: list[int], shift: float, rng: np.random.Generator) -> History:
    """Live through the years that begin on `days`, and before them some that leave moves, care and deaths only."""
    people, began = world.people, days[0] - RUN_UP * STEP
    home = np.where(people.began_in_care_home, world.care_home_of, people.unit)
    carried = _before(people, day=began, rng=rng)
    history = History(
        died=np.full(len(people), NEVER),
        left=np.full(len(people), NEVER),
        entered_care_home=np.where(people.began_in_care_home, began - 1, NEVER),
        home=home.copy(),
        first_home=home,
        began=began,
        began_in_home_care=carried.in_home_care,
        days=days,
    )
    has_moved = np.zeros(people.n_units, dtype=bool)
    for day in range(began, days[-1] + 1, STEP):
        state = look(world, history, carried, day=day)
        rates = yearly_rates(state, shift=shift)
        if day in days:
            history.states.append(state)
            history.risks.append(one_year_risks(rates, state))
        end = _die(history, state, rates, rng=rng)
        _fall_ill(history, carried, state, rates, end, rng=rng)
        _change_care(world, history, carried, state, rates, end, rng=rng)
        _move_and_leave(world, history, has_moved, day=day, rng=rng)
        carried.noise = STAYS * carried.noise + np.sqrt(1 - STAYS**2) * rng.normal(size=len(people))
    return history


def _before(people: People, *, day: int, rng: np.random.Generator) -> Carried:
    n, age = len(people), people.age(day)
    level = -5.2 + 0.12 * (age - 70) + 0.7 * people.frailty
    return Carried(
        noise=rng.normal(size=n),
        in_home_care=~people.began_in_care_home & (rng.random(n) < 1 / (1 + np.exp(-level))),
        n_falls=rng.poisson(0.05 * np.exp(0.06 * np.clip(age - 75, -40, 25)), n),
        n_emergencies=rng.poisson(0.12 * np.exp(0.05 * np.clip(age - 75, -40, 25)), n),
        is_just_discharged=rng.random(n) < 0.03,
    )


def _die(history: History, state: State, rates: Rates, *, rng: np.random.Generator) -> Array:
    """Draw the year's deaths; returns the day the year ends for each person. Some deaths begin with an admission."""
    time = _first(rates["death"], rng=rng)
    dies = state.is_alive & (time < 1)
    end = np.where(dies, state.day + np.floor(time * STEP), state.day + STEP).astype(int)
    history.died = np.where(dies, end, history.died)
    terminal = np.where(state.in_care_home, TERMINAL_IN_CARE, TERMINAL_AT_HOME)
    in_hospital = dies & (rng.random(len(end)) < terminal)
    ill = np.maximum(state.day, end - 1 - rng.geometric(0.12, len(end)))
    if state.day in history.days:
        history.terminal.append((np.flatnonzero(in_hospital), ill[in_hospital]))
    return end


def _fall_ill(
    history: History, carried: Carried, state: State, rates: Rates, end: Array, *, rng: np.random.Generator
) -> None:
    """Draw the year's falls and emergency admissions."""
    n_falls, injured = _draw_events(rates["fall"], state, end, rng=rng)
    n_other, admitted = _draw_events(rates["emergency"], state, end, rng=rng)
    n_slips, slipped = _draw_events(rates["slip"], state, end, rng=rng)
    if state.day in history.days:
        history.injurious_falls.append(injured)
        history.emergencies.append(admitted)
        history.falls.append(slipped)
    lately = state.day + STEP - 90
    late = np.concatenate([who[day > lately] for who, day in (injured, admitted)])
    carried.is_just_discharged = np.bincount(late, minlength=len(end)) > 0
    carried.n_falls = n_falls + n_slips
    carried.n_emergencies = n_other + n_falls


def _change_care(
    world: World,
    history: History,
    carried: Carried,
    state: State,
    rates: Rates,
    end: Array,
    *,
    rng: np.random.Generator,
) -> None:
    """Draw the year's starts and ends of home care and moves into care homes."""
    entry, start = (
        state.day + np.floor(np.minimum(_first(rates[name], rng=rng), 9) * STEP).astype(int)
        for name in ("care_home", "home_care")
    )
    enters = state.is_alive & (entry < end)
    starts = state.is_alive & (start < end) & ~(enters & (start >= entry))
    history.entered_care_home = np.where(enters, entry, history.entered_care_home)
    history.home = np.where(enters, world.care_home_of, history.home)
    rows = np.flatnonzero(enters)
    history.moves.append((rows, entry[rows], world.care_home_of[rows]))
    history.home_care_starts.append((np.flatnonzero(starts), start[starts]))
    stop = state.day + rng.integers(0, STEP, len(end))
    stops = state.in_home_care & (rng.random(len(end)) < HOME_CARE_END_RATE)
    stop = np.where(enters & (~stops | (entry < stop)), entry, stop)
    ended = (stops | (state.in_home_care & enters)) & (stop < end)
    history.home_care_ends.append((np.flatnonzero(ended), stop[ended]))
    carried.in_home_care = (carried.in_home_care & ~ended) | (starts & ~enters)


def _first(rate: Array, *, rng: np.random.Generator) -> Array:
    """The time of the first event, in years; a rate of nought never comes."""
    return np.asarray(rng.exponential(size=len(rate)) / np.maximum(rate, 1e-12))


def _draw_events(
    rate: Array, state: State, end: Array, *, rng: np.random.Generator
) -> tuple[Array, tuple[Array, Array]]:
    """Draw a year's events: how many each person has before `end`, and each one's person and day.

    Events of the dead are drawn too and thrown away, so that one person's fate moves nobody else's chance.
    """
    drawn = rng.poisson(rate)
    who = np.repeat(np.arange(len(rate)), drawn)
    when = state.day + rng.integers(0, STEP, len(who))
    kept = state.is_alive[who] & (when < end[who])
    return np.bincount(who[kept], minlength=len(rate)), (who[kept], when[kept])


def _move_and_leave(world: World, history: History, has_moved: Array, *, day: int, rng: np.random.Generator) -> None:
    """Households move within the place (once at most) or leave the area; residents of care homes do neither."""
    people = world.people
    moves = (rng.random(people.n_units) < MOVE_RATE) & ~has_moved
    leaves = rng.random(people.n_units) < LEAVE_RATE
    on = day + rng.integers(0, STEP, people.n_units)
    settled = (history.entered_care_home > on[people.unit]) & (history.died > on[people.unit])
    settled &= (history.left > on[people.unit]) & (people.arrived < on[people.unit] - 90)
    leaving = settled & leaves[people.unit]
    history.left = np.where(leaving, on[people.unit], history.left)
    moving = settled & (moves & ~leaves)[people.unit]
    # Someone who enters a care home later in the same year has left the old home already on the books: skip those.
    moving &= ~world.dwellings.is_care_home[history.home]
    rows = np.flatnonzero(moving)
    history.moves.append((rows, on[people.unit][rows], world.new_home_of[rows]))
    history.home = np.where(moving, world.new_home_of, history.home)
    has_moved |= moves
