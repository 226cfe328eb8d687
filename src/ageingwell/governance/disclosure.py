"""The one door through which counts of people leave: small ones hidden, the rest rounded.

The group's own rows need no such door, for the group reads them; every count of people who are *not* on its list does,
and every count in a page for commissioners.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

SUPPRESS_BELOW: Final = 8  # NHS England HES disclosure rule: 1 to 7 hidden, the rest to the nearest 5
ROUND_TO: Final = 5

_FIGURES: Final = ("value", "low", "high")

SMALL: Final = f"1 to {SUPPRESS_BELOW - 1}"
HIDDEN: Final = "not shown"


def disclose(count: pl.Expr) -> pl.Expr:
    """Hide a small count and round the rest, so that no table points at one person.

    >>> pl.DataFrame({"n": [0, 7, 8, 13]}).select(disclose(pl.col("n")))["n"].to_list()
    [0, None, 10, 15]
    """
    rounded = ((count / ROUND_TO).round(mode="half_away_from_zero") * ROUND_TO).cast(pl.Int64)
    return pl.when(~count.is_between(1, SUPPRESS_BELOW - 1)).then(rounded)


def shown_count(count: int | None) -> int | None:
    """One count as it may be kept or shown: 1 to 7 are None, others rounded to the nearest 5.

    >>> [shown_count(count) for count in (0, 3, 8, 13, None)]
    [0, None, 10, 15, None]
    """
    if count is None or 0 < count < SUPPRESS_BELOW:
        return None
    return (count + ROUND_TO // 2) // ROUND_TO * ROUND_TO


def in_words(count: int | None) -> str:
    """Say one count as a page may show it; None stands for one that was hidden before.

    >>> in_words(0), in_words(3), in_words(1_234), in_words(None)
    ('0', '1 to 7', '1,235', '1 to 7')
    """
    if count is None:
        return SMALL
    shown = pl.select(disclose(pl.lit(count))).item()
    return SMALL if shown is None else f"{shown:,}"


def disclose_table(counts: pl.DataFrame, *, count: str = "n", within: Sequence[str] = ()) -> pl.DataFrame:
    """Give the counts of a table as a page may show them, in the text column `shown`; the count itself is dropped.

    `within` names the columns whose values share one published total. Where just one cell under a total is hidden, it
    could be worked out from the total and the others: the next smallest cell that is not zero is then hidden too
    (secondary suppression), the first one where two are equal. Row order stays.

    >>> counts = pl.DataFrame({"step": ["a", "a", "a", "b"], "reason": ["x", "y", "z", "x"], "n": [3, 12, 41, 9]})
    >>> disclose_table(counts, within=["step"]).rows()
    [('a', 'x', '1 to 7'), ('a', 'y', 'not shown'), ('a', 'z', '40'), ('b', 'x', '10')]
    """
    group: list[pl.Expr] = [pl.col(name) for name in within] or [pl.lit(1)]
    n = pl.col(count)
    is_small = n.is_between(1, SUPPRESS_BELOW - 1)
    marked = counts.with_row_index("_row").with_columns(_small=is_small, _open=pl.when((n > 0) & ~is_small).then(n))
    is_next = (pl.col("_open") == pl.col("_open").min().over(group)).fill_null(value=False)
    first = pl.when(is_next).then("_row").min().over(group)
    is_second = (pl.col("_small").sum().over(group) == 1) & is_next & (pl.col("_row") == first)
    words = (
        pl.when("_small")
        .then(pl.lit(SMALL))
        .when(is_second)
        .then(pl.lit(HIDDEN))
        .otherwise(disclose(n).map_elements(lambda shown: f"{shown:,}", return_dtype=pl.String))
    )
    return marked.with_columns(shown=words).drop(count, "_row", "_small", "_open")


def is_small(figure: Mapping[str, Any]) -> bool:
    """Whether 1 to 7 people, events or people without the event stand behind a figure, which would give them away.

    `figure` has `n` and `n_events`, None where they were hidden before; one of a table of groups says it itself, in
    `is_small`.

    >>> [is_small({"n": 200, "n_events": n_events}) for n_events in (3, 30, None)]
    [True, False, True]
    """
    if figure.get("is_small") is not None:
        return bool(figure["is_small"])
    n, n_events = figure.get("n", 0), figure.get("n_events", 0)
    return n is None or n_events is None or any(0 < count < SUPPRESS_BELOW for count in (n, n_events, n - n_events))


def people_shown(groups: pl.DataFrame) -> dict[tuple[str, str], str]:
    """The people of each group of an evaluation's table, by grouping and group, as they may be shown.

    Their counts have been through the door already (1 to 7 are missing); where one alone is hidden in a grouping, which
    the total would give away, the next smallest is hidden too.

    >>> told = {"grouping": ["sex"] * 3, "group": ["F", "M", "not known"], "measure": ["event rate"] * 3}
    >>> people_shown(pl.DataFrame({**told, "n": [1_175, 1_010, None]}))
    {('sex', 'F'): '1,175', ('sex', 'M'): 'not shown', ('sex', 'not known'): '1 to 7'}
    """
    people = groups.filter(measure="event rate").select("grouping", "group", "n")
    shown: dict[tuple[str, str], str] = {}
    for (grouping,), part in people.group_by("grouping", maintain_order=True):
        told = {group: SMALL if n is None else f"{n:,}" for group, n in part.select("group", "n").iter_rows()}
        counted = part.filter(pl.col("n") > 0).sort("n", "group")
        if part["n"].null_count() == 1 and counted.height:
            told[counted["group"][0]] = HIDDEN
        shown |= {(str(grouping), group): words for group, words in told.items()}
    return shown


def hide_small(figures: pl.DataFrame) -> pl.DataFrame:
    """A table of figures as it may leave: where 1 to 7 people, events or others stand behind one, it is empty.

    So are the counts of 1 to 7. `figures` have `value`, `low`, `high`, `n` and `n_events`; some `worst`, `best` and
    `n_visited` as well.

    >>> told = {"value": [0.03, 0.2], "low": [0.01, 0.1], "high": [0.1, 0.3], "n": [100, 100], "n_events": [3, 20]}
    >>> hide_small(pl.DataFrame(told)).rows()
    [(None, None, None, 100, None), (0.2, 0.1, 0.3, 100, 20)]
    """
    counts = [name for name in ("n", "n_events", "n_visited") if name in figures.columns]
    hidden = [name for name in (*_FIGURES, "worst", "best", "share", "expected_cost_gbp") if name in figures.columns]
    small = {name: pl.col(name).is_between(1, SUPPRESS_BELOW - 1) for name in counts}
    others = (pl.col("n") - pl.col("n_events")).is_between(1, SUPPRESS_BELOW - 1)
    return figures.with_columns(
        *(pl.when(~pl.any_horizontal(*small.values(), others)).then(pl.col(name)).alias(name) for name in hidden),
        *(pl.when(~is_few).then(pl.col(name)).alias(name) for name, is_few in small.items()),
    )


def hide_benefit(benefit: pl.DataFrame) -> pl.DataFrame:
    """Net benefit as it may leave: from it and the number visited the events among them could be worked out.

    Where 1 to 7 of the visited, or of everybody, had the event or had it not, the figures are empty; all others are
    rounded to what five people make. `benefit` is `net_benefit`'s; its `n_visited_events` stays here.

    >>> told = {"value": [0.03, 0.2042], "low": [0.0, 0.1], "high": [0.1, 0.25], "n": [100, 100], "n_events": [30, 30]}
    >>> hide_benefit(pl.DataFrame({**told, "n_visited": [20, 40], "n_visited_events": [4, 22]})).rows()
    [(None, None, None, 100, 30, 20), (0.2, 0.1, 0.25, 100, 30, 40)]
    """
    fruitless = (pl.col("n_visited") - pl.col("n_visited_events")).is_between(1, SUPPRESS_BELOW - 1)
    is_few = pl.col("n_visited_events").is_between(1, SUPPRESS_BELOW - 1) | fruitless
    shown = benefit.with_columns(pl.when(~is_few).then(pl.col(name)).alias(name) for name in _FIGURES)
    return round_benefit(hide_small(shown.with_columns(disclose(pl.col("n_visited")).alias("n_visited")))).drop(
        "n_visited_events"
    )


def round_benefit(benefit: pl.DataFrame) -> pl.DataFrame:
    """Net benefits, or gains in it, rounded to what `ROUND_TO` people make of everybody; the columns as they are."""
    step = ROUND_TO / pl.col("n")
    return benefit.with_columns(((pl.col(name) / step).round() * step).alias(name) for name in _FIGURES)


def round_events(figures: pl.DataFrame) -> pl.DataFrame:
    """Shares of lists that lie one within the other, as they may leave: each rests on events to the nearest five.

    Whole counts would give the few between two lists away. Every figure is moved as its count of events is. Where
    people tie at the cut the count is an expected one: it is what `ppv` and `sensitivity` say of their `n`, and `lift`
    is moved as the `ppv` of its list.

    >>> told = {"value": [0.23, 0.0], "low": [0.15, 0.0], "high": [0.32, 0.04], "n": [100, 100], "n_events": [23, 0]}
    >>> round_events(pl.DataFrame(told)).select("value", "n_events").rows()
    [(0.25, 25), (0.0, 0)]
    """
    rounded = disclose(pl.col("n_events"))
    exact, list_of = (
        pl.col("n_events").cast(pl.Float64),
        [name for name in ("agency", "name") if name in figures.columns],
    )
    if "measure" in figures.columns:
        exact = (
            pl.when(pl.col("measure").is_in(["ppv", "sensitivity"]))
            .then(pl.col("value") * pl.col("n"))
            .otherwise(exact)
        )
    told = figures.with_columns(_moved=pl.when(pl.col("n_events") > 0).then(rounded / exact).otherwise(1.0))
    if "measure" in figures.columns:
        of_ppv = pl.col("_moved").filter(pl.col("measure") == "ppv").first().over(list_of or pl.lit(1))
        told = told.with_columns(_moved=pl.when(pl.col("measure") == "lift").then(of_ppv).otherwise("_moved"))
    names = [name for name in (*_FIGURES, "worst", "best", "share", "expected_cost_gbp") if name in figures.columns]
    return told.with_columns(*(pl.col(name) * pl.col("_moved") for name in names), n_events=rounded).drop("_moved")
