"""How a feature's value is read, once for all trees: as a code, so that every split is `code > cut`.

LightGBM treats a missing value split by split: as 0, or sent left, or sent right. A *reading* is a feature together
with one such habit. Its `edges` are the thresholds of all its splits, in order, and the code of a value is the number
of edges below it: a split at edge `i` sends a value right exactly if `code > i`.

| kind         | what is read otherwise than by comparing                                        |
|--------------|----------------------------------------------------------------------------------|
| `none`       | missing is 0                                                                     |
| `nan_left`   | missing has code 0, so goes left everywhere                                      |
| `nan_right`  | missing has the highest code, so goes right everywhere                           |
| `zero_left`  | missing and 0 have code 0                                                        |
| `zero_right` | missing and 0 have the highest code                                              |
| `categories` | one split: `edges` are the categories it sends left; these have code 0, others 1 |
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.trees import Split, Tree

KINDS = ("none", "nan_left", "nan_right", "zero_left", "zero_right", "categories")

Reading = tuple[int, int, tuple[int, ...]]  # feature, kind, and the categories that go left (none where numeric)


@dataclass(frozen=True)
class Readings:
    """Every reading of the model: reading `r` has the edges `edges[edge_start[r]:edge_start[r + 1]]`.

    A *condition* is a reading and one of its cuts; conditions are numbered through in that order, so that
    `reading_of[c]` and `cut_of[c]` name condition `c`. `number` finds the condition of a split.
    """

    feature: NDArray[np.int64]
    kind: NDArray[np.int64]
    edge_start: NDArray[np.int64]
    edges: NDArray[np.float64]
    reading_of: NDArray[np.int64]
    cut_of: NDArray[np.int64]
    number: dict[Split, int]

    @property
    def highest_code(self) -> int:
        """The highest code any value can get."""
        return int(np.diff(self.edge_start).max(initial=1))


def reading_of(split: Split) -> Reading:
    """The reading a split belongs to; every set of categories is a reading of its own."""
    return split.feature, KINDS.index(split.kind), split.categories


def read_splits(trees: Iterable[Tree]) -> Readings:
    """Number the readings and conditions of all trees.

    >>> tree = lambda *splits: Tree(splits, *[np.zeros(0)] * 5)
    >>> found = read_splits([tree(Split(0, "none", 2.5), Split(3, "nan_left", 1.0)), tree(Split(0, "none", 1.5))])
    >>> found.feature.tolist(), found.edge_start.tolist(), found.edges.tolist()
    ([0, 3], [0, 2, 3], [1.5, 2.5, 1.0])
    """
    splits = sorted({split for tree in trees for split in tree.splits}, key=lambda s: (*reading_of(s), s.threshold))
    readings = sorted({reading_of(split) for split in splits})
    place = {reading: number for number, reading in enumerate(readings)}
    of = np.array([place[reading_of(split)] for split in splits], np.int64)
    first = np.searchsorted(of, np.arange(len(readings) + 1))
    edges = [
        np.array(categories or [split.threshold for split in splits[start:stop]], np.float64)
        for (_, _, categories), start, stop in zip(readings, first[:-1], first[1:], strict=True)
    ]
    return Readings(
        feature=np.array([reading[0] for reading in readings], np.int64),
        kind=np.array([reading[1] for reading in readings], np.int64),
        edge_start=np.concatenate([[0], np.cumsum([len(some) for some in edges], dtype=np.int64)]).astype(np.int64),
        edges=np.concatenate([*edges, np.zeros(0)]),
        reading_of=of,
        cut_of=np.arange(len(splits)) - first[of],
        number={split: number for number, split in enumerate(splits)},
    )
