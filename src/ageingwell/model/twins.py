"""Rows that are of the same people: alike in far more than chance, or facts that go together, would bring.

Rows that share a rare value, or a rare set of values, are put beside each other. Strangers who share it are alike in
what goes with it and no more; a person's rows are alike in most of the rest too. Where all values are measured finely,
rows lie much nearer to each other than the room between neighbours leads to expect.
"""

from collections.abc import Callable, Iterator, Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from ageingwell.model.columns import Column
from ageingwell.model.order import mixed_bits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Whether pairs of rows are alike in a fact.
Test = Callable[[Ints, Ints], NDArray[np.bool_]]
# Of fewer rows chance can't be told.
FEWEST = 100
# A person has two rows to so many.
MOST_ROWS_EACH = 12
# This share of the rows at least is one of several, where there is a word about it.
SHARE = 0.1
# A fact that rows of one set share so much more than others do (0 as others do, 1 always) is the person's own.
OWN = 0.35
# Facts alike nearly everywhere tell nothing.
HARDLY_VARIES = 0.9
# Two numbers that go together as closely as this are one fact.
ONE_FACT = 0.98
GO_TOGETHER = 0.8
# Three in ten pairs are alike in all that is their own; of strangers at most three in a hundred are.
TWINS, STRANGERS = 0.3, 0.03
PAIRS = 20_000
# Two facts measured finely say it where a quarter of the others are the rows' own; places share a few such facts.
SHARE_OF_FINE = 0.25
BLOCKS, LONGEST_BLOCK, TRIED = 16, 12, 3
ROWS_ASKED, NEIGHBOURS, FINE = 400, (1, 11, 41), 0.9
# So many times nearer than the room between neighbours leads to expect.
TIMES_NEARER = 2.0
MOST_BESIDE = 50_000


def share_of_twins(codes: Floats, columns: Sequence[Column], *, seed: int = 1) -> float:
    """The share of the rows of a matrix (n, p) that have a twin; 0 where it is no more than chance would bring.

    >>> draw = np.random.default_rng(1)
    >>> people = draw.normal(size=(100, 5)).round(1)
    >>> columns = [Column(name) for name in "abcde"]
    >>> share_of_twins(people, columns), share_of_twins(np.repeat(people, 3, axis=0), columns)
    (0.0, 1.0)
    """
    if len(codes) < FEWEST or codes.shape[1] < 2:
        return 0.0
    draw = np.random.default_rng(seed)
    kinds = _Kinds(codes, columns)
    best = max((_share(kinds, block, draw) for block in _blocks(kinds, draw)), default=0.0)
    return best if best >= SHARE else _share_near(codes, columns)


class _Kinds:
    """Each column's values as whole numbers, how often two rows share one, and each row's rank among numbers."""

    def __init__(self, codes: Floats, columns: Sequence[Column]) -> None:
        self.n, self.p = codes.shape
        found = [np.unique(codes[:, place], return_inverse=True, return_counts=True) for place in range(self.p)]
        self.places = [np.asarray(place, dtype=np.int64) for _, place, _ in found]
        self.counts = [counts for _, _, counts in found]
        self.chance = np.array([float(((counts / self.n) ** 2).sum()) for counts in self.counts])
        self.is_number = [not column.is_category for column in columns]
        self.ranks = [_ranks(place, counts) for place, counts in zip(self.places, self.counts)]

    def in_sets(self, place: int) -> float:
        """The share of the rows whose value a few others share."""
        counts = self.counts[place]
        return float(counts[(counts > 1) & (counts <= MOST_ROWS_EACH)].sum() / self.n)

    def is_fine(self, place: int) -> bool:
        """Whether a number is measured so finely that strangers hardly ever share one."""
        return self.is_number[place] and bool(self.chance[place] <= MOST_ROWS_EACH / self.n)

    def key(self, block: Sequence[int]) -> NDArray[np.uint64]:
        """A number of 64 bits for the row's values in a block of columns."""
        made = np.zeros(self.n, dtype=np.uint64)
        for place in block:
            made = mixed_bits(made ^ self.places[place].astype(np.uint64))
        return made

    def together(self, one: int, other: int) -> float:
        """How closely two numbers go together in rank, 0 to 1; 0 where one is a category."""
        if not (self.is_number[one] and self.is_number[other]):
            return 0.0
        both = np.corrcoef(self.ranks[one][:2000], self.ranks[other][:2000])[0, 1]
        return float(abs(np.nan_to_num(both)))


def _ranks(place: Ints, counts: Ints) -> Floats:
    """Each row's mean rank among all, from 0 to 1."""
    return ((np.cumsum(counts) - counts / 2) / len(place))[place]


