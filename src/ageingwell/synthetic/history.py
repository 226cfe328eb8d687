"""What happened to everybody: the events under the records, and what one year hands to the next.

Time goes in years between boundaries; the last boundary but one is the latest cut-off whose year is settled (`as_of`
less 365 and 90 days).
"""

from dataclasses import dataclass, field

import numpy as np

from ageingwell.synthetic.dwellings import Dwellings
from ageingwell.synthetic.medicines import Courses
from ageingwell.synthetic.people import People
from ageingwell.synthetic.state import State

Array = np.ndarray
STEP = 365
SETTLING = 90


def boundaries(years: int) -> list[int]:
    """The boundary days of the recorded years, counted from `as_of` (day 0).

    >>> boundaries(2)
    [-820, -455, -90]
    """
    return [-(STEP + SETTLING) - STEP * back for back in range(years - 1, -1, -1)] + [-SETTLING]


@dataclass(frozen=True)
class World:
    """What does not change over the years: the people, their lot, and the homes they could move to.

    `care_home_of` and `new_home_of` name the home (row of `dwellings`) each person would move to.
    """

    people: People
    dwellings: Dwellings
    onsets: Array
    courses: Courses
    deprivation: Array
    care_home_of: Array
    new_home_of: Array


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
    began: int
    began_in_home_care: Array
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
class Carried:
    """What one year hands to the next."""

    noise: Array
    in_home_care: Array
    n_falls: Array
    n_emergencies: Array
    is_just_discharged: Array
