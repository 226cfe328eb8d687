"""The annex's section of how much links: table by table, and group by group of the people registered."""

from typing import Final

import polars as pl

from ageingwell.governance.disclosure import HIDDEN, disclose_table, in_words, is_small
from ageingwell.governance.link_words import shown_share
from ageingwell.recognition.links import ALL, GROUPS, REGISTER, overall
from ageingwell.report.section import Section, section, table
from ageingwell.views.words import label_words

WORDS: Final = {"age_band": "Age", "practice": "Practice"}
SAYS: Final = (
    "How many of the people and homes in each table are on the GP register. People who are not may live elsewhere, or "
    "may have left or died. Or they were matched to the wrong address, or pseudonymised with another key. What we "
    "hold about them is used for nobody.",
    "The second table asks the other way round: of the people registered in each group, how many have a record "
    "in each table, for themselves or their home. A lower share may mean less need, or links that are missed. Only "
    "the agency can say which. For GP patients it is the share with a home.",
)


def link_sections(links: pl.DataFrame) -> list[Section]:
    """One section from the night's `links`; none where nothing was counted. Every count is disclosed."""
    if links.is_empty():
        return []
    rows = [_whole(row) for row in overall(links).rows(named=True)]
    parts = [
        table(
            {
                "caption": "Links of each table",
                "note": "",
                "heads": ["Table", "What", "How many", "On the GP register"],
                "rows": rows,
            }
        ),
        table(_by_group(links)),
    ]
    return [section("How much links", "links", says=SAYS, parts=parts)]


def _whole(row: dict[str, object]) -> list[str]:
    n, n_linked = int(str(row["n"])), int(str(row["n_linked"]))
    what = "people with a home" if row["table"] == REGISTER else str(row["of"])
    return [label_words(str(row["table"])), what, in_words(n), shown_share(n_linked, n) or HIDDEN]


def _by_group(links: pl.DataFrame) -> dict[str, object]:
    """A row a group of people, a column a table: the share in 100, hidden where it could give somebody away."""
    asked = disclosed_shares(links)
    tables = asked["table"].unique().sort().to_list()
    people = _people(links)
    cells = {(group, level, name): shown for name, group, level, shown in asked.iter_rows()}
    rows = [
        [f"{WORDS.get(group, label_words(group))}: {level}", people[group, level]]
        + [cells.get((group, level, name), HIDDEN) for name in tables]
        for group, level in people
    ]
    heads = ["People registered", "How many", *(label_words(name) for name in tables)]
    return {"caption": "People with a record in each table, in 100", "note": "", "heads": heads, "rows": rows}


def _people(links: pl.DataFrame) -> dict[tuple[str, str], str]:
    counts = links.filter(pl.col("group").is_in(GROUPS), table=REGISTER).select("group", "level", "n")
    order = pl.col("group").replace_strict({group: at for at, group in enumerate(GROUPS)}, return_dtype=pl.Int64)
    shown = disclose_table(counts.sort(order, "level"), within=["group"])
    return {(group, level): words for group, level, words in shown.iter_rows()}


def disclosed_shares(links: pl.DataFrame) -> pl.DataFrame:
    """The share of each table and group of people registered as it may be shown: table, group, level, shown.

    Hidden where 1 to 7 are in the group, are linked, or are not. The table's own total is shown: so where one level of
    a group is hidden alone, the smallest other one is too.

    >>> rows = {"table": "homes", "of": "registered", "group": "sex", "level": ["female", "indeterminate", "male"],
    ...         "n": [60, 3, 50], "n_linked": [30, 0, 20]}
    >>> disclosed_shares(pl.DataFrame(rows)).rows()
    [('homes', 'sex', 'female', '50 in 100'), ('homes', 'sex', 'indeterminate', 'not shown'), \
('homes', 'sex', 'male', 'not shown')]
    """
    groups = links.filter((pl.col("of") == "registered") & (pl.col("group") != ALL)).sort("table", "group", "level")
    return pl.concat(
        [pl.DataFrame(schema=_SHOWN), *(_with_words(part) for part in groups.partition_by("table", "group"))]
    )


_SHOWN: Final = dict.fromkeys(("table", "group", "level", "shown"), pl.String)


def _with_words(part: pl.DataFrame) -> pl.DataFrame:
    counts = part.select("n", "n_linked").rows()
    hidden = {at for at, (n, n_linked) in enumerate(counts) if is_small({"n": n, "n_events": n_linked})}
    others = [at for at in range(len(counts)) if at not in hidden]
    if len(hidden) == 1 and others:
        hidden.add(min(others, key=lambda at: (counts[at][0], at)))
    words = [HIDDEN if at in hidden else shown_share(n_linked, n) for at, (n, n_linked) in enumerate(counts)]
    return part.select("table", "group", "level", shown=pl.Series(words, dtype=pl.String))
