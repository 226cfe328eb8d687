"""What GP practices would send about prescriptions: every issue of every repeat medicine."""

import numpy as np
import polars as pl

from ageingwell.synthetic.medicines import MEDICINES, made_up_dmd_codes
from ageingwell.synthetic.part import Part, letters, sparse

ISSUE_DAYS = 84


def gp_prescriptions(part: Part, *, rng: np.random.Generator) -> pl.DataFrame:
    """One row an issue, every 84 days while a medicine is taken; all of a person's medicines fall on the same days."""
    n = len(part.people)
    last = np.minimum(part.until, 0)[:, None]
    begin = np.maximum(part.courses.starts, np.maximum(part.start, part.registered)[:, None])
    end = np.minimum(part.courses.ends, last)
    phase = rng.integers(0, ISSUE_DAYS, n)[:, None]
    # The first issue on the person's own rhythm on or after the day the medicine begins.
    first = begin + (phase - begin) % ISSUE_DAYS
    counts = np.where(part.is_known[:, None] & (end > first), (end - first + ISSUE_DAYS - 1) // ISSUE_DAYS, 0)
    cells = np.flatnonzero(counts)
    repeated = counts.ravel()[cells]
    cell = np.repeat(cells, repeated)
    turn = np.arange(len(cell)) - np.repeat(np.cumsum(repeated) - repeated, repeated)
    issued = first.ravel()[cell] + turn * ISSUE_DAYS
    # One issue in fourteen is missed: in hospital, away, or stocked up.
    recorded = issued + (rng.random(len(cell)) < 0.04) * rng.integers(1, 6, len(cell))
    kept = (rng.random(len(cell)) < 0.93) & (recorded < 0)
    person, medicine = cell[kept] // len(MEDICINES), cell[kept] % len(MEDICINES)
    issued, recorded = issued[kept], recorded[kept]
    # One practice in eight sends dm+d codes only for some medicines.
    only_dmd = (part.places["practice"].to_numpy()[part.people.place[person]] + medicine) % 13 == 5
    bnf, dmd = zip(*made_up_dmd_codes().items(), strict=True)
    return pl.DataFrame(
        {
            "person_id": part.ids(person),
            "bnf_code": sparse(letters(list(bnf), medicine), ~only_dmd),
            "dmd_code": sparse(letters(list(dmd), medicine), only_dmd),
            "issued_on": part.dates(issued),
            "recorded_on": part.dates(recorded),
        }
    )
