"""The yearly rates of death, care, falls and emergencies, from a person's state.

The rates are not a plain sum: living alone matters more to those who walk badly, ten medicines are worse than nine by
more than nine are worse than eight, a cold home harms those who are short of breath, a discharge harms those without
a carer, dementia weighs more after 85. `frailty` and `noise` are measured by nobody, so no model can know the rates.
Constants were set against the published rates that `check_rates` prints.
"""

import numpy as np

from ageingwell.synthetic.state import State

Array = np.ndarray

# Shares of deaths that begin with an emergency admission.
TERMINAL_AT_HOME, TERMINAL_IN_CARE = 0.40, 0.20
# A yearly level for each event at age 75, as a logarithm.
BASE = {"death": -4.42, "fall": -4.93, "home_care": -5.57, "care_home": -5.62, "emergency": -2.38, "slip": -2.5}
# How far frailty that nobody measures spreads the rates.
SPREAD = 0.98
RISKS = ("loss_of_independence", "emergency_admission", "new_long_term_care", "death")


def yearly_rates(state: State, *, shift: float) -> dict[str, Array]:
    """Rates a year for each person: death, fall, home_care, care_home, emergency, slip (a fall without admission)."""
    rates = {
        "death": _death(state),
        "fall": _fall(state),
        "home_care": _home_care(state),
        "care_home": _care_home(state),
        "emergency": _emergency(state),
        "slip": _slip(state),
    }
    return {name: np.exp(np.minimum(level, 1.2) + shift) for name, level in rates.items()} | {
        "home_care": np.where(state.in_home_care | state.in_care_home, 0.0, np.exp(rates["home_care"] + shift)),
        "care_home": np.where(state.in_care_home, 0.0, np.exp(np.minimum(rates["care_home"], 0.5) + shift)),
    }


def one_year_risks(rates: dict[str, Array], state: State) -> Array:
    """The chance of each outcome in the coming year (people by `RISKS`), NaN for those already in the state."""
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


def _hidden(state: State) -> Array:
    return np.asarray(SPREAD * (0.8 * state.frailty + 0.6 * state.noise))


def _decades(state: State) -> Array:
    return np.asarray((state.age - 75) / 10)


def _death(state: State) -> Array:
    has = state.has
    at_home = BASE["death"] + 0.97 * _decades(state) - 0.3 * (state.is_female - 0.5) + 0.08 * state.deprivation
    at_home = at_home + 0.38 * _hidden(state) + 0.5 * has["cancer"] + 0.5 * has["efi_heart_failure"]
    at_home = at_home + 0.35 * has["efi_respiratory_disease"] + 0.3 * has["efi_chronic_kidney_disease"]
    at_home = at_home + 0.5 * has["dementia"] + 0.3 * (has["dementia"] & (state.age >= 85)) + 0.4 * has["smoker"]
    at_home = at_home + 0.5 * has["efi_weight_loss"] + 0.25 * has["efi_stroke_tia"] + 0.15 * has["efi_diabetes"]
    at_home = at_home + 0.18 * state.mobility + 0.3 * (state.n_medicines >= 10) + 0.3 * state.lost_partner
    at_home = at_home + 0.5 * (has["efi_respiratory_disease"] & state.is_cold)
    at_home = at_home + 0.14 * state.n_emergencies.clip(0, 3)
    in_care = -1.12 + 0.33 * (state.age - 70) / 10 + 0.25 * _hidden(state) - 0.2 * (state.is_female - 0.5)
    return np.where(state.in_care_home, in_care, at_home)


def _fall(state: State) -> Array:
    unsteady = state.mobility.clip(0, 3)
    level = BASE["fall"] + 0.78 * _decades(state) + 0.3 * (state.is_female - 0.5) + 0.45 * _hidden(state)
    level = level + 0.24 * unsteady + 0.45 * (state.lives_alone & (state.mobility >= 1))
    level = level + 0.35 * state.n_falls.clip(0, 2) + 0.45 * (state.n_medicines >= 10)
    level = level + 0.2 * state.n_risky_medicines.clip(0, 3) + 0.3 * state.has["efi_osteoporosis"]
    level = level + 0.35 * (state.has["dementia"] & (state.mobility < 3)) + 0.25 * state.has["efi_parkinsons"]
    level = level + 0.25 * (state.has["efi_vision_problems"] & state.lives_alone)
    return np.asarray(level - 0.6 * (state.mobility == 4) + 0.4 * state.in_care_home)


def _home_care(state: State) -> Array:
    alone = state.lives_alone
    level = BASE["home_care"] + 0.68 * _decades(state) + 0.42 * _hidden(state) + 0.33 * state.mobility
    level = level + 0.45 * alone + 0.35 * (alone & (state.mobility >= 2)) + 0.1 * state.deprivation
    level = level + 0.5 * state.has["dementia"] + 0.4 * (state.has["dementia"] & (state.age >= 85))
    level = level + 0.3 * state.has["efi_stroke_tia"] + 0.7 * (state.is_just_discharged & ~state.has_carer)
    return np.asarray(level + 0.4 * state.lost_partner + 0.25 * state.has["efi_urinary_incontinence"])


def _care_home(state: State) -> Array:
    level = BASE["care_home"] + 0.78 * _decades(state) + 0.42 * _hidden(state) + 0.22 * state.mobility
    level = level + 1.2 * state.has["dementia"] + 0.4 * (state.has["dementia"] & state.lives_alone)
    level = level + 0.4 * state.lives_alone + 0.6 * state.in_home_care + 0.3 * state.n_emergencies.clip(0, 2)
    return np.asarray(level + 0.5 * (state.is_just_discharged & ~state.has_carer) + 0.4 * state.lost_partner)


def _emergency(state: State) -> Array:
    has = state.has
    level = BASE["emergency"] + 0.52 * _decades(state) + 0.12 * state.deprivation + 0.5 * _hidden(state)
    level = level + 0.35 * has["efi_heart_failure"] + 0.3 * has["efi_respiratory_disease"] + 0.2 * has["cancer"]
    level = level + 0.5 * (has["efi_respiratory_disease"] & state.is_cold) + 0.2 * has["smoker"]
    level = level + 0.15 * has["efi_diabetes"] + 0.15 * has["efi_atrial_fibrillation"] + 0.2 * has["dementia"]
    level = level + 0.32 * state.n_emergencies.clip(0, 3) + 0.3 * (state.n_medicines >= 10)
    return np.asarray(level + 0.12 * state.mobility + 0.2 * (state.is_just_discharged & ~state.has_carer))


def _slip(state: State) -> Array:
    level = BASE["slip"] + 0.4 * _decades(state) + 0.35 * _hidden(state) + 0.25 * state.mobility.clip(0, 3)
    return np.asarray(level + 0.25 * state.n_falls.clip(0, 2) + 0.15 * state.n_risky_medicines.clip(0, 3))
