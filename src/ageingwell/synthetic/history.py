"""What happens to everybody over the years: the story under the records, and the true risks.

Time goes in years between boundaries; the last boundary but one is the latest cut-off whose year is settled
(`as_of` less 365 and 90 days). On each boundary every person has a state, and the state gives five yearly rates:
death, a start of home care, a move into a care home, an admission after an injurious fall, any other emergency
admission. Inside the year the rates stand still and the events come at random, so that the true risk of each outcome
in the year after a boundary is known exactly, from the rates alone.
"""

from dataclasses import dataclass, field

import numpy as np

from ageingwell.synthetic.conditions import NEVER, POSITION
from ageingwell.synthetic.dwellings import Dwellings
from ageingwell.synthetic.hazards import TERMINAL_AT_HOME, TERMINAL_IN_CARE, State, yearly_rates
from ageingwell.synthetic.medicines import Courses
from ageingwell.synthetic.people import People

Array = np.ndarray
STEP = 365
SETTLING = 90
LEAVE_RATE, MOVE_RATE, HOME_CARE_END_RATE = 0.012, 0.02, 0.14
N_RISKS = 4
RISKS = ("loss_of_independence", "emergency_admission", "new_long_term_care", "death")


def boundaries(years: int) -> list[int]:
    """The boundary days, counted from `as_of` (day 0).

    >>> boundaries(2)
    [-820, -455, -90]
    """
    return [-(STEP + SETTLING) - STEP * back for back in range(years - 1, -1, -1)] + [-SETTLING]


@dataclass
class History:
    """Everything that happened in one part of the county; days count from `as_of`, rows are rows of `People`.

    Lists of events are parallel arrays of a person's row and a day. `states` and `risks` have one entry a boundary.
    """

    died: Array
    left: Array
    entered_care_home: Array
    home: Array
    first_home: Array
    days: list[int] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    risks: list[Array] = field(default_factory=list)
    falls: list[tuple[Array, Array]] = field(default_factory=list)
    injurious_falls: list[tuple[Array, Array]] = field(default_factory=list)
    emergencies: list[tuple[Array, Array]] = field(default_factory=list)
    terminal: list[tuple[Array, Array]] = field(default_factory=list)
    home_care_starts: list[tuple[Array, Array]] = field(default_factory=list)
    home_care_ends: list[tuple[Array, Array]] = field(default_factory=list)
    moves: list[tuple[Array, Array, Array]] = field(default_factory=list)


@dataclass
class _Carried:
    """What one year hands to the next."""

    noise: Array
    in_home_care: Array
    n_falls: Array
    n_emergencies: Array
    is_just_discharged: Array


def live(
    people: People,
    *,
    dwellings: Dwellings,
    onsets: Array,
    courses: Courses,
    deprivation: Array,
    care_home_of: Array,
    new_home_of: Array,
    days: list[int],
    shift: float,
    rng: np.random.Generator,
) -> History:
    """Live through the years: draw every event of everybody.

    `care_home_of` and `new_home_of` name the home each person would move to (rows of `dwellings`).
    """
    n = len(people)
    home = np.where(people.began_in_care_home, care_home_of, people.unit)
    history = History(
        died=np.full(n, NEVER),
        left=np.full(n, NEVER),
        entered_care_home=np.where(people.began_in_care_home, days[0] - 1, NEVER),
        home=home.copy(),
        first_home=home,
        days=days,
    )
    carried = _before(people, day=days[0], rng=rng)
    has_moved = np.zeros(people.n_units, dtype=bool)
    for day in days:
        state = _look(people, history, carried, dwellings, onsets, courses, deprivation, day=day)
        rates = yearly_rates(state, shift=shift)
        history.states.append(state)
        history.risks.append(_true_risks(rates, state))
        _live_a_year(people, history, carried, state, rates, care_home_of, day=day, rng=rng)
        _move_and_leave(people, history, dwellings, new_home_of, has_moved, day=day, rng=rng)
        carried.noise = 0.7 * carried.noise + np.sqrt(1 - 0.49) * rng.normal(size=n)
    return history


