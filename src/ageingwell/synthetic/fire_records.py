"""What the fire and rescue service would send: home fire-safety visits and incidents."""

import numpy as np
import polars as pl

from ageingwell.synthetic.conditions import NEVER
from ageingwell.synthetic.part import Part, letters, matches, sparse
from ageingwell.synthetic.state import State

Array = np.ndarray
OUTCOMES = ("completed", "refused", "no_access", "not_suitable")
SOURCES = ("self", "GP practice", "Adult Social Care", "housing provider", "voluntary sector", "Fire crew", "Family")
MOBILITY = ("independent", "equipment", "equipment_unsafe", "equipment_and_person", "hoist_or_bed")
CARE = ("none_needed", "adequate", "inadequate", "none_concern", "none_serious_concern")
INCIDENTS = ("accidental_dwelling_fire", "deliberate_fire", "false_alarm", "special_service")
FACTS = (
    "lives_alone", "smoke_alarm_working", "smoker", "home_oxygen", "emollient", "airflow_mattress", "electric_blanket",
    "portable_heater", "cooking_concern", "alcohol_concern", "telecare", "fire_in_last_year", "sensory_impairment",
    "memory_concern",
)  # fmt: skip


def fire_visits(part: Part, *, unlinked: Array, rng: np.random.Generator) -> pl.DataFrame:
    """One row a visit; `unlinked` marks homes with nobody on a GP register, some of which crews know."""
    frames = []
    for state in part.history.states:
        who = np.flatnonzero(part.is_known & state.is_here & ~state.in_care_home & (state.age >= 60))
        # The oldest person stands for the home: later assignments win, so sort by age.
        who = who[np.argsort(state.age[who], kind="stable")]
        oldest = np.full(len(part.dwellings), -1)
        oldest[part.home_on(who, np.full(len(who), state.day))] = who
        home = np.flatnonzero(oldest >= 0)
        rate = _rate(part, state, oldest[home], home)
        seen = home[rng.random(len(home)) < rate]
        frames.append(_visits(part, state, seen, oldest[seen], rng=rng))
        empty = np.flatnonzero(unlinked & (rng.random(len(unlinked)) < 0.1))
        frames.append(_visits(part, state, empty, np.full(len(empty), -1), rng=rng))
    return pl.concat(frames).sort("household_id", "visited_on", "recorded_on")


def _rate(part: Part, state: State, person: Array, home: Array) -> Array:
    """Crews go to those referred: old, alone, unsteady; the frail without contacts and the remote are seen less."""
    is_remote = part.places["ruc21_class"].str.starts_with("Smaller rural: Further").to_numpy()
    level = np.log(0.030) + 0.4 * (state.age[person] >= 80) + 0.35 * state.lives_alone[person]
    level = level + 0.2 * state.mobility[person] + 0.3 * state.has["smoker"][person] - 0.4 * state.frailty[person]
    return np.asarray(np.minimum(np.exp(level - 0.6 * is_remote[part.dwellings.place[home]]), 0.4))


def _visits(part: Part, state: State, home: Array, person: Array, *, rng: np.random.Generator) -> pl.DataFrame:
    n = len(home)
    day = state.day + rng.integers(0, 365, n)
    told = day + rng.integers(0, 12, n)
    linked = person >= 0
    # The person must still live there on the day.
    stays = ~linked | ((part.home_on(np.maximum(person, 0), day) == home) & (part.until[np.maximum(person, 0)] > day))
    kept = stays & (told < 0)
    home, person, day, told, linked = home[kept], np.maximum(person[kept], 0), day[kept], told[kept], linked[kept]
    n = len(home)
    outcome = np.minimum(rng.choice(4, n, p=(0.79, 0.07, 0.11, 0.03)), 3)
    completed = outcome == 0
    facts = _facts(part, state, home, person, rng=rng)
    columns = {
        name: _tri_state(np.where(linked, truth, rng.random(n) < 0.15), completed, rng=rng)
        for name, truth in facts.items()
    }
    clutter = np.clip(
        rng.geometric(0.55, n) + 2 * (rng.random(n) < 0.06) + (facts["alcohol_concern"]).astype(int), 1, 9
    )
    helped = state.in_home_care[person] | state.has_carer[person]
    need = state.mobility[person] >= 2
    care = np.where(need, np.where(helped, 1 + (rng.random(n) < 0.2), 3 + (rng.random(n) < 0.25)), 0)
    return pl.DataFrame(
        {
            "household_id": part.homes(home),
            "visited_on": part.dates(day),
            "visit_outcome": letters(OUTCOMES, outcome),
            "referral_source": sparse(letters(SOURCES, rng.integers(0, len(SOURCES), n)), rng.random(n) < 0.85),
            "recorded_on": part.dates(told),
            **columns,
            "clutter_rating": pl.Series(clutter)
            .cast(pl.Int64)
            .zip_with(pl.Series(completed & (rng.random(n) < 0.8)), pl.Series([None], dtype=pl.Int64)),
            "mobility": sparse(letters(MOBILITY, state.mobility[person]), completed & linked & (rng.random(n) < 0.7)),
            "care_support": sparse(letters(CARE, care), completed & linked & (rng.random(n) < 0.55)),
            "household_match": matches(n, rng=rng.spawn(1)[0]),
        }
    )


