"""Counts that are published together with their totals: hidden so that no total gives a hidden one away.

A count of 1 to 7 is hidden. Where the totals would give it away, alone or by subtracting one total from another, the
smallest counts beside it are hidden too (secondary suppression), until no hidden count can be worked out even by
somebody who could undo the rounding of all the others. All hidden counts look alike: were it told which of them are
small, their bounds could give one away (1 and 6 above 6 and 0, all but the total of 13 hidden, can be nothing else).
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl

from ageingwell.governance.disclosure import HIDDEN, SUPPRESS_BELOW, in_words

TOTAL: Final = "All"

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


def disclose_cross(
    counts: pl.DataFrame,
    *,
    rows: str,
    columns: str,
    count: str = "n",
    groups: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Give a table of counts with its totals as a page may show them: the columns `rows`, `columns` and `shown`.

    `counts` is one row a cell; an absent cell is 0. The result holds every cell, the total of each row and column and
    of all (`All`), and, where `groups` names a group for each column, the group's total in each row.

    >>> counts = pl.DataFrame({"place": ["a", "a", "b", "b"], "need": ["x", "y"] * 2, "n": [3, 20, 30, 40]})
    >>> shown = disclose_cross(counts, rows="place", columns="need")
    >>> shown.filter(pl.col("place") == "a").rows()
    [('a', 'x', 'not shown'), ('a', 'y', 'not shown'), ('a', 'All', '25')]
    """
    names = counts[rows].unique().sort().to_list()
    parts = counts[columns].unique().sort().to_list()
    kinds: dict[str, list[str]] = {}
    for part in parts:
        kinds.setdefault((groups or {}).get(part, part), []).append(part)
    cells = dict(zip(counts.select(rows, columns).iter_rows(), counts[count].to_list(), strict=True))
    heads = [*parts, *([kind for kind in kinds if kind not in parts] if groups else []), TOTAL]
    keys = [(name, head) for name in [*names, TOTAL] for head in heads]
    at = {key: number for number, key in enumerate(keys)}
    sums = _sums(at, names=names, heads=heads, kinds=kinds)
    values = _values(keys, cells, names=names, kinds=kinds, parts=parts)
    is_hidden = hidden_counts(values, sums)
    words = [HIDDEN if hidden else in_words(value) for value, hidden in zip(values, is_hidden, strict=True)]
    frame = pl.DataFrame(keys, schema={rows: pl.String, columns: pl.String}, orient="row")
    return frame.with_columns(shown=pl.Series(words, dtype=pl.String))


def _sums(
    at: Mapping[tuple[str, str], int], *, names: Sequence[str], heads: Sequence[str], kinds: Mapping[str, list[str]]
) -> list[Sum]:
    sums = []
    for name in [*names, TOTAL]:
        for kind, members in kinds.items():
            if members != [kind]:
                sums.append((at[name, kind], tuple(at[name, member] for member in members)))
        sums.append((at[name, TOTAL], tuple(at[name, kind] for kind in kinds)))
    sums += [(at[TOTAL, head], tuple(at[name, head] for name in names)) for head in heads]
    return sums


def _values(
    keys: Sequence[tuple[str, str]],
    cells: Mapping[tuple[str, str], int],
    *,
    names: Sequence[str],
    kinds: Mapping[str, list[str]],
    parts: Sequence[str],
) -> list[int]:
    def value(name: str, head: str) -> int:
        chosen_rows = names if name == TOTAL else [name]
        chosen = list(parts) if head == TOTAL else [head] if head in parts else kinds[head]
        return sum(int(cells.get((row, part), 0)) for row in chosen_rows for part in chosen)

    return [value(name, head) for name, head in keys]


def share_words(part: str, whole: str) -> str:
    """Say a share from two counts as they are shown, never from the counts behind them.

    >>> share_words("15", "60"), share_words("1 to 7", "60"), share_words("0", "0")
    ('25 in 100', 'not shown', 'nobody')
    """
    try:
        top, bottom = (int(shown.replace(",", "")) for shown in (part, whole))
    except ValueError:
        return HIDDEN
    return f"{min(int(100 * top / bottom + 0.5), 100)} in 100" if bottom else "nobody"
