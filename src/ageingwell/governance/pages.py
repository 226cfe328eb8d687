"""Several tables of counts, published together and quarter after quarter: hidden so that no page gives a count away.

Each table is disclosed as `crosses` does it, as if rounding could be undone. Then a linear programme over all tables of
the page, what is known to be equal between them, and all pages before it, tries to bound what is hidden
(`bounds.too_close`); more is hidden until nothing can be told to within two people.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from ageingwell.governance.bounds import Statement, too_close
from ageingwell.governance.crosses import TOTAL, Cross, crossed, hidden_counts
from ageingwell.governance.disclosure import HIDDEN, ROUND_TO, SUPPRESS_BELOW, in_words

# A number of a page: which table, the two labels of the cell (or `All`), the group of its column where it is in one,
# the count (none for a total) and how it is shown.
PUBLISHED: Final = pl.Schema(
    {"of": pl.String, "one": pl.String, "other": pl.String, "group": pl.String, "n": pl.Int64, "shown": pl.String}
)
# So often more is hidden on a page that has others before it; then the page before is carried on instead.
MOST_ROUNDS: Final = 25
Key = tuple[str, str, str]
# Two sums of numbers of one page that a reader knows to be equal: everybody by place is everybody by deprivation.
Link = tuple[tuple[Key, ...], tuple[Key, ...]]


@dataclass(frozen=True)
class Counted:
    """One table of a page: its name, its counts (one, other, n; an absent cell is 0), and the group of each column."""

    of: str
    counts: pl.DataFrame
    groups: Mapping[str, str] | None = None


@dataclass
class _Page:
    """The tables of one page as numbers over all: what each number adds up, and which are hidden."""

    crosses: dict[str, Cross]
    hidden: dict[Key, bool] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many numbers the page has, and one more: so often something can be hidden."""
        return 1 + sum(len(cross.keys) for cross in self.crosses.values())

    def numbers(self) -> Iterable[Key]:
        return ((of, *key) for of, cross in self.crosses.items() for key in cross.keys)

    def count(self, key: Key) -> int:
        return self.crosses[key[0]].counts[key[1:]]

    def cells(self, key: Key) -> tuple[Key, ...]:
        return tuple((key[0], *cell) for cell in self.crosses[key[0]].parts[key[1:]])


def publish(
    tables: Sequence[Counted], *, links: Sequence[Link] = (), earlier: Sequence[pl.DataFrame] = ()
) -> pl.DataFrame:
    """Give every number of a page as it may be shown, with every total (`PUBLISHED`).

    `links` are sums of its numbers that a reader knows to be equal; `earlier` the pages before it as this gave them,
    the oldest first. A count that did not move since an earlier page is taken for known to be the same. Where hiding
    more does not help against what those pages tell, the last of them is given once more.

    >>> people = pl.DataFrame({"one": ["a", "a", "b", "b"], "other": ["x", "y"] * 2, "n": [3, 20, 30, 40]})
    >>> publish([Counted("people", people)]).filter(one="a").select("other", "shown").rows()
    [('x', 'not shown'), ('y', 'not shown'), ('All', '25')]
    """
    page = _Page({table.of: crossed(table.counts, groups=table.groups) for table in tables})
    for of, cross in page.crosses.items():
        hidden = hidden_counts([cross.counts[key] for key in cross.keys], cross.sums())
        page.hidden |= {(of, *key): is_hidden for key, is_hidden in zip(cross.keys, hidden, strict=True)}
    pages = [*(_read(before) for before in earlier), page]
    known = _known_already(pages[:-1])
    for _ in range(MOST_ROUNDS if earlier else page.size):
        if not (given_away := _given_away(pages, links)):
            return _as_published(page)
        _hide_more(page, given_away, known)
    # The page before, once more: whoever has it learns nothing from it.
    return earlier[-1].select(PUBLISHED.names()) if earlier else _as_published(page)


def _as_published(page: _Page) -> pl.DataFrame:
    rows = [
        (
            of,
            one,
            other,
            cross.groups.get(other),
            None if TOTAL in (one, other) or other not in cross.groups else n,
            words,
        )
        for of, cross in page.crosses.items()
        for (one, other), n in cross.counts.items()
        for words in [HIDDEN if page.hidden[of, one, other] else in_words(n)]
    ]
    return pl.DataFrame(rows, schema=PUBLISHED, orient="row")


