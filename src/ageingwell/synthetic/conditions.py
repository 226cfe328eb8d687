"""Long-term conditions: who gets which, and when.

A condition starts at an age that follows from the person's sex, the deprivation of the area, the person's frailty
(which nobody measures) and chance: the share who have it by an age is a logistic curve. The shares at 75 were set so
that the *coded* shares of the written county meet the published ones; `check_rates` prints both.
"""

from dataclasses import dataclass

import numpy as np

from ageingwell.synthetic.people import YEAR, People

Array = np.ndarray
NEVER = 10**6


@dataclass(frozen=True)
class Condition:
    """One condition: its code list, share at 75, and how the log-odds move.

    `per_decade` of age, `if_female`, `per_deprivation` (three deciles), `per_frailty` (a standard deviation);
    `coded` is the share of people with it whose practice ever codes it.
    """

    codelist: str
    share_at_75: float
    per_decade: float
    if_female: float = 0.0
    per_deprivation: float = 0.05
    per_frailty: float = 0.3
    coded: float = 0.8
    reviews_a_year: float = 0.0


CONDITIONS: tuple[Condition, ...] = (
    Condition("efi_hypertension", 0.53, 0.45, 0.0, 0.08, 0.15, 0.97, 0.4),
    Condition("efi_diabetes", 0.232, 0.12, -0.35, 0.22, 0.25, 0.98, 0.8),
    Condition("efi_coronary_heart_disease", 0.094, 0.55, -0.75, 0.12, 0.3, 0.97, 0.3),
    Condition("efi_atrial_fibrillation", 0.058, 0.95, -0.35, 0.0, 0.25, 0.95, 0.3),
    Condition("efi_heart_failure", 0.029, 0.95, -0.25, 0.1, 0.6, 0.93, 0.5),
    Condition("efi_heart_valve_disease", 0.020, 0.7, -0.1, 0.0, 0.25, 0.85),
    Condition("efi_stroke_tia", 0.064, 0.7, -0.2, 0.1, 0.45, 0.97, 0.3),
    Condition("efi_peripheral_vascular_disease", 0.035, 0.5, -0.5, 0.2, 0.35, 0.9),
    Condition("efi_chronic_kidney_disease", 0.082, 1.1, 0.1, 0.05, 0.35, 0.95, 0.3),
    Condition("efi_respiratory_disease", 0.130, 0.25, -0.05, 0.3, 0.4, 0.97, 0.5),
    Condition("cancer", 0.164, 0.35, -0.05, 0.0, 0.2, 0.97, 0.2),
    Condition("dementia", 0.033, 1.45, 0.1, 0.08, 0.6, 0.82, 0.4),
    Condition("efi_cognitive_problems", 0.060, 1.2, 0.1, 0.05, 0.55, 0.6),
    Condition("efi_parkinsons", 0.012, 0.7, -0.5, 0.0, 0.3, 0.95, 0.3),
    Condition("efi_arthritis", 0.32, 0.45, 0.5, 0.1, 0.3, 0.75),
    Condition("efi_osteoporosis", 0.085, 0.7, 1.6, 0.0, 0.25, 0.8),
    Condition("efi_fragility_fracture", 0.065, 0.8, 1.0, 0.05, 0.4, 0.8),
    Condition("efi_anaemia", 0.10, 0.8, 0.1, 0.05, 0.4, 0.75),
    Condition("efi_thyroid_disorders", 0.075, 0.2, 1.3, 0.0, 0.1, 0.95, 0.2),
    Condition("efi_peptic_ulcer", 0.05, 0.2, -0.3, 0.15, 0.2, 0.8),
    Condition("efi_hearing_loss", 0.24, 1.0, -0.25, 0.0, 0.15, 0.6),
    Condition("efi_vision_problems", 0.20, 1.0, 0.1, 0.05, 0.2, 0.65),
    Condition("efi_urinary_incontinence", 0.11, 0.8, 0.6, 0.05, 0.4, 0.5),
    Condition("efi_urinary_system_disease", 0.17, 0.5, -0.6, 0.0, 0.2, 0.75),
    Condition("efi_foot_problems", 0.13, 0.7, 0.1, 0.1, 0.35, 0.6),
    Condition("efi_skin_ulcer", 0.05, 0.9, 0.0, 0.15, 0.5, 0.7),
    Condition("efi_sleep_disturbance", 0.10, 0.2, 0.25, 0.1, 0.3, 0.5),
    Condition("efi_dizziness", 0.15, 0.6, 0.2, 0.05, 0.35, 0.6),
    Condition("efi_dyspnoea", 0.14, 0.5, 0.0, 0.2, 0.45, 0.6),
    Condition("efi_hypotension", 0.06, 0.8, 0.0, 0.0, 0.35, 0.65),
    Condition("efi_weight_loss", 0.04, 0.8, 0.0, 0.1, 0.55, 0.55),
    Condition("depression", 0.12, 0.1, 0.5, 0.22, 0.35, 0.85),
    # Nobody takes up smoking at 70: a very flat curve is a fixed share, higher among the younger old.
    Condition("smoker", 0.09, 0.02, -0.2, 0.35, 0.2, 0.85),
    Condition("alcohol_concern", 0.045, 0.02, -0.7, 0.15, 0.2, 0.6),
)
POSITION = {condition.codelist: place for place, condition in enumerate(CONDITIONS)}


def draw_onsets(people: People, *, deprivation: Array, shift: float, rng: np.random.Generator) -> Array:
    """The day each condition starts for each person (n people by n conditions, float32); `NEVER` if in no lifetime.

    `shift` is added to every log-odds: a second county with other rates.
    """
    onsets = np.empty((len(people), len(CONDITIONS)), dtype=np.float32)
    for place, condition in enumerate(CONDITIONS):
        chance = rng.logistic(size=len(people))
        level = (
            np.log(condition.share_at_75 / (1 - condition.share_at_75))
            + shift
            + condition.if_female * (people.is_female - 0.5)
            + condition.per_deprivation * deprivation
            + condition.per_frailty * people.frailty
        )
        age = 75 + 10 * (chance - level) / condition.per_decade
        # Onsets before birth belong to those who always had it: give them an adult age.
        age = np.where(age < 40, 40 - 10 * rng.random(len(people)), age)
        onsets[:, place] = np.where(age < 115, people.born + age * YEAR, NEVER)
    return onsets
