"""Counts that are published together with their totals: hidden so that no total gives a hidden one away.

A count of 1 to 7 is hidden. Where the totals would give it away, alone or by subtracting one total from another, the
smallest counts beside it are hidden too (secondary suppression), until no hidden count can be worked out even by
somebody who could undo the rounding of all the others. All hidden counts look alike: were it told which of them are
small, their bounds could give one away (1 and 6 above 6 and 0, all but the total of 13 hidden, can be nothing else).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from ageingwell.governance.disclosure import SUPPRESS_BELOW

TOTAL: Final = "All"

# A number of a table: its row and its column, or `All`.
Cell = tuple[str, str]
# One total and its parts, as positions in the sequence of counts.
Sum = tuple[int, tuple[int, ...]]


def hidden_counts(counts: Sequence[int], sums: Sequence[Sum]) -> list[bool]:
    """Which counts to hide, given every total that is published with them.

    >>> hidden_counts([3, 12, 41, 56], [(3, (0, 1, 2))])
    [True, True, False, False]
    """
    hidden = [1 <= count < SUPPRESS_BELOW for count in counts]
    lines = [(total, *parts) for total, parts in sums]

    def open_of(line: Sequence[int]) -> list[int]:
        return [member for member in line if not hidden[member]]

    def hide_smallest(members: Sequence[int]) -> None:
        hidden[min(members, key=lambda at: (counts[at] == 0, counts[at], at))] = True

    while True:
        # A count alone in its line is the total less the others; one beside it has to go too.
        lonely = [line for line in lines if len(open_of(line)) == len(line) - 1]
        for line in lonely:
            if len(open_of(line)) == len(line) - 1:
                hide_smallest(open_of(line))
        if lonely:
            continue
        given_away = set(_worked_out(hidden, sums))
        touching = [line for line in lines if given_away.intersection(line) and open_of(line)]
        further = [line for line in lines if len(open_of(line)) < len(line) and open_of(line)]
        if not given_away or not further:
            return hidden
        for line in touching or further[:1]:
            if open_of(line):
                hide_smallest(open_of(line))


def _worked_out(hidden: Sequence[bool], sums: Sequence[Sum]) -> list[int]:
    """The hidden counts that the totals fix: those whose unit vector lies in the row space of the equations."""
    unknown = [at for at, is_hidden in enumerate(hidden) if is_hidden]
    place = {at: column for column, at in enumerate(unknown)}
    rows = []
    for total, parts in sums:
        row = np.zeros(len(unknown))
        for at, sign in ((total, -1.0), *((part, 1.0) for part in parts)):
            if at in place:
                row[place[at]] += sign
        if row.any():
            rows.append(row)
    if not rows:
        return []
    _, sizes, directions = np.linalg.svd(np.array(rows), full_matrices=False)
    spanned = directions[sizes > 1e-9 * sizes[0]]
    return [at for at in unknown if (spanned[:, place[at]] ** 2).sum() > 1 - 1e-6]


@dataclass(frozen=True)
class Cross:
    """A table of counts with its totals: `cells` alone, `keys` of every number, what each adds up, and its count.

    `groups` names the group of each column; without groups each column is its own.
    """

    keys: tuple[Cell, ...]
    cells: tuple[Cell, ...]
    parts: Mapping[Cell, tuple[Cell, ...]]
    counts: Mapping[Cell, int]
    groups: Mapping[str, str]

    def named_sums(self) -> list[tuple[Cell, tuple[Cell, ...]]]:
        """Every total and what stands beside it on the page to make it up."""
        rows = list(dict.fromkeys(row for row, _ in self.cells))
        kinds: dict[str, list[str]] = {}
        for column, kind in self.groups.items():
            kinds.setdefault(kind, []).append(column)
        sums: list[tuple[Cell, tuple[Cell, ...]]] = []
        for row in [*rows, TOTAL]:
            for kind, columns in kinds.items():
                if columns != [kind]:
                    sums.append(((row, kind), tuple((row, column) for column in columns)))
            sums.append(((row, TOTAL), tuple((row, kind) for kind in kinds)))
        heads = list(dict.fromkeys(head for _, head in self.keys))
        return sums + [((TOTAL, head), tuple((row, head) for row in rows)) for head in heads]

    def sums(self) -> list[Sum]:
        """The same by the position of each number in `keys`."""
        at = {key: number for number, key in enumerate(self.keys)}
        return [(at[total], tuple(at[part] for part in parts)) for total, parts in self.named_sums()]


def crossed(counts: pl.DataFrame, *, groups: Mapping[str, str] | None = None) -> Cross:
    """A table of counts with its totals, from one row a cell: its row, its column, the count; an absent cell is 0.

    >>> cross = crossed(pl.DataFrame({"place": ["a", "b"], "need": ["x", "y"], "n": [3, 20]}))
    >>> cross.counts["a", TOTAL], cross.counts[TOTAL, "y"], cross.parts["a", TOTAL]
    (3, 20, (('a', 'x'), ('a', 'y')))
    """
    of_row, of_column, _ = counts.columns
    rows = counts[of_row].unique().sort().to_list()
    columns = counts[of_column].unique().sort().to_list()
    kinds: dict[str, list[str]] = {}
    for column in columns:
        kinds.setdefault((groups or {}).get(column, column), []).append(column)
    found = {(row, column): int(n) for row, column, n in counts.iter_rows()}
    heads = {
        **{column: [column] for column in columns},
        **{kind: members for kind, members in kinds.items() if kind not in columns},
        TOTAL: columns,
    }
    parts = {
        (row, head): tuple((one, column) for one in (rows if row == TOTAL else [row]) for column in members)
        for row in [*rows, TOTAL]
        for head, members in heads.items()
    }
    return Cross(
        keys=tuple(parts),
        cells=tuple((row, column) for row in rows for column in columns),
        parts=parts,
        counts={key: sum(found.get(cell, 0) for cell in cells) for key, cells in parts.items()},
        groups={column: kind for kind, members in kinds.items() for column in members},
    )
