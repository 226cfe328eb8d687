"""Categories as numbers: of many levels each level's log-odds against the whole, pulled towards it where it is rare.

A category of few levels keeps its codes, and the trees part its levels in sets: levels that are alike on the whole may
differ beside another fact, which one order of them for all splits can't show.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from ageingwell.model.columns import Column

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# A category of more levels than this is described by its levels' own log-odds.
MOST_LEVELS_APART = 30
# Up to so many may be parted in sets by the trees too, where that describes people better who were not fitted on:
# LightGBM holds a level in one of 255 bins.
MOST_LEVELS_IN_SETS = 251
# Levels are pulled towards the whole by so many people.
PULL = 20.0


def has_many_levels(column: Column) -> bool:
    """Whether a category enters by its levels' own log-odds."""
    return column.n_codes > MOST_LEVELS_APART


def level_log_odds(codes: Floats, outcome: Floats, *, weight: Floats, n_codes: int) -> Floats:
    """The pulled log-odds of each level against the whole, (n_codes + 1,); the last, for unseen levels, is 0.

    >>> codes, died = np.array([0.0] * 20 + [1.0] * 20), np.array([1.0] * 10 + [0.0] * 30)
    >>> level_log_odds(codes, died, weight=np.ones(40), n_codes=2).round(2)
    array([ 0.59, -0.85,  0.  ])
    """
    share = float(np.average(outcome, weights=weight))
    place = codes.astype(np.int64)
    people = np.bincount(place, weights=weight, minlength=n_codes)
    events = np.bincount(place, weights=weight * outcome, minlength=n_codes)
    pulled = (events + PULL * share) / (people + PULL)
    return np.append(np.round(logit(pulled) - logit(share), 9), 0.0)


def tables_of(
    codes: Floats, outcome: Floats, *, weight: Floats, columns: Sequence[Column]
) -> tuple[Floats | None, ...]:
    """The number of each code of each category, the unseen one's last; None for a column of numbers."""
    return tuple(
        level_log_odds(codes[:, place], outcome, weight=weight, n_codes=column.n_codes)
        if has_many_levels(column)
        else own_codes(column)
        for place, column in enumerate(columns)
    )


def own_codes(column: Column) -> Floats | None:
    """The table of a category whose codes stay as they are; the unseen one is -1, in no set of the trees."""
    return np.append(np.arange(float(column.n_codes)), -1.0) if column.is_category else None


def as_numbers(codes: Floats, tables: Sequence[Floats | None]) -> Floats:
    """The matrix with each category's code replaced by the number in its table."""
    if all(table is None for table in tables):
        return codes
    made = codes.copy(order="F")
    for place, table in enumerate(tables):
        if table is not None:
            made[:, place] = table[codes[:, place].astype(np.int64)]
    return made


def as_numbers_unseen(
    codes: Floats, outcome: Floats, *, weight: Floats, columns: Sequence[Column], fold: Ints
) -> Floats:
    """Each row's categories by log-odds of the other folds' rows, so that no row is described by its own outcome.

    With one fold only there are no others, and its own rows serve.
    """
    many = [place for place, column in enumerate(columns) if has_many_levels(column)]
    if not many:
        return codes
    made = codes.copy(order="F")
    for part in np.unique(fold):
        ours = fold == part
        rest = ours if ours.all() else ~ours
        for place in many:
            table = level_log_odds(
                codes[rest, place], outcome[rest], weight=weight[rest], n_codes=columns[place].n_codes
            )
            made[ours, place] = table[codes[ours, place].astype(np.int64)]
    return made
