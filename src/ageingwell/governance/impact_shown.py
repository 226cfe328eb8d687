"""What an impact tells of people as it may leave: small counts hidden with what would give them away, figures rounded.

Stages of one chain, agencies and everybody, a need and those without it: each is a total of others, and all go through
`hidden_counts` together.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Final

import polars as pl

from ageingwell.governance.crosses import Sum, hidden_counts
from ageingwell.governance.disclosure import HIDDEN, ROUND_TO, SUPPRESS_BELOW, disclose, in_words

TOO_FEW: Final = "too few people to show it"
# Days and nights are no counts of people: a tenth of one is as near as anybody needs.
_IN_DAYS: Final = ("days_at_home", "emergency_bed_days")
_ENDS: Final = ("value", "low", "high")


def hide_effects(effects: pl.DataFrame) -> pl.DataFrame:
    """Effects as they may leave: none where 1 to 7 people stand behind a side, or had it happen, or had it not.

    Where one agency alone would be hidden beside all, the smallest other is hidden too. Figures are rounded to what
    five people make, their intervals outwards; counts to the nearest 5; the spread stays here.

    >>> row = {"by": "all", "name": "all", "method": "lot", "days": 365, "outcome": "deaths", "value": -0.0312,
    ...        "low": -0.08, "high": 0.02, "n_visited": 203, "n_others": 197, "happened_visited": 12,
    ...        "happened_others": 19, "visited": 0.06, "spread": 0.2, "left_out": 0.0, "hidden": None, "why_not": None}
    >>> hide_effects(pl.DataFrame(row, schema_overrides={"hidden": pl.Float64, "why_not": pl.String})).select(
    ...     pl.col("value", "low", "high").round(4), "n_visited", "happened_visited").row(0)
    (-0.0254, -0.1015, 0.0254, 205, 10)
    """
    counts = ("n_visited", "n_others", "happened_visited", "happened_others")
    small = [pl.col(name).is_between(1, SUPPRESS_BELOW - 1) for name in counts]
    had_not = [
        (pl.col(f"n_{side}") - pl.col(f"happened_{side}")).is_between(1, SUPPRESS_BELOW - 1)
        & (pl.col("outcome") != "days_at_home")
        for side in ("visited", "others")
    ]
    marked = effects.with_columns(_small=pl.any_horizontal(*small, *had_not))
    marked = _with_second(marked)
    step = (
        pl.when(pl.col("outcome").is_in(_IN_DAYS))
        .then(0.1)
        .otherwise(ROUND_TO / pl.min_horizontal("n_visited", "n_others").clip(lower_bound=1))
    )
    is_shown = ~pl.col("_small")
    return marked.with_columns(
        value=pl.when(is_shown).then((pl.col("value") / step).round() * step),
        low=pl.when(is_shown).then((pl.col("low") / step).floor() * step),
        high=pl.when(is_shown).then((pl.col("high") / step).ceil() * step),
        visited=pl.when(is_shown).then((pl.col("visited") / step).round() * step),
        hidden=pl.when(is_shown).then((pl.col("hidden") / step).ceil() * step),
        left_out=pl.when(is_shown).then(pl.col("left_out").round(2)),
        why_not=pl.when(is_shown).then("why_not").otherwise(pl.coalesce("why_not", pl.lit(TOO_FEW))),
        **{name: pl.when(is_shown).then(disclose(pl.col(name))) for name in counts},
    ).drop("_small", "spread")


def _with_second(marked: pl.DataFrame) -> pl.DataFrame:
    """With the smallest other agency hidden too where one alone is."""
    group = ["by", "method", "days", "outcome"]
    is_agency = pl.col("by") == "agency"
    open_n = pl.when(is_agency & ~pl.col("_small")).then("n_visited")
    alone = is_agency & (pl.col("_small").sum().over(group) == 1)
    return marked.with_columns(
        _small=pl.col("_small") | (alone & (open_n == open_n.min().over(group)).fill_null(value=False))
    )


def hide_balance(balance: pl.DataFrame) -> pl.DataFrame:
    """How alike two sides are, as it may leave: no mean from which 1 to 7 people could be worked out.

    A share of women, or a mean of few admissions, times the people is a count: there the gap alone is told.

    >>> row = {"trait": ["age", "is_female"], "visited": [81.234, 0.7], "others": [80.0, 0.6], "n_visited": [60, 60],
    ...        "standardised_gap": [0.1234, 0.2], "n_others": [204, 204]}
    >>> hide_balance(pl.DataFrame(row)).select("visited", "standardised_gap", "n_others").rows()
    [(81.2, 0.12, 205), (None, 0.2, 205)]
    """
    is_shown = _enough_on_both()
    told = [
        pl.when(is_shown & ~_is_count(pl.col("trait")) & ((pl.col(side) * pl.col(n)).abs() >= SUPPRESS_BELOW))
        .then(pl.col(side).round(1))
        .alias(side)
        for side, n in (("visited", "n_visited"), ("others", "n_others"))
    ]
    gap = pl.when(is_shown).then(pl.col("standardised_gap").round(2)).alias("standardised_gap")
    return balance.with_columns(*told, gap, *_sides_shown(is_shown))


def hide_checks(checks: pl.DataFrame) -> pl.DataFrame:
    """What cannot have changed, as it may leave: rounded to what five people make, its interval outwards."""
    is_shown = _enough_on_both()
    step = ROUND_TO / pl.min_horizontal("n_visited", "n_others").clip(lower_bound=1)
    return checks.with_columns(
        *_sides_shown(is_shown),
        value=pl.when(is_shown).then((pl.col("value") / step).round() * step),
        low=pl.when(is_shown).then((pl.col("low") / step).floor() * step),
        high=pl.when(is_shown).then((pl.col("high") / step).ceil() * step),
    )


def _is_count(trait: pl.Expr) -> pl.Expr:
    return trait.is_in(["is_female", "prior_admissions", "prior count"])


def _enough_on_both() -> pl.Expr:
    return pl.all_horizontal(pl.col(name) >= SUPPRESS_BELOW for name in ("n_visited", "n_others"))


def _sides_shown(is_shown: pl.Expr) -> list[pl.Expr]:
    return [pl.when(is_shown).then(disclose(pl.col(name))).alias(name) for name in ("n_visited", "n_others")]


def show_chains(
    counts: pl.DataFrame, *, chain: Sequence[str], beside: Sequence[str], parts: Sequence[str]
) -> pl.DataFrame:
    """Counts of people by stage as they may be shown: by, name, stage, shown.

    `counts` has by, name, stage and n. Each stage of `chain` lies within the one before it, each of `beside` within the
    first; the names of a `by` of `parts` add up to `all`, those of any other overlap.

    >>> told = {"by": ["all"] * 2, "name": ["all"] * 2, "stage": ["listed", "reached"], "n": [40, 37]}
    >>> show_chains(pl.DataFrame(told), chain=["listed", "reached"], beside=[], parts=[])["shown"].to_list()
    ['40', 'not shown']
    """
    values: list[int] = []
    at: dict[tuple[str, ...], int] = {}

    def put(key: tuple[str, ...], n: int) -> int:
        at[key] = len(values)
        values.append(n)
        return at[key]

    cells = {(by, name, stage): n for by, name, stage, n in counts.select("by", "name", "stage", "n").iter_rows()}
    for key, n in cells.items():
        put(key, n)
    sums: list[Sum] = []
    for by, name in dict.fromkeys(key[:2] for key in cells):
        steps = [stage for stage in chain if (by, name, stage) in cells]
        within = [*combinations(steps, 2), *((steps[0], one) for one in beside if steps and (by, name, one) in cells)]
        for whole, part in within:
            sums += _with_rest((by, name, whole), (by, name, part), cells, at, put)
    sums += _of_everybody(cells, at, put, parts)
    is_hidden = hidden_counts(values, sums)
    shown = [HIDDEN if is_hidden[at[key]] else in_words(n) for key, n in cells.items()]
    return counts.select("by", "name", "stage").with_columns(shown=pl.Series(shown, dtype=pl.String))


def _with_rest(
    whole: tuple[str, str, str],
    part: tuple[str, str, str],
    cells: Mapping[tuple[str, str, str], int],
    at: Mapping[tuple[str, ...], int],
    put: Callable[[tuple[str, ...], int], int],
) -> list[Sum]:
    """A count, one within it, and those in the first alone, where they are few.

    Many of them may be worked out: no page shows them, so nothing is hidden for their sake.
    """
    rest = cells[whole] - cells[part]
    if not 1 <= rest < SUPPRESS_BELOW:
        return []
    return [(at[whole], (at[part], put((*whole, *part), rest)))]


def _of_everybody(
    cells: Mapping[tuple[str, str, str], int],
    at: dict[tuple[str, ...], int],
    put: Callable[[tuple[str, ...], int], int],
    parts: Sequence[str],
) -> list[Sum]:
    sums: list[Sum] = []
    for by, name, stage in cells:
        if by == "all" or ("all", "all", stage) not in cells or by in parts:
            continue
        sums += _with_rest(("all", "all", stage), (by, name, stage), cells, at, put)
    for by in parts:
        for stage in dict.fromkeys(stage for _, _, stage in cells):
            ours = tuple(at[key] for key in cells if key[0] == by and key[2] == stage)
            if ours and ("all", "all", stage) in at:
                sums.append((at["all", "all", stage], ours))
    return sums


def show_shares(shares: pl.DataFrame) -> pl.DataFrame:
    """Shares of groups as they may be shown: grouping, group, people, listed (in words), and figures where both are.

    Every grouping has the same totals, so its groups go through the door together.
    """
    parts = []
    for (_,), part in shares.group_by("grouping", maintain_order=True):
        told = part.select(by=pl.lit("group"), name="group", people="n", listed="n_events").unpivot(
            on=["people", "listed"], index=["by", "name"], variable_name="stage", value_name="n"
        )
        whole = (
            told.group_by("stage")
            .agg(pl.col("n").sum())
            .select(by=pl.lit("all"), name=pl.lit("all"), stage="stage", n="n")
        )
        shown = show_chains(
            pl.concat([whole, told.select("by", "name", "stage", "n")]),
            chain=["people", "listed"],
            beside=[],
            parts=["group"],
        ).filter(by="group")
        wide = shown.pivot(on="stage", index="name", values="shown")
        joined = part.join(wide, left_on="group", right_on="name", how="left", maintain_order="left")
        is_open = (pl.col("people") != HIDDEN) & (pl.col("listed") != HIDDEN)
        figures = ("value", "low", "high", "gap", "gap_low", "gap_high")
        parts.append(
            joined.select(
                "grouping",
                "group",
                "people",
                "listed",
                *(pl.when(is_open).then(pl.col(name).round(2)).alias(name) for name in figures),
            )
        )
    return pl.concat(parts) if parts else pl.DataFrame(schema=SHARES_SHOWN)


SHARES_SHOWN: Final = pl.Schema(
    {
        "grouping": pl.String,
        "group": pl.String,
        "people": pl.String,
        "listed": pl.String,
        **dict.fromkeys(("value", "low", "high", "gap", "gap_low", "gap_high"), pl.Float64),
    }
)