def _facts(part: Part, state: State, home: Array, person: Array, *, rng: np.random.Generator) -> dict[str, Array]:
    n, has = len(home), {name: values[person] for name, values in state.has.items()}
    stiff = state.mobility[person]
    drinks = has["alcohol_concern"]
    alarm = 0.93 - 0.04 * state.deprivation[person].clip(-1, 2) - 0.08 * drinks - 0.03 * (state.noise[person] > 1)
    chance = {
        "smoke_alarm_working": alarm,
        "home_oxygen": 0.002 + 0.03 * has["efi_respiratory_disease"],
        "emollient": 0.05 + 0.3 * has["efi_skin_ulcer"],
        "airflow_mattress": 0.002 + 0.15 * (stiff >= 3),
        "electric_blanket": 0.2 + 0.1 * part.dwellings.is_cold[home],
        "portable_heater": 0.06 + 0.16 * part.dwellings.is_cold[home],
        "cooking_concern": 0.02 + 0.12 * has["dementia"],
        "telecare": 0.04 + 0.2 * (stiff >= 1) + 0.1 * state.lives_alone[person],
        "fire_in_last_year": np.full(n, 0.006),
        "sensory_impairment": 0.02 + 0.6 * (has["efi_vision_problems"] | has["efi_hearing_loss"]),
        "memory_concern": 0.01 + 0.6 * (has["dementia"] | has["efi_cognitive_problems"]),
    }
    facts = {name: rng.random(n) < np.broadcast_to(value, (n,)) for name, value in chance.items()}
    facts |= {"lives_alone": state.lives_alone[person], "smoker": has["smoker"], "alcohol_concern": drinks}
    return {name: facts[name] for name in FACTS}


def _tri_state(truth: Array, completed: Array, *, rng: np.random.Generator) -> pl.Series:
    """`yes`, `no`, `not asked` or an empty cell: a third of the questions are not put."""
    chance = rng.random(len(truth))
    answer = np.where(completed & (chance < 0.66), truth.astype(int), np.where(chance < 0.85, 2, 3))
    return letters(["no", "yes", "not asked", None], answer)


def fire_incidents(part: Part, *, shown: Array, rng: np.random.Generator) -> pl.DataFrame:
    """One row an incident at a home."""
    n = len(part.dwellings)
    years = -part.start / 365
    rates = np.array([0.0016, 0.0001, 0.008, 0.007])
    found = []
    for number, rate in enumerate(rates):
        busy = np.where(part.dwellings.is_care_home, 30.0 if number >= 2 else 2.0, 1.0)
        home = np.repeat(np.arange(n), rng.poisson(np.where(shown, rate * busy * years, 0)))
        found.append((home, np.full(len(home), number)))
    home, kind = (np.concatenate(column) for column in zip(*found))
    day = part.start + rng.integers(0, -part.start - 1, len(home))
    told = np.minimum(day + rng.integers(0, 9, len(home)), NEVER)
    kept = told < 0
    frame = pl.DataFrame(
        {
            "household_id": part.homes(home[kept]),
            "incident_type": letters(INCIDENTS, kind[kept]),
            "happened_on": part.dates(day[kept]),
            "household_match": matches(int(kept.sum()), rng=rng.spawn(1)[0]),
            "recorded_on": part.dates(told[kept]),
        }
    )
    return frame.sort("household_id", "happened_on", "incident_type", "recorded_on")