def _before(people: People, *, day: int, rng: np.random.Generator) -> _Carried:
    n, age = len(people), people.age(day)
    level = -5.2 + 0.12 * (age - 70) + 0.7 * people.frailty
    return _Carried(
        noise=rng.normal(size=n),
        in_home_care=~people.began_in_care_home & (rng.random(n) < 1 / (1 + np.exp(-level))),
        n_falls=rng.poisson(0.05 * np.exp(0.06 * np.clip(age - 75, -40, 25)), n),
        n_emergencies=rng.poisson(0.12 * np.exp(0.05 * np.clip(age - 75, -40, 25)), n),
        is_just_discharged=rng.random(n) < 0.03,
    )


def _look(
    people: People,
    history: History,
    carried: _Carried,
    dwellings: Dwellings,
    onsets: Array,
    courses: Courses,
    deprivation: Array,
    *,
    day: int,
) -> State:
    """The state of everybody on a boundary."""
    in_care_home = history.entered_care_home <= day
    is_here = (history.died > day) & (history.left > day)
    age = people.age(day)
    together = np.bincount(history.home[is_here & ~in_care_home], minlength=len(dwellings))[history.home]
    partner = people.partner
    has_partner = (partner >= 0) & (history.died[partner] > day) & ~in_care_home[partner] & ~in_care_home
    lost_partner = (partner >= 0) & (history.died[partner] <= day) & (history.died[partner] > day - STEP)
    has = {name: onsets[:, place] <= day for name, place in POSITION.items()}
    return State(
        day=day,
        age=age,
        is_female=people.is_female,
        deprivation=deprivation,
        frailty=people.frailty,
        noise=carried.noise,
        has=has,
        n_medicines=courses.count(day),
        n_risky_medicines=courses.count_risky(day),
        mobility=_mobility(people, carried, has, age),
        lives_alone=(together == 1) & ~in_care_home,
        has_partner=has_partner,
        lost_partner=lost_partner,
        has_carer=(together > 1) & ~in_care_home,
        is_cold=dwellings.is_cold[history.home],
        in_home_care=carried.in_home_care & ~in_care_home,
        in_care_home=in_care_home,
        n_falls=carried.n_falls,
        n_emergencies=carried.n_emergencies,
        is_just_discharged=carried.is_just_discharged,
        is_here=is_here & (people.arrived <= day),
        is_alive=history.died > day,
    )


def _mobility(people: People, carried: _Carried, has: dict[str, Array], age: Array) -> Array:
    """Mobility from 0 (independent) to 4 (hoist or bed)."""
    level = 0.85 * (age - 80) / 10 + 0.55 * people.frailty + 0.25 * carried.noise - 0.1
    level = level + 0.35 * has["efi_arthritis"] + 0.6 * has["efi_stroke_tia"] + 1.0 * has["efi_parkinsons"]
    level = level + 0.4 * has["efi_fragility_fracture"] + 0.5 * has["dementia"] + 0.5 * carried.n_falls.clip(0, 2)
    return np.digitize(level, (0.9, 1.9, 2.5, 3.5))


def _true_risks(rates: dict[str, Array], state: State) -> Array:
    """The chance of each outcome in the coming year (people by outcomes), NaN for those already in the state."""
    death, fall, other = rates["death"], rates["fall"], rates["emergency"]
    care = rates["home_care"] + rates["care_home"]
    any_end = 1 - np.exp(-(death + fall + care))
    terminal = np.where(state.in_care_home, TERMINAL_IN_CARE, TERMINAL_AT_HOME)
    admitted = fall + other
    # A share of deaths begins with an admission on the way: it counts as one.
    emergency = (admitted + terminal * death) / (admitted + death) * (1 - np.exp(-(admitted + death)))
    new_care = care / (care + death) * (1 - np.exp(-(care + death)))
    new_care = np.where(state.in_care_home | state.in_home_care, np.nan, new_care)
    return np.column_stack([any_end, emergency, new_care, 1 - np.exp(-death)])


