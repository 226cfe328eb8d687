"""Merge pieces, also of different trees, into groups with one table each.

A group costs one table entry a feature for every row, so pieces that share features belong together, as long as their
joint outcomes stay few. The best split into groups is a hard problem; greedy choices come close and take a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.pieces import Piece
from ageingwell.lookup.readings import Readings

Integers = NDArray[np.int64]
# Each piece is compared with all others of its batch; without batches the time would grow with the square of the model.
PIECES_IN_A_BATCH = 4096


def merge(pieces: Sequence[Piece], readings: Readings, *, most: int) -> list[list[Piece]]:
    """Groups of pieces; together their conditions have at most `most` outcomes (a piece alone may have more)."""
    order = sorted(range(len(pieces)), key=lambda n: (-len(pieces[n].conditions), n))
    ordered = [pieces[n] for n in order]
    groups: list[list[Piece]] = []
    for first in range(0, len(ordered), PIECES_IN_A_BATCH):
        some = ordered[first : first + PIECES_IN_A_BATCH]
        groups += [[some[n] for n in group] for group in _group(some, readings, most)]
    return groups


def _group(pieces: Sequence[Piece], readings: Readings, most: int) -> list[list[int]]:
    """Take the first piece left, then again and again the one that saves most, while it fits.

    A piece saves an entry for each feature the group already has; among equals the one that adds fewest outcomes wins.
    """
    left, groups = Waiting.of(pieces, readings), []
    taken = np.zeros(len(pieces), bool)
    for first in range(len(pieces)):
        if taken[first]:
            continue
        taken[first] = True
        group, held = [first], _Held(readings, pieces[first])
        rest = left
        while rest.numbers.size:
            outcomes, saved = rest.if_joined_by(held)
            fits = (outcomes <= most) & (saved > 0) & ~taken[rest.numbers]
            # What does not fit now never will: a group only grows.
            rest, outcomes, saved = rest.where(fits), outcomes[fits], saved[fits]
            if not rest.numbers.size:
                break
            best = int(rest.numbers[np.lexsort((outcomes, -saved))[0]])
            taken[best] = True
            group.append(best)
            held.add(pieces[best])
        groups.append(group)
        free = ~taken[left.numbers]
        # Leaving pieces out takes longer than passing over a few of them.
        left = left.where(free) if free.mean() < 0.9 else left
    return groups


class _Held:
    """The conditions, the cuts a reading, and the features of a group that grows."""

    def __init__(self, readings: Readings, first: Piece) -> None:
        self.readings = readings
        self.conditions = np.zeros(len(readings.reading_of), np.int64)
        self.cuts = np.zeros(len(readings.feature), np.int64)
        self.features = np.zeros(int(readings.feature.max(initial=0)) + 1, np.float32)
        self.add(first)

    def add(self, piece: Piece) -> None:
        """Take in the conditions of a piece."""
        self.conditions[list(piece.conditions)] = 1
        own = np.flatnonzero(self.conditions)
        self.cuts = np.bincount(self.readings.reading_of[own], minlength=len(self.cuts))
        self.features[self.readings.feature[self.cuts > 0]] = 1.0

    @property
    def outcomes(self) -> int:
        """The joint outcomes of the conditions."""
        return int(np.prod(self.cuts + 1))


@dataclass(frozen=True)
class Waiting:
    """Pieces that have no group yet, as arrays: each one's `pairs` of itself and a reading, one piece after the other.

    `conditions` are the pieces' own; pair `k` is of reading `reading[k]`, on which its piece has `cuts[k]` conditions,
    and these begin at `pair_start[k]`; piece `n` begins at pair `start[n]`. `features` (n, p) are 0 or 1.
    """

    numbers: Integers
    conditions: Integers
    pair_start: Integers
    reading: Integers
    cuts: Integers
    start: Integers
    features: NDArray[np.float32]

    @classmethod
    def of(cls, pieces: Sequence[Piece], readings: Readings) -> "Waiting":
        """All of some pieces."""
        conditions = np.array([c for piece in pieces for c in piece.conditions], np.int64)
        piece = np.repeat(np.arange(len(pieces)), [len(piece.conditions) for piece in pieces])
        reading = readings.reading_of[conditions]
        # A piece's conditions ascend, so those on one reading stand side by side.
        is_new = np.ones(len(conditions), bool)
        is_new[1:] = (np.diff(piece) != 0) | (np.diff(reading) != 0)
        pair_start = np.flatnonzero(is_new)
        features = np.zeros((len(pieces), int(readings.feature.max(initial=0)) + 1), np.float32)
        features[piece, readings.feature[reading]] = 1.0
        return cls(
            numbers=np.arange(len(pieces)),
            conditions=conditions,
            pair_start=pair_start,
            reading=reading[pair_start],
            cuts=np.diff(np.append(pair_start, len(conditions))),
            start=np.searchsorted(piece[pair_start], np.arange(len(pieces))),
            features=features,
        )

    def where(self, kept: NDArray[np.bool_]) -> "Waiting":
        """Some of the pieces."""
        if kept.all():
            return self
        if not kept.any():
            return NONE_WAITING
        pair_kept = np.repeat(kept, np.diff(np.append(self.start, len(self.cuts))))
        condition_kept = np.repeat(pair_kept, self.cuts)
        cuts = self.cuts[pair_kept]
        pairs = np.diff(np.append(self.start, len(self.cuts)))[kept]
        return Waiting(
            numbers=self.numbers[kept],
            conditions=self.conditions[condition_kept],
            pair_start=np.cumsum(cuts) - cuts,
            reading=self.reading[pair_kept],
            cuts=cuts,
            start=np.cumsum(pairs) - pairs,
            features=self.features[kept],
        )

    def if_joined_by(self, held: _Held) -> tuple[Integers, Integers]:
        """For each piece: the joint outcomes if it joined a group, and the features they share."""
        shared = np.add.reduceat(held.conditions[self.conditions], self.pair_start)
        theirs = held.cuts[self.reading]
        more = np.multiply.reduceat(1 + theirs + self.cuts - shared, self.start)
        before = np.multiply.reduceat(1 + theirs, self.start)
        saved = np.rint(self.features @ held.features).astype(np.int64)
        return held.outcomes // before * more, saved


_NONE = np.zeros(0, np.int64)
NONE_WAITING = Waiting(_NONE, _NONE, _NONE, _NONE, _NONE, _NONE, np.zeros((0, 0), np.float32))
