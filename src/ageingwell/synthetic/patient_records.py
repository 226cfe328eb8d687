"""What GP practices would send about the people registered with them: one row a person and version."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from ageingwell.contracts.gp import OLDEST
from ageingwell.synthetic.conditions import NEVER, POSITION
from ageingwell.synthetic.part import Part, letters, matches, sparse
from ageingwell.synthetic.people import ETHNIC_GROUPS, YEAR

Array = np.ndarray
# A register tells of a death that it later takes back for so many of those who live.
CORRECTED_DEATHS = 0.002
NEEDS = ("large print", "hearing loop", "British Sign Language", "interpreter", "easy read", "telephone first")


@dataclass(frozen=True)
class Versions:
    """Versions of people's registrations, sorted by person and day of recording.

    `holds_end` marks the version that tells of a death or leaving, `tells_day` those that say when this was recorded.
    `wrong_death` is the day of a death that the version tells of somebody who lives (`NEVER` if none); the next version
    takes it back.
    """

    person: Array
    day: Array
    recorded: Array
    told: Array
    died: Array
    holds_end: Array
    tells_day: Array
    wrong_death: Array


def patient_versions(part: Part, *, rng: np.random.Generator) -> Versions:
    """Draw the versions: registered, moved house, moved into a care home, died or left.

    A practice's system either overwrites the last version when somebody dies or leaves (and keeps the day it was told),
    or writes a new one (and often does not keep that day).
    """
    n = len(part.people)
    who = np.flatnonzero(part.is_known)
    first = np.maximum(part.registered, part.moved_in)[who]
    found = [(who, first, first + rng.integers(0, 4, len(who)))]
    for day, _ in (part.house_move, part.care_home_move):
        moved = np.flatnonzero(part.is_known & (day < part.until) & (day > part.registered))
        found.append((moved, day[moved], day[moved] + rng.geometric(0.06, len(moved))))
    died = part.history.died < part.history.left
    told = part.until + np.where(died, rng.geometric(0.2, n), 3 + rng.geometric(0.05, n))
    ended = part.is_known & (told < 0)
    writes_new = ended & (rng.random(n) < 0.5)
    new = np.flatnonzero(writes_new)
    found.append((new, part.until[new], told[new]))
    person, day, recorded = (np.concatenate(columns) for columns in zip(*found))
    is_end = np.arange(len(person)) >= len(person) - len(new)
    order = np.lexsort((recorded, person))
    person, day, recorded, is_end = person[order], day[order], recorded[order], is_end[order]
    # A move told after the end, or on the same day as another version, would contradict it.
    is_late = ~is_end & (recorded >= np.where(ended, told, NEVER)[person])
    is_tie = np.r_[False, (person[1:] == person[:-1]) & (recorded[1:] == recorded[:-1])] & ~is_end
    kept = (recorded < 0) & ~is_late & ~is_tie
    person, day, recorded = person[kept], day[kept], recorded[kept]
    holds_end = np.r_[person[1:] != person[:-1], True] & ended[person]
    tells_day = holds_end & ~(writes_new[person] & (rng.random(len(person)) < 0.6))
    versions = Versions(person, day, recorded, told, died, holds_end, tells_day, np.full(len(person), NEVER))
    return _with_corrected_deaths(versions, ended=ended, rng=rng)


def _with_corrected_deaths(versions: Versions, *, ended: Array, rng: np.random.Generator) -> Versions:
    """Some people were taken for another who died: a version tells of the death, and the next takes it back."""
    person, recorded = versions.person, versions.recorded
    is_last = np.r_[person[1:] != person[:-1], True]
    chosen = is_last & ~ended[person] & (recorded < -200) & (rng.random(len(person)) < CORRECTED_DEATHS)
    rows = np.flatnonzero(chosen)
    wrong = -rng.integers(60, 160, len(rows))
    again = np.r_[np.arange(len(person)), rows, rows]
    died_on = np.r_[versions.wrong_death, wrong - rng.integers(1, 20, len(rows)), np.full(len(rows), NEVER)]
    told_on = np.r_[recorded, wrong, wrong + rng.integers(3, 50, len(rows))]
    order = np.lexsort((told_on, person[again]))
    again, died_on, told_on = again[order], died_on[order], told_on[order]
    return replace(
        versions,
        person=person[again],
        day=versions.day[again],
        recorded=told_on,
        holds_end=versions.holds_end[again],
        tells_day=versions.tells_day[again],
        wrong_death=died_on,
    )


def gp_patients(part: Part, versions: Versions, *, rng: np.random.Generator) -> pl.DataFrame:
    """One row a version; homes that could not be matched are missing in all versions of a person."""
    n, person, day = len(part.people), versions.person, versions.day
    need = rng.random(n) < np.where(part.onsets[:, POSITION["efi_hearing_loss"]] < 0, 0.10, 0.02)
    sex = np.where(rng.random(n) < 0.001, 2, part.people.is_female.astype(int))
    has_home, has_date = rng.random(n) > 0.012, rng.random(n) < 0.93
    home = part.home_on(person, day)
    is_death, is_leaving = versions.died[person], ~versions.died[person]

    def when(days: Array, shown: Array) -> pl.Series:
        return part.dates(np.where(shown, days[person], NEVER))

    return pl.DataFrame(
        {
            "person_id": part.ids(person),
            "household_id": sparse(part.homes(home), has_home[person]),
            # Addresses are matched anew with every version.
            "household_match": sparse(matches(len(person), rng=rng.spawn(1)[0]), has_home[person]),
            "moved_in_on": part.dates(np.where(has_date[person], part.moved_in_on(person, day), NEVER)),
            "birth_month": part.dates(_born(part, versions)[person]).dt.month_start(),
            "sex": letters(("male", "female", "unknown"), sex[person]),
            "ethnic_group": letters(ETHNIC_GROUPS, part.people.ethnic[person]),
            "lsoa21": part.places["lsoa21"].gather(part.dwellings.place[home]),
            "practice_code": _practices(part, rng=rng).gather(person),
            "registered_on": part.dates(part.registered[person]),
            "left_on": when(part.history.left, versions.holds_end & is_leaving),
            "left_recorded_on": when(versions.told, versions.tells_day & is_leaving),
            "died_on": part.dates(
                np.where(versions.holds_end & is_death, part.history.died[person], versions.wrong_death)
            ),
            "died_recorded_on": when(versions.told, versions.tells_day & is_death),
            "communication_need": sparse(letters(NEEDS, rng.integers(0, len(NEEDS), n)[person]), need[person]),
            "recorded_on": part.dates(versions.recorded),
        }
    )


# A registration that was never closed: among the oldest on a register some were born too long ago to be alive.
_GHOST_FROM, _GHOST_OLDER = 103, 13


def _born(part: Part, versions: Versions) -> Array:
    """The day of birth as the practice has it; of a few of the oldest, whose record nobody looks at, an impossible one.

    Their age was possible when the row was recorded: the row is good, and only the night can tell that it is not.
    """
    born = part.people.born
    newest = np.full(len(born), -NEVER)
    np.maximum.at(newest, versions.person, versions.recorded)
    earlier = born - round(_GHOST_OLDER * YEAR)
    is_open = np.ones(len(born), dtype=bool)
    is_open[versions.person[versions.holds_end]] = False
    was_possible = (newest - earlier) / YEAR < OLDEST
    is_ghost = is_open & (part.people.age(0) > _GHOST_FROM) & was_possible
    return np.where(is_ghost, earlier, born)


def _practices(part: Part, *, rng: np.random.Generator) -> pl.Series:
    """A practice code for each person, mostly the nearest; a household shares one. No real code begins with Z8."""
    nearest = part.places["practice"].to_numpy()[part.people.place]
    goes_further = (rng.random(part.people.n_units) < 0.2)[part.people.unit]
    number = nearest + np.where(goes_further, 1 - 2 * (nearest % 2), 0)
    return pl.Series(80_000 + number).cast(pl.String).str.replace("^", "Z")
