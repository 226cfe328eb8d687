"""Leaves with as many players side by side, so that their Shapley values are worked out together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.pieces import Leaf, Step
from ageingwell.lookup.readings import Readings

Floats = NDArray[np.float64]
# The players of a leaf's path, in order of feature: the conditions each has to meet (or not), and its chance.
Steps = tuple[tuple[int, bool], ...]


@dataclass(frozen=True)
class Alike:
    """Leaves of the same number of players `d`: their `numbers`, and of each leaf `d` players.

    `z` (leaves, d) and `v` (leaves,) are those of the formula in `shapley.py`. Player `players[n][j]` of leaf `n` takes
    part in it where all of `steps[n][j]` are taken: each a condition, and whether it has to be met.
    """

    numbers: list[int]
    players: list[tuple[int, ...]]
    steps: list[tuple[Steps, ...]]
    z: Floats
    v: Floats

    def parts(self, *, rows: int, most: int) -> Iterator["Alike"]:
        """The same leaves, so few at a time that `rows` numbers of each player of each leaf are at most `most`."""
        leaves = max(1, most // (self.z.shape[1] * rows))
        for first in range(0, len(self.numbers), leaves):
            part = slice(first, first + leaves)
            yield Alike(self.numbers[part], self.players[part], self.steps[part], self.z[part], self.v[part])


def alike(leaves: Iterable[Leaf], readings: Readings) -> list[Alike]:
    """All leaves, those of fewest players first."""
    feature_of = readings.feature[readings.reading_of].tolist()
    by_players: dict[int, list[tuple[Leaf, dict[int, list[Step]]]]] = {}
    for leaf in leaves:
        of: dict[int, list[Step]] = {}
        for step in leaf.path:
            of.setdefault(feature_of[step[0]], []).append(step)
        by_players.setdefault(len(of), []).append((leaf, dict(sorted(of.items()))))
    return [_of(by_players[d]) for d in sorted(by_players)]


def _of(some: Sequence[tuple[Leaf, dict[int, list[Step]]]]) -> Alike:
    return Alike(
        numbers=[leaf.number for leaf, _ in some],
        players=[tuple(of) for _, of in some],
        steps=[tuple(tuple(step[:2] for step in steps) for steps in of.values()) for _, of in some],
        z=np.array([[prod(step[2] for step in steps) for steps in of.values()] for _, of in some]),
        v=np.array([leaf.value for leaf, _ in some]),
    )
