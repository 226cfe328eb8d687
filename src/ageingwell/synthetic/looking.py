"""Looks at everybody on a boundary: who is here, who lives alone, who walks how well."""

import numpy as np

from ageingwell.synthetic.conditions import POSITION
from ageingwell.synthetic.history import STEP, Carried, History, World
from ageingwell.synthetic.people import People
from ageingwell.synthetic.state import State

Array = np.ndarray


def look(world: World, history: History, carried: Carried, *, day: int) -> State:
    """The state of everybody on a boundary."""
    people, dwellings, partner = world.people, world.dwellings, world.people.partner
    in_care_home = history.entered_care_home <= day
    is_here = (history.died > day) & (history.left > day)
    age = people.age(day)
    together = np.bincount(history.home[is_here & ~in_care_home], minlength=len(dwellings))[history.home]
    has_partner = (partner >= 0) & (history.died[partner] > day) & ~in_care_home[partner] & ~in_care_home
    lost_partner = (partner >= 0) & (history.died[partner] <= day) & (history.died[partner] > day - STEP)
    has = {name: world.onsets[:, place] <= day for name, place in POSITION.items()}
    return State(
        day=day,
        age=age,
        is_female=people.is_female,
        deprivation=world.deprivation,
        frailty=people.frailty,
        noise=carried.noise,
        has=has,
        n_medicines=world.courses.count(day),
        n_risky_medicines=world.courses.count_risky(day),
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


def _mobility(people: People, carried: Carried, has: dict[str, Array], age: Array) -> Array:
    """Mobility from 0 (independent) to 4 (hoist or bed)."""
    level = 0.85 * (age - 80) / 10 + 0.55 * people.frailty + 0.25 * carried.noise - 0.1
    level = level + 0.35 * has["efi_arthritis"] + 0.6 * has["efi_stroke_tia"] + 1.0 * has["efi_parkinsons"]
    level = level + 0.4 * has["efi_fragility_fracture"] + 0.5 * has["dementia"] + 0.5 * carried.n_falls.clip(0, 2)
    return np.digitize(level, (0.9, 1.9, 2.5, 3.5))
