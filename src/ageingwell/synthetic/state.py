"""Everybody's state on a boundary: all that the coming year's rates depend on."""

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class State:
    """Everybody's state on a boundary, one entry a person."""

    day: int
    age: Array
    is_female: Array
    deprivation: Array
    frailty: Array
    noise: Array
    has: dict[str, Array]
    n_medicines: Array
    n_risky_medicines: Array
    mobility: Array
    lives_alone: Array
    has_partner: Array
    lost_partner: Array
    has_carer: Array
    is_cold: Array
    in_home_care: Array
    in_care_home: Array
    n_falls: Array
    n_emergencies: Array
    is_just_discharged: Array
    is_here: Array
    is_alive: Array