def _blocks(kinds: _Kinds, draw: np.random.Generator) -> Iterator[tuple[int, ...]]:
    """Columns, and sets of columns drawn at random, of which a few rows share the values."""
    telling = sorted(range(kinds.p), key=kinds.in_sets, reverse=True)
    yield from ((place,) for place in telling[:BLOCKS] if kinds.in_sets(place) >= SHARE)
    usable = [place for place in range(kinds.p) if kinds.chance[place] < HARDLY_VARIES]
    for _ in range(BLOCKS if kinds.n <= PAIRS else BLOCKS // 3):
        drawn = draw.permutation(usable)[:LONGEST_BLOCK].tolist()
        tried = 0
        for length in range(2, len(drawn)):
            sizes = np.unique(kinds.key(drawn[:length]), return_counts=True)[1]
            in_sets = sizes[(sizes > 1) & (sizes <= MOST_ROWS_EACH)].sum() / kinds.n
            if in_sets >= SHARE and tried < TRIED:
                tried += 1
                yield tuple(drawn[:length])
            elif tried:
                break


def _share(kinds: _Kinds, block: Sequence[int], draw: np.random.Generator) -> float:
    """The share of the rows that share a block's values and what is their own with another; 0 if chance may explain."""
    one, other = _pairs(kinds.key(block))
    rest = [place for place in range(kinds.p) if place not in block and kinds.chance[place] < HARDLY_VARIES]
    if len(one) * 2 < SHARE * kinds.n or len(rest) < 2:
        return 0.0
    strangers = draw.integers(0, kinds.n, PAIRS), draw.integers(0, kinds.n, PAIRS)
    agree, by_chance = np.ones(len(one), dtype=bool), np.ones(PAIRS, dtype=bool)
    own: list[int] = []
    for place in rest:
        if max(kinds.together(place, ours) for ours in block) >= ONE_FACT:
            continue
        for alike in (_equal(kinds, place), _near(kinds, place)):
            same, elsewhere = alike(one, other), alike(*strangers)
            if same.mean() - elsewhere.mean() >= OWN * (1 - elsewhere.mean()):
                agree, by_chance = agree & same, by_chance & elsewhere
                # A fact that goes with one counted before, or with one of the block, is no other.
                if all(kinds.together(place, known) < GO_TOGETHER for known in (*block, *own)):
                    own.append(place)
                break
    fine = all(map(kinds.is_fine, block)) and any(map(kinds.is_fine, own)) and len(own) >= SHARE_OF_FINE * len(rest)
    if (len(own) < _needed(len(rest) + len(block) - 1) and not fine) or agree.mean() < TWINS:
        return 0.0
    return float(len(np.union1d(one[agree], other[agree])) / kinds.n) if by_chance.mean() <= STRANGERS else 0.0


def _needed(n: int) -> int:
    """How many of so many other facts must be the rows' own: three in five of a few, three in ten of more."""
    return max(2, ceil(0.6 * min(n, 5)) + int(0.3 * max(0, n - 5)))


def _equal(kinds: _Kinds, place: int) -> Test:
    values = kinds.places[place]
    return lambda one, other: values[one] == values[other]


def _near(kinds: _Kinds, place: int) -> Test:
    """Numbers a tenth of all ranks apart or less."""
    ranks, wide = kinds.ranks[place], 0.1 if kinds.is_number[place] else -1.0
    return lambda one, other: np.abs(ranks[one] - ranks[other]) <= wide


def _pairs(key: NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """Two rows of each set, and the next two …: the rows of two neighbours of one key, where few rows have it."""
    order = np.argsort(key, kind="stable")
    _, start, sizes = np.unique(key[order], return_index=True, return_counts=True)
    size = np.repeat(sizes, sizes)
    is_next = np.ones(len(key), dtype=bool)
    is_next[start] = False
    at = np.flatnonzero(is_next & (size <= MOST_ROWS_EACH))
    return order[at - 1], order[at]


def _share_near(codes: Floats, columns: Sequence[Column]) -> float:
    """The share of rows much nearer to another than room leads to expect, among numbers that are measured finely.

    In any smooth crowd of `d` dimensions the logarithm of the distances to the 11th and the nearest neighbour differs
    by 2.93 / d on average, and to the 41st and the 11th by 1.34 / d: their ratio is the same in any.

    Source: after Facco and others, Scientific Reports 2017;7:12140.
    """
    fine = [
        place
        for place, column in enumerate(columns)
        if not column.is_category
        and not np.isnan(values := codes[:, place]).any()
        and len(np.unique(values)) >= FINE * len(values)
    ]
    if len(fine) < 3 or len(codes) < 2 * NEIGHBOURS[-1]:
        return 0.0
    matrix = np.ascontiguousarray(codes[:MOST_BESIDE][:, fine])
    spread = matrix.std(axis=0)
    matrix = matrix[:, spread > 0] / spread[spread > 0]
    squares = (matrix**2).sum(axis=1)
    asked = np.arange(min(ROWS_ASKED, len(matrix)))
    apart = np.maximum(squares[asked, None] + squares - 2 * matrix[asked] @ matrix.T, 1e-24)
    apart[asked, asked] = -1.0
    nearest = np.sqrt(np.partition(apart, NEIGHBOURS, axis=1)[:, list(NEIGHBOURS)])
    first, tenth, fortieth = np.log(nearest).T
    room = (fortieth - tenth).mean() * (2.93 / 1.34)
    is_twin = tenth - first > TIMES_NEARER * room
    return float(is_twin.mean()) if np.median(tenth - first) > TIMES_NEARER * room else 0.0
