"""The week in numbers: how many are listed in how many homes, who waits for a place, and whose urgent need does."""

import polars as pl

from ageingwell.governance.night_facts import WeekFacts

_DOOR = pl.coalesce("household_id", "person_id")


def describe_week(listed: pl.DataFrame, needs: pl.DataFrame, counts: pl.DataFrame) -> WeekFacts:
    """Count the week from the night's tables `list` and `needs`, and its counts by step and reason.

    An urgent need waits where its home has no place, or is visited by others while the agency that leads it is full.

    >>> listed = pl.DataFrame({
    ...     "person_id": ["p1", "p2"], "household_id": ["h1", "h1"], "partners_full": [["fire"]] * 2,
    ... })
    >>> needs = pl.DataFrame({
    ...     "person_id": ["p1", "p3"], "household_id": ["h1", "h3"], "lead_agency": ["fire", "fire"],
    ...     "urgency": ["urgent"] * 2, "outcome": ["allocated", "no_place_this_week"],
    ... })
    >>> counts = pl.DataFrame({"step": ["allocate", "rank"], "reason": ["no_place_this_week", "x"], "n": [5, 9]})
    >>> describe_week(listed, needs, counts)
    {'n_people': 2, 'n_homes': 1, 'n_waiting': 5, 'urgent_waiting': {'fire': 2}}
    """
    urgent = needs.drop_nulls("person_id").filter(urgency="urgent")
    off_the_list = urgent.filter(outcome="no_place_this_week").select("lead_agency", door=_DOOR)
    full = listed.select("person_id", "partners_full").explode("partners_full")
    not_met = urgent.join(
        full, left_on=["person_id", "lead_agency"], right_on=["person_id", "partners_full"], how="semi"
    ).select("lead_agency", door=_DOOR)
    waiting = pl.concat([off_the_list, not_met]).unique().group_by("lead_agency").len().sort("lead_agency")
    no_place = counts.filter(step="allocate", reason="no_place_this_week")
    return {
        "n_people": listed.height,
        "n_homes": listed.select(_DOOR).n_unique(),
        "n_waiting": int(no_place["n"].sum()),
        "urgent_waiting": dict(waiting.iter_rows()),
    }