def _live_a_year(
    people: People,
    history: History,
    carried: _Carried,
    state: State,
    rates: dict[str, Array],
    care_home_of: Array,
    *,
    day: int,
    rng: np.random.Generator,
) -> None:
    n = len(people)
    times = {name: _first(rates[name], rng=rng) for name in ("death", "home_care", "care_home")}
    dies = state.is_alive & (times["death"] < 1)
    end = np.where(dies, day + np.floor(times["death"] * STEP), day + STEP).astype(int)
    history.died = np.where(dies, end, history.died)
    # Events of the dead are drawn too and thrown away, so that one person's fate moves nobody else's chance.
    n_falls, injured = _draw_events(rates["fall"], state, end, day=day, rng=rng)
    n_other, admitted = _draw_events(rates["emergency"], state, end, day=day, rng=rng)
    n_slips, slipped = _draw_events(rates["slip"], state, end, day=day, rng=rng)
    history.injurious_falls.append(injured)
    history.emergencies.append(admitted)
    history.falls.append(slipped)
    terminal = np.where(state.in_care_home, TERMINAL_IN_CARE, TERMINAL_AT_HOME)
    in_hospital = dies & (rng.random(n) < terminal)
    ill = np.maximum(day, end - 1 - rng.geometric(0.12, n))
    history.terminal.append((np.flatnonzero(in_hospital), ill[in_hospital]))
    enters = state.is_alive & (times["care_home"] < 1)
    entry = day + np.floor(times["care_home"] * STEP).astype(int)
    enters &= entry < end
    starts = state.is_alive & (times["home_care"] < 1)
    start = day + np.floor(times["home_care"] * STEP).astype(int)
    starts &= (start < end) & ~(enters & (start >= entry))
    history.entered_care_home = np.where(enters, entry, history.entered_care_home)
    history.home = np.where(enters, care_home_of, history.home)
    rows = np.flatnonzero(enters)
    history.moves.append((rows, entry[rows], care_home_of[rows]))
    history.home_care_starts.append((np.flatnonzero(starts), start[starts]))
    ends = state.in_home_care & (rng.random(n) < HOME_CARE_END_RATE)
    stop = day + rng.integers(0, STEP, n)
    ended = ends | (state.in_home_care & enters)
    stop = np.where(enters & (entry < stop) | (enters & ~ends), entry, stop)
    ended &= stop < end
    history.home_care_ends.append((np.flatnonzero(ended), stop[ended]))
    carried.in_home_care = (carried.in_home_care & ~ended) | (starts & ~enters)
    late = np.bincount(admitted[0][admitted[1] > day + STEP - 90], minlength=n)
    late = late + np.bincount(injured[0][injured[1] > day + STEP - 90], minlength=n)
    carried.is_just_discharged = late > 0
    carried.n_falls = n_falls + n_slips
    carried.n_emergencies = n_other + n_falls


def _first(rate: Array, *, rng: np.random.Generator) -> Array:
    """The time of the first event, in years; a rate of nought never comes."""
    return np.asarray(rng.exponential(size=len(rate)) / np.maximum(rate, 1e-12))


def _draw_events(
    rate: Array, state: State, end: Array, *, day: int, rng: np.random.Generator
) -> tuple[Array, tuple[Array, Array]]:
    """Draw a year's events: how many each person has before `end`, and each one's person and day."""
    drawn = rng.poisson(rate)
    who = np.repeat(np.arange(len(rate)), drawn)
    when = day + rng.integers(0, STEP, len(who))
    kept = state.is_alive[who] & (when < end[who])
    return np.bincount(who[kept], minlength=len(rate)), (who[kept], when[kept])


def _move_and_leave(
    people: People,
    history: History,
    dwellings: Dwellings,
    new_home_of: Array,
    has_moved: Array,
    *,
    day: int,
    rng: np.random.Generator,
) -> None:
    """Households move within the place (once at most) or leave the area; residents of care homes do neither."""
    moves = (rng.random(people.n_units) < MOVE_RATE) & ~has_moved
    leaves = rng.random(people.n_units) < LEAVE_RATE
    on = day + rng.integers(0, STEP, people.n_units)
    settled = (history.entered_care_home > on[people.unit]) & (history.died > on[people.unit])
    settled &= (history.left > on[people.unit]) & (people.arrived < on[people.unit] - 90)
    leaving = settled & leaves[people.unit]
    history.left = np.where(leaving, on[people.unit], history.left)
    moving = settled & (moves & ~leaves)[people.unit]
    # Someone who enters a care home later in the same year has left the old home already on the books: skip those.
    moving &= ~dwellings.is_care_home[history.home]
    rows = np.flatnonzero(moving)
    history.moves.append((rows, on[people.unit][rows], new_home_of[rows]))
    history.home = np.where(moving, new_home_of, history.home)
    has_moved |= moves
