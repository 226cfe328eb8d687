"""How needs went from quarter to quarter: the numbers of the pages as they were shown, and nothing else."""

from collections.abc import Sequence

import polars as pl

from ageingwell.commissioning.community import NEEDS
from ageingwell.commissioning.shown import Shown
from ageingwell.governance.crosses import TOTAL
from ageingwell.register import LEAD_AGENCIES


def needs_by_quarter(pages: Sequence[tuple[str, pl.DataFrame]]) -> pl.DataFrame:
    """Needs by quarter and by the agency that leads on them, as the page of each quarter showed them.

    `pages` are the quarter and the numbers of each page, the oldest first. Gives quarter, lead (`All` for all), shown.
    """
    rows = []
    for quarter, page in pages:
        shown = Shown.of(page)
        heads = [lead for lead in LEAD_AGENCIES if (NEEDS, TOTAL, lead) in shown.words]
        rows += [(quarter, lead, shown[NEEDS, TOTAL, lead]) for lead in [*heads, TOTAL]]
    return pl.DataFrame(rows, schema={"quarter": pl.String, "lead": pl.String, "shown": pl.String}, orient="row")


def going_words(trend: pl.DataFrame) -> str:
    """Whether there are more needs than in the first quarter of the trend, in a few words.

    >>> told = {"quarter": ["2026-Q3", "2026-Q4"], "lead": ["All"] * 2, "shown": ["1,200", "1,150"]}
    >>> going_words(pl.DataFrame(told))
    'needs went from 1,200 to 1,150 since 2026-Q3'
    """
    every = trend.filter(pl.col("lead") == TOTAL)
    if every.height < 2:
        return "this is the first quarter, so nothing can be compared yet"
    first, last = every.row(0, named=True), every.row(-1, named=True)
    if first["shown"] == last["shown"]:
        return f"needs are about the same as in {first['quarter']}"
    return f"needs went from {first['shown']} to {last['shown']} since {first['quarter']}"
