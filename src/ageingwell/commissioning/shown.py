"""The numbers of a page, looked up: by table, row and column, as they are shown."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from ageingwell.commissioning.costing import whole
from ageingwell.governance.crosses import TOTAL


@dataclass(frozen=True)
class Shown:
    """The numbers of a page (`governance.pages.PUBLISHED`) by table, row and column.

    >>> told = pl.DataFrame({"of": ["t"], "one": ["a"], "other": ["x"], "shown": ["40"]})
    >>> page = Shown.of(told)
    >>> page["t", "a", "x"], page["t", "b", "x"], page.number("t", "a", "x"), page.rows("t")
    ('40', '0', 40, ['a'])
    """

    words: dict[tuple[str, str, str], str]

    @classmethod
    def of(cls, published: pl.DataFrame) -> "Shown":
        """Look up in what `governance.pages.publish` gave."""
        rows = published.select("of", "one", "other", "shown").iter_rows()
        return cls({(of, one, other): shown for of, one, other, shown in rows})

    def __getitem__(self, key: tuple[str, str, str]) -> str:
        return self.words.get(key, "0")

    def number(self, of: str, one: str, other: str) -> int | None:
        """A number as it is shown; None where it is hidden."""
        return whole(self[of, one, other])

    def rows(self, of: str, order: Sequence[str] = ()) -> list[str]:
        """The rows of a table without its total; those in `order` first and in that order."""
        found = list(dict.fromkeys(one for table, one, _ in self.words if table == of and one != TOTAL))
        return [one for one in order if one in found] + [one for one in found if one not in order]
