"""The annex of an impact: every figure, for a statistician to check."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from ageingwell.governance.disclosure import HIDDEN
from ageingwell.report.impact_parts import HARM_DAYS, Table, Tables, as_table, too_early
from ageingwell.report.impact_words import DAYS_NAMED, OUTCOME_NAMES, time_words, why_words
from ageingwell.views.words import agency_words, label_words, need_words


def annex_parts(tables: Tables, facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Each section: heading, anchor, says, tables."""
    days = int(facts["days"])
    for span in dict.fromkeys((days, HARM_DAYS)):
        effects = tables["effects"].filter(days=span)
        yield {
            "heading": f"Effect of being offered a visit, {time_words(span)}",
            "anchor": f"effects-{span}",
            "says": [] if effects.height else [too_early(facts)],
            "tables": [_effects_table(effects, span)],
        }
    yield {
        "heading": "How alike the two sides are",
        "anchor": "balance",
        "says": ["A gap of more than 0.1 standard deviations after matching refuses the comparison."],
        "tables": [
            _figures(
                tables["balance"],
                "Traits on the night",
                ("trait", "visited", "others", "standardised_gap"),
            )
        ],
    }
    yield {
        "heading": "What cannot have changed",
        "anchor": "checks",
        "says": [
            "Emergency admissions from two years to one year before the night. Nobody was chosen by them and "
            "no visit can have changed them. A difference here means that the two sides differ in something that no "
            "record tells."
        ],
        "tables": [
            _figures(tables["checks"], "The same comparison of an earlier year", ("check", "value", "low", "high"))
        ],
    }
    yield {
        "heading": "People needed",
        "anchor": "needed",
        "says": ["Two-sided test at 5%, found in 4 of 5 trials, half of the people picked."],
        "tables": [
            _figures(
                tables["needed"],
                "For a change of a fifth",
                ("outcome", "effect", "n_needed", "n_in_lots", "n_in_lots_later", "n_listed"),
                labels=(),
            )
        ],
    }
    yield {
        "heading": "Shares of groups",
        "anchor": "shares",
        "says": ["Gap: the group's share less everyone else's."],
        "tables": [
            _figures(
                tables["shares"],
                "Of people with a need, the share ever offered a visit",
                ("group", "people", "listed", "value", "low", "high", "gap", "gap_low", "gap_high"),
                labels=("grouping",),
            )
        ],
    }


def _effects_table(effects: pl.DataFrame, span: int) -> Table:
    rows = []
    for (by, name, method), part in effects.group_by("by", "name", "method", maintain_order=True):
        who = "Everyone" if by == "all" else (agency_words if by == "agency" else need_words)(str(name))
        reasons = part["why_not"].unique().to_list()
        if by != "all" and len(reasons) == 1 and reasons[0] is not None:
            # One line says it of every outcome.
            rows.append([f"{who}: everything", str(method), "none", *[""] * 6, why_words(reasons[0])])
            continue
        rows += [_effect_row(who, row) for row in part.to_dicts()]
    heads = (
        "Who and what",
        "Method",
        "Difference per person (95% interval)",
        "Offered",
        "Not offered",
        "Offered: had it",
        "Not offered: had it",
        "Nobody alike",
        "Could hide",
        "Why there is none",
    )
    note = "Of 20 such intervals, one misses the truth by chance alone. Look at the row “Everyone” first."
    return as_table(f"Per person in {DAYS_NAMED.get(span, f'{span} days')}", heads, rows, note=note)


def _effect_row(who: str, row: Mapping[str, Any]) -> list[str]:
    is_told = row["value"] is not None and row["why_not"] is None
    counts = ("n_visited", "n_others", "happened_visited", "happened_others")
    return [
        f"{who}: {OUTCOME_NAMES[row['outcome']].lower()}",
        row["method"],
        f"{row['value']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})" if is_told else "none",
        *(HIDDEN if row[name] is None else f"{row[name]:,}" for name in counts),
        *("" if row[name] is None else f"{row[name]:.2f}" for name in ("left_out", "hidden")),
        why_words(row["why_not"]) if row["why_not"] else "",
    ]


def _figures(
    table: pl.DataFrame,
    caption: str,
    columns: Sequence[str],
    *,
    labels: Sequence[str] = ("by", "name", "method", "days"),
) -> Table:
    rows = [
        [
            " · ".join(str(row[label]) for label in labels if str(row[label]) != "all") or str(row[columns[0]]),
            *(_cell(row[name]) for name in (columns if labels else columns[1:])),
        ]
        for row in table.to_dicts()
    ]
    heads = ["Comparison", *columns] if labels else list(columns)
    return as_table(caption, [label_words(head) for head in heads], rows)


def _cell(value: Any) -> str:
    if value is None:
        return HIDDEN
    return (
        f"{value:,.2f}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else label_words(value)
        if "_" in str(value)
        else str(value)
    )
