"""Features that tell the outcome by themselves: by their values, by being recorded at all, or by one of their levels.

A strong feature isn't a leak: age alone may tell 0.85. Told are only those that no ordinary feature is like: nearly
perfect where the others are far from it; recorded for those who had the outcome and hardly anybody else; a level whose
rows all had it.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ageingwell.model.columns import Column

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Of fewer rows with, or without, the outcome chance tells too much.
FEWEST = 20
# Rows looked at; the first in an order that has nothing to do with what they hold.
MOST_ROWS = 20_000
BINS = 32
FOLDS = 5
# A feature's AUROC from which it may be a leak, and how many times closer to 1 than three quarters of the others it is.
NEARLY_PERFECT = 0.96
TIMES_CLOSER = 3.0
# Whether something was recorded hardly ever tells so much; among the others some may tell as much by their values.
BY_GAPS_ALONE = 0.9
# A level of so many rows, all with the outcome where at most half of all rows had it, is one that the outcome made:
# 30 of 30 is over 0.9 with 95% certainty.
ROWS_OF_A_LEVEL = 30
ALL_OF_THEM = 0.995
AT_MOST_HALF = 0.5
# Levels of a number are looked at one by one where it has no more values than this.
FEW_VALUES = 30
# On one side of a gap nobody had the outcome, where so many were to be expected.
EXPECTED = 30
NOBODY = 0.01


def leaks_among(codes: Floats, outcome: Floats, columns: Sequence[Column]) -> Iterator[str]:
    """What was seen of each feature that tells the outcome by itself, in words; rows in `canonical_order`."""
    codes, outcome = codes[:MOST_ROWS], outcome[:MOST_ROWS]
    events = int(outcome.sum())
    if min(events, len(outcome) - events) < FEWEST:
        return
    places = [_parts(codes[:, place], column) for place, column in enumerate(columns)]
    areas = np.array([area_alone(part, outcome) for part in places])
    for number, column in enumerate(columns):
        others = np.delete(areas, number)
        usual = float(np.quantile(others, 0.75, method="lower")) if others.size else 0.5
        found = _leak(codes[:, number], places[number], outcome, column, area=float(areas[number]), usual=usual)
        if found:
            yield found


def _leak(values: Floats, parts: Ints, outcome: Floats, column: Column, *, area: float, usual: float) -> str | None:
    gap = np.isnan(values) if not column.is_category else values == column.n_codes - 1
    if 0 < gap.sum() < len(gap):
        known, others = (float((~gap)[outcome == y].mean()) for y in (1, 0))
        if _is_leak_of_gaps(gap, outcome, usual=usual):
            return (
                f"{column.name} is recorded for {_percent(known)} of the rows with the outcome and {_percent(others)} "
                "of the others"
            )
    if area >= NEARLY_PERFECT and 1 - usual >= TIMES_CLOSER * (1 - area):
        rest = f", and most others {usual:.2f} or less" if usual > 0.5 else ""
        return f"{column.name} tells the outcome by itself: its AUROC alone is {area:.2f}{rest}"
    rows = _rows_all_with_it(parts, values, gap, outcome, column)
    if rows:
        share = f"{_percent(float(outcome.mean()))} of all rows"
        return f"{column.name} has a value whose {rows:,} rows all had the outcome, which {share} had"
    return None


def _is_leak_of_gaps(gap: NDArray[np.bool_], outcome: Floats, *, usual: float) -> bool:
    """Whether being recorded tells the outcome: nearly by itself, or because one side has nobody who had it."""
    shares = [float(gap[outcome == y].mean()) for y in (1, 0)]
    area = 0.5 + abs(shares[0] - shares[1]) / 2
    if area >= BY_GAPS_ALONE and usual < BY_GAPS_ALONE:
        return True
    for side in (gap, ~gap):
        expected = float(outcome.mean()) * int(side.sum())
        if expected >= EXPECTED and float(outcome[side].sum()) <= NOBODY * expected:
            return True
    return False


def _rows_all_with_it(parts: Ints, values: Floats, gap: NDArray[np.bool_], outcome: Floats, column: Column) -> int:
    """How many rows the largest level, value or set of values beside the commonest has in which all had the outcome."""
    if outcome.mean() > AT_MOST_HALF:
        return 0
    known, sizes = np.unique(values[~gap], return_counts=True)
    if not column.is_category and known.size > FEW_VALUES:
        # Of a number of many values, those beside one that most rows have, such as days of something that few had.
        away = ~gap & (values != known[sizes.argmax()]) & (2 * sizes.max() >= len(values))
        sets = [away, ~gap, gap]
    else:
        sets = [parts == part for part in np.flatnonzero(np.bincount(parts) >= ROWS_OF_A_LEVEL)]
    return max((int(some.sum()) for some in sets if _all_had_it(some, outcome)), default=0)


def _all_had_it(rows: NDArray[np.bool_], outcome: Floats) -> bool:
    n = int(rows.sum())
    return n >= ROWS_OF_A_LEVEL and float(outcome[rows].sum()) >= ALL_OF_THEM * n


def _parts(values: Floats, column: Column) -> Ints:
    """The part of its range that each row lies in: its level, its value or its bin; what is missing is one of them."""
    if column.is_category:
        return np.asarray(values, dtype=np.int64)
    known = values[~np.isnan(values)]
    distinct = np.unique(known)
    edges = distinct if distinct.size <= FEW_VALUES else np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)))
    return np.where(np.isnan(values), 0, 1 + np.searchsorted(edges, values, side="right")).astype(np.int64)


def area_alone(parts: Ints, outcome: Floats) -> float:
    """The AUROC of the share with the outcome in each row's part, counted without the row's own fifth of the rows.

    >>> outcome = np.tile([0.0, 0.0, 1.0], 50)
    >>> area_alone(outcome.astype(int), outcome), area_alone(np.zeros(150, dtype=int), outcome)
    (1.0, 0.5)
    """
    fold = np.arange(len(parts)) % FOLDS
    n_parts = int(parts.max(initial=0)) + 1
    cells = fold * n_parts + parts
    n = np.bincount(cells, minlength=FOLDS * n_parts).reshape(FOLDS, n_parts)
    events = np.bincount(cells, weights=outcome, minlength=FOLDS * n_parts).reshape(FOLDS, n_parts)
    base = float(outcome.mean())
    # Two rows of the common share keep a part that is hardly ever seen elsewhere from standing out.
    shares = (events.sum(axis=0) - events + 2 * base) / (n.sum(axis=0) - n + 2)
    return float(np.mean([_area(shares[part, parts[fold == part]], outcome[fold == part]) for part in range(FOLDS)]))


def _area(score: Floats, outcome: Floats) -> float:
    """The AUROC; 0.5 where there is one class alone."""
    events = int(outcome.sum())
    if not 0 < events < len(outcome):
        return 0.5
    _, place, sizes = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[place]
    return float((ranks[outcome == 1].sum() - events * (events + 1) / 2) / (events * (len(outcome) - events)))


def _percent(share: float) -> str:
    """A share of many rows in whole percent, told as 0% or 100% where it is nearly so."""
    return f"{100 * share:.0f}%"
