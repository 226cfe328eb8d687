"""Leaves with as many players side by side, so that their Shapley values are worked out together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.pieces import Leaf
from ageingwell.lookup.readings import Readings

Floats = NDArray[np.float64]
# The players of a leaf's path, in order of feature: the conditions each has to meet (or not), and its chance.
Steps = tuple[tuple[int, bool], ...]
NUMBERS_AT_A_TIME = 1 << 20


@dataclass(frozen=True)
class Alike:
    """Leaves of the same number of players `d`: their `numbers` in a list, and of each leaf `d` players.

    `z` (leaves, d) and `v` (leaves,) are those of the formula in `shapley.py`. Player `players[n][j]` of leaf `n` takes
    part in it where all of `steps[n][j]` are taken: each a condition, and whether it has to be met.
    """

    numbers: list[int]
    players: list[tuple[int, ...]]
    steps: list[tuple[Steps, ...]]
    z: Floats
    v: Floats

    def parts(self) -> Iterator["Alike"]:
        """The same leaves, so few at a time that the values of all patterns take a few megabytes."""
        d = self.z.shape[1]
        most = max(1, NUMBERS_AT_A_TIME // (d << d))
        for first in range(0, len(self.numbers), most):
            part = slice(first, first + most)
            yield Alike(self.numbers[part], self.players[part], self.steps[part], self.z[part], self.v[part])


def alike(leaves: Sequence[Leaf], readings: Readings) -> list[Alike]:
    """All leaves, those of fewest players first."""
    feature_of = readings.feature[readings.reading_of].tolist()
    by_players: dict[int, list[tuple[int, dict[int, list[tuple[int, bool, float]]]]]] = {}
    for number, leaf in enumerate(leaves):
        of: dict[int, list[tuple[int, bool, float]]] = {}
        for step in leaf.path:
            of.setdefault(feature_of[step[0]], []).append(step)
        by_players.setdefault(len(of), []).append((number, of))
    return [_of(leaves, by_players[d]) for d in sorted(by_players)]


def _of(leaves: Sequence[Leaf], some: Sequence[tuple[int, dict[int, list[tuple[int, bool, float]]]]]) -> Alike:
    players = [tuple(sorted(of)) for _, of in some]
    return Alike(
        numbers=[number for number, _ in some],
        players=players,
        steps=[
            tuple(tuple(step[:2] for step in of[player]) for player in ours) for (_, of), ours in zip(some, players)
        ],
        z=np.array([[prod(step[2] for step in of[p]) for p in ours] for (_, of), ours in zip(some, players)]),
        v=np.array([leaves[number].value for number, _ in some]),
    )
