"""What is true of the made-up people, kept apart from the tables: their risks, which nobody can know of real ones."""

import numpy as np
import polars as pl

from ageingwell.synthetic.hazards import RISKS
from ageingwell.synthetic.part import Part


def true_risks(part: Part) -> pl.DataFrame:
    """One row a person aged 65+ and boundary: the true risk of each outcome in the year after, and the frailty.

    A risk is null for those already in the state (new long-term care for those who have it). Leaving the area is not
    an outcome: the risks are those of people who stay.
    """
    frames = []
    for day, state, risks in zip(part.history.days, part.history.states, part.history.risks):
        here = part.is_known & state.is_here & (part.registered <= day)
        who = np.flatnonzero(here & (state.age >= 65))
        columns = {f"risk_{name}": pl.Series(risks[who, place]).fill_nan(None) for place, name in enumerate(RISKS)}
        frames.append(
            pl.DataFrame(
                {
                    "person_id": part.ids(who),
                    "as_of": part.dates(np.full(len(who), day)),
                    **columns,
                    "frailty": part.people.frailty[who],
                    "noise": state.noise[who],
                    "is_in_care_home": state.in_care_home[who],
                    "is_in_home_care": state.in_home_care[who],
                }
            )
        )
    return pl.concat(frames).sort("as_of", "person_id")
