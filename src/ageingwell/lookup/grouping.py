"""Tabulate a group of pieces: the sum of its leaves' Shapley values for every joint outcome of its conditions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.forest import Forest
from ageingwell.lookup.leaves import Alike
from ageingwell.lookup.pieces import Leaf, Piece, outcomes
from ageingwell.lookup.readings import Readings
from ageingwell.lookup.shapley import exact_leaf_values, patterns

Floats = NDArray[np.float64]
# Of all leaves at once the values would take gigabytes; so many are fast.
NUMBERS_AT_A_TIME = 1 << 17


@dataclass(frozen=True)
class Group:
    """Leaves that share a table.

    A row's outcome is the sum of `strides` over the `conditions` it meets (whose code lies above the cut); conditions
    on one reading have the same stride, so the outcome is a number in mixed radix, a digit a reading.
    `features` are the players, in order.
    """

    leaves: tuple[Leaf, ...]
    conditions: tuple[int, ...]
    strides: tuple[int, ...]
    features: tuple[int, ...]
    outcomes: int


def join(pieces: Sequence[Piece], readings: Readings) -> Group:
    """One group of some pieces."""
    conditions = tuple(sorted({condition for piece in pieces for condition in piece.conditions}))
    cuts = {
        reading: len(list(some)) for reading, some in groupby(conditions, key=lambda c: int(readings.reading_of[c]))
    }
    strides, stride = {}, 1
    for reading, count in cuts.items():
        strides[reading], stride = stride, stride * (count + 1)
    return Group(
        leaves=tuple(leaf for piece in pieces for leaf in piece.leaves),
        conditions=conditions,
        strides=tuple(strides[int(readings.reading_of[c])] for c in conditions),
        features=tuple(sorted({int(readings.feature[reading]) for reading in cuts})),
        outcomes=outcomes(conditions, readings),
    )


def tabulate(groups: Sequence[Group], forest: Forest) -> list[Floats]:
    """For each group, φ of every player for every outcome, (features, outcomes), in whole units."""
    slope, unit, readings = forest.line[1], forest.unit, forest.readings
    tables = [np.zeros((len(group.features), group.outcomes)) for group in groups]
    met = [_met(group, readings) for group in groups]
    rows = [{feature: row for row, feature in enumerate(group.features)} for group in groups]
    owner = {leaf.number: number for number, group in enumerate(groups) for leaf in group.leaves}
    for some in forest.leaves:
        b = patterns(some.z.shape[1]).T
        for part in some.parts(rows=b.shape[1], most=NUMBERS_AT_A_TIME):
            values = exact_leaf_values(part.z, slope * part.v, b, unit)
            for place, leaf in enumerate(part.numbers):
                group = owner[leaf]
                players = [rows[group][player] for player in part.players[place]]
                tables[group][players] += values[place][:, _pattern(part, place, met[group])]
    return tables


def _met(group: Group, readings: Readings) -> dict[int, NDArray[np.bool_]]:
    """For each condition: in which outcomes it is met, i.e. the reading's digit lies above the condition's place."""
    met: dict[int, NDArray[np.bool_]] = {}
    number = np.arange(group.outcomes)
    for _, some in groupby(zip(group.conditions, group.strides), key=lambda c: int(readings.reading_of[c[0]])):
        ours = list(some)
        digit = number // ours[0][1] % (len(ours) + 1)
        met |= {condition: digit > place for place, (condition, _) in enumerate(ours)}
    return met


def _pattern(part: Alike, place: int, met: dict[int, NDArray[np.bool_]]) -> NDArray[np.int64]:
    """For every outcome, the number of the leaf's pattern: bit `j` is b_j, all of player j's steps taken."""
    pattern = np.zeros(len(next(iter(met.values()))), np.int64)
    for j, steps in enumerate(part.steps[place]):
        condition, right = steps[0]
        taken = met[condition] if right else ~met[condition]
        for condition, right in steps[1:]:
            taken = taken & (met[condition] if right else ~met[condition])
        pattern |= taken.astype(np.int64) << j
    return pattern
