"""Tabulate a group of pieces: the sum of its leaves' Shapley values for every joint outcome of its conditions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import prod

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.pieces import Leaf, Piece, outcomes
from ageingwell.lookup.readings import Readings
from ageingwell.lookup.shapley import leaf_values

Floats = NDArray[np.float64]


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


def tabulate(group: Group, readings: Readings) -> Floats:
    """φ of every player for every outcome, (features, outcomes)."""
    table = np.zeros((len(group.features), group.outcomes))
    row_of = {feature: row for row, feature in enumerate(group.features)}
    met = _met(group, readings)
    for players, leaf, values in _leaf_tables(group.leaves, readings):
        pattern = _pattern(leaf, players, met, readings)
        table[[row_of[player] for player in players]] += values[:, pattern]
    return table


def _met(group: Group, readings: Readings) -> dict[int, NDArray[np.bool_]]:
    """For each condition: in which outcomes it is met, i.e. the reading's digit lies above the condition's place."""
    met: dict[int, NDArray[np.bool_]] = {}
    number = np.arange(group.outcomes)
    for _, some in groupby(zip(group.conditions, group.strides), key=lambda c: int(readings.reading_of[c[0]])):
        ours = list(some)
        digit = number // ours[0][1] % (len(ours) + 1)
        met |= {condition: digit > place for place, (condition, _) in enumerate(ours)}
    return met


def _pattern(
    leaf: Leaf, players: tuple[int, ...], met: dict[int, NDArray[np.bool_]], readings: Readings
) -> NDArray[np.int64]:
    """For every outcome, the number of the leaf's pattern: bit `j` is b_j, all of player j's steps taken."""
    taken = {player: np.bool_(True) for player in players}
    for condition, right, _ in leaf.path:
        player = int(readings.feature[readings.reading_of[condition]])
        taken[player] = taken[player] & (met[condition] if right else ~met[condition])  # type: ignore[assignment]
    bits = (taken[player].astype(np.int64) << j for j, player in enumerate(players))
    return np.asarray(sum(bits))


def _leaf_tables(leaves: Sequence[Leaf], readings: Readings) -> Iterator[tuple[tuple[int, ...], Leaf, Floats]]:
    """Each leaf with its players and its φ for every pattern; leaves with as many players are worked out together."""
    chances = [_chances(leaf, readings) for leaf in leaves]
    order = sorted(range(len(leaves)), key=lambda n: len(chances[n]))
    for _, some in groupby(order, key=lambda n: len(chances[n])):
        ours = list(some)
        z = np.array([list(chances[n].values()) for n in ours])
        values = leaf_values(z, np.array([leaves[n].value for n in ours]))
        yield from ((tuple(chances[n]), leaves[n], values[place]) for place, n in enumerate(ours))


def _chances(leaf: Leaf, readings: Readings) -> dict[int, float]:
    """z of each player: the product of the cover ratios of its steps, in order of feature."""
    features = [int(readings.feature[readings.reading_of[condition]]) for condition, _, _ in leaf.path]
    return {
        player: prod(step[2] for feature, step in zip(features, leaf.path) if feature == player)
        for player in sorted(set(features))
    }
