"""Who may be offered help and who is on the list, by group: whether a list serves everybody is asked at its own cut."""

from typing import Any, Final

import polars as pl

from ageingwell.governance.disclosure import shown_count
from ageingwell.recognition.links import GROUPS, with_groups

ELIGIBLE_BY_GROUP: Final = pl.Schema({"group": pl.String, "level": pl.String, "n": pl.Int64})
# A practice is told elsewhere, and of a small one nearly every count would be hidden.
TOLD: Final = tuple(name for name in GROUPS if name != "practice")


def count_groups(people: pl.DataFrame) -> pl.DataFrame:
    """How many of some people are in each group (`ELIGIBLE_BY_GROUP`); the counts of parts of the people add up.

    `people` has the columns of the spine: age, sex, ethnic_group and deprivation_decile.

    >>> spine = {"age": [66, 91], "sex": ["female", "male"], "ethnic_group": ["white", "unknown"]}
    >>> people = pl.DataFrame({**spine, "deprivation_decile": [1, 6], "practice_code": ["Z80000"] * 2})
    >>> count_groups(people).filter(group="ethnic_group").rows()
    [('ethnic_group', 'not known', 1), ('ethnic_group', 'white', 1)]
    """
    grouped = with_groups(people)
    counts = [
        grouped.group_by(level=name).agg(n=pl.len().cast(pl.Int64)).select(pl.lit(name).alias("group"), "level", "n")
        for name in TOLD
    ]
    return pl.concat(counts).cast(ELIGIBLE_BY_GROUP).sort("group", "level")


def listed_by_group(eligible: pl.DataFrame, listed: pl.DataFrame) -> list[dict[str, Any]]:
    """Each group's people who may be offered help and those of them listed, as a manifest may tell them.

    Both are counts by `count_groups`. Counts of 1 to 7, on the list or off it, are None and others to the nearest 5;
    where one alone would be hidden in a grouping, which its total would give away, the next smallest is hidden too.

    >>> all_of_them = pl.DataFrame({"group": ["sex"] * 2, "level": ["female", "male"], "n": [200, 120]})
    >>> listed_by_group(all_of_them, all_of_them.with_columns(n=pl.Series([31, 4])))
    [{'group': 'sex', 'level': 'female', 'n': 200, 'n_listed': None},
     {'group': 'sex', 'level': 'male', 'n': 120, 'n_listed': None}]
    """
    keys = ["group", "level"]
    n = eligible.group_by(keys).agg(pl.col("n").sum())
    both = n.join(listed.rename({"n": "n_listed"}), on=keys, how="full", coalesce=True).with_columns(
        pl.col("n", "n_listed").fill_null(0)
    )
    told: list[dict[str, Any]] = []
    for _, rows in both.sort(keys).group_by("group", maintain_order=True):
        told += _through_the_door(rows.to_dicts())
    return told


def _through_the_door(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of one grouping with their small counts hidden, in whole and among those listed."""
    small = {
        "n": [_is_small(row["n"]) for row in rows],
        # Of two counts and their difference, one that is small would be given away by the others.
        "n_listed": [_is_small(row["n_listed"], row["n"] - row["n_listed"], row["n"]) for row in rows],
    }
    hidden = {name: _with_a_second(flags, [row[name] for row in rows]) for name, flags in small.items()}
    return [
        {name: row[name] for name in ("group", "level")}
        | {name: None if hidden[name][place] else shown_count(row[name]) for name in ("n", "n_listed")}
        for place, row in enumerate(rows)
    ]


def _is_small(*counts: int) -> bool:
    return any(shown_count(count) is None for count in counts)


def _with_a_second(hidden: list[bool], counts: list[int]) -> list[bool]:
    """Hide the smallest of the others too where one alone is hidden."""
    if sum(hidden) != 1:
        return hidden
    others = [(n, place) for place, n in enumerate(counts) if n > 0 and not hidden[place]]
    second = min(others)[1] if others else None
    return [is_hidden or place == second for place, is_hidden in enumerate(hidden)]