def _read(published: pl.DataFrame) -> _Page:
    """A page as it was published."""
    crosses: dict[str, Cross] = {}
    hidden: dict[Key, bool] = {}
    for (of,), part in published.cast(PUBLISHED).group_by("of", maintain_order=True):
        cells = part.drop_nulls("n")
        groups = {other: group for other, group in cells.select("other", "group").iter_rows() if group is not None}
        is_grouped = any(other != group for other, group in groups.items())
        crosses[str(of)] = crossed(cells.select("one", "other", "n"), groups=groups if is_grouped else None)
        told = part.select("one", "other", "shown").iter_rows()
        hidden |= {(str(of), one, other): shown == HIDDEN for one, other, shown in told}
    page = _Page(crosses)
    page.hidden = {key: hidden.get(key, True) for key in page.numbers()}
    return page


def _given_away(pages: Sequence[_Page], links: Sequence[Link]) -> list[Key]:
    """The hidden numbers, of this page or one before, that a reader of all pages can tell closely."""
    number: dict[tuple[Key, int], int] = {}
    of_page: list[dict[Key, int]] = []
    latest: dict[Key, tuple[int, int]] = {}
    truth: list[int] = []
    for page in pages:
        here = {}
        for of, cross in page.crosses.items():
            for cell in cross.cells:
                key, n = (of, *cell), cross.counts[cell]
                moves, before = latest.get(key, (0, n))
                moves += n != before
                latest[key] = (moves, n)
                if (key, moves) not in number:
                    number[key, moves] = len(truth)
                    truth.append(n)
                here[key] = number[key, moves]
        of_page.append(here)
    # What did not move says and asks the same on every page: once is enough.
    said: dict[Statement, None] = {}
    asked: dict[tuple[int, ...], Key] = {}
    for page, here in zip(pages, of_page, strict=True):
        for key in page.numbers():
            cells = tuple(here[cell] for cell in page.cells(key))
            if page.hidden[key]:
                asked[cells] = key
            else:
                said[Statement(tuple((cell, 1.0) for cell in cells), *ends_of(page.count(key)))] = None
        said |= dict.fromkeys(_equal(page, here, links))
    found = too_close(list(asked), statements=list(said), truth=truth)
    names = list(asked.values())
    return list(dict.fromkeys(names[at] for at in found))


def ends_of(count: int) -> tuple[float, float]:
    """Between which counts one lies that is shown rounded.

    >>> ends_of(0), ends_of(9), ends_of(41)
    ((0, 0), (8, 12), (38, 42))
    """
    shown = (count + ROUND_TO // 2) // ROUND_TO * ROUND_TO
    return (0, 0) if count == 0 else (max(SUPPRESS_BELOW, shown - ROUND_TO // 2), shown + ROUND_TO // 2)


def _equal(page: _Page, here: Mapping[Key, int], links: Sequence[Link]) -> list[Statement]:
    """What is known to be equal on a page; counts kept from an earlier page need not be."""
    there = set(page.numbers())
    found = []
    for left, right in links:
        if not there.issuperset((*left, *right)) or sum(map(page.count, left)) != sum(map(page.count, right)):
            continue
        weights: dict[int, float] = {}
        for side, keys in ((1.0, left), (-1.0, right)):
            for cell in (here[cell] for key in keys for cell in page.cells(key)):
                weights[cell] = weights.get(cell, 0.0) + side
        found.append(Statement(tuple(weights.items()), 0, 0))
    return found


def _known_already(pages: Sequence[_Page]) -> dict[Key, int]:
    """The numbers that the page before shows: to hide one of them that did not move would hide nothing."""
    return {key: pages[-1].count(key) for key in pages[-1].numbers() if not pages[-1].hidden[key]} if pages else {}


def _hide_more(page: _Page, given_away: Sequence[Key], known: Mapping[Key, int]) -> None:
    """Hide the smallest number beside each that is given away, else anywhere: one that is not known already."""

    def order(key: Key) -> tuple[bool, bool, int, Key]:
        n = page.count(key)
        return (known.get(key) == n, n == 0, n, key)

    beside = [_beside(page, key) for key in given_away if key in page.hidden]
    for asked in beside if any(beside) else [list(page.numbers())]:
        shown = [other for other in asked if not page.hidden[other]]
        if shown:
            page.hidden[min(shown, key=order)] = True


def _beside(page: _Page, key: Key) -> list[Key]:
    """What is shown in the sums that a number is in."""
    cross = page.crosses[key[0]]
    lines = [(total, *parts) for total, parts in cross.named_sums() if key[1:] in (total, *parts)]
    return [other for line in lines for member in line if not page.hidden[other := (key[0], *member)]]
