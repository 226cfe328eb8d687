"""Merge pieces, also of different trees, into groups with one table each.

A group costs one table entry a feature for every row, so pieces that share features belong together, as long as their
joint outcomes stay few. The best split into groups is a hard problem; greedy choices come close and take seconds.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.jit import jit
from ageingwell.lookup.pieces import Piece
from ageingwell.lookup.readings import Readings


def merge(pieces: Sequence[Piece], readings: Readings, *, most: int) -> list[list[Piece]]:
    """Groups of pieces; together their conditions have at most `most` outcomes (a piece alone may have more)."""
    start = np.concatenate([[0], np.cumsum([len(piece.conditions) for piece in pieces], dtype=np.int64)])
    conditions = np.array([c for piece in pieces for c in piece.conditions], np.int64)
    order = np.array(sorted(range(len(pieces)), key=lambda n: (-len(pieces[n].conditions), n)), np.int64)
    group_of = _group(start, conditions, readings.reading_of, readings.feature, order, most)
    groups: list[list[Piece]] = [[] for _ in range(int(group_of.max(initial=-1)) + 1)]
    for piece, group in zip(pieces, group_of, strict=True):
        groups[group].append(piece)
    return groups


@jit
def _group(
    start: NDArray[np.int64],
    conditions: NDArray[np.int64],
    reading_of: NDArray[np.int64],
    feature: NDArray[np.int64],
    order: NDArray[np.int64],
    most: int,
) -> NDArray[np.int64]:
    """The group of each piece: take the largest left, then again and again the piece that saves most, while it fits.

    A piece saves an entry for each feature the group already has; among equals the one that adds fewest outcomes wins.
    """
    group_of = np.full(len(order), -1)
    union, mine = np.empty(len(reading_of), np.int64), np.empty(len(reading_of), np.int64)
    groups = 0
    for first in order:
        if group_of[first] >= 0:
            continue
        size = start[first + 1] - start[first]
        mine[:size] = conditions[start[first] : start[first + 1]]
        group_of[first] = groups
        while True:
            best, best_saved, fewest = -1, 0, 0
            held = _count(mine[:size], reading_of, feature)[1]
            for other in order:
                if group_of[other] >= 0:
                    continue
                theirs = conditions[start[other] : start[other + 1]]
                both = _unite(mine[:size], theirs, union)
                outcomes, features = _count(union[:both], reading_of, feature)
                saved = held + _count(theirs, reading_of, feature)[1] - features
                if outcomes <= most and (saved > best_saved or (saved == best_saved > 0 and outcomes < fewest)):
                    best, best_saved, fewest = other, saved, outcomes
            if best < 0:
                break
            group_of[best] = groups
            size = _unite(mine[:size].copy(), conditions[start[best] : start[best + 1]], mine)
        groups += 1
    return group_of


@jit
def _unite(some: NDArray[np.int64], others: NDArray[np.int64], into: NDArray[np.int64]) -> int:
    """Write the union of two ascending lists and return its length."""
    i = j = n = 0
    while i < len(some) or j < len(others):
        if j == len(others) or (i < len(some) and some[i] <= others[j]):
            if j < len(others) and some[i] == others[j]:
                j += 1
            into[n] = some[i]
            i += 1
        else:
            into[n] = others[j]
            j += 1
        n += 1
    return n


@jit
def _count(conditions: NDArray[np.int64], reading_of: NDArray[np.int64], feature: NDArray[np.int64]) -> tuple[int, int]:
    """The joint outcomes and the features of an ascending list of conditions."""
    outcomes, features, here = 1, 0, 1
    for n in range(len(conditions)):
        reading = reading_of[conditions[n]]
        previous = -1 if n == 0 else reading_of[conditions[n - 1]]
        here = here + 1 if reading == previous else 2
        outcomes = outcomes // (here - 1) * here if here > 2 else outcomes * 2
        if previous < 0 or feature[reading] != feature[previous]:
            features += 1
        if outcomes > 1 << 40:
            break
    return outcomes, features
